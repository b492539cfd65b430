// SPDX-License-Identifier: GPL-2.0-only
import type { LockClass } from "../../kernel/effect.ts";
import { nestsInside } from "../../kernel/lock-order.ts";
import type { StepPart, ThreadBuilder } from "../build.ts";
import { assignAt } from "../effect.ts";
import { element, eq } from "../expression.ts";
import type { Field } from "../expression.ts";

/**
 * Which classes of locks a thread holds, and the check that it takes them in the documented order: `check_prev_add()` in
 * `kernel/locking/lockdep.c`, the orders at the top of `mm/rmap.c`. One thread is enough to see an inversion: nobody needs
 * to come the other way.
 */
export interface LockOrder {
  readonly classes: readonly LockClass[];
  readonly held: Field;
}

export const lockOrder = (thread: ThreadBuilder, classes: readonly LockClass[]): LockOrder => ({
  classes,
  held: thread.localArray("held", classes.map(() => 0), { elements: classes.map((one) => `holds ${one}`), hidden: true }),
});

const indexOf = ({ classes }: LockOrder, lock: LockClass): number => {
  const at = classes.indexOf(lock);
  if (at < 0) throw new Error(`${lock} is not among the classes of this thread`);
  return at;
};

/** Combine with the step that takes a lock of the class and waits for it. */
export const takesInOrder = (order: LockOrder, lock: LockClass): StepPart => {
  const inner = order.classes.filter((other) => nestsInside(other, lock));
  return {
    alternatives: [
      {
        effect: [assignAt(order.held, indexOf(order, lock), 1)],
        checks: inner.map((other) => ({
          holds: eq(element(order.held, indexOf(order, other)), 0),
          property: "lock-order",
          message: `${lock} is taken while ${other} is held, which nests inside it`,
        })),
      },
    ],
  };
};

/** Combine with the step that gives the lock up. */
export const leavesInOrder = (order: LockOrder, lock: LockClass): StepPart => ({ alternatives: [{ effect: [assignAt(order.held, indexOf(order, lock), 0)] }] });
