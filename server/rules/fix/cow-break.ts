// SPDX-License-Identifier: GPL-2.0-only
import { atLeast, type Release } from "../../kernel/release.ts";
import { extent } from "../../program/extent.ts";
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import { render } from "../../program/render.ts";
import type { Forcing, Helper, SlowPath } from "../gup-cow-mechanism.ts";
import type { Fix } from "../rule.ts";
import { withoutLeftovers } from "./leftovers.ts";
import { insertBefore, joined, lineStart, removeStatement, replaced, statementAt, statementsIn, type Edits } from "./statement-edits.ts";

/*
 * The forced COW break as 17839856fd58 and its backports have it: predicates spelled as they were merged, the bit in the word of
 * the lookups, on both branches.
 */

const offered = (title: string, edits: Edits): readonly Fix[] => (edits ? [{ title, edits }] : []);

/** The lookups' word in the place of another one. */
export const forceInto = (forcing: Forcing, word: string): readonly Fix[] => {
  const { at, end } = extent(forcing.assign.target);
  return offered(`Force the bit into ${word}`, [replaced(at, end, word)]);
};

/** `|=` where `=` loses the other flags. */
export function keepFlags(slow: SlowPath, forcing: Forcing): readonly Fix[] {
  const at = slow.program.image.text.indexOf("=", extent(forcing.assign.target).end);
  return offered("Keep the other flags", at < 0 || at >= forcing.assign.end ? null : [replaced(at, at, "|")]);
}

/** The forced word for follow_hugetlb_page(). */
export function passWord(value: SlowPath["hugetlb"], word: string): readonly Fix[] {
  if (!value) return [];
  const { at, end } = extent(value.word);
  return offered(`Pass ${word} on`, [replaced(at, end, word)]);
}

const vmaOf = (slow: SlowPath): string | undefined => [...slow.program.variables.values()].find((one) => one.type === "vm_area_struct" && one.pointers === 1)?.name;

/** Flags of a call that takes a reference. */
const requestOf = (release: Release): string => (atLeast(release, "5.6") ? "(FOLL_GET | FOLL_PIN)" : "FOLL_GET");

const forcingLines = (slow: SlowPath, word: string): readonly string[] | null => {
  const vma = vmaOf(slow);
  return vma === undefined ? null : [`if (should_force_cow_break(${vma}, ${word}))`, `\t${word} |= FOLL_WRITE;`];
};

/** The forced break in front of the hugetlb lookup. */
export function forceBeforeHugetlb(slow: SlowPath, word: string): readonly Fix[] {
  const fn = functionText(slow.program);
  const statement = fn && slow.hugetlb && statementAt(fn, slow.hugetlb.call.at);
  const lines = forcingLines(slow, word);
  return fn && statement && lines ? offered("Force the COW break before follow_hugetlb_page()", insertBefore(fn, statement, lines)) : [];
}

/** Lines between the block that looks the VMA up and `retry:`. */
function aboveRetry(fn: FunctionText, lines: readonly string[]): Edits {
  const label = statementsIn(fn.block).find((one) => one.kind === "label" && one.name === "retry");
  if (!label) return null;
  const isBlankAbove = /\n[ \t]*\n$/.test(fn.text.slice(0, lineStart(fn.text, label.at)));
  return insertBefore(fn, label, [...(isBlankAbove ? [] : [""]), ...lines, ""]);
}

/** The forced break between the block that looks the VMA up and `retry:`; one that stands elsewhere goes. */
export function forceAboveRetry(slow: SlowPath, word: string, misplaced: Forcing | null): readonly Fix[] {
  const fn = functionText(slow.program);
  const lines = forcingLines(slow, word);
  const inserted = fn && lines && aboveRetry(fn, lines);
  if (!fn || !inserted) return [];
  const former = misplaced && guardOf(fn, misplaced);
  const title = "Force the COW break between the VMA block and retry:";
  if (!misplaced) return offered(title, inserted);
  const fallback = offered(title, inserted).map((fix) => ({ ...fix, isFallback: true as const }));
  return [...offered(title, former && joined(inserted, removeStatement(fn, former))), ...fallback];
}

/** The forced break where no predicate is left to ask: its condition is spelled. */
export function forceAgain(slow: SlowPath, release: Release): readonly Fix[] {
  const fn = functionText(slow.program);
  const [word, vma] = [wordOf(slow), vmaOf(slow)];
  if (!fn || vma === undefined) return [];
  const lines = [`if (is_cow_mapping(${vma}->vm_flags) && (${word} & ${requestOf(release)}))`, `\t${word} |= FOLL_WRITE;`];
  const statement = slow.hugetlb && statementAt(fn, slow.hugetlb.call.at);
  const { at, end } = slow.hugetlb ? extent(slow.hugetlb.word) : { at: 0, end: 0 };
  const passed = slow.hugetlb && fn.text.slice(at, end) !== word ? [replaced(at, end, word)] : [];
  const both = statement ? joined(aboveRetry(fn, lines), insertBefore(fn, statement, lines), passed) : null;
  const title = "Force the COW break again: do_wp_page() of this release needs it";
  return [...offered(`${title}, for hugetlb too`, both), ...offered(title, aboveRetry(fn, lines)).map((fix) => ({ ...fix, isFallback: true as const }))];
}

/** No forced break: what the function did for it goes. */
export function withoutForcing(slow: SlowPath, forcings: readonly Forcing[]): readonly Fix[] {
  const fn = functionText(slow.program);
  const guards = fn ? forcings.map((one) => guardOf(fn, one)) : [];
  return fn ? offered("Take the forced COW break out: do_wp_page() of this release does without", withoutLeftovers(fn, joined(...guards.map((one) => one && removeStatement(fn, one))))) : [];
}

/** The `if` that a forcing is the body of. */
function guardOf(fn: FunctionText, forcing: Forcing): StatementPlace | null {
  const assign = statementAt(fn, forcing.assign.at);
  return assign?.parent?.kind === "if" && assign.parent.children.length === 1 ? assign.parent : null;
}

/** The test that 17839856fd58 has. */
export function askPredicate(slow: SlowPath, forcing: Forcing, word: string): readonly Fix[] {
  const fn = functionText(slow.program);
  const guard = fn && guardOf(fn, forcing);
  const [line] = forcingLines(slow, word) ?? [];
  if (!guard?.condition || line === undefined) return [];
  return offered("Ask should_force_cow_break()", [replaced(guard.condition.at, guard.condition.end, line.replace(/^if /, ""))]);
}

/** The predicate that asks for a COW break. */
export function predicateFixes(helper: Helper, release: Release): readonly Fix[] {
  const vma = helper.code.parameters.find((one) => one.type === "vm_area_struct")?.name;
  const flags = helper.code.parameters.find((one) => one.name.endsWith("flags"))?.name;
  if (vma === undefined || flags === undefined) return [];
  return offered("Ask for every reference in a COW mapping", returning(helper, `is_cow_mapping(${vma}->vm_flags) && (${flags} & ${requestOf(release)})`));
}

/** The predicate that accepts what this call's COW break made. */
export function followFixes(helper: Helper): readonly Fix[] {
  const entry = helper.code.parameters.find((one) => /^(?:pte|pmd)_t$/.test(one.type));
  const flags = helper.code.parameters.find((one) => one.name.endsWith("flags"))?.name;
  if (!entry || flags === undefined) return [];
  const level = entry.type.replace(/_t$/, "");
  return offered("Accept what this call's COW break made, and nothing else", returning(helper, `${level}_write(${entry.name}) || ((${flags} & FOLL_COW) && ${level}_dirty(${entry.name}))`));
}

/** Another value for a function that is one return. */
function returning({ program }: Helper, value: string): Edits {
  const fn = functionText(program);
  const [only, ...others] = fn?.block.children ?? [];
  if (!fn || only?.kind !== "return" || others.length > 0) return null;
  const before = fn.code.slice(only.at + "return".length, only.end - 1);
  const at = only.at + "return".length + before.length - before.trimStart().length;
  return [replaced(at, at + before.trim().length, value)];
}

/** The word that lookups get. */
export const wordOf = (slow: SlowPath): string => (slow.normal ? render(slow.normal.word) : "foll_flags");
