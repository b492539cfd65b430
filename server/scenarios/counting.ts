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

/** A number that may be larger than a byte: constants of a model are bytes, sums of them are not. */
const whole = (number: number): Expression => (number <= 255 ? expression(number) : plus(whole(number - 255), 255));

/** A sum of numbers: bytes with their signs, and a constant. */
interface Sum {
  readonly plus: readonly Expression[];
  readonly minus: readonly Expression[];
  readonly constant: number;
}

const isSum = (of: Expression): of is Expression & { kind: "binary" } => of.kind === "binary" && (of.operator === "+" || of.operator === "-");

function sumOf(of: Expression): Sum {
  if (of.kind === "constant") return { plus: [], minus: [], constant: of.value > 127 ? of.value - 256 : of.value };
  if (!isSum(of)) return { plus: [of], minus: [], constant: 0 };
  const [left, right] = [sumOf(of.left), sumOf(of.right)];
  return of.operator === "+"
    ? { plus: [...left.plus, ...right.plus], minus: [...left.minus, ...right.minus], constant: left.constant + right.constant }
    : { plus: [...left.plus, ...right.minus], minus: [...left.minus, ...right.plus], constant: left.constant - right.constant };
}

const RAW: Readonly<Record<string, (a: Expression, b: Expression) => Expression>> = {
  "<": (a, b) => lt(a, b), ">": (a, b) => lt(b, a), "<=": (a, b) => not(lt(b, a)), ">=": (a, b) => not(lt(a, b)), "==": eq, "!=": ne,
};

/** Terms of a comparison for which all their signs are tried. */
const MAX_TERMS = 4;

/**
 * A comparison of sums as of whole numbers: a sum of bytes is no byte (`-1 + 1` is 256 before it is stored), so that each way
 * in which its terms may be negative is compared by itself.
 */
function compareSums(operator: string, left: Expression, right: Expression): Expression | null {
  const raw = RAW[operator];
  const [a, b] = [sumOf(left), sumOf(right)];
  // Everything that is taken away is added on the other side.
  const sides = [[...a.plus, ...b.minus], [...b.plus, ...a.minus]] as const;
  const terms = [...sides[0], ...sides[1]];
  if (!raw || terms.length > MAX_TERMS) return null;
  const ways = Array.from({ length: 2 ** terms.length }, (_, way) => {
    const isBelow = (index: number): boolean => ((way >> index) & 1) === 1;
    const signs = terms.map((term, index) => (isBelow(index) ? isNegative(term) : not(isNegative(term))));
    // 256 too much on a side for each negative term there: made up for on the other one.
    const below = (from: number, to: number): number => terms.filter((_, index) => index >= from && index < to && isBelow(index)).length * 256;
    const total = (side: readonly Expression[], more: number): Expression => side.reduce<Expression>((sum, term) => plus(sum, term), whole(more));
    const [ofLeft, ofRight] = [below(0, sides[0].length), below(sides[0].length, terms.length)];
    const constant = a.constant - b.constant;
    return and(...signs, raw(total(sides[0], Math.max(constant, 0) + ofRight), total(sides[1], Math.max(-constant, 0) + ofLeft)));
  });
  return or(...ways);
}

/** True while a number is one that a byte holds with room to spare: what goes beyond is not followed. */
export function isFollowed(number: Expression): Expression {
  // As it comes out before it is cut to a byte: small, or negative as a byte, or -1 and a little.
  return or(and(gt(plus(number, FAR), 0), lt(number, FAR)), and(gt(number, 256 - FAR), lt(number, whole(256 + FAR))));
}

/** Numbers of the text end at 100. */
const FAR = 120;

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
        return Math.abs(of.value) <= 100 ? expression((256 + of.value) % 256) : null;
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
      if (!left || !right) return null;
      return isSum(left) || isSum(right) ? compareSums(of.operator, left, right) : compare(left, right);
    },
    isNonzero(of) {
      if ((of.operator !== "+" && of.operator !== "-") || !mentionsCount(of)) return null;
      const [left, right] = [number(of.left), number(of.right)];
      return left && right && compareSums("!=", of.operator === "-" ? minus(left, right) : plus(left, right), expression(0));
    },
  };
}
