// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { assumeHeld, locksOf } from "../../server/simulator/assume-held.ts";
import { modelBuilder } from "../../server/simulator/build.ts";
import { together } from "../../server/simulator/combine.ts";
import { explore } from "../../server/simulator/explore.ts";
import type { Model } from "../../server/simulator/model.ts";
import { atomicContext, enterAtomic, leaveAtomic, sleeps } from "../../server/simulator/objects/context.ts";
import { cpu, irqRestore, irqSave } from "../../server/simulator/objects/cpu.ts";
import { endGracePeriod, dereference, pageTable, putTable } from "../../server/simulator/objects/page-table.ts";
import { rcuReaders, rcuReadLock, rcuReadUnlock } from "../../server/simulator/objects/rcu.ts";
import { spinLock, spinlock, spinUnlock } from "../../server/simulator/objects/spinlock.ts";

const OPTIONS = { maxStates: 10_000, deadlock: true };

const named = (model: Model, name: string) => locksOf(model).find((lock) => lock.name === name)!;

/** A walker of a table that is freed after a grace period, and a second reader that comes and goes. */
const walked = (): Model => {
  const model = modelBuilder("walked");
  const readers = rcuReaders(model);
  const table = pageTable(model, "T", 1);
  const walker = model.thread("walker", "review");
  walker.step({ text: "rcu_read_lock()", ...rcuReadLock(readers) });
  walker.step({ text: "*ptep", ...dereference(table) });
  walker.step({ text: "rcu_read_unlock()", ...rcuReadUnlock(readers) });
  const other = model.thread("reader", "environment");
  other.step({ text: "rcu_read_lock()", ...rcuReadLock(readers) });
  other.step({ text: "rcu_read_unlock()", ...rcuReadUnlock(readers) });
  model.thread("freer", "environment").step({ text: "free", ...putTable(table, { page: "rcu", lock: "rcu" }) });
  model.thread("RCU", "daemon").step({ text: "a grace period ends", ...endGracePeriod(table, readers) });
  return model.finish();
};

/** A call that may sleep, beside somebody who takes one lock with a spinlock's rules and another one with a mutex's. */
const sleeper = (): Model => {
  const model = modelBuilder("sleeper");
  const [ptl, mutex] = [spinlock(model, "ptl"), spinlock(model, "mutex")];
  const readers = rcuReaders(model);
  const thread = model.thread("sleeper", "review");
  const context = atomicContext(thread);
  thread.step({ text: "cond_resched()", ...sleeps(context, "cond_resched()") });
  const other = model.thread("other", "environment");
  const own = atomicContext(other);
  other.step({ text: "mutex_lock()", ...spinLock(mutex) });
  other.step({ text: "spin_lock()", ...together(spinLock(ptl), enterAtomic(own)) });
  other.step({ text: "rcu_read_lock()", ...together(rcuReadLock(readers), enterAtomic(own)) });
  other.step({ text: "rcu_read_unlock()", ...together(rcuReadUnlock(readers), leaveAtomic(own)) });
  other.step({ text: "spin_unlock()", ...together(spinUnlock(ptl), leaveAtomic(own)) });
  other.step({ text: "mutex_unlock()", ...spinUnlock(mutex) });
  return model.finish();
};

describe("what if callers hold it?", () => {
  test("a section that others may be in too is counted, not taken", () => {
    const model = walked();
    expect(explore(model, OPTIONS).verdict).toBe("fail");
    // The reader inside is no reason to wait for, and the caller's end is not the reader's.
    const held = assumeHeld(model, named(model, "RCU readers"), "read");
    expect(explore({ ...held, reach: [{ thread: 0, step: 2, what: "the walk" }] }, { ...OPTIONS, properties: new Set(["unlock-not-held"]) }).verdict).toBe("pass");
    const first = held.threads[0]?.steps[0]?.alternatives[0];
    expect(first?.guard).toBeUndefined();
  });

  test.each([["ptl", "sleep-in-atomic"], ["RCU readers", "sleep-in-atomic"], ["mutex", null]])("under %s: %s", (name, property) => {
    const model = sleeper();
    expect(explore(model, OPTIONS).verdict).toBe("pass");
    expect(explore(assumeHeld(model, named(model, name), "read"), OPTIONS).violation?.property ?? null).toBe(property);
  });

  test("interrupts are no lock: to save them again does not nest here", () => {
    const model = modelBuilder("irqs");
    const one = cpu(model, "CPU 0");
    const thread = model.thread("walker", "review");
    thread.step({ text: "local_irq_save()", ...irqSave(one) });
    thread.step({ text: "local_irq_restore()", ...irqRestore(one) });
    expect(locksOf(model.finish())).toEqual([]);
  });
});
