// SPDX-License-Identifier: GPL-2.0-only
import type { Outline, OutlineCall, OutlineFunction, OutlineUse } from "../program/outline.ts";

/** Form of an outline as text; a change of this form or of what an outline holds changes the number. */
export const OUTLINE_FORM = 3;

type Call = readonly [name: number, isPointer: 0 | 1];
type Use = readonly [name: number, field: number, type: number];
type Fn = readonly [name: number, flags: number, start: number, end: number, calls: readonly Call[], uses: readonly Use[]];

/** An outline as text: names once, numbers for everything else. */
export function encodeOutline(outline: Outline): string {
  const names: string[] = [];
  const numbers = new Map<string, number>();
  const number = (name: string | null): number => {
    if (name === null) return -1;
    const known = numbers.get(name);
    if (known !== undefined) return known;
    numbers.set(name, names.length);
    return names.push(name) - 1;
  };
  const call = ({ name, isPointer }: OutlineCall): Call => [number(name), isPointer ? 1 : 0];
  const use = ({ name, field, type }: OutlineUse): Use => [number(name), number(field), number(type)];
  const functions = outline.functions.map(
    (fn): Fn => [number(fn.name), (fn.isStatic ? 1 : 0) | (fn.isSyscall ? 2 : 0), fn.start, fn.end, fn.calls.map(call), fn.uses.map(use)],
  );
  return JSON.stringify({ functions, uses: outline.uses.map(use), names });
}

/** The outline of a text that `encodeOutline` wrote; null for any other text. */
export function decodeOutline(text: string): Outline | null {
  try {
    const { functions, uses, names } = JSON.parse(text) as { functions: readonly Fn[]; uses: readonly Use[]; names: readonly string[] };
    const nameOf = (number: number): string => {
      const name = names[number];
      if (typeof name !== "string") throw new Error("no such name");
      return name;
    };
    const orNull = (number: number): string | null => (number === -1 ? null : nameOf(number));
    const use = ([name, field, type]: Use): OutlineUse => ({ name: nameOf(name), field: orNull(field), type: orNull(type) });
    const call = ([name, isPointer]: Call): OutlineCall => ({ name: nameOf(name), isPointer: isPointer === 1 });
    return {
      functions: functions.map(([name, flags, start, end, calls, inner]): OutlineFunction => ({
        name: nameOf(name), isStatic: (flags & 1) !== 0, isSyscall: (flags & 2) !== 0, start, end, calls: calls.map(call), uses: inner.map(use),
      })),
      uses: uses.map(use),
    };
  } catch {
    return null;
  }
}
