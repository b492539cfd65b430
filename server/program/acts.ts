// SPDX-License-Identifier: GPL-2.0-only
import { TAKES_POINTER } from "../kernel/guards.ts";
import type { Value } from "./code.ts";
import type { ValueContext } from "./lower-value.ts";
import { partsOf } from "./value-parts.ts";

type Acting = Pick<ValueContext, "macroStatement" | "callee" | "isEntryPointer">;

/** True where evaluating the value does something. */
export function acts(context: Acting, value: Value): boolean {
  switch (value.kind) {
    case "call":
      return TAKES_POINTER.has(value.name) || context.macroStatement(value) !== null || context.callee(value.name, value.args, value.at) !== null || partsOf(value).some((part) => acts(context, part));
    case "opaque":
      return partsOf(value).some((part) => acts(context, part));
    case "assign":
    case "update":
    case "block":
      return true;
    case "unary":
    case "member":
      return reaches(context, value) !== null || acts(context, value.of);
    case "binary":
    case "comma":
      return acts(context, value.left) || acts(context, value.right);
    case "index":
      return reaches(context, value) !== null || acts(context, value.of) || acts(context, value.index);
    case "conditional":
      return acts(context, value.condition) || (value.then !== null && acts(context, value.then)) || acts(context, value.otherwise);
    default:
      return false;
  }
}

/** The pointer through which a value reads a page table entry, or null. */
export function reaches(context: Pick<Acting, "isEntryPointer">, value: Value): Value | null {
  const through = (value.kind === "unary" && value.operator === "*") || value.kind === "index" || (value.kind === "member" && value.arrow);
  return through && context.isEntryPointer(value.of) ? value.of : null;
}
