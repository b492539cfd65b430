// SPDX-License-Identifier: GPL-2.0-only
import type { FunctionText, StatementPlace } from "../../program/statements.ts";
import type { TextEdit } from "../../text/text-edit.ts";

/*
 * Changes of C text, statement by statement, in the style of the kernel. Each answers null where the text is not of a form
 * that it can change (two statements on a line, a macro in between): then there is no fix.
 */

export type Edits = readonly TextEdit[] | null;

/** All of the edits, or none. */
export const joined = (...parts: readonly Edits[]): Edits => (parts.every((part) => part !== null) ? parts.flatMap((part) => part ?? []) : null);

export const replaced = (at: number, end: number, text: string): TextEdit => ({ at, end, text });

/** Every statement of a function, outer ones first. */
export function statementsIn(place: StatementPlace): readonly StatementPlace[] {
  const found: StatementPlace[] = [place];
  for (const one of found) found.push(...one.children);
  return found;
}

/** The innermost statement around an offset that is no block. */
export function statementAt({ block }: FunctionText, at: number): StatementPlace | null {
  const around = statementsIn(block).filter((one) => one.kind !== "block" && one.at <= at && at < one.end);
  return around.reduce<StatementPlace | null>((best, one) => (best === null || one.end - one.at <= best.end - best.at ? one : best), null);
}

export const lineStart = (text: string, at: number): number => text.lastIndexOf("\n", at - 1) + 1;

/** Offset of the line end at or behind an offset. */
export function lineEnd(text: string, at: number): number {
  const newline = text.indexOf("\n", at);
  return newline < 0 ? text.length : newline;
}

export const indentAt = (text: string, at: number): string => /^[ \t]*/.exec(text.slice(lineStart(text, at), at))?.[0] ?? "";

const startsLine = ({ code }: FunctionText, { at }: StatementPlace): boolean => code.slice(lineStart(code, at), at).trim() === "";

const endsLine = ({ code }: FunctionText, end: number): boolean => code.slice(end, lineEnd(code, end)).trim() === "";

/** True where other statements may stand beside a statement without braces. */
const isInList = ({ parent }: StatementPlace): boolean => parent !== null && (parent.kind === "block" || parent.kind === "case" || parent.kind === "directive");

/** The statement behind a label, or the statement itself. */
export const unlabeled = (statement: StatementPlace): StatementPlace => (statement.kind === "label" && statement.children[0] ? unlabeled(statement.children[0]) : statement);

/** Indentation that a statement beside this one has: a label stands further left. */
const indentBeside = ({ text }: FunctionText, statement: StatementPlace): string => indentAt(text, unlabeled(statement).at);

const linesOf = (indent: string, lines: readonly string[]): string => lines.map((line) => (line === "" ? "\n" : `${indent}${line}\n`)).join("");

/** Lines in front of a statement (of a label, for a labeled one). */
export function insertBefore(fn: FunctionText, statement: StatementPlace, lines: readonly string[]): Edits {
  return beside(fn, statement, lines, []);
}

/** Lines behind a statement. */
export function insertAfter(fn: FunctionText, statement: StatementPlace, lines: readonly string[]): Edits {
  return beside(fn, statement, [], lines);
}

/** Lines around a statement; one that is the whole body of an `if` or a loop gets braces. */
function beside(fn: FunctionText, statement: StatementPlace, before: readonly string[], after: readonly string[]): Edits {
  if (!startsLine(fn, statement) || (after.length > 0 && !endsLine(fn, statement.end))) return null;
  const indent = indentBeside(fn, statement);
  const start = lineStart(fn.text, statement.at);
  const next = lineEnd(fn.text, statement.end);
  const above: TextEdit[] = before.length === 0 ? [] : [replaced(start, start, linesOf(indent, before))];
  // Behind a last line without a terminator there is no line to insert.
  if (after.length > 0 && next >= fn.text.length) return null;
  const below: TextEdit[] = after.length === 0 ? [] : [replaced(next + 1, next + 1, linesOf(indent, after))];
  if (isInList(statement) || (statement.parent?.kind === "label" && isInList(statement.parent))) return [...above, ...below];
  const braces = bracesAround(fn, statement);
  return braces && inside(braces, above, below);
}

/** Other lines in the place of a statement. */
export function replaceStatement(fn: FunctionText, statement: StatementPlace, lines: readonly string[]): Edits {
  const text = lines.join(`\n${indentBeside(fn, statement)}`);
  const edit = replaced(statement.at, statement.end, text);
  if (lines.length === 1 || isInList(statement) || statement.parent?.kind === "label") return [edit];
  const braces = bracesAround(fn, statement);
  return braces && [braces.open, edit, braces.close];
}

interface Braces {
  readonly open: TextEdit;
  readonly close: TextEdit;
}

const inside = ({ open, close }: Braces, above: readonly TextEdit[], below: readonly TextEdit[]): readonly TextEdit[] => {
  const [line] = below;
  // What comes behind the statement stands at the same place as the brace: one edit, so that they keep their order.
  const end = line === undefined ? close : { ...close, at: Math.min(close.at, line.at), text: line.text + close.text };
  return [open, ...above, end];
};

/** Braces around the only statement of an `if`, an `else` or a loop. */
function bracesAround(fn: FunctionText, statement: StatementPlace): Braces | null {
  const { parent } = statement;
  if (!parent || (parent.kind !== "if" && parent.kind !== "loop") || !startsLine(fn, statement) || !endsLine(fn, statement.end)) return null;
  const head = fn.code.slice(0, statement.at).trimEnd().length;
  const indent = indentAt(fn.text, ownerLine(fn, statement, head));
  const next = lineEnd(fn.text, statement.end) + 1;
  const open = replaced(head, head, " {");
  const rest = /^\s*else\b/.exec(fn.code.slice(next));
  if (rest === null) return { open, close: replaced(next, next, `${indent}}\n`) };
  const word = next + rest[0].length - "else".length;
  return { open, close: replaced(next, word, `${indent}} `) };
}

/** An offset on the line of the `if`, the `else` or the loop that a statement is the body of. */
function ownerLine(fn: FunctionText, statement: StatementPlace, head: number): number {
  const owner = statement.parent;
  if (!owner) return head;
  const line = lineStart(fn.text, statement.isElse ? head : owner.at);
  return line + (/^[ \t]*/.exec(fn.text.slice(line))?.[0].length ?? 0);
}

/** A statement and its lines are gone, and what has nothing left to do without it: the `if` around it. */
export function removeStatement(fn: FunctionText, statement: StatementPlace): Edits {
  const { parent } = statement;
  if (parent?.kind === "label") return withoutLabeled(fn, statement, parent);
  if (parent?.kind === "if" && !statement.isElse) return parent.children.length === 1 && isPlainTest(fn, parent) ? removeStatement(fn, parent) : null;
  if (parent?.kind === "block" && parent.children.length === 1 && parent.parent?.kind === "if") return removeStatement(fn, parent);
  if (!isInList(statement) || !startsLine(fn, statement) || !endsLine(fn, statement.end)) return null;
  return [linesGone(fn, statement)];
}

const linesGone = (fn: FunctionText, { at, end }: StatementPlace): TextEdit => replaced(lineStart(fn.text, at), Math.min(lineEnd(fn.text, end) + 1, fn.text.length), "");

/** A label needs a statement behind it: the next one will do. */
function withoutLabeled(fn: FunctionText, statement: StatementPlace, label: StatementPlace): Edits {
  const list = label.parent?.kind === "block" ? label.parent.children : [];
  const hasNext = list.indexOf(label) < list.length - 1 && list[list.indexOf(label) + 1]?.kind !== "declaration";
  return hasNext && startsLine(fn, statement) && endsLine(fn, statement.end) ? [linesGone(fn, statement)] : null;
}

/** True for a test that does nothing but test. */
const isPlainTest = ({ code }: FunctionText, { condition }: StatementPlace): boolean =>
  condition !== null && !/[-+]{2}|[^=!<>]=[^=]|\w\s*\(/.test(code.slice(condition.at + 1, condition.end - 1).replace(/\b(?:un)?likely\s*\(/g, "("));

/** Where the name of what is called stands: a call whose value is assigned begins with the variable. */
export function calleeAt({ code }: Pick<FunctionText, "code">, { name, at, end }: { readonly name: string; readonly at: number; readonly end: number }): number {
  const words = code.slice(at, end);
  const own = new RegExp(`\\b${name}\\s*\\(`).exec(words);
  // A macro has another name than what it calls.
  return at + (own?.index ?? /^[^=;(]*=\s*(?=\w+\s*\()/.exec(words)?.[0].length ?? 0);
}

/** Offsets of the arguments of a call whose name stands at an offset; null where no call stands there. */
export function argumentsAt({ code, text }: Pick<FunctionText, "code" | "text">, at: number): { readonly open: number; readonly close: number; readonly args: readonly { readonly at: number; readonly end: number }[] } | null {
  const name = /^\w+\s*\(/.exec(code.slice(at, at + 200));
  if (!name) return null;
  const open = at + name[0].length - 1;
  const args: { at: number; end: number }[] = [];
  let depth = 0;
  let from = open + 1;
  const take = (to: number): void => {
    // A string is blank in the code.
    const part = code.slice(from, to).trim() === "" ? text.slice(from, to) : code.slice(from, to);
    const start = from + part.length - part.trimStart().length;
    if (part.trim() !== "") args.push({ at: start, end: start + part.trim().length });
    from = to + 1;
  };
  for (let i = open; i < code.length; i++) {
    const one = code[i];
    if (one === "(" || one === "[" || one === "{") depth++;
    else if (one === ")" || one === "]" || one === "}") depth--;
    else if (one === "," && depth === 1) take(i);
    if (depth > 0) continue;
    take(i);
    return { open, close: i, args };
  }
  return null;
}

/** Another word for the argument of a call. */
export function replaceArgument(fn: FunctionText, at: number, index: number, text: string): Edits {
  const argument = argumentsAt(fn, at)?.args[index];
  return argument ? [replaced(argument.at, argument.end, text)] : null;
}

/** Another name for what is called. */
export function replaceCallee(fn: FunctionText, at: number, name: string): Edits {
  const old = /^\w+/.exec(fn.code.slice(at, at + 200))?.[0];
  return old === undefined ? null : [replaced(at, at + old.length, name)];
}
