// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";

/** The values that a value is made of, in order of text; statement expressions are not looked into. */
export function partsOf(value: Value): readonly Value[] {
  switch (value.kind) {
    case "unary":
    case "member":
      return [value.of];
    case "binary":
    case "comma":
      return [value.left, value.right];
    case "index":
      return [value.of, value.index];
    case "call":
      return value.through ? [value.through, ...value.args] : value.args;
    case "opaque":
      return value.parts ?? [];
    case "conditional":
      return value.then ? [value.condition, value.then, value.otherwise] : [value.condition, value.otherwise];
    case "assign":
      return [value.target, value.value];
    case "update":
      return [value.target];
    default:
      return [];
  }
}

/** `a, b, c` as a list, without recursion over hostile lengths. */
export function commaList(list: Value): Value[] {
  const items: Value[] = [];
  const work = [list];
  for (let item = work.pop(); item; item = work.pop()) {
    if (item.kind === "comma") work.push(item.right, item.left);
    else items.push(item);
  }
  return items;
}

/** The same value made of other parts. */
export function mapParts(value: Value, map: (part: Value) => Value): Value {
  switch (value.kind) {
    case "unary":
    case "member":
      return { ...value, of: map(value.of) };
    case "binary":
    case "comma":
      return { ...value, left: map(value.left), right: map(value.right) };
    case "index":
      return { ...value, of: map(value.of), index: map(value.index) };
    case "call":
      return { ...value, ...(value.through ? { through: map(value.through) } : {}), args: value.args.map(map) };
    case "opaque":
      return value.parts ? { ...value, parts: value.parts.map(map) } : value;
    case "conditional":
      return { ...value, condition: map(value.condition), then: value.then && map(value.then), otherwise: map(value.otherwise) };
    case "assign":
      return { ...value, target: map(value.target), value: map(value.value) };
    case "update":
      return { ...value, target: map(value.target) };
    default:
      return value;
  }
}
