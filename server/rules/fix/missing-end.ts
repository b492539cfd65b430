// SPDX-License-Identifier: GPL-2.0-only
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import type { CallNode, EffectProgram } from "../../program/program.ts";
import type { Fix } from "../rule.ts";
import { insertBefore, statementAt, statementsIn } from "./statement-edits.ts";

/** Ways out that are tried, from the last one up: what is forgotten is mostly forgotten late. */
const MOST_TRIED = 12;

/** A round of a loop may be left as well. */
const OUTS: ReadonlySet<StatementPlace["kind"]> = new Set(["return", "goto", "continue", "break"]);

/**
 * The call that ends something, in front of each statement that leaves the function or jumps towards its end. Which of them
 * is the one is for the simulator to say: all others end it twice, or leave it open.
 */
export function missingEndFixes(program: EffectProgram, begin: CallNode, isEnd: (call: CallNode) => boolean): readonly Fix[] {
  const fn = functionText(program);
  if (!fn) return [];
  const ending = endingOf(fn, program, isEnd);
  if (ending === null) return [];
  const outs = statementsIn(fn.block).filter((one) => one.at > begin.at && OUTS.has(one.kind));
  return outs.toSorted((a, b) => a.at - b.at).slice(-MOST_TRIED).flatMap((out) => fixAt(fn, out, ending));
}

function fixAt(fn: FunctionText, out: StatementPlace, ending: string): Fix[] {
  const edits = insertBefore(fn, out, [ending]);
  return edits ? [{ title: `${ending.replace(/;$/, "")} before ${fn.text.slice(out.at, out.end).replace(/;$/, "")}`, edits }] : [];
}

/** The statement with which the function ends it elsewhere; null where that is no statement of its own. */
function endingOf(fn: FunctionText, program: EffectProgram, isEnd: (call: CallNode) => boolean): string | null {
  for (const node of program.nodes) {
    if (node.kind !== "call" || node.at < fn.start || node.at >= fn.end || !isEnd(node)) continue;
    const statement = statementAt(fn, node.at);
    const text = statement?.kind === "simple" ? fn.text.slice(statement.at, statement.end) : "";
    if (/^\w+\([^\n]*\);$/.test(text)) return text;
  }
  return null;
}
