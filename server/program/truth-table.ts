// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";

/** What an atom of a condition is taken to be; null: not one of the atoms in question. */
export type Atoms = (value: Value) => boolean | null;

/** Truth of a condition for given atoms, three-valued: null where it depends on something else. */
export function truthFor(value: Value, atoms: Atoms): boolean | null {
  const atom = atoms(value);
  if (atom !== null) return atom;
  switch (value.kind) {
    case "number":
      return value.value !== 0;
    case "unary":
      return value.operator === "!" ? opposite(truthFor(value.of, atoms)) : null;
    case "call":
      return /^(?:un)?likely$/.test(value.name) && value.args[0] ? truthFor(value.args[0], atoms) : null;
    case "conditional": {
      const condition = truthFor(value.condition, atoms);
      const then = value.then ? truthFor(value.then, atoms) : condition;
      const otherwise = truthFor(value.otherwise, atoms);
      if (condition === null) return then === otherwise ? then : null;
      return condition ? then : otherwise;
    }
    case "binary": {
      const left = truthFor(value.left, atoms);
      const right = truthFor(value.right, atoms);
      if (value.operator === "&&") return left === false || right === false ? false : left === null || right === null ? null : true;
      if (value.operator === "||") return left === true || right === true ? true : left === null || right === null ? null : false;
      if (value.operator === "!=" && isZero(value.right)) return left;
      if (value.operator === "==" && isZero(value.right)) return opposite(left);
      return null;
    }
    default:
      return null;
  }
}

const opposite = (truth: boolean | null): boolean | null => (truth === null ? null : !truth);

const isZero = (value: Value): boolean => (value.kind === "number" && value.value === 0) || (value.kind === "name" && value.name === "NULL");

/** Atoms about flag words: `flags & (A | B)` is true when one of the bits is set. */
export function flagAtom(value: Value, isSet: (flag: string) => boolean): boolean | null {
  if (value.kind !== "binary" || value.operator !== "&") return null;
  const masks = [maskOf(value.right), maskOf(value.left)].find((mask) => mask !== null);
  return masks ? masks.some(isSet) : null;
}

function maskOf(value: Value): string[] | null {
  if (value.kind === "name") return /^[A-Z][A-Z0-9_]+$/.test(value.name) ? [value.name] : null;
  if (value.kind !== "binary" || value.operator !== "|") return null;
  const [left, right] = [maskOf(value.left), maskOf(value.right)];
  return left && right ? [...left, ...right] : null;
}
