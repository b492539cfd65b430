// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import { integerType, losesSign, type IntegerType } from "../program/integer-types.ts";
import { functionText } from "../program/statements.ts";
import type { BranchNode, EffectProgram } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { partsOf } from "../program/value-parts.ts";
import { signedVariable } from "./fix/types.ts";
import { comparedIn, whereNegative, type Compared } from "./result-value.ts";
import { resultWays, waysFrom, type ResultHere } from "./result-ways.ts";
import type { At, Fix, Site } from "./rule.ts";

/*
 * An error code is negative. What C makes of it depends on what it is compared with, and on where it is kept.
 */

export interface Misread {
  /** The variable that has the result. */
  readonly name: string;
  /** What it is compared with, as text. */
  readonly other: string;
  readonly place: At;
  readonly how: "compared" | "looped" | "unsigned";
}

/** Tests that take an error for a count. */
export function misreadSigns({ program, node }: Site): readonly Misread[] {
  const found = new Map<number, Misread>();
  const stops = ({ id, names }: ResultHere): boolean => id === node || misreadAt(program, id, names) !== null;
  for (const here of resultWays(program, node, whereNegative, stops)) {
    const misread = here.id === node ? null : misreadAt(program, here.id, here.names);
    if (misread) found.set(misread.place.at, misread);
  }
  return [...found.values()].toSorted((a, b) => a.place.at - b.place.at);
}

function misreadAt(program: EffectProgram, id: number, names: ReadonlySet<string>): Misread | null {
  const branch = program.nodes[id];
  const compared = branch?.kind === "branch" ? comparedIn(branch.condition, names) : null;
  if (branch?.kind !== "branch" || !compared || hasCast(program, branch)) return null;
  const own = typeOf(program, { kind: "name", name: compared.name, at: 0 });
  const place = { program, at: branch.at, end: branch.end };
  const misread = (how: Misread["how"]): Misread => ({ name: compared.name, other: render(compared.other), place, how });
  if (own && !own.isSigned) return neverTrue(compared) && !isTestedOtherwise(program, names) ? misread("unsigned") : null;
  const other = typeOf(program, compared.other);
  if (!own || !other || !losesSign(own, other) || !(compared.operator in LARGE)) return null;
  if (compared.operator === ">" && isCounter(program, compared.other)) return misread("looped");
  const [next, isRead] = [LARGE[compared.operator] === true ? branch.then : branch.otherwise, { id, names }];
  return isHeeded(program, next, isRead) ? null : misread("compared");
}

/** What comes of comparing the largest number there is. */
const LARGE: Readonly<Record<string, boolean>> = { "<": false, "<=": false, ">": true, ">=": true };

const neverTrue = ({ operator, other }: Compared): boolean => other.kind === "number" && other.value === 0 && (operator === "<" || operator === "<=");

/** True where an error is found by another comparison: it is no number of pages that anyone asked for. */
const isTestedOtherwise = (program: EffectProgram, names: ReadonlySet<string>): boolean =>
  program.nodes.some((node) => {
    if (node.kind === "call" && node.name.startsWith("IS_ERR")) return true;
    if (node.kind !== "branch") return false;
    const compared = comparedIn(node.condition, names);
    if (!compared) return namesIn(node.condition).some((name) => names.has(name));
    return !(compared.other.kind === "number" && compared.other.value === 0);
  });

/** True where the error is looked for, or handed on, behind the comparison that missed it. */
function isHeeded(program: EffectProgram, next: number, { id, names }: ResultHere): boolean {
  const mentions = (value: Value): boolean => namesIn(value).some((name) => names.has(name));
  return waysFrom(program, { id: next, names }, whereNegative, (here) => here.id === id).some((here) => {
    const node = program.nodes[here.id];
    if (here.id === id || !node) return false;
    return (node.kind === "branch" && mentions(node.condition)) || (node.kind === "return" && node.value !== null && mentions(node.value)) || (node.kind === "assign" && node.operator === "=" && node.value !== null && mentions(node.value));
  });
}

/** `i`, which each turn counts up from a number. */
function isCounter(program: EffectProgram, value: Value): boolean {
  if (value.kind !== "name") return false;
  const given = program.nodes.filter((node) => node.kind === "assign" && render(node.target) === value.name);
  return given.some((node) => node.kind === "assign" && node.operator === "++" && node.down !== true) && given.every((node) => node.kind === "assign" && (node.operator === "++" || node.value?.kind === "number"));
}

/** The type of a variable, or of what is computed from variables: the widest, and without a sign where that one has none. */
function typeOf(program: EffectProgram, value: Value): IntegerType | null {
  if (value.kind === "name") {
    const variable = program.variables.get(value.name);
    return variable && variable.pointers === 0 ? integerType(variable.type) : null;
  }
  if (value.kind !== "binary" || !["+", "-", "*"].includes(value.operator)) return null;
  const types = partsOf(value).map((part) => (part.kind === "number" ? INT : typeOf(program, part)));
  const widest = types.reduce((a, b) => (a && b ? (a.bits > b.bits || (a.bits === b.bits && !a.isSigned) ? a : b) : null));
  return widest ?? null;
}

const INT: IntegerType = { bits: 32, isSigned: true };

/** Casts are not read: where one stands in the condition, it may be what makes it right. */
const hasCast = ({ image }: EffectProgram, { at, end }: BranchNode): boolean => /\(\s*(?:(?:un)?signed|int|long|short|[su]\d+|__[su]\d+|s?size_t|u?int\d+_t)\b[\w\s]*\)|min_t|max_t|clamp_t/.test(image.text.slice(at, end));

/** A variable that can hold an error. */
export function signedFixes(program: EffectProgram, name: string): readonly Fix[] {
  const fn = functionText(program);
  const edits = fn && signedVariable(fn, name);
  return edits ? [{ title: `${name} with a sign`, edits }] : [];
}
