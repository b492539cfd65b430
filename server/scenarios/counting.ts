// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import { namesIn, render } from "../program/render.ts";
import { and, eq, expression, gt, lt, minus, ne, not, or, plus, type Expression } from "../simulator/expression.ts";
import type { World } from "./world.ts";

/*
 * Numbers that a scenario follows exactly (see `World.counts`): signed bytes, -1 is 255. A scenario asks for two pages where the
 * text says "n pages", so that no number in it gets far.
 */

const isNegative = (of: Expression): Expression => gt(of, 127);

const isLess = (a: Expression, b: Expression): Expression =>
  or(and(isNegative(a), not(isNegative(b))), and(eq(isNegative(a), isNegative(b)), lt(a, b)));

const COMPARE: Readonly<Record<string, (a: Expression, b: Expression) => Expression>> = {
  "<": isLess,
  ">": (a, b) => isLess(b, a),
  "<=": (a, b) => not(isLess(b, a)),
  ">=": (a, b) => not(isLess(a, b)),
  "==": eq,
  "!=": ne,
};

/** Longest expression that is read as a number: nobody writes a longer count. */
const MAX_DEPTH = 20;

export interface Counting {
  number(value: Value): Expression | null;
  /** A comparison of two numbers of which one is counted; null: something else. */
  comparison(of: Value & { kind: "binary" }): Expression | null;
  /** Whether a sum is not 0; sums are only cut to a byte where they are stored. */
  isNonzero(of: Value & { kind: "binary" }): Expression | null;
}

export function counting(world: World, read: (key: string) => Expression | null): Counting {
  const { counts } = world;
  if (!counts) return { number: () => null, comparison: () => null, isNonzero: () => null };

  function number(of: Value, depth = 0): Expression | null {
    if (depth > MAX_DEPTH) return null;
    const inner = (part: Value): Expression | null => number(part, depth + 1);
    const owned = world.number?.(of, inner) ?? null;
    if (owned !== null) return expression(owned);
    if ((of.kind === "name" || of.kind === "member") && counts?.(render(of))) return read(render(of));
    switch (of.kind) {
      case "number":
        return of.value <= 100 ? expression(of.value) : null;
      case "unary":
        return of.operator === "-" && of.of.kind === "number" && of.of.value > 0 && of.of.value <= 100 ? expression(256 - of.of.value) : null;
      case "binary": {
        if (of.operator !== "+" && of.operator !== "-") return null;
        const [left, right] = [inner(of.left), inner(of.right)];
        return left && right && (of.operator === "+" ? plus(left, right) : minus(left, right));
      }
      default:
        return null;
    }
  }

  const mentionsCount = (value: Value): boolean => counts(render(value)) || namesIn(value).some((name) => counts(name)) || (world.number?.(value, () => null) ?? null) !== null;

  return {
    number,
    comparison(of) {
      const compare = COMPARE[of.operator];
      if (!compare || !(mentionsCount(of.left) || mentionsCount(of.right))) return null;
      const [left, right] = [number(of.left), number(of.right)];
      return left && right && compare(left, right);
    },
    isNonzero(of) {
      if ((of.operator !== "+" && of.operator !== "-") || !mentionsCount(of)) return null;
      const [left, right] = [number(of.left), number(of.right)];
      if (!left || !right) return null;
      if (of.operator === "-") return ne(left, right);
      return right.kind === "constant" ? ne(left, (256 - right.value) % 256) : ne(plus(left, right), 0);
    },
  };
}
