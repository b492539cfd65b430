// SPDX-License-Identifier: GPL-2.0-only
import type { Statement, Value } from "./code.ts";
import { mapParts } from "./value-parts.ts";

/*
 * Bodies of helpers that are nothing but the value they return, as values that can stand in the place of the call.
 */

/** Calls in the body of a helper remember how deep they are: a helper that calls itself is not opened for ever. */
export function opened(value: Value, depth: number): Value {
  const parts = mapParts(value, (part) => opened(part, depth));
  return parts.kind === "call" ? { ...parts, depth } : parts;
}

const MAX_INLINE_SIZE = 100;

/** Larger values stay calls. */
export function isLarge(value: Value): boolean {
  let left = MAX_INLINE_SIZE;
  const work: unknown[] = [value];
  for (let part = work.pop(); part !== undefined && left > 0; part = work.pop()) {
    if (typeof part !== "object" || part === null) continue;
    left--;
    work.push(...Object.values(part));
  }
  return left <= 0;
}

const MAX_RETURNS = 20;

/** The value of a body that is nothing but returns: `if (c) return a; return b;` is `c ? a : b`. */
export function returnedValue(body: Statement): Value | null {
  const items = body.kind === "list" ? body.items : [body];
  const [first, ...rest] = items;
  if (first?.kind === "return") return first.value;
  if (first?.kind !== "if" || items.length > MAX_RETURNS) return null;
  const then = returnedValue(first.then);
  const otherwise = first.otherwise ? returnedValue(first.otherwise) : returnedValue({ kind: "list", items: rest });
  if (!then || !otherwise) return null;
  return { kind: "conditional", condition: first.condition, then, otherwise, at: then.at };
}
