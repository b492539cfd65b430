// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder } from "../build.ts";
import { and, eq, gt, lt, minus, ne, or, plus } from "../expression.ts";
import type { Expression, Field, Operand } from "../expression.ts";

/**
 * A page table entry together with its write bit: `include/linux/pgtable.h` (`pte_present()`, `pte_write()`, `pte_same()`).
 * One byte, so that a lockless walker reads it at once and can compare it later: 0 none, 2n - 1 folio n read-only, 2n folio
 * n writable, 100 a swap entry. Registers that hold a copy are bytes of the same kind.
 */
export interface Pte {
  readonly value: Field;
  /** Folios that it can map. */
  readonly folios: number;
}

export const SWAPPED = 100;

/** Values of an entry for a reader; `folios` names folios 1, 2, ... */
export const pteLabels = (folios: readonly string[]): Record<number, string> =>
  Object.fromEntries([
    [0, "none"],
    [SWAPPED, "swap"],
    ...folios.flatMap((name, index): [number, string][] => [[2 * index + 1, `${name}, read-only`], [2 * index + 2, `${name}, writable`]]),
  ]);

export const pte = (model: ModelBuilder, name: string, initial: number, folios: readonly string[]): Pte => ({
  value: model.field(name, initial, { labels: pteLabels(folios) }),
  folios: folios.length,
});

/** The value that maps a folio. */
export const readOnlyPte = (folio: Operand): Expression => minus(plus(folio, folio), 1);
export const writablePte = (folio: Operand): Expression => plus(folio, folio);

const numbers = (folios: number): number[] => Array.from({ length: folios }, (_, index) => index + 1);

/** `pte_write()` of a value that maps one of so many folios; false where nothing is mapped. */
export const valueIsWritable = (folios: number, value: Operand): Expression => or(...numbers(folios).map((folio) => eq(value, 2 * folio)));
/** Present and not `pte_write()`. */
export const valueIsReadOnly = (folios: number, value: Operand): Expression => or(...numbers(folios).map((folio) => eq(value, 2 * folio - 1)));
/** `pte_page()` of a value that is present; 0 of none. */
export const folioOfValue = (folios: number, value: Operand): Expression =>
  numbers(folios)
    .map((folio): Expression => gt(value, 2 * folio - 2))
    .reduce((sum, one) => plus(sum, one));

/* The same of an entry, or of a register that holds a copy of one. */

export const isNone = (at: Pte, of: Operand = at.value): Expression => eq(of, 0);
/** `pte_present()`. */
export const isMapped = (at: Pte, of: Operand = at.value): Expression => and(gt(of, 0), lt(of, 2 * at.folios + 1));
export const isWritablePte = (at: Pte, of: Operand = at.value): Expression => valueIsWritable(at.folios, of);
export const isReadOnlyPte = (at: Pte, of: Operand = at.value): Expression => valueIsReadOnly(at.folios, of);
export const folioOf = (at: Pte, of: Operand = at.value): Expression => folioOfValue(at.folios, of);

/** `pte_same()`, and its contrary. */
export const isSamePte = (at: Pte, register: Field): Expression => eq(register, at.value);
export const hasChanged = (at: Pte, register: Field): Expression => ne(register, at.value);
