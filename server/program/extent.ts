// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";

/** Start and end of a value in the text, as well as its parts tell. */
export function extent(value: Value): { at: number; end: number } {
  switch (value.kind) {
    case "call":
    case "assign":
    case "update":
      return { at: value.at, end: value.end };
    case "binary":
    case "comma":
      return { at: extent(value.left).at, end: extent(value.right).end };
    case "unary":
      return { at: value.at, end: extent(value.of).end };
    case "member":
      return { at: extent(value.of).at, end: extent(value.of).end + (value.arrow ? 2 : 1) + value.field.length };
    case "conditional":
      return { at: extent(value.condition).at, end: extent(value.otherwise).end };
    case "index":
      return { at: extent(value.of).at, end: extent(value.index).end + 1 };
    case "name":
      return { at: value.at, end: value.at + value.name.length };
    case "number":
      return { at: value.at, end: value.end ?? value.at + String(value.value).length };
    default:
      return { at: value.at, end: value.at };
  }
}
