// SPDX-License-Identifier: GPL-2.0-only
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import type { CallNode, EffectProgram } from "../../program/program.ts";
import type { Fix } from "../rule.ts";
import { withoutLeftovers } from "./leftovers.ts";
import { removeStatement, replaceStatement, statementAt, statementsIn } from "./statement-edits.ts";

/** Ends and jumps that are tried where one end is too many. */
const MOST_SURPLUS = 6;

/** An end that is one too many: it goes, or the jump to it goes on behind it. Which of them it is, is for the simulator to say. */
export function surplusEndFixes(program: EffectProgram, isEnd: (call: CallNode) => boolean): readonly Fix[] {
  const fn = functionText(program);
  if (!fn) return [];
  const all = statementsIn(fn.block);
  const own = program.nodes.filter((node): node is CallNode => node.kind === "call" && node.inlined === undefined && node.at >= fn.start && node.at < fn.end && isEnd(node));
  const ends = own.toSorted((a, b) => a.at - b.at).flatMap((node) => {
    const statement = statementAt(fn, node.at);
    return statement?.kind === "simple" && statement.at === node.at ? [statement] : [];
  });
  const text = (one: StatementPlace): string => fn.text.slice(one.at, one.end).replace(/;$/, "");
  const gone = ends.map((end) => ({ title: `No ${text(end)} here`, edits: removeStatement(fn, end) }));
  const past = ends.flatMap((end) => {
    const lines = behind(fn, end);
    const label = end.parent?.kind === "label" ? end.parent.name : null;
    return lines === null || label === null ? [] : all.filter((one) => one.kind === "goto" && one.name === label).map((jump) => ({ title: `${lines.at(-1)?.replace(/;$/, "") ?? "Leave"} without ${text(end)}`, edits: withoutLeftovers(fn, replaceStatement(fn, jump, lines)) }));
  });
  return [...gone, ...past].slice(0, MOST_SURPLUS).flatMap(({ title, edits }, index) => (edits ? [{ title, edits, ...(index > 0 ? { isFallback: true as const } : {}) }] : []));
}

/** What the function does behind a statement up to its return, where that is a few calls. */
function behind(fn: FunctionText, statement: StatementPlace): readonly string[] | null {
  const list = fn.block.children;
  const rest = list.slice(list.findIndex((one) => one.at <= statement.at && statement.end <= one.end) + 1);
  const text = (one: StatementPlace): string => fn.text.slice(one.at, one.end);
  const isCall = (one: StatementPlace): boolean => one.kind === "simple" && /^\w+\s*\([^=]*\)\s*;$/.test(text(one));
  return rest.at(-1)?.kind === "return" && rest.slice(0, -1).every(isCall) ? rest.map(text) : null;
}
