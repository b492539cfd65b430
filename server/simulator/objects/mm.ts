// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { assign, decrement, increment } from "../effect.ts";
import { eq, gt } from "../expression.ts";
import type { Field } from "../expression.ts";
import type { Check } from "../model.ts";

/**
 * An address space and its two counts: `mm_users` keeps the mappings, `mm_count` keeps the structure, and all users together
 * are one of its references. `include/linux/sched/mm.h` (`mmget_not_zero()`, `mmgrab()`), `__mmput()` in `kernel/fork.c`,
 * `exit_mmap()` in `mm/mmap.c`.
 */
export interface Mm {
  readonly name: string;
  readonly users: Field;
  readonly count: Field;
  /** `exit_mmap()` has freed the page tables. */
  readonly tables: Field;
}

/** One user, and the reference that users have. */
export const mm = (model: ModelBuilder, name: string): Mm => ({
  name,
  users: model.field(`${name}->mm_users`, 1),
  count: model.field(`${name}->mm_count`, 1),
  tables: model.field(`page tables of ${name}`, 0, { labels: { 0: "live", 1: "freed" } }),
});

/** The check of everything that uses `struct mm_struct`. */
export const mmLives = ({ name, count }: Mm): Check => ({
  holds: gt(count, 0), property: "uaf", message: `${name} is used after its last reference was dropped`,
});

/** The check of everything that walks the page tables or the VMAs. */
export const mappingsLive = ({ name, tables }: Mm): Check => ({
  holds: eq(tables, 0), property: "uaf", message: `page tables of ${name} are walked after its last mmput() freed them`,
});

/** `mmgrab()`. */
export const mmgrab = (of: Mm): StepPart => ({ alternatives: [{ effect: [increment(of.count)], checks: [mmLives(of)] }] });

/** `mmdrop()`: the last one frees the structure. */
export const mmdrop = ({ name, count }: Mm): StepPart => ({
  alternatives: [
    { effect: [decrement(count)], checks: [{ holds: gt(count, 0), property: "underflow", message: `${name}->mm_count drops below 0` }] },
  ],
});

/** `mmget()`, which is for those who know that there is a user. */
export const mmget = (of: Mm): StepPart => ({ alternatives: [{ effect: [increment(of.users)], checks: [mmLives(of)] }] });

/** `mmget_not_zero()`: goes on at the label where the last user is gone. */
export const mmgetNotZero = (of: Mm, gone: string): StepPart => ({
  alternatives: [
    { guard: gt(of.users, 0), effect: [increment(of.users)], checks: [mmLives(of)] },
    { guard: eq(of.users, 0), checks: [mmLives(of)], to: gone, note: "no user is left" },
  ],
});

/** First step of `mmput()`: goes on at the label where other users are left, else `exitMmap()` and `mmdrop()` follow. */
export const mmput = (of: Mm, others: string): StepPart => {
  const checks: readonly Check[] = [mmLives(of), { holds: gt(of.users, 0), property: "underflow", message: `${of.name}->mm_users drops below 0` }];
  return {
    alternatives: [
      { guard: eq(of.users, 1), effect: [assign(of.users, 0)], checks, note: "the last user" },
      { guard: { kind: "not", of: eq(of.users, 1) }, effect: [decrement(of.users)], checks, to: others, note: "others are left" },
    ],
  };
};

/** `free_pgtables()` in `exit_mmap()`. */
export const exitMmap = ({ tables }: Mm): StepPart => ({ alternatives: [{ effect: [assign(tables, 1)] }] });
