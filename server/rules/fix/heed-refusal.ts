// SPDX-License-Identifier: GPL-2.0-only
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import type { CallNode, EffectProgram } from "../../program/program.ts";
import type { Fix } from "../rule.ts";
import { stretchAround } from "./section.ts";
import { calleeAt, indentAt, insertAfter, replaced, statementAt, statementsIn, type Edits } from "./statement-edits.ts";
import { headType } from "./types.ts";

/**
 * Leaves alone what a start that may be refused was refused for: the calls behind the end, then the next round, or the way out
 * with what says that not all was done.
 */
export function heedRefusalFixes(program: EffectProgram, call: CallNode, isEnd: (call: CallNode) => boolean): readonly Fix[] {
  const fn = functionText(program);
  const at = fn && calleeAt(fn, call);
  const statement = fn && at !== null ? statementAt(fn, at) : null;
  const end = program.nodes.filter((node): node is CallNode => node.kind === "call" && node.at > call.at && isEnd(node)).toSorted((a, b) => b.at - a.at)[0];
  if (!fn || at === null || !statement || !end) return [];
  const out = leavingAlone(fn, program.name, [at, end.at]);
  const edits = out && heeding(fn, statement, { at, end: call.end }, out);
  return edits ? [{ title: "Leave the range alone where its start was refused", edits }] : [];
}

function heeding(fn: FunctionText, statement: StatementPlace, call: { readonly at: number; readonly end: number }, out: readonly string[]): Edits {
  const front = fn.code.slice(statement.at, call.at);
  const block = (condition: string): readonly string[] => [`if (${condition}) {`, ...out.map((line) => `\t${line}`), "}"];
  if (statement.kind === "simple" && /^\s*;$/.test(fn.code.slice(call.end, statement.end))) {
    const name = /^(\w+)\s*=\s*$/.exec(front)?.[1];
    if (name !== undefined) return insertAfter(fn, statement, block(name));
    return /^(?:\(\s*void\s*\)\s*)?$/.test(front) ? tested(fn, statement, call, block("")) : null;
  }
  if (statement.kind !== "if" || !statement.condition || call.at > statement.condition.end || !/^if\s*\(\s*$/.test(front)) return null;
  const body = statement.children.find((one) => !one.isElse);
  const last = body?.kind === "block" ? body.children.at(-1) : body;
  if (!last || last.kind !== "simple") return null;
  const before = fn.code.slice(statement.condition.end, last.end);
  return insertAfter(fn, last, out.filter((line) => !before.includes(line)));
}

/** A call that is a statement becomes the condition of one: around the call, which stays where it is. */
function tested(fn: FunctionText, statement: StatementPlace, call: { readonly at: number; readonly end: number }, [, ...block]: readonly string[]): Edits {
  const indent = indentAt(fn.text, statement.at);
  if (statement.parent?.kind !== "block" || fn.text.slice(statement.at - indent.length, statement.at) !== indent) return null;
  return [replaced(statement.at, call.at, "if ("), replaced(call.end, statement.end, `) {${block.map((line) => `\n${indent}${line}`).join("")}`)];
}

/** What is done behind the end on every way, what says that it was refused, and the jump; null: it is not that simple. */
function leavingAlone(fn: FunctionText, name: string, inside: readonly number[]): readonly string[] | null {
  const stretch = stretchAround(fn, inside);
  const list = stretch?.statements[0]?.parent;
  const last = stretch?.statements.at(-1);
  if (!list || !last) return null;
  const text = (one: StatementPlace): string => fn.text.slice(one.at, one.end);
  const rest = list.children.slice(list.children.indexOf(last) + 1);
  const leave = rest.at(-1)?.kind === "return" ? rest.at(-1) : undefined;
  const calls = leave ? rest.slice(0, -1) : rest;
  const refused = refusal(fn, name);
  if (refused === null || calls.some((one) => one.kind !== "simple" || !/^\w+\s*\([^=]*\)\s*;$/.test(text(one)))) return null;
  const jump = list.parent?.kind === "loop" ? "continue;" : list === fn.block ? (leave ? text(leave) : "return;") : null;
  return jump === null ? null : [...calls.map(text), ...refused, jump];
}

/** The assignment that makes the function's value one that says that not all was done; none where it has no value; null: nobody knows. */
function refusal(fn: FunctionText, name: string): readonly string[] | null {
  const type = headType(fn, name)?.words;
  if (type === "void") return [];
  const last = fn.block.children.at(-1);
  const value = last?.kind === "return" ? /^return\s+(\w+);$/.exec(fn.code.slice(last.at, last.end))?.[1] : undefined;
  const isTrue = (one: StatementPlace): boolean => one.kind === "declaration" && new RegExp(`^bool\\b.*\\b${value}\\s*=\\s*true\\b`).test(fn.code.slice(one.at, one.end));
  return type === "bool" && value !== undefined && statementsIn(fn.block).some(isTrue) ? [`${value} = false;`] : null;
}
