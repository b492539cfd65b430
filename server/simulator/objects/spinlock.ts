// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { assign } from "../effect.ts";
import { eq, ne } from "../expression.ts";
import type { Field } from "../expression.ts";

/** A spinlock or a mutex: `include/linux/spinlock.h`, `include/linux/mutex.h`. One byte: 0 free, 1 held. */
export type Spinlock = Field;

export const spinlock = (model: ModelBuilder, name: string): Spinlock =>
  model.field(name, 0, { labels: { 0: "free", 1: "held" } });

/** `spin_lock()`, `mutex_lock()`: blocks while anyone holds it. */
export const spinLock = (lock: Spinlock): StepPart => ({
  alternatives: [{ guard: eq(lock, 0), effect: [assign(lock, 1)] }],
  acquires: [{ lock, name: lock.name }],
});

/** `spin_unlock()`, `mutex_unlock()`. */
export const spinUnlock = (lock: Spinlock): StepPart => ({
  alternatives: [
    {
      effect: [assign(lock, 0)],
      checks: [{ holds: eq(lock, 1), property: "unlock-not-held", message: `${lock.name} is unlocked but not held` }],
    },
  ],
  releases: [{ lock }],
});

/** `spin_trylock()`, `folio_trylock()`: goes on where it succeeds, else at the label `busy`. */
export const spinTrylock = (lock: Spinlock, busy: string): StepPart => ({
  alternatives: [
    { guard: eq(lock, 0), effect: [assign(lock, 1)], note: "acquired" },
    { guard: ne(lock, 0), to: busy, note: "busy" },
  ],
  acquires: [{ lock, name: lock.name }],
});
