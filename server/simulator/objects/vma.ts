// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { assign, decrement, increment } from "../effect.ts";
import { and, eq, lt, ne } from "../expression.ts";
import type { Field } from "../expression.ts";
import type { Check } from "../model.ts";
import { isQuiescent } from "./rcu.ts";
import type { Readers } from "./rcu.ts";
import { downWrite, rwsem, upRead, upWrite } from "./rwsem.ts";
import type { Rwsem } from "./rwsem.ts";

/**
 * A VMA with its own lock, as faults take it from 6.4 on: `vma_start_read()`, `vma_start_write()`, `vma_mark_detached()` in
 * `include/linux/mm.h`, `lock_vma_under_rcu()` in `mm/memory.c`, `vm_area_free()` in `kernel/fork.c` (5e31275cc997). Whoever
 * has the VMA write-locked has stored the mm's sequence number in it; releasing mmap_lock moves that number on, which unlocks
 * all VMAs at once. As up to 6.14: later a reference count takes the place of the semaphore.
 */
export interface Vma {
  readonly lock: Rwsem;
  /** `vm_lock_seq`. */
  readonly seq: Field;
  /** `mm->mm_lock_seq`. */
  readonly mmSeq: Field;
  readonly detached: Field;
  /** `call_rcu(&vma->vm_rcu)`: shares its memory with `vm_start` and `vm_end`. */
  readonly queued: Field;
  readonly freed: Field;
}

export const vma = (model: ModelBuilder): Vma => ({
  lock: rwsem(model, "vma->vm_lock"),
  seq: model.field("vma->vm_lock_seq"),
  mmSeq: model.field("mm->mm_lock_seq", 1),
  detached: model.field("vma->detached", 0, { labels: { 0: "no", 1: "yes" } }),
  queued: model.field("vma->vm_rcu", 0, { labels: { 0: "unused", 1: "queued" } }),
  freed: model.field("vma", 0, { labels: { 0: "live", 1: "freed" } }),
});

/** The check of everything that uses the VMA. */
export const vmaLives = ({ freed }: Vma): Check => ({ holds: eq(freed, 0), property: "uaf", message: "a VMA is used after it was freed" });

/** The check of everything that reads `vm_start` and `vm_end`: they are an rcu_head once the VMA waits to be freed. */
export const boundsAreBounds = ({ queued }: Vma): Check => ({
  holds: eq(queued, 0), property: "type-confusion", message: "vm_start of a detached VMA is read, which is vm_rcu by now",
});

/** `mas_walk()`: goes on at the label where the VMA is not in the tree any more. */
export const findVma = ({ detached }: Vma, none: string): StepPart => ({
  alternatives: [{ guard: eq(detached, 0) }, { guard: ne(detached, 0), to: none, note: "NULL" }],
});

/** The trylock of `vma_start_read()`: goes on at the label where a writer has the VMA. */
export const tryReadVma = (of: Vma, busy: string): StepPart => ({
  alternatives: [
    { guard: lt(of.lock, 255), effect: [increment(of.lock)], checks: [vmaLives(of)], note: "acquired" },
    { guard: eq(of.lock, 255), checks: [vmaLives(of)], to: busy, note: "busy" },
  ],
  acquires: [{ lock: of.lock, name: of.lock.name }],
});

/** The second look of `vma_start_read()`: gives the lock up and goes on at the label where a writer has marked the VMA. */
export const recheckSequence = (of: Vma, locked: string): StepPart => ({
  alternatives: [
    { guard: ne(of.seq, of.mmSeq), checks: [vmaLives(of)], note: "no writer" },
    { guard: eq(of.seq, of.mmSeq), effect: [decrement(of.lock)], checks: [vmaLives(of)], to: locked, note: "write-locked" },
  ],
  releases: [{ lock: of.lock }],
});

/** `vma->detached`, with the lock held: gives it up and goes on at the label where the VMA was unmapped meanwhile. */
export const recheckDetached = (of: Vma, gone: string): StepPart => ({
  alternatives: [
    { guard: eq(of.detached, 0), checks: [vmaLives(of)], note: "attached" },
    { guard: ne(of.detached, 0), effect: [decrement(of.lock)], checks: [vmaLives(of)], to: gone, note: "detached" },
  ],
  releases: [{ lock: of.lock }],
});

/** `vma_end_read()`. */
export const endReadVma = ({ lock }: Vma): StepPart => upRead(lock);

/** First half of `vma_start_write()`: waits for the faults that are inside. */
export const beginWriteVma = ({ lock }: Vma): StepPart => downWrite(lock);

/** Second half: the VMA is marked, and its semaphore is free again. */
export const markWriteVma = ({ lock, seq, mmSeq }: Vma): StepPart => {
  const part = upWrite(lock);
  return { ...part, alternatives: part.alternatives.map((one) => ({ ...one, effect: [assign(seq, mmSeq), ...(one.effect ?? [])] })) };
};

/** `vma_end_write_all()`, part of `mmap_write_unlock()`. */
export const endWriteAll = ({ mmSeq }: Vma): StepPart => ({ alternatives: [{ effect: [increment(mmSeq)] }] });

/** `vma_mark_detached(vma, true)`: only who has the VMA write-locked may. */
export const detachVma = ({ seq, mmSeq, detached }: Vma): StepPart => ({
  alternatives: [
    {
      effect: [assign(detached, 1)],
      checks: [{ holds: eq(seq, mmSeq), property: "lock-not-held", message: "a VMA is detached that is not write-locked" }],
    },
  ],
});

/** `vm_area_free()`: freed after a grace period, and only once. */
export const freeVma = ({ queued, freed }: Vma): StepPart => ({
  alternatives: [
    {
      effect: [assign(queued, 1)],
      checks: [{ holds: and(eq(queued, 0), eq(freed, 0)), property: "double-free", message: "a VMA is freed twice" }],
    },
  ],
});

/** `vm_area_free_rcu_cb()`, for a daemon thread. */
export const endVmaGracePeriod = ({ queued, freed }: Vma, readers: Readers): StepPart => ({
  alternatives: [{ guard: and(eq(queued, 1), eq(freed, 0), isQuiescent(readers)), effect: [assign(freed, 1)] }],
});
