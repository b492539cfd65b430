// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder } from "../../server/simulator/build.ts";
import type { ModelBuilder, StepPart, ThreadBuilder } from "../../server/simulator/build.ts";
import { together } from "../../server/simulator/combine.ts";
import { assign, assignAt, decrement, increment, incrementAt } from "../../server/simulator/effect.ts";
import { and, element, eq, gt, lt, ne, not, or, plus } from "../../server/simulator/expression.ts";
import type { Expression, Field } from "../../server/simulator/expression.ts";
import type { Model, ThreadSpec } from "../../server/simulator/model.ts";
import { rcuReadLock, rcuReadUnlock, synchronize } from "../../server/simulator/objects/rcu.ts";
import { downgradeWrite, downRead, downWrite, rwsem, tryDownRead, tryDownWrite, upRead, upWrite } from "../../server/simulator/objects/rwsem.ts";
import { spinLock, spinTrylock, spinUnlock, spinlock } from "../../server/simulator/objects/spinlock.ts";

/** A number from 0 up to, without, `limit`. */
export type Choose = (limit: number) => number;

/** The same choices for the same seed on every machine (the mixing function of MurmurHash3 over a counter). */
export const chooser = (seed: number): Choose => {
  let counter = Math.imul(seed, 0x9e3779b1);
  return (limit) => {
    counter = (counter + 0x6d2b79f5) | 0;
    let mixed = Math.imul(counter ^ (counter >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) % limit;
  };
};

interface Shared {
  readonly model: ModelBuilder;
  readonly semaphores: readonly Field[];
  /** Writers that wait for each semaphore: new readers stay out while there are any. */
  readonly waiting: readonly Field[];
  readonly spinlocks: readonly Field[];
  readonly readers: Field;
  readonly values: readonly Field[];
  readonly array: Field;
}

interface Writing {
  readonly shared: Shared;
  readonly thread: ThreadBuilder;
  readonly own: Field;
  readonly choose: Choose;
  /** How to give up what is held, last taken first. */
  readonly held: { readonly text: string; readonly part: StepPart }[];
  labels: number;
}

const pick = <T>(choose: Choose, from: readonly T[]): T => from[choose(from.length)];

const share = (model: ModelBuilder, choose: Choose): Shared => ({
  model,
  semaphores: Array.from({ length: 1 + choose(2) }, (_, index) =>
    choose(12) > 0 ? rwsem(model, `rwsem ${index}`) : model.field(`rwsem ${index}`, pick(choose, [1, 255]))),
  waiting: [model.field("waiting 0"), model.field("waiting 1")],
  spinlocks: Array.from({ length: 1 + choose(2) }, (_, index) => spinlock(model, `spinlock ${index}`)),
  readers: model.field("readers"),
  values: Array.from({ length: 1 + choose(3) }, (_, index) => model.field(`value ${index}`)),
  array: model.array("array", [0, 0, 0]),
});

const take = ({ thread, held, choose }: Writing, text: string, part: StepPart, release: StepPart): void => {
  thread.step({ text, ...part });
  if (choose(10) > 0) held.push({ text: `release ${text}`, part: release });
};

/** A reader that stays out while a writer waits, and a writer that announces itself first. */
const takeFairly = (writing: Writing): void => {
  const { shared: { semaphores, waiting }, thread, choose } = writing;
  const which = choose(semaphores.length);
  const lock = semaphores[which];
  if (choose(2) === 0) {
    const fair = { guard: and(lt(lock, 254), eq(waiting[which], 0)), effect: [increment(lock)] };
    take(writing, "down_read, fair", { alternatives: [fair] }, upRead(lock));
  } else {
    thread.step({ text: "announce", effect: [increment(waiting[which])] });
    const enter = together(downWrite(lock), { alternatives: [{ effect: [decrement(waiting[which])] }] });
    take(writing, "down_write, announced", enter, upWrite(lock));
  }
};

/** Locks that are used in a way that is not theirs: entered and left without a look, or by the rules of another kind. */
const takeWrongly = (writing: Writing): void => {
  const { shared: { semaphores, spinlocks }, choose } = writing;
  const semaphore = pick(choose, semaphores);
  const spin = pick(choose, spinlocks);
  const ways: readonly [StepPart, StepPart][] = [
    [rcuReadLock(semaphore), rcuReadUnlock(semaphore)],
    [downRead(spin), upRead(spin)],
    [spinLock(semaphore), spinUnlock(semaphore)],
  ];
  const [acquire, release] = pick(choose, ways);
  take(writing, "take wrongly", acquire, release);
};

const takeSomething = (writing: Writing): void => {
  const { shared: { semaphores, spinlocks, readers }, choose } = writing;
  const semaphore = pick(choose, semaphores);
  const spin = pick(choose, spinlocks);
  switch (choose(12)) {
    case 0:
    case 1:
      return take(writing, "down_read", downRead(semaphore), upRead(semaphore));
    case 2:
      return take(writing, "down_write", downWrite(semaphore), upWrite(semaphore));
    case 3:
      return take(writing, "down_write, downgraded later", downWrite(semaphore), downgradeWrite(semaphore));
    case 4:
      return take(writing, "rcu_read_lock", rcuReadLock(readers), rcuReadUnlock(readers));
    case 5:
      return takeFairly(writing);
    case 6:
      return choose(3) === 0 ? takeWrongly(writing) : takeFairly(writing);
    default:
      return take(writing, "spin_lock", spinLock(spin), spinUnlock(spin));
  }
};

const condition = ({ shared: { values, array, semaphores, spinlocks }, own, choose }: Writing): Expression => {
  const value = pick(choose, values);
  switch (choose(8)) {
    case 0:
      return eq(own, choose(2));
    case 1:
      return lt(value, 1 + choose(3));
    case 2:
      return or(ne(value, choose(3)), eq(own, choose(3)));
    case 3:
      return eq(element(array, choose(2) === 0 ? own : value), choose(3));
    case 4:
      return eq(pick(choose, semaphores), choose(3));
    case 5:
      return ne(pick(choose, spinlocks), choose(2));
    case 6:
      return and(ne(element(array, choose(3)), 1), not(eq(value, 2)));
    default:
      return ne(value, choose(3));
  }
};

const change = ({ shared: { values, array }, own, choose }: Writing): StepPart => {
  const value = pick(choose, values);
  const effects = [
    [assign(own, value)],
    [assign(value, choose(3))],
    [assign(value, own)],
    [increment(value)],
    [decrement(value), increment(own)],
    [assignAt(array, choose(3), choose(3))],
    [assignAt(array, own, plus(value, 1))],
    [incrementAt(array, choose(2) === 0 ? own : choose(3))],
    [assign(own, element(array, value))],
    [assign(own, choose(3))],
  ];
  return { alternatives: [{ effect: pick(choose, effects) }] };
};

/** `if (!trylock) goto busy`; what it takes is given up before `busy`, or (sometimes) not at all. */
const tryToTake = (writing: Writing): void => {
  const { shared: { semaphores, spinlocks }, thread, choose } = writing;
  const busy = `busy ${writing.labels++}`;
  const semaphore = pick(choose, semaphores);
  const spin = pick(choose, spinlocks);
  const ways: readonly [StepPart, StepPart][] = [
    [tryDownRead(semaphore, busy), upRead(semaphore)],
    [tryDownWrite(semaphore, busy), upWrite(semaphore)],
    [spinTrylock(spin, busy), spinUnlock(spin)],
  ];
  const [attempt, release] = pick(choose, ways);
  thread.step({ text: "trylock", ...attempt });
  thread.step({ text: "with it", ...change(writing) });
  if (choose(8) > 0) thread.step({ text: "unlock", ...release });
  thread.label(busy);
  if (choose(4) === 0) thread.step({ text: "retry", alternatives: [{ guard: condition(writing), to: "top" }, {}] });
};

const branch = (writing: Writing): void => {
  const { thread } = writing;
  const guard = condition(writing);
  const label = `past ${writing.labels++}`;
  thread.step({ text: "if", alternatives: [{ guard }, { guard: not(guard), to: label }] });
  thread.step({ text: "then", ...change(writing) });
  thread.label(label);
};

const addStep = (writing: Writing): void => {
  const { shared: { spinlocks, semaphores, readers }, thread, own, choose, held } = writing;
  switch (choose(16)) {
    case 0:
    case 1:
    case 2:
      return takeSomething(writing);
    case 3:
    case 4: {
      const [release] = held.splice(choose(Math.max(1, held.length)), 1);
      if (release !== undefined) thread.step({ text: release.text, ...release.part });
      return;
    }
    case 5:
      return tryToTake(writing);
    case 6:
      return branch(writing);
    case 7:
    case 8:
      return void thread.step({ text: "look", checks: [{ holds: condition(writing), property: "seen", message: "seen" }] });
    case 9:
      return void thread.step({ text: "wait", guard: condition(writing) });
    case 10:
      return void thread.step({ text: "either", alternatives: [{ effect: [assign(own, 1)] }, { effect: [assign(own, 2)] }] });
    case 11:
      // What no lock allows: given up by who may not hold it, or overwritten.
      if (choose(3) > 0) return void thread.step({ text: "work", ...change(writing) });
      return void thread.step({ text: "break", ...pick(choose, [
        spinUnlock(pick(choose, spinlocks)), upRead(pick(choose, semaphores)), { alternatives: [{ effect: [assign(pick(choose, semaphores), 1)] }] },
      ]) });
    case 12:
      return void thread.step({ text: "synchronize", ...synchronize(readers) });
    case 13:
      return void thread.step({ text: "enough?", alternatives: [{ guard: gt(own, 2), to: "END" }, {}] });
    default:
      return void thread.step({ text: "work", ...change(writing) });
  }
};

/** Steps of one thread, the same for the same choices. */
const addThread = (shared: Shared, name: string, role: ThreadSpec["role"], choose: Choose, longest: number): void => {
  const thread = shared.model.thread(name, role);
  const writing: Writing = { shared, thread, own: thread.local("own", choose(2)), choose, held: [], labels: 0 };
  thread.label("top");
  for (let count = 2 + choose(longest); count > 0; count--) addStep(writing);
  for (const { text, part } of writing.held.toReversed()) if (choose(12) > 0) thread.step({ text, ...part });
  if (choose(4) === 0) thread.step({ text: "again", alternatives: [{ guard: eq(writing.own, 1), effect: [assign(writing.own, 0)], to: "top" }, {}] });
  const last = thread.step({ text: "done" });
  if (choose(2) === 0) shared.model.reach(thread, choose(last + 1), name);
};

/** Two or three threads with locks of all kinds, used well and badly. */
export const lockProgram = (seed: number): Model => {
  const choose = chooser(seed);
  const model = modelBuilder(`locks ${seed}`);
  const shared = share(model, choose);
  const others = 1 + choose(2);
  addThread(shared, "reviewed", "review", choose, 6);
  for (let index = 0; index < others; index++) addThread(shared, `other ${index}`, choose(4) === 0 ? "daemon" : "environment", choose, 6);
  return model.finish();
};

/** One thread, and two or three that are the same as each other. */
export const twinProgram = (seed: number): Model => {
  const choose = chooser(seed);
  const model = modelBuilder(`twins ${seed}`);
  const shared = share(model, choose);
  const twins = 2 + choose(2);
  addThread(shared, "reviewed", "review", choose, 4);
  const body = choose(1 << 30);
  for (let index = 0; index < twins; index++) addThread(shared, `twin ${index}`, "environment", chooser(body), 5 - twins);
  return model.finish();
};
