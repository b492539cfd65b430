// SPDX-License-Identifier: GPL-2.0-only
import type { Program } from "../compile.ts";
import type { Field } from "../expression.ts";
import { bitsOf, emptyFootprint, footprintOf, unite } from "./footprint.ts";
import type { Bits, Footprint, LockView } from "./footprint.ts";
import { ALONE } from "./held-locks.ts";
import type { Lock } from "./held-locks.ts";
import type { Points } from "./points.ts";

/** The footprints of a program, and which of its actions a held lock shuts out. */
export interface StepFootprints {
  readonly bits: Bits;
  readonly locks: readonly Lock[];
  /** By action. */
  readonly actions: readonly Footprint[];
  /** By point: all alternatives of the step together, guards of disabled ones included. */
  readonly points: readonly Footprint[];
  /** By action and lock: 1 where it cannot be taken while another thread holds the lock alone, 2 while others are inside. */
  readonly shutOut: readonly Uint8Array[];
}

const viewsOf = (locks: readonly Lock[], thread: number, step: number, alternative: number): Map<Field, LockView> =>
  new Map(locks.map((lock) => [
    lock.field, { lock, held: lock.held[thread][step], kind: lock.uses[thread][step][alternative].kind },
  ]));

const shutOutBy = ({ alone, most, uses }: Lock, thread: number, step: number, alternative: number): number => {
  const { allowed } = uses[thread][step][alternative];
  const whileAlone = alone >= 0 && allowed[alone] === 0 ? 1 : 0;
  return whileAlone | (most > 0 && allowed.subarray(1, most + 1).every((value) => value === 0) ? 2 : 0);
};

/** The locks that a thread holds before a step, as text: one letter for each lock. */
export const heldAt = (locks: readonly Lock[], thread: number, step: number): string =>
  locks.map(({ held }) => (held[thread][step] === ALONE ? "a" : held[thread][step] > 0 ? "i" : "-")).join("");

/** Which actions are shut out by what `heldAt` says that a thread holds: 1 for each. */
export const shutOutWhile = ({ shutOut }: StepFootprints, held: string): Uint8Array =>
  Uint8Array.from(shutOut, (by) =>
    by.some((mask, lock) => (held[lock] === "a" && (mask & 1) !== 0) || (held[lock] === "i" && (mask & 2) !== 0)) ? 1 : 0);

export const stepFootprints = (
  program: Program, points: Points, locks: readonly Lock[], disabled: ReadonlySet<number>,
): StepFootprints => {
  const bits = bitsOf(program.model);
  const together = Array.from({ length: points.count }, () => emptyFootprint(bits));
  const shutOut: Uint8Array[] = [];
  const actions = program.actions.map(({ thread, step, alternative }, action) => {
    if (disabled.has(thread)) {
      shutOut.push(new Uint8Array(locks.length));
      return emptyFootprint(bits);
    }
    shutOut.push(Uint8Array.from(locks, (lock) => shutOutBy(lock, thread, step, alternative)));
    const checks = program.checks.slice(program.firstCheck[action], program.firstCheck[action + 1]).map(({ holds }) => holds);
    const way = program.model.threads[thread].steps[step].alternatives[alternative];
    const print = footprintOf(bits, way, checks, viewsOf(locks, thread, step, alternative));
    unite(together[points.first[thread] + step], 0, print, 0, print.length);
    return print;
  });
  return { bits, locks, actions, points: together, shutOut };
};
