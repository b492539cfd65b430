// SPDX-License-Identifier: GPL-2.0-only
import type { Outline, OutlineFunction } from "../program/outline.ts";
import { editBetween } from "../text/edit.ts";
import { slotOf, type Slot } from "./slot.ts";

/** A text and its functions, by where they start. */
interface SlottedText {
  readonly text: string;
  readonly slots: ReadonlyMap<number, Slot>;
}

/** The functions of a text by where they start. Those whose texts `before` had keep their slots, which then belong to this text. */
export function slotsOf(text: string, outline: Outline, before: SlottedText | null): ReadonlyMap<number, Slot> {
  const found = new Map<number, Slot>();
  const keep = before ? keptSlots(text, before) : () => null;
  for (const fn of outline.functions) {
    const known = keep(fn);
    if (known) known.fn = fn;
    found.set(fn.start, known ?? slotOf(fn, text.slice(fn.start, fn.end)));
  }
  return found;
}

function keptSlots(text: string, before: SlottedText): (fn: OutlineFunction) => Slot | null {
  const edit = editBetween(before.text, text);
  const shift = edit.newEnd - edit.oldEnd;
  const left = new Map(before.slots);
  const take = (start: number, fn: OutlineFunction): Slot | null => {
    const slot = left.get(start);
    if (!slot || slot.fn.name !== fn.name || slot.text.length !== fn.end - fn.start || slot.fn.isStatic !== fn.isStatic) return null;
    left.delete(start);
    return slot;
  };
  return (fn) => {
    if (fn.end <= edit.start) return take(fn.start, fn);
    return fn.start >= edit.newEnd ? take(fn.start - shift, fn) : null;
  };
}
