// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";
import { maskedWord, maskNames } from "./vma-flags.ts";

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

export const opposite = (truth: boolean | null): boolean | null => (truth === null ? null : !truth);

export const isZero = (value: Value): boolean => (value.kind === "number" && value.value === 0) || (value.kind === "name" && value.name === "NULL");

/**
 * Atoms about a flag word: `flags & (A | B)` is true when one of the bits is set, `(flags & (A | B)) == (A | B)` when all
 * are. Null for words that `isWord` does not know; a word that is the number 0 has no bits.
 */
export function flagAtom(value: Value, isWord: (word: Value) => boolean, isSet: (flag: string) => boolean): boolean | null {
  if (value.kind === "binary" && (value.operator === "==" || value.operator === "!=")) {
    const masked = maskedWord(value.left);
    const wanted = maskNames(value.right);
    if (!masked || !wanted || masked.names.toSorted().join() !== wanted.toSorted().join()) return null;
    const all = bits(masked.word, isWord, isSet)?.(masked.names, "every") ?? null;
    return all === null ? null : all === (value.operator === "==");
  }
  const masked = maskedWord(value);
  return masked ? (bits(masked.word, isWord, isSet)?.(masked.names, "some") ?? null) : null;
}

function bits(word: Value, isWord: (word: Value) => boolean, isSet: (flag: string) => boolean) {
  if (word.kind === "number" && word.value === 0) return (): boolean => false;
  if (!isWord(word)) return null;
  return (names: readonly string[], which: "some" | "every"): boolean => names[which](isSet);
}
