// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode } from "../program/program.ts";
import { render } from "../program/render.ts";

/**
 * Parts of effects that say what the call only looks at, or uses as the object that it is: a lock, an entry to unmap, a page
 * to put. What a call is handed the address of besides, it may write.
 */
const LOOKED_AT: Partial<Record<BoundEffect["kind"], readonly string[]>> = {
  acquire: ["object"],
  release: ["object"],
  assertHeld: ["object"],
  requiresHeld: ["object"],
  requiresNotHeld: ["object"],
  dropsLock: ["object"],
  mapPte: ["mm", "pmd", "address"],
  unmapPte: ["pte", "ptl"],
  consumes: ["pte", "ptl"],
  ptlOf: ["of"],
  lockEntryTable: ["pte"],
  hugetlbWalk: ["mm", "vma"],
  setEntry: ["value"],
  getReference: ["object"],
  putReference: ["object"],
  transfersReference: ["object"],
  unpin: ["pages"],
  notifierEnd: ["range"],
  bugIf: ["condition"],
  asksPins: ["page"],
  marksDirty: ["page"],
};

const isValue = (part: unknown): part is Value => typeof part === "object" && part !== null && "kind" in part && "at" in part;

const lookedAt = (effect: BoundEffect): readonly string[] => {
  const parts: Readonly<Record<string, unknown>> = { ...effect };
  return (LOOKED_AT[effect.kind] ?? []).flatMap((part) => (isValue(parts[part]) ? [render(parts[part])] : []));
};

/** Variables and places whose address a call is handed and that it may write. */
export function outputsOf(call: CallNode): readonly string[] {
  if (call.knowledge === "inlined") return [];
  const handed = call.args.flatMap((arg) => (arg.kind === "unary" && arg.operator === "&" ? [arg] : []));
  if (handed.length === 0) return [];
  const onlyRead = new Set(call.effects.flatMap(lookedAt));
  return handed.flatMap((arg) => (onlyRead.has(render(arg)) ? [] : [render(arg.of)]));
}
