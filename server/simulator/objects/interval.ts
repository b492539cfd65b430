// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { assign, increment } from "../effect.ts";
import { eq, ne } from "../expression.ts";
import type { Field } from "../expression.ts";
import { spinlock } from "./spinlock.ts";
import type { Spinlock } from "./spinlock.ts";

/**
 * A driver that mirrors an entry with an interval notifier, and its fault path: `mmu_interval_read_begin()`,
 * `mmu_interval_read_retry()` in `mm/mmu_notifier.c`; `Documentation/mm/hmm.rst`. The driver's lock orders `invalidate()`
 * against the update of the device's page table.
 */
export interface Mirror {
  /** 0, or the folio that the device reads and writes. */
  readonly mapping: Field;
  /** `interval_sub->invalidate_seq`, as a count of invalidations. */
  readonly seq: Field;
  /** An invalidation is running (`notifier_subscriptions->invalidate_seq` is odd). */
  readonly running: Field;
  readonly lock: Spinlock;
}

export const mirror = (model: ModelBuilder, mapping: number, folios: readonly string[]): Mirror => ({
  mapping: model.field("device pte", mapping, { labels: Object.fromEntries([[0, "none"], ...folios.map((name, index) => [index + 1, name] as const)]) }),
  seq: model.field("invalidate_seq"),
  running: model.field("invalidation", 0, { labels: { 0: "none", 1: "running" } }),
  lock: spinlock(model, "driver lock"),
});

/** `mn_itree_inv_start_range()`: from here on a fault waits. */
export const beginInvalidation = ({ running }: Mirror): StepPart => ({ alternatives: [{ effect: [assign(running, 1)] }] });

/** In the driver's `invalidate()`, with its lock held: `mmu_interval_set_seq()`, and the device's entry goes. */
export const dropMapping = ({ mapping, seq }: Mirror): StepPart => ({ alternatives: [{ effect: [increment(seq), assign(mapping, 0)] }] });

/** `mn_itree_inv_end()`. */
export const endInvalidation = ({ running }: Mirror): StepPart => ({ alternatives: [{ effect: [assign(running, 0)] }] });

/** `mmu_interval_read_begin()`: waits while an invalidation runs. */
export const readBegin = ({ running, seq }: Mirror, seen: Field): StepPart => ({ alternatives: [{ guard: eq(running, 0), effect: [assign(seen, seq)] }] });

/** `mmu_interval_read_retry()`, with the driver's lock held: goes on at the label where the sequence number has moved. */
export const readRetry = ({ seq }: Mirror, seen: Field, retry: string): StepPart => ({
  alternatives: [
    { guard: eq(seen, seq), note: "no invalidation since" },
    { guard: ne(seen, seq), to: retry, note: "an invalidation came in between: retry" },
  ],
});
