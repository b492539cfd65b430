// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder } from "../../server/simulator/build.ts";
import type { StepPart, ThreadBuilder } from "../../server/simulator/build.ts";
import { assign, increment } from "../../server/simulator/effect.ts";
import { ne } from "../../server/simulator/expression.ts";
import type { Field } from "../../server/simulator/expression.ts";
import type { Model } from "../../server/simulator/model.ts";
import { downRead, downWrite, rwsem, upRead, upWrite } from "../../server/simulator/objects/rwsem.ts";
import type { Choose } from "./lock-programs.ts";

/** A step of a straight program, in words that say what it does without the simulator. */
export interface Act {
  readonly kind: "read" | "write" | "count" | "look" | "lock" | "unlock" | "enter" | "leave";
  /** 0 and 1 are values, or locks for the kinds that are about locks. */
  readonly object: number;
  /** What is written, or what a look must not see. */
  readonly value: number;
}

export type Acts = readonly (readonly Act[])[];

const isAboutLocks = ({ kind }: Act): boolean => kind === "lock" || kind === "unlock" || kind === "enter" || kind === "leave";
const isLook = ({ kind }: Act): boolean => kind === "read" || kind === "look";
const isShared = ({ kind }: Act): boolean => kind === "enter" || kind === "leave";

/** Whether the order of two acts of different threads matters. */
const conflict = (left: Act, right: Act): boolean => {
  if (left.object !== right.object || isAboutLocks(left) !== isAboutLocks(right)) return false;
  if (isAboutLocks(left)) return !(isShared(left) && isShared(right));
  return !(isLook(left) && isLook(right)) && !(left.kind === "count" && right.kind === "count");
};

/** Not 0: a byte that is only counted up from 0 is seen to stay small, and then some looks at it are no looks. */
const START = 3;

export const randomActs = (choose: Choose): Acts => {
  const threads = 2 + choose(2);
  // Three long threads have more runs than can be listed.
  return Array.from({ length: threads }, () => {
    const acts: Act[] = [];
    const held: Act[] = [];
    for (let count = 1 + choose(5 - threads); count > 0; count--) {
      const object = choose(2);
      const kind = (["read", "write", "write", "count", "count", "look", "lock", "enter"] as const)[choose(8)];
      if (isAboutLocks({ kind, object, value: 0 })) {
        if (held.some((one) => one.object === object)) continue;
        held.push({ kind: kind === "lock" ? "unlock" : "leave", object, value: 0 });
      }
      acts.push({ kind, object, value: START + 1 + choose(2) });
    }
    return [...acts, ...held.toReversed()];
  });
};

const partOf = ({ kind, object, value }: Act, values: readonly Field[], locks: readonly Field[], own: Field): StepPart => {
  const alternative = {
    read: { effect: [assign(own, values[object])] },
    write: { effect: [assign(values[object], value)] },
    count: { effect: [increment(values[object])] },
    look: { checks: [{ holds: ne(values[object], value), property: "seen", message: "seen" }] },
  };
  switch (kind) {
    case "lock":
      return downWrite(locks[object]);
    case "unlock":
      return upWrite(locks[object]);
    case "enter":
      return downRead(locks[object]);
    case "leave":
      return upRead(locks[object]);
    default:
      return { alternatives: [alternative[kind]] };
  }
};

export const modelOf = (acts: Acts): Model => {
  const model = modelBuilder("acts");
  const values = [model.field("first", START), model.field("second", START)];
  const locks = [rwsem(model, "outer"), rwsem(model, "inner")];
  acts.forEach((own, index) => {
    const thread: ThreadBuilder = model.thread(`thread ${index}`, index === 0 ? "review" : "environment");
    const register = thread.local("register");
    for (const act of own) thread.step({ text: act.kind, ...partOf(act, values, locks, register) });
  });
  return model.finish();
};

interface State {
  readonly at: number[];
  readonly values: number[];
  /** -1: taken; else how many are inside. */
  readonly locks: number[];
}

interface Event {
  readonly thread: number;
  readonly act: Act;
  readonly failed: boolean;
}

const isBlocked = ({ kind, object }: Act, { locks }: State): boolean =>
  (kind === "lock" && locks[object] !== 0) || (kind === "enter" && locks[object] < 0);

const after = ({ kind, object, value }: Act, { at, values, locks }: State): State => {
  const next = { at: [...at], values: [...values], locks: [...locks] };
  if (kind === "write") next.values[object] = value;
  if (kind === "count") next.values[object]++;
  if (kind === "lock") next.locks[object] = -1;
  if (kind === "unlock") next.locks[object] = 0;
  if (kind === "enter") next.locks[object]++;
  if (kind === "leave") next.locks[object]--;
  return next;
};

interface Run {
  readonly events: readonly Event[];
  /** Whether the first thread is left standing before its end. */
  readonly isStuck: boolean;
}

/** Every complete run, one by one. A failing look ends the run, or (`halts`) its thread only. */
export function* everyRun(acts: Acts, halts: boolean): Generator<Run> {
  const start: State = { at: acts.map(() => 0), values: [START, START], locks: [0, 0] };
  const open: { state: State; events: readonly Event[] }[] = [{ state: start, events: [] }];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    const { state, events } = one;
    const movable = acts.flatMap((own, thread) => {
      const act = own[state.at[thread]];
      return act === undefined || isBlocked(act, state) ? [] : [{ thread, act }];
    });
    if (movable.length === 0) yield { events, isStuck: state.at[0] < acts[0].length };
    for (const { thread, act } of movable) {
      const failed = act.kind === "look" && state.values[act.object] === act.value;
      const next = after(act, state);
      next.at[thread] = failed ? acts[thread].length : next.at[thread] + 1;
      const longer = [...events, { thread, act, failed }];
      if (failed && !halts) yield { events: longer, isStuck: false };
      else open.push({ state: next, events: longer });
    }
  }
}

/** The same text for runs that differ only in the order of neighbours that do not conflict: the least such order. */
export const normalForm = (events: readonly Event[]): string => {
  const left = [...events];
  const out: string[] = [];
  const waits = (event: Event, at: number): boolean =>
    left.slice(0, at).some((earlier) => earlier.thread === event.thread || conflict(earlier.act, event.act));
  while (left.length > 0) {
    const free = left.filter((event, at) => !waits(event, at));
    const least = free.reduce((best, event) => (event.thread < best.thread ? event : best));
    left.splice(left.indexOf(least), 1);
    out.push(`${least.thread}${least.failed ? "!" : ""}`);
  }
  return out.join(" ");
};
