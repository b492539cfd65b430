// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram, NodeId } from "../../program/program.ts";
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import type { Fix } from "../rule.ts";
import { writtenCall } from "./release-call.ts";
import { indentAt, insertAfter, joined, lineEnd, removeStatement, replaced, replaceStatement, statementAt, type Edits } from "./statement-edits.ts";

/*
 * The pin test behind the clear and flush, with the entry restored where the page is pinned: the order of
 * include/linux/rmap.h:268-352 (6.1.192). What else is done on that way out is copied from the test in front of it.
 */

/** Calls that clear an entry so that a walk that has seen it is over, and what puts the old one back. */
interface Clear {
  readonly name: string;
  /** The first argument: what leads to the mm. */
  readonly of: "vma" | "mm";
  readonly restore: (where: string, value: string, names: { readonly vma: string; readonly mm: string }) => string;
}

const CLEARS: readonly Clear[] = [
  { name: "ptep_clear_flush", of: "vma", restore: (where, value, { mm }) => `set_pte_at(${mm}, ${where}, ${value});` },
  { name: "pmdp_huge_clear_flush", of: "vma", restore: (where, value, { mm }) => `set_pmd_at(${mm}, ${where}, ${value});` },
  { name: "ptep_modify_prot_start", of: "vma", restore: (where, value, { vma }) => `ptep_modify_prot_commit(${vma}, ${where}, ${value}, ${value});` },
];

/** Questions that change what they ask about are asked once. */
const ONCE = /\b\w*try_share_anon_rmap\w*\s*\(/;
const COUNTED = /\b(?:page_count|page_ref_count|folio_ref_count)\s*\(/;
const QUESTION = /\b(?:folio|page)_maybe_dma_pinned\s*\([^()]*(?:\([^()]*\)[^()]*)*\)/;

export function pinBehindClearFixes(program: EffectProgram, call: CallNode, questions: readonly NodeId[]): readonly Fix[] {
  const fn = functionText(program);
  const statement = fn && statementAt(fn, call.at);
  const test = fn && statement && testBefore(program, statement, questions);
  if (!fn || statement?.kind !== "simple" || !test) return [];
  const first = call.name === "ptep_set_wrprotect" ? protectedInSteps(fn, program, statement, call, test) : behind(fn, program, statement, call, test);
  return first ? [{ title: `${call.name === "ptep_set_wrprotect" ? "Clear and flush the entry, look" : "Look"} for pins behind it, and restore the entry where the page is pinned`, edits: first }] : [];
}

/** The test in front of the clear, in the same row; one that leaves where the page is pinned. */
function testBefore(program: EffectProgram, statement: StatementPlace, questions: readonly NodeId[]): StatementPlace | null {
  const list = statement.parent?.children ?? [];
  const offsets = questions.flatMap((id) => {
    const node = program.nodes[id];
    return node && "at" in node ? [node.at] : [];
  });
  const asks = (one: StatementPlace): boolean => one.condition !== null && one.children.length === 1 && offsets.some((at) => one.condition !== null && one.condition.at <= at && at < one.condition.end);
  const found = list.slice(0, list.indexOf(statement)).findLast(asks);
  return found && leavesIn(found) ? found : null;
}

const bodyOf = ({ children }: StatementPlace): readonly StatementPlace[] => children.flatMap((one) => (one.kind === "block" ? one.children : [one]));

const leavesIn = (test: StatementPlace): boolean => ["goto", "return"].includes(bodyOf(test).at(-1)?.kind ?? "");

/** The question of a test: all of it, or the part that asks for pins. */
function questionIn(fn: FunctionText, { condition }: StatementPlace): { readonly text: string; readonly isAll: boolean } | null {
  if (!condition) return null;
  const text = fn.text.slice(condition.at + 1, condition.end - 1).trim();
  const part = QUESTION.exec(text)?.[0];
  if (COUNTED.test(text)) return /&&|\|\|/.test(text) ? null : { text, isAll: true };
  if (ONCE.test(text)) return /&&|\|\|/.test(text) ? null : { text, isAll: true };
  return part === undefined ? null : { text: part, isAll: part === text };
}

/** A test that restores the entry and leaves as the other one does. */
function testLines(fn: FunctionText, test: StatementPlace, question: string, restore: string): readonly string[] {
  const own = bodyOf(test).flatMap((one) => [fn.text.slice(one.at, one.end).replaceAll(`\n${indentAt(fn.text, one.at)}`, "\n\t")]);
  return [`if (${question}) {`, `\t${restore}`, ...own.map((line) => `\t${line}`), "}"];
}

function mmOf(program: EffectProgram, vma: string): string {
  const own = [...program.variables].filter(([, { type, pointers }]) => type === "mm_struct" && pointers === 1);
  return own.length === 1 && own[0] ? own[0][0] : `${vma}->vm_mm`;
}

function behind(fn: FunctionText, program: EffectProgram, statement: StatementPlace, call: CallNode, test: StatementPlace): Edits {
  const [clear, written, question] = [CLEARS.find((one) => one.name === call.name), writtenCall(fn, call), questionIn(fn, test)];
  const [vma, ...where] = written?.args ?? [];
  if (!clear || !question || vma === undefined || call.result === null || !/^\w+$/.test(call.result)) return null;
  const restore = clear.restore(where.join(", "), call.result, { vma, mm: mmOf(program, vma) });
  const list = statement.parent?.children ?? [];
  // Between a test that is moved and the clear nothing may rely on it.
  const isNext = list.indexOf(test) === list.indexOf(statement) - 1;
  const gone = question.isAll ? (isNext ? removeStatement(fn, test) : ONCE.test(question.text) ? null : []) : [];
  return joined(gone, insertAfter(fn, statement, testLines(fn, test, question.text, restore)));
}

/** `ptep_set_wrprotect()` in steps. */
function protectedInSteps(fn: FunctionText, program: EffectProgram, statement: StatementPlace, call: CallNode, test: StatementPlace): Edits {
  const [written, question] = [writtenCall(fn, call), questionIn(fn, test)];
  const [mm, addr, ptep] = written?.args ?? [];
  const vma = [...program.variables].find(([, { type, pointers }]) => type === "vm_area_struct" && pointers === 1)?.[0];
  const last = fn.block.children.findLast((_, index) => fn.block.children.slice(0, index + 1).every((one) => one.kind === "declaration"));
  if (mm === undefined || addr === undefined || ptep === undefined || vma === undefined || !question || !last || ONCE.test(question.text)) return null;
  const name = unusedEntry(fn, program) ?? ["pte", "old_pte", "old"].find((one) => !new RegExp(`\\b${one}\\b`).test(fn.code.slice(fn.start, fn.end)));
  if (name === undefined) return null;
  const line = lineEnd(fn.text, last.end) + 1;
  const declared = program.variables.has(name) ? [] : [replaced(line, line, `\tpte_t ${name};\n`)];
  const set = (value: string): string => `set_pte_at(${mm}, ${addr}, ${ptep}, ${value});`;
  const first = `${name} = ptep_clear_flush(${vma}, ${addr}, ${ptep});`;
  const list = statement.parent?.children ?? [];
  const gone = question.isAll && list.indexOf(test) === list.indexOf(statement) - 1 ? removeStatement(fn, test) : [];
  return joined(declared, gone, replaceStatement(fn, statement, [first, ...testLines(fn, test, question.text, set(name)), set(`pte_wrprotect(${name})`)]));
}

/** An entry that is declared and of no use yet. */
const unusedEntry = (fn: FunctionText, { variables }: EffectProgram): string | undefined =>
  [...variables].find(([name, { type, pointers, isParameter }]) => type === "pte_t" && pointers === 0 && !isParameter && [...fn.code.slice(fn.start, fn.end).matchAll(new RegExp(`\\b${name}\\b`, "g"))].length === 1)?.[0];
