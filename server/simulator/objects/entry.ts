// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { assign } from "../effect.ts";
import { and, eq, gt, lt } from "../expression.ts";
import type { Expression, Field, Operand } from "../expression.ts";
import type { Alternative } from "../model.ts";

/**
 * One slot of a page table: `include/linux/pgtable.h`. One byte: 0 none, 1..9 present and mapping folio n, 100 a swap entry,
 * 101 a migration entry, 102 a marker, 103 one that a
 * device has present (`include/linux/swapops.h`).
 */
export type Entry = Field;

export const NONE = 0;
export const SWAP = 100;
export const MIGRATION = 101;
export const MARKER = 102;
export const OF_DEVICE = 103;
const FIRST_FOREIGN = 10;

/** Declares a slot. `folios` names folios 1, 2, ... for a reader. */
export const entry = (model: ModelBuilder, name: string, initial: number, folios: readonly string[] = []): Entry => {
  const labels: Record<number, string> = { [NONE]: "none", [SWAP]: "swap", [MIGRATION]: "migration entry", [MARKER]: "marker", [OF_DEVICE]: "device entry" };
  folios.forEach((folio, index) => {
    labels[index + 1] = folio;
  });
  return model.field(name, initial, { labels });
};

/** `pte_present()`; also for a register that holds a copy. */
export const isPresent = (slot: Entry): Expression => and(gt(slot, NONE), lt(slot, FIRST_FOREIGN));
/** `pte_same()` of a register and the slot. */
export const isSame = (register: Field, slot: Entry): Expression => eq(register, slot);

/** `ptep_get()`: copies the slot to a register. */
export const readEntry = (slot: Entry, register: Field): StepPart => ({
  alternatives: [{ effect: [assign(register, slot)] }],
});

/** `set_pte_at()`. */
export const setEntry = (slot: Entry, value: Operand): StepPart => ({ alternatives: [{ effect: [assign(slot, value)] }] });

/** `ptep_clear_flush()`, `ptep_get_and_clear()`; the old value goes to the register where one is given. */
export const clearEntry = (slot: Entry, register?: Field): StepPart => ({
  alternatives: [{ effect: [...(register === undefined ? [] : [assign(register, slot)]), assign(slot, NONE)] }],
});

/** A branch on the slot or a register: goes on where it is present, else at the label. */
export const branchPresent = (slot: Entry, absent: string): readonly Alternative[] => [
  { guard: isPresent(slot) },
  { guard: { kind: "not", of: isPresent(slot) }, to: absent },
];
