// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";
import { render } from "./render.ts";

/** A value as a sum: how often each name and each constant of the kernel occurs in it. "" stands for plain numbers. */
export type Linear = ReadonlyMap<string, number>;

/** The value as a sum of names; null where it is none. */
export function linear(value: Value): Linear | null {
  switch (value.kind) {
    case "number":
      return new Map([["", value.value]]);
    case "name":
    case "member":
      return new Map([[render(value), 1]]);
    case "binary": {
      if (value.operator !== "+" && value.operator !== "-") return value.operator === "*" ? product(value.left, value.right) : null;
      const [left, right] = [linear(value.left), linear(value.right)];
      return left && right && added(left, right, value.operator === "+" ? 1 : -1);
    }
    default:
      return null;
  }
}

/** `2 * PAGE_SIZE`, either way round. */
function product(left: Value, right: Value): Linear | null {
  if (left.kind !== "number") return right.kind === "number" ? product(right, left) : null;
  const sum = linear(right);
  return sum && new Map([...sum].map(([name, count]) => [name, count * left.value]));
}

function added(left: Linear, right: Linear, sign: 1 | -1): Linear {
  const sum = new Map(left);
  for (const [name, count] of right) sum.set(name, (sum.get(name) ?? 0) + sign * count);
  return new Map([...sum].filter(([, count]) => count !== 0));
}

/** Sizes of the kernel: what is a sum of them has a sign that can be told. */
const SIZE = /^(?:|(?:HPAGE_)?(?:PAGE|PMD|PUD|PGDIR)_SIZE)$/;

/** Sign of `a - b` where sizes alone tell it: 0 equal, 1 greater, -1 less; null: not known. */
export function compare(a: Value, b: Value): -1 | 0 | 1 | null {
  const [left, right] = [linear(a), linear(b)];
  if (!left || !right) return null;
  const rest = [...added(left, right, -1)];
  if (rest.length === 0) return 0;
  if (rest.some(([name]) => !SIZE.test(name))) return null;
  if (rest.every(([, count]) => count > 0)) return 1;
  return rest.every(([, count]) => count < 0) ? -1 : null;
}
