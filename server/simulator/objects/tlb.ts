// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { assign } from "../effect.ts";
import { and, element, eq, gt, ne, not, or } from "../expression.ts";
import type { Expression, Field } from "../expression.ts";
import type { Check } from "../model.ts";
import type { Folios } from "./folio.ts";

/**
 * What the TLB of one CPU has cached of one entry: `Documentation/core-api/cachetlb.rst`. `target` is 0, or the folio that
 * the CPU reaches without a look at the page table.
 */
export interface TlbSlot {
  readonly cpu: string;
  readonly target: Field;
  readonly writable: Field;
}

export const tlbSlot = (model: ModelBuilder, cpu: string, target: number, writable: 0 | 1, folios: readonly string[]): TlbSlot => ({
  cpu,
  target: model.field(`TLB of ${cpu}`, target, { labels: Object.fromEntries([[0, "empty"], ...folios.map((name, index) => [index + 1, name] as const)]) }),
  writable: model.field(`TLB of ${cpu}, write`, writable, { labels: { 0: "read-only", 1: "writable" } }),
});

/** The hardware walks the page table on its own. */
export const fillTlb = ({ target, writable }: TlbSlot, entry: Field, entryWritable: Field): StepPart => ({
  alternatives: [{ guard: ne(entry, 0), effect: [assign(target, entry), assign(writable, entryWritable)] }],
});

/** A store of the CPU goes through without a fault. */
export const storesThrough = ({ target, writable }: TlbSlot): Expression => and(ne(target, 0), eq(writable, 1));

/** `flush_tlb_page()`, an interrupt or a broadcast: the CPU has dropped the slot when it returns. */
export const flushTlb = ({ target, writable }: TlbSlot): StepPart => ({ alternatives: [{ effect: [assign(target, 0), assign(writable, 0)] }] });

/** The check of a store after the process was told that it cannot store there any more, as mprotect() does by returning. */
export const storeIsAllowed = (slot: TlbSlot, revoked: Expression): Check => ({
  holds: not(and(revoked, storesThrough(slot))),
  property: "stale-tlb",
  message: `${slot.cpu} stores through a TLB entry after the address was made read-only`,
});

/** The check of everything that goes through the slot: the page is still the one that was mapped. */
export const cachedPageLives = ({ cpu, target }: TlbSlot, { refcount }: Folios): Check => ({
  holds: or(eq(target, 0), gt(element(refcount, target), 0)),
  property: "stale-tlb",
  message: `${cpu} goes through a TLB entry to a page that was freed`,
});
