// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { assign, decrement, increment } from "../effect.ts";
import { and, eq, gt, lt, ne, not } from "../expression.ts";
import type { Expression, Field } from "../expression.ts";
import type { Check } from "../model.ts";

/**
 * A reader-writer semaphore: `include/linux/rwsem.h`, `kernel/locking/rwsem.c`. One byte: 0 free, n readers, 255 a writer.
 * A waiting writer does not hold back readers here, so the deadlock of a recursive read is not seen.
 */
export type Rwsem = Field;

const WRITER = 255;
const MOST_READERS = 254;

/** Declares a semaphore under the name that a reader knows, for example `mmap_lock(A)`. */
export const rwsem = (model: ModelBuilder, name: string): Rwsem =>
  model.field(name, 0, { labels: { 0: "free", 1: "1 reader", 2: "2 readers", 3: "3 readers", [WRITER]: "writer" } });

const taken = (lock: Rwsem): NonNullable<StepPart["acquires"]> => [{ lock, name: lock.name }];

const held = (lock: Rwsem, holds: Expression, how: string): readonly Check[] => [
  { holds, property: "unlock-not-held", message: `${lock.name} is unlocked but not held for ${how}` },
];

const canRead = (lock: Rwsem): Expression => lt(lock, MOST_READERS);

const hasReaders = (lock: Rwsem): Expression => and(ne(lock, 0), ne(lock, WRITER));

/** For checks such as `lockdep_assert_held_write()`. */
export const isHeldForWrite = (lock: Rwsem): Expression => eq(lock, WRITER);

/** `down_read()`: blocks while a writer holds it. */
export const downRead = (lock: Rwsem): StepPart => ({
  alternatives: [{ guard: canRead(lock), effect: [increment(lock)] }],
  acquires: taken(lock),
});

/** `up_read()`. */
export const upRead = (lock: Rwsem): StepPart => ({
  alternatives: [{ effect: [decrement(lock)], checks: held(lock, hasReaders(lock), "read") }],
  releases: [{ lock }],
});

/** `down_write()`: blocks while anyone holds it. */
export const downWrite = (lock: Rwsem): StepPart => ({
  alternatives: [{ guard: eq(lock, 0), effect: [assign(lock, WRITER)] }],
  acquires: taken(lock),
});

/** `up_write()`. */
export const upWrite = (lock: Rwsem): StepPart => ({
  alternatives: [{ effect: [assign(lock, 0)], checks: held(lock, eq(lock, WRITER), "write") }],
  releases: [{ lock }],
});

/** `downgrade_write()`: the writer becomes a reader without letting anyone in between. */
export const downgradeWrite = (lock: Rwsem): StepPart => ({
  alternatives: [{ effect: [assign(lock, 1)], checks: held(lock, eq(lock, WRITER), "write") }],
});

/** `down_read_trylock()`: goes on where it succeeds, else at the label `busy`. */
export const tryDownRead = (lock: Rwsem, busy: string): StepPart => ({
  alternatives: [
    { guard: canRead(lock), effect: [increment(lock)], note: "acquired" },
    { guard: not(canRead(lock)), to: busy, note: "busy" },
  ],
  acquires: taken(lock),
});

/** `down_write_trylock()`: goes on where it succeeds, else at the label `busy`. */
export const tryDownWrite = (lock: Rwsem, busy: string): StepPart => ({
  alternatives: [
    { guard: eq(lock, 0), effect: [assign(lock, WRITER)], note: "acquired" },
    { guard: gt(lock, 0), to: busy, note: "busy" },
  ],
  acquires: taken(lock),
});
