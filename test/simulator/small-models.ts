// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder } from "../../server/simulator/build.ts";
import { assign, increment } from "../../server/simulator/effect.ts";
import { eq, lt } from "../../server/simulator/expression.ts";
import type { Model } from "../../server/simulator/model.ts";
import { spinLock, spinTrylock, spinUnlock, spinlock } from "../../server/simulator/objects/spinlock.ts";

/** Threads that count privately, then once together under a lock, then privately again. */
export const counters = (threads: number, rounds: number): Model => {
  const model = modelBuilder(`counters ${threads} x ${rounds}`);
  const lock = spinlock(model, "lock");
  const sum = model.field("sum");
  for (let index = 0; index < threads; index++) {
    const thread = model.thread(`counter ${index}`, index === 0 ? "review" : "environment");
    const count = thread.local("count");
    const loop = (label: string): void => {
      thread.label(label);
      thread.step({
        text: "count",
        alternatives: [
          { guard: lt(count, rounds), effect: [increment(count)], to: label },
          { guard: eq(count, rounds), effect: [assign(count, 0)] },
        ],
      });
    };
    loop("before");
    thread.step({ text: "lock", ...spinLock(lock) });
    thread.step({ text: "sum++", effect: [increment(sum)] });
    thread.step({ text: "unlock", ...spinUnlock(lock) });
    loop("after");
  }
  return model.finish();
};

/** Two threads that take two locks in opposite order. */
export const crossedLocks = (): Model => {
  const model = modelBuilder("crossed locks");
  const a = spinlock(model, "a");
  const b = spinlock(model, "b");
  const reviewed = model.thread("reviewed", "review");
  const other = model.thread("other", "environment");
  for (const [thread, first, second] of [[reviewed, a, b], [other, b, a]] as const) {
    thread.step({ text: `spin_lock(${first.name})`, ...spinLock(first) });
    thread.step({ text: `spin_lock(${second.name})`, ...spinLock(second) });
    thread.step({ text: `spin_unlock(${second.name})`, ...spinUnlock(second) });
    thread.step({ text: `spin_unlock(${first.name})`, ...spinUnlock(first) });
  }
  return model.finish();
};

/** A thread that retries until it gets a lock, and one that takes the lock and may or may not give it up. */
export const retryLoop = (isLeaked: boolean): Model => {
  const model = modelBuilder("retry loop");
  const lock = spinlock(model, "lock");
  const reviewed = model.thread("reviewed", "review");
  reviewed.label("retry");
  reviewed.step({ text: "retry" });
  reviewed.step({ text: "if (!spin_trylock(lock)) goto retry", ...spinTrylock(lock, "retry") });
  reviewed.step({ text: "spin_unlock(lock)", ...spinUnlock(lock) });
  const other = model.thread("other", "environment");
  other.step({ text: "spin_lock(lock)", ...spinLock(lock) });
  other.step({ text: "work" });
  if (!isLeaked) other.step({ text: "spin_unlock(lock)", ...spinUnlock(lock) });
  return model.finish();
};

/** A violation after few steps with many switches, beside a thread that can take many steps without any. */
export const pingPong = (): Model => {
  const model = modelBuilder("ping pong");
  const turn = model.field("turn");
  const count = model.field("count");
  const names = ["ping", "pong"];
  names.forEach((name, parity) => {
    const thread = model.thread(name, "review");
    thread.step({ text: "first", guard: eq(turn, parity), effect: [increment(turn)] });
    const over = { holds: eq(0, 1), property: "over", message: "the game is over" };
    thread.step({ text: "second", guard: eq(turn, 2 + parity), effect: [increment(turn)], checks: parity === 1 ? [over] : [] });
  });
  const runner = model.thread("runner", "review");
  runner.label("again");
  runner.step({ text: "run", effect: [increment(count)], to: "again" });
  return model.finish();
};

/** A thread with many steps, beside one that counts with it. */
export const longThread = (steps: number): Model => {
  const model = modelBuilder("long thread");
  const ticks = model.field("ticks");
  const long = model.thread("long", "review");
  for (let step = 0; step < steps; step++) long.step({ text: `tick ${step}`, effect: [increment(ticks)] });
  const other = model.thread("other", "environment");
  other.label("again");
  other.step({ text: "wait", guard: eq(ticks, 7), effect: [increment(ticks)], to: "again" });
  return model.finish();
};
