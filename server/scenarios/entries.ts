// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";

/** Takes the right to write from an entry, which keeps its page. */
export const isProtection = (effect: BoundEffect): effect is BoundEffect & { readonly kind: "modifyEntry" } => effect.kind === "modifyEntry" && effect.how === "protect";

/** Page table entries that a function reaches through pointers: which pointer variables mean the same entry. */
export interface EntryPointers {
  /** Name of the entry behind a pointer (the variable that the map call set), or null. */
  entryOf(pointer: Value): string | null;
  /** Entries in order of their first map call, with what the call was given. */
  readonly entries: readonly { readonly name: string; readonly mm: string | null; readonly address: string | null }[];
}

/**
 * A small points-to over pointers to entries: a map call makes an entry, `p = q`, `p = q + n` and `p++` keep it.
 * Flow-insensitive: a variable that is mapped twice (a retry) is one entry.
 */
export function entryPointers(program: EffectProgram): EntryPointers {
  const entries: { name: string; mm: string | null; address: string | null }[] = [];
  const target = new Map<string, string>();
  for (const node of program.nodes) {
    if (node.kind !== "call") continue;
    for (const effect of node.effects) {
      if (effect.kind !== "mapPte") continue;
      const pointer = effect.pteOut?.kind === "unary" ? render(effect.pteOut.of) : node.result;
      if (pointer === null || target.has(pointer)) continue;
      target.set(pointer, pointer);
      entries.push({ name: pointer, mm: effect.mm && render(effect.mm), address: effect.address && render(effect.address) });
    }
  }
  const copies = (): void => {
    for (let size = -1; size !== target.size; ) {
      size = target.size;
      for (const node of program.nodes) {
        if (node.kind !== "assign" || !node.value || node.operator !== "=") continue;
        const from = target.get(render(base(node.value)));
        const to = render(node.target);
        if (from !== undefined && !target.has(to)) target.set(to, from);
      }
    }
  };
  copies();
  // Pointers that came from somewhere else: parameters, code that is not visible.
  for (const node of program.nodes) {
    if (node.kind !== "call") continue;
    for (const effect of node.effects) {
      if (effect.kind === "clearRange") {
        const name = rangeEntry(effect.vma);
        if (!entries.some((one) => one.name === name)) entries.push({ name, mm: null, address: render(effect.start) });
      }
      if (effect.kind !== "clearEntry" && effect.kind !== "setEntry" && !isProtection(effect)) continue;
      const pointer = render(base(effect.pte));
      if (target.has(pointer)) continue;
      target.set(pointer, pointer);
      entries.push({ name: pointer, mm: null, address: addressBeside(node, effect.pte) });
      copies();
    }
  }
  return { entryOf: (pointer) => target.get(render(base(pointer))) ?? null, entries };
}

/** Name of the one entry that stands for a range of a VMA. */
export const rangeEntry = (vma: Value): string => `a page of ${render(vma)}`;

/** The argument in front of the entry: `ptep_clear_flush(vma, address, ptep)`. */
function addressBeside(call: CallNode, pte: Value): string | null {
  const before = call.args[call.args.indexOf(pte) - 1];
  return before ? render(before) : null;
}

/** `p + 1`, `p - 1` and a cast of `p` point into the same table: one entry stands for all. */
const base = (value: Value): Value =>
  value.kind === "binary" && (value.operator === "+" || value.operator === "-") ? base(value.left) : value;
