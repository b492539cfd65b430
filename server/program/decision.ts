// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";
import { isTruth } from "./question.ts";
import { maskedWord } from "./vma-flags.ts";

/** What tells values that are true or false from others. */
export interface Truths {
  /** True for a call whose value means something to scenarios, and that does nothing. */
  readonly isQuestion: (call: Value & { kind: "call" }) => boolean;
  /** True for a variable that is declared `bool`. */
  readonly isBoolean: (value: Value) => boolean;
}

/** Calls whose value is their first argument, as far as a condition goes. */
export const TRANSPARENT = new Set(["likely", "unlikely", "WARN_ON", "WARN_ON_ONCE", "WARN", "WARN_ONCE", "VM_WARN_ON_ONCE"]);

/** `(a && b) != 0`, `f() == false`, `flag == true`: what is asked, and whether for its opposite; null: a comparison of other values. */
export function comparedTruth(context: Truths, { operator, left, right }: Value & { kind: "binary" }): { readonly of: Value; readonly inverts: boolean } | null {
  if (operator !== "==" && operator !== "!=") return null;
  const [of, number] = right.kind === "number" ? [left, right.value] : left.kind === "number" ? [right, left.value] : [left, null];
  if (number === 0 && (isTruth(of) || of.kind === "conditional" || of.kind === "call" || context.isBoolean(of))) return { of, inverts: operator === "==" };
  if (number === 1 && (isTruth(of) || context.isBoolean(of))) return { of, inverts: operator === "!=" };
  return null;
}

/** `a && b`, however often it is negated; what a boolean gets from a function that is a question (`must = gup_must_unshare(...)`). */
export function isDecision(context: Truths, value: Value, target: Value): boolean {
  switch (value.kind) {
    case "binary": {
      if (value.operator === "&&" || value.operator === "||") return true;
      // `write = flags & FOLL_WRITE`
      if (value.operator === "&") return context.isBoolean(target) && maskedWord(value) !== null;
      const same = comparedTruth(context, value);
      return same !== null && isDecision(context, same.of, target);
    }
    case "unary":
      return value.operator === "!" && isDecision(context, value.of, target);
    case "call": {
      const inner = value.args[0];
      if (TRANSPARENT.has(value.name)) return inner !== undefined && isDecision(context, inner, target);
      return context.isBoolean(target) && context.isQuestion(value);
    }
    default:
      return false;
  }
}
