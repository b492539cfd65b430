// SPDX-License-Identifier: GPL-2.0-only
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import type { CallNode, EffectProgram } from "../../program/program.ts";
import type { Fix } from "../rule.ts";
import { declared } from "./section.ts";
import { withoutLeftovers } from "./leftovers.ts";
import { calleeAt, insertAfter, joined, replaced, replaceStatement, statementAt, statementsIn, type Edits } from "./statement-edits.ts";
import { headType, returnsSigned, returnsInt, signedVariable } from "./types.ts";

/*
 * An error that a function keeps to itself leaves it by its value. Which way of writing that fits is for the verification to
 * say: what leaves a lock held, or is no error, is refused.
 */

/** A call whose failure is lost. */
export interface Failing {
  readonly program: EffectProgram;
  readonly call: CallNode;
  /** True where its value is the error itself. */
  readonly isErrno: boolean;
}

/** Ways to hand the error of a call on, the plainest first. */
export function errorOutFixes({ program, call, isErrno }: Failing): readonly Fix[] {
  const fn = functionText(program);
  const at = fn && calleeAt(fn, call);
  const statement = fn && at !== null ? statementAt(fn, at) : null;
  if (!fn || at === null || !statement || at < fn.start || at >= fn.end) return [];
  const lost: Lost = { fn, program, call, at, statement, isErrno };
  const ways = [stored(lost), ...[[], cleanups(fn, statement)].flatMap((ends, index) => (index > 0 && ends.length === 0 ? [] : [tested(lost, ends), branched(lost, ends)]))];
  return ways
    .flatMap((edits) => {
      const all = withoutLeftovers(fn, edits);
      return all ? [{ title: `Hand the error of ${call.name}() on`, edits: all }] : [];
    })
    .map((fix, index) => (index === 0 ? fix : { ...fix, isFallback: true as const }));
}

/** The call alone, where its failure fires a warning. */
export function withoutWarningFixes(program: EffectProgram, call: CallNode): readonly Fix[] {
  const fn = functionText(program);
  const at = fn && calleeAt(fn, call);
  const head = fn && at !== null ? /\b(?:VM_)?WARN(?:_ON)?(?:_ONCE)?\s*\(\s*$/.exec(fn.code.slice(0, at)) : null;
  const close = fn && at !== null ? /^\s*\)/.exec(fn.code.slice(call.end)) : null;
  if (!head || !close) return [];
  return [{ title: `No warning where ${call.name}() finds no memory`, edits: [replaced(head.index, head.index + head[0].length, ""), replaced(call.end, call.end + close[0].length, "")] }];
}

interface Lost extends Failing {
  readonly fn: FunctionText;
  readonly at: number;
  readonly statement: StatementPlace;
}

/** The error is tested for, and lost because the variable that it is in has no sign. */
function stored({ fn, call, statement }: Lost): Edits {
  const name = /^(\w+)\s*=[^=]/.exec(fn.code.slice(statement.at, statement.end))?.[1];
  return statement.kind === "simple" && name !== undefined && name === call.result ? signedVariable(fn, name) : null;
}

/** A call whose value is dropped, or added to a count: kept in a variable of its own, and returned where it is an error. */
function tested(lost: Lost, ends: readonly string[]): Edits {
  const { fn, call, statement, isErrno } = lost;
  const front = /^(?:\(\s*void\s*\)\s*|(\w+)\s*\+=\s*)?$/.exec(fn.code.slice(statement.at, lost.at));
  if (statement.kind !== "simple" || !isErrno || !front || !/^\s*;$/.test(fn.code.slice(call.end, statement.end))) return null;
  const variable = declared(fn, "long");
  if (!variable) return null;
  const [name, sum] = [variable.name, front[1]];
  const leave = leaving([...ends, `return ${name};`], "\t");
  const lines = [`${name} = ${fn.text.slice(lost.at, call.end)};`, `if (${name} < 0)${leave.length > 1 ? " {" : ""}`, ...leave, ...(leave.length > 1 ? ["}"] : []), ...(sum === undefined ? [] : [`${sum} += ${name};`])];
  return joined(replaceStatement(fn, statement, lines), variable.edits, valued(lost));
}

const leaving = (lines: readonly string[], indent: string): readonly string[] => lines.map((line) => `${indent}${line}`);

/** The branch that a failure takes, with an error at its end. */
function branched(lost: Lost, ends: readonly string[]): Edits {
  const { fn, call, statement, at, isErrno } = lost;
  const isAsked = (one: StatementPlace | undefined): boolean => one?.kind === "if" && one.condition !== null;
  const list = statement.parent?.children ?? [];
  const next = list[list.indexOf(statement) + 1];
  const inCondition = isAsked(statement) && statement.condition !== null && statement.condition.at <= at && at < statement.condition.end;
  const test = inCondition ? statement : isAsked(next) ? next : undefined;
  const name = /^(\w+)\s*=[^=]/.exec(fn.code.slice(statement.at, statement.end))?.[1];
  if (!test?.condition || (!inCondition && (name === undefined || !new RegExp(`\\b${name}\\b`).test(fn.code.slice(test.condition.at, test.condition.end))))) return null;
  const body = test.children.find((one) => !one.isElse);
  const last = body?.kind === "block" ? body.children.at(-1) : body;
  if (!last || call.end > last.at) return null;
  const value = `return ${isErrno && !inCondition && name !== undefined ? name : "-ENOMEM"};`;
  const isBare = last.kind === "return" && fn.code.slice(last.at + "return".length, last.end - 1).trim() === "";
  if (isBare) return ends.length > 0 ? null : joined(replaceStatement(fn, last, [value]), valued(lost, last));
  if (last.kind === "break") return joined(replaceStatement(fn, last, [...ends, value]), valued(lost));
  return last.kind === "simple" ? joined(insertAfter(fn, last, [...ends, value]), valued(lost)) : null;
}

/** What the function needs so that its value can be an error; `but`: a way out that has one already. */
function valued({ fn, program }: Lost, but: StatementPlace | null = null): Edits {
  const type = headType(fn, program.name);
  if (type === null) return null;
  if (/\bunsigned\b/.test(type.words)) return returnsSigned(fn, type, program);
  if (type.words !== "void") return [];
  const head = returnsInt(fn, type, program);
  const outs = statementsIn(fn.block).filter((one) => one.kind === "return" && one !== but);
  const last = fn.block.children.at(-1);
  const atEnd = last && last.kind !== "return" ? insertAfter(fn, last, ["return 0;"]) : [];
  return joined(head, ...outs.map((one) => replaceStatement(fn, one, ["return 0;"])), atEnd);
}

/** Calls between the loop that a statement is in and the last return: what every other way out does. */
function cleanups(fn: FunctionText, statement: StatementPlace): readonly string[] {
  const top = fn.block.children;
  const from = top.findIndex((one) => one.at <= statement.at && statement.end <= one.end);
  const last = top.at(-1);
  const rest = from < 0 || last?.kind !== "return" ? [] : top.slice(from + 1, -1);
  const isCall = (one: StatementPlace): boolean => one.kind === "simple" && /^\w+\s*\([^=]*\)\s*;$/.test(fn.code.slice(one.at, one.end));
  return rest.every(isCall) ? rest.map((one) => fn.text.slice(one.at, one.end)) : [];
}
