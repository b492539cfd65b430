// SPDX-License-Identifier: GPL-2.0-only
import type { FunctionText, StatementPlace } from "../../program/statements.ts";
import { insertAfter, insertBefore, joined, lineEnd, replaced, replaceStatement, statementsIn, unlabeled, type Edits } from "./statement-edits.ts";

/** A stretch of statements that a pair of calls is put around. */
export interface Section {
  /** Offsets that must lie inside. */
  readonly inside: readonly number[];
  /** Statement in front of it. */
  readonly before: readonly string[];
  /** Statement behind it: on every way out. */
  readonly after: readonly string[];
}

/** The statements of one list that a section consists of. */
export interface Stretch {
  readonly statements: readonly StatementPlace[];
  readonly start: number;
  readonly end: number;
}

/** The shortest row of statements of one block that has all offsets inside; null where there is none. */
export function stretchAround({ block }: FunctionText, inside: readonly number[]): Stretch | null {
  const holds = (place: StatementPlace): boolean => inside.every((at) => place.children.some((child) => child.at <= at && at < child.end));
  const lists = statementsIn(block).filter((one) => (one.kind === "block" || one.kind === "case") && holds(one));
  const list = lists.at(-1);
  if (!list || inside.length === 0) return null;
  const holding = list.children.map((child) => inside.some((at) => child.at <= at && at < child.end));
  const statements = list.children.slice(holding.indexOf(true), holding.lastIndexOf(true) + 1);
  const [first, last] = [statements[0], statements.at(-1)];
  return first && last ? { statements, start: first.at, end: last.end } : null;
}

/**
 * A statement in front of a stretch and another one behind it, which also stands in front of every jump out of it. Null where
 * the stretch is entered in the middle, or begins with a declaration: C of the kernel declares first.
 */
export function aroundSection(fn: FunctionText, { inside, before, after }: Section): Edits {
  const stretch = stretchAround(fn, inside);
  const [first, last] = [stretch?.statements[0], stretch?.statements.at(-1)];
  if (!stretch || !first || !last || unlabeled(first).kind === "declaration") return null;
  const all = statementsIn(fn.block);
  const isWithin = (one: StatementPlace): boolean => one.at >= stretch.start && one.end <= stretch.end;
  const labels = new Set(all.filter((one) => one.kind === "label" && isWithin(one)).map((one) => one.name));
  const jumpsIn = all.filter((one) => one.kind === "goto" && !isWithin(one) && labels.has(one.name));
  const isTurn = first.kind === "label" && all.some((one) => one.kind === "goto" && isWithin(one) && one.name === first.name);
  if (jumpsIn.some((one) => one.name !== first.name || isTurn)) return null;
  const outs = all.filter((one) => isWithin(one) && leaves(one, stretch, labels));
  const enter = insertBefore(fn, first.kind === "label" && !isTurn ? unlabeled(first) : first, before);
  const leave = outs.includes(last) ? [] : insertAfter(fn, last, after);
  const used = new Set(inside);
  const declares = outs.some((one) => computes(one, used)) ? declared(fn) : { name: "", edits: [] };
  if (!declares) return null;
  return joined(enter, ...outs.map((one) => (computes(one, used) ? returnedLater(fn, one, declares.name, after) : insertBefore(fn, one, after))), leave, declares.edits);
}

/** True for a jump out of the stretch. */
function leaves(one: StatementPlace, stretch: Stretch, labels: ReadonlySet<string | null>): boolean {
  if (one.kind === "return") return true;
  if (one.kind === "goto") return !labels.has(one.name);
  if (one.kind !== "break" && one.kind !== "continue") return false;
  const isTarget = (place: StatementPlace): boolean => place.kind === "loop" || (one.kind === "break" && place.kind === "switch");
  let target = one.parent;
  while (target && !isTarget(target)) target = target.parent;
  return target === null || target.at < stretch.start || target.end > stretch.end;
}

/** True for a return whose value needs what the section protects. */
const computes = (one: StatementPlace, inside: ReadonlySet<number>): boolean => one.kind === "return" && [...inside].some((at) => one.at <= at && at < one.end);

function returnedLater(fn: FunctionText, statement: StatementPlace, name: string, after: readonly string[]): Edits {
  const value = fn.text.slice(statement.at + "return".length, statement.end - 1).trim();
  return replaceStatement(fn, statement, [`${name} = ${value};`, ...after, `return ${name};`]);
}

const NAMES = ["ret", "result", "value"];

/** A new variable, of the function's type unless another one is named, declared behind the others, or first of all. */
export function declared(fn: FunctionText, as: string | null = null, names: readonly string[] = NAMES): { readonly name: string; readonly edits: Edits } | null {
  const body = fn.code.slice(fn.start, fn.end);
  const name = names.find((one) => !new RegExp(`\\b${one}\\b`).test(body));
  const type = as ?? returnType(fn.code.slice(fn.start, fn.block.at));
  const last = fn.block.children.findLast((_, index) => fn.block.children.slice(0, index + 1).every((other) => other.kind === "declaration"));
  if (name === undefined || type === null) return null;
  const line = lineEnd(fn.text, last?.end ?? fn.block.at) + 1;
  return { name, edits: [replaced(line, line, `\t${type}${type.endsWith("*") ? "" : " "}${name};\n${last ? "" : "\n"}`)] };
}

/** The type in front of a function's name; null where it is none that a variable can have. */
function returnType(head: string): string | null {
  const words = /^([\w\s*]+?)\b\w+\s*\(/.exec(head)?.[1];
  const type = words?.replace(/\b(?:static|inline|extern|noinline|__\w+)\b/g, " ").replace(/\s+/g, " ").trim();
  return type === undefined || type === "" || type === "void" ? null : type;
}
