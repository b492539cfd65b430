// SPDX-License-Identifier: GPL-2.0-only
import { isSameName, lockClassNamed } from "../kernel/lock-words.ts";
import { assumeHeld, heldText, locksOf, modesOf, type HeldMode } from "../simulator/assume-held.ts";
import { whyBlocked } from "../simulator/explain.ts";
import type { Exploration, ExploreOptions } from "../simulator/explore.ts";
import type { Field } from "../simulator/expression.ts";
import type { Model } from "../simulator/model.ts";
import { counterexampleOnce, exploreOnce } from "../simulator/remembered.ts";
import { assumedBranches, fixedSchedule, shownSchedule, unjustified, type FixedSchedule, type ShownSchedule } from "./schedule.ts";

/** What becomes of a failing model when its callers hold a lock. */
export interface WhatIf {
  /** The lock as it was taken to be held, such as `i_mmap_rwsem (read)`. */
  readonly lock: string;
  /**
   * `not-taken`: no thread of the model takes it, so that nothing changes. `deadlock`: nothing else fails, and a schedule
   * that did not stand still before does now. Otherwise what exploring showed.
   */
  readonly outcome: "not-taken" | "deadlock" | Exploration["verdict"];
  /** Names of the threads other than those under review that take the lock. */
  readonly takenBy: readonly string[];
  readonly states: number;
  readonly transitions: number;
  readonly counted: Exploration["counted"];
  /** What could not be reached with the lock held; not empty exactly where the outcome is `vacuous`. */
  readonly unreached: readonly string[];
  /** The failing schedule of the code as it is, as it goes with the lock held; null where nothing was explored. */
  readonly replay: FixedSchedule | null;
  /** Thread that holds what the schedule then waits for. */
  readonly heldBy: string | null;
  /** Where it still fails, or stands still: how. */
  readonly schedule: ShownSchedule["steps"];
  readonly held: ShownSchedule["held"];
  readonly badState: string;
  /** What that schedule rests on besides: branches that the code does not justify. */
  readonly assumptions: readonly string[];
}

/** A lock that was asked for. */
export type NamedLock =
  | { readonly kind: "taken"; readonly lock: Field; readonly mode: HeldMode }
  /** A class of mm/ that no thread of the model takes. */
  | { readonly kind: "not-taken"; readonly name: string }
  | { readonly kind: "unknown"; readonly name: string };

/** The locks that can be asked for, each in every way in which it can be held. */
export const lockChoices = (model: Model): readonly string[] => locksOf(model).flatMap((lock) => modesOf(lock).map((mode) => heldText(lock, mode ?? "read")));

/** What `NAME`, `NAME (read)` or `NAME (write)` means in a model; without a mode: for read. */
export function lockNamed(model: Model, wanted: string): NamedLock {
  const [, name = wanted, mode] = /^(.*?)(?:\s*\((read|write)\))?$/s.exec(wanted.trim()) ?? [];
  const locks = locksOf(model);
  const wantedClass = lockClassNamed(name);
  const lock = locks.find((one) => one.name === name)
    ?? locks.find((one) => isSameName(one.name, name))
    ?? locks.find((one) => isSameName(one.name.replace(/\([^()]*\)$/, ""), name))
    // With an object in brackets a certain lock is meant, not any of the class.
    ?? (wantedClass === null || name.includes("(") ? undefined : locks.find((one) => lockClassNamed(one.name) === wantedClass));
  if (lock) return { kind: "taken", lock, mode: mode === "write" ? "write" : "read" };
  return wantedClass === null ? { kind: "unknown", name } : { kind: "not-taken", name };
}

/** Asks what becomes of a failing model if its callers hold a lock that was found in it. */
export function whatIfHeld(failing: Model, options: ExploreOptions, named: Exclude<NamedLock, { kind: "unknown" }>): WhatIf {
  if (named.kind === "not-taken") {
    return { lock: named.name, outcome: "not-taken", takenBy: [], states: 0, transitions: 0, counted: "all", unreached: [], replay: null, heldBy: null, schedule: [], held: [], badState: "", assumptions: [] };
  }
  const { lock, mode } = named;
  const model = assumeHeld(failing, lock, mode);
  const { verdict, states, transitions, counted, unreached } = exploreOnce(model, options);
  const before = counterexampleOnce(failing, options);
  const why = before && whyBlocked(before, failing, model, options.properties);
  const isStuck = verdict !== "fail" && verdict !== "unknown" && standsStill(model, options) && !standsStill(failing, options);
  const trace = verdict === "fail" ? counterexampleOnce(model, options) : isStuck ? counterexampleOnce(model, deadlocksOf(options)) : null;
  const shown: ShownSchedule = trace ? shownSchedule(model, trace) : { steps: [], held: [] };
  return {
    lock: heldText(lock, mode), outcome: isStuck ? "deadlock" : verdict, takenBy: takenBy(failing, lock), states, transitions, counted, unreached,
    replay: why && fixedSchedule(model, why), heldBy: why?.heldBy ?? null,
    schedule: shown.steps, held: shown.held, badState: trace?.violation.message ?? "",
    assumptions: trace ? assumedBranches(trace).map(unjustified) : [],
  };
}

const takenBy = ({ threads }: Model, lock: Field): readonly string[] =>
  threads.filter(({ role, steps }) => role !== "review" && steps.some((step) => step.acquires?.some((one) => one.lock === lock) === true)).map(({ name }) => name);

/** Only whether it stands still: no property is looked at. */
const deadlocksOf = ({ maxStates, disabled }: ExploreOptions): ExploreOptions => ({ maxStates, properties: new Set(), deadlock: true, ...(disabled ? { disabled } : {}) });

const standsStill = (model: Model, options: ExploreOptions): boolean => exploreOnce(model, deadlocksOf(options)).verdict === "fail";
