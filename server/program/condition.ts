// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";

export const not = (of: Value): Value => (of.kind === "unary" && of.operator === "!" ? of.of : { kind: "unary", operator: "!", of, at: of.at });

/** Both conditions; null stands for one that always holds. */
export const both = (left: Value | null, right: Value | null): Value | null =>
  left && right ? { kind: "binary", operator: "&&", left, right, at: left.at } : (left ?? right);
