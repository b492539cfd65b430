// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../../kernel/release.ts";
import type { CallNode, EffectProgram, NodeId } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { functionText, type FunctionText } from "../../program/statements.ts";
import { releasesOf } from "../../scenarios/user-pages/experiment.ts";
import { elementOf, partOf, userPages, type UserPages } from "../../scenarios/user-pages/names.ts";
import type { TextEdit } from "../../text/text-edit.ts";
import type { Fix } from "../rule.ts";
import { withoutLeftovers } from "./leftovers.ts";
import { writtenCall } from "./release-call.ts";
import { joined, removeStatement, replaced, statementAt, statementsIn, type Edits } from "./statement-edits.ts";

/*
 * Pages of one call, given back exactly once. Which way out forgets them, whether the number is known to be positive there, and
 * which variable has it: the simulator knows, and is asked about one after the other.
 */

/** Where the pages are, and in which words there are how many. */
export interface Owned {
  readonly fn: FunctionText;
  readonly program: EffectProgram;
  readonly found: UserPages;
  readonly release: Release;
  /** The array, or the variable of the only page. */
  readonly place: string;
  readonly isOne: boolean;
  /** Variables that may say how many there are. */
  readonly counts: readonly string[];
}

export function owned(program: EffectProgram, node: NodeId, release: Release): Owned | null {
  const [fn, found] = [functionText(program), userPages(program, node)];
  const { pages } = found?.gup ?? {};
  if (!fn || !found || !pages) return null;
  const { array, first } = partOf(pages);
  const isOne = pages.kind === "unary" && pages.operator === "&" && elementOf(pages.of) === null;
  return { fn, program, found, release, place: render(array), isOne, counts: countsOf(program, found.call, first.kind === "name" ? [first.name] : []) };
}

/** The value of the call, what it is added to, and where the next pages go. */
function countsOf(program: EffectProgram, { result }: CallNode, firsts: readonly string[]): readonly string[] {
  const sums = program.nodes.flatMap((node) => (node.kind === "assign" && node.operator === "+=" && node.value !== null && render(node.value) === result && node.target.kind === "name" ? [node.target.name] : []));
  return [...new Set([...sums, ...firsts, ...(result === null ? [] : [result])])].filter((name) => /^\w+$/.test(name) && program.variables.has(name));
}

/** Releases that are there, of another number of pages, from the first one on. */
export function otherExtents(pages: Owned): readonly Fix[] {
  const { counts, isOne, fn, program, found } = pages;
  if (isOne) return [];
  const releases = releasesOf(program, program.nodes.indexOf(found.call));
  return releases.flatMap((call) => counts.flatMap((count) => fixOf(fn, `Give ${count} pages back with ${call.name}(): so many were taken`, isCounted(call) ? counted(pages, call, count) : bounded(pages, call, count))));
}

function counted({ fn, place }: Owned, call: CallNode, count: string): Edits {
  const [statement, written] = [statementAt(fn, call.at), writtenCall(fn, call)];
  if (statement?.kind !== "simple" || !written) return null;
  const now = `${call.name}(${[place, count, ...written.args.slice(2)].join(", ")})`;
  const test = statement.parent?.kind === "if" && statement.parent.children.length === 1 ? statement.parent.condition : null;
  const asked = test ? /^\((\w+) > 0\)$/.exec(fn.code.slice(test.at, test.end))?.[1] : undefined;
  const tested = test && asked !== undefined && asked !== count ? [replaced(test.at, test.end, `(${count} > 0)`), ...deadStores(fn, asked, { at: test.at, end: statement.end })] : [];
  return [replaced(written.at, written.end, now), ...tested];
}

/** A loop over the array up to another number. */
function bounded({ fn }: Owned, call: CallNode, count: string): Edits {
  let loop = statementAt(fn, call.at);
  while (loop && loop.kind !== "loop") loop = loop.parent;
  const head = loop && /^for\s*\(\s*(\w+)\s*=\s*0\s*;\s*\1\s*<\s*([\w.>[\]-]+)\s*;/.exec(fn.code.slice(loop.at, call.at));
  if (!loop || !head?.[2]) return null;
  const at = loop.at + head[0].lastIndexOf(head[2]);
  return [replaced(at, at + head[2].length, count)];
}

const isCounted = (call: CallNode): boolean => call.effects.some((effect) => effect.kind === "unpin" && effect.count !== undefined);

export const countedReleases = ({ program, found }: Owned): readonly CallNode[] => releasesOf(program, program.nodes.indexOf(found.call)).filter(isCounted);

/** Assignments to a variable that only the given stretch reads. */
function deadStores(fn: FunctionText, name: string, reader: { readonly at: number; readonly end: number }): readonly TextEdit[] {
  const all = statementsIn(fn.block);
  const stores = all.filter((one) => one.kind === "simple" && new RegExp(`^${name}\\s*=[^=][^;(]*;$`).test(fn.code.slice(one.at, one.end)));
  const isKnown = (at: number): boolean =>
    [...stores, reader, ...all.filter((one) => one.kind === "declaration")].some((one) => one.at <= at && at < one.end);
  const isRead = [...fn.code.slice(fn.start, fn.end).matchAll(new RegExp(`\\b${name}\\b`, "g"))].some(({ index }) => !isKnown(fn.start + index));
  return isRead ? [] : (joined(...stores.map((one) => removeStatement(fn, one))) ?? []);
}

export function fixOf(fn: FunctionText, title: string, edits: Edits): readonly Fix[] {
  const all = withoutLeftovers(fn, edits);
  return all ? [{ title, edits: all }] : [];
}

/** One of them will do. */
export const asFallbacks = (fixes: readonly Fix[]): readonly Fix[] => fixes.map((fix, index) => (index > 0 ? { ...fix, isFallback: true as const } : fix));
