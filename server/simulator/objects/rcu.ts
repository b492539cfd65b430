// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { decrement, increment } from "../effect.ts";
import { eq, gt } from "../expression.ts";
import type { Expression, Field } from "../expression.ts";

/**
 * Read-side critical sections of one flavor: `include/linux/rcupdate.h`, `kernel/rcu/tree.c`. One byte: how many threads are
 * inside. A second one, called for example `irqs off`, models readers that hold off an IPI instead
 * (`tlb_remove_table_sync_one()` in `mm/mmu_gather.c`). A grace period is taken to end when nobody is inside, which is
 * stricter than the kernel's: it also waits for readers that came later.
 */
export type Readers = Field;

export const rcuReaders = (model: ModelBuilder, name = "RCU readers"): Readers => model.field(name, 0, { atomic: true });

/** `rcu_read_lock()`, `local_irq_save()`. */
export const rcuReadLock = (readers: Readers): StepPart => ({
  alternatives: [{ effect: [increment(readers)] }],
  acquires: [{ lock: readers, name: readers.name }],
});

/** `rcu_read_unlock()`, `local_irq_restore()`. */
export const rcuReadUnlock = (readers: Readers): StepPart => ({
  alternatives: [
    {
      effect: [decrement(readers)],
      checks: [{ holds: gt(readers, 0), property: "unlock-not-held", message: `${readers.name}: end without a start` }],
    },
  ],
  releases: [{ lock: readers }],
});

/** Nobody is inside. */
export const isQuiescent = (readers: Readers): Expression => eq(readers, 0);

/** `synchronize_rcu()`: blocks until nobody is inside. */
export const synchronize = (readers: Readers): StepPart => ({ alternatives: [{ guard: isQuiescent(readers) }] });
