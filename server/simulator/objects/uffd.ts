// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { assign, assignAt } from "../effect.ts";
import { and, element, eq, not } from "../expression.ts";
import type { Expression, Field, Operand } from "../expression.ts";
import type { Check } from "../model.ts";

/**
 * Write tracking with userfaultfd over a few consecutive page table slots: `UFFDIO_WRITEPROTECT`, `fs/userfaultfd.c`,
 * `PTE_MARKER_UFFD_WP` in `include/linux/swapops.h`. A slot is none, mapped, mapped and protected, or a marker that protects
 * what will be mapped.
 */
export interface WriteTracking {
  readonly slots: Field;
  /** What the tracker was told: its range is protected. */
  readonly armed: Field;
}

export const SLOT = { none: 0, writable: 1, protected: 2, marker: 3 } as const;

export const writeTracking = (model: ModelBuilder, names: readonly string[]): WriteTracking => ({
  slots: model.array("pte", names.map(() => SLOT.none), { elements: names, labels: { 0: "none", 1: "writable", 2: "write-protected", 3: "uffd-wp marker" } }),
  armed: model.field("tracker", 0, { labels: { 0: "not told", 1: "told that the range is protected" } }),
});

/** `set_pte_at(make_pte_marker(PTE_MARKER_UFFD_WP))` in a slot that is none. */
export const installMarker = ({ slots }: WriteTracking, slot: Operand): StepPart => ({ alternatives: [{ effect: [assignAt(slots, slot, SLOT.marker)] }] });

/** The ioctl has said that it did what it was asked. */
export const tellTracker = ({ armed }: WriteTracking): StepPart => ({ alternatives: [{ effect: [assign(armed, 1)] }] });

/** A fault on a slot maps what the page cache has, and honors a marker. */
export const faultIn = ({ slots }: WriteTracking, slot: Operand): StepPart => ({
  alternatives: [
    { guard: eq(element(slots, slot), SLOT.none), effect: [assignAt(slots, slot, SLOT.writable)], note: "none: mapped writable, no event" },
    { guard: eq(element(slots, slot), SLOT.marker), effect: [assignAt(slots, slot, SLOT.protected)], note: "marker: write-protect event" },
  ],
});

export const isWritable = ({ slots }: WriteTracking, slot: Operand): Expression => eq(element(slots, slot), SLOT.writable);

/** The check of a store that goes through: the tracker was not told that it would see it. */
export const storeIsSeen = (tracking: WriteTracking, slot: Operand): Check => ({
  holds: not(and(eq(tracking.armed, 1), isWritable(tracking, slot))),
  property: "missed-uffd-wp",
  message: "a page is written without an event after UFFDIO_WRITEPROTECT returned 0 for it",
});
