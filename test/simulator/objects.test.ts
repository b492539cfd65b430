// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { modelBuilder } from "../../server/simulator/build.ts";
import type { ModelBuilder, StepPart, ThreadBuilder } from "../../server/simulator/build.ts";
import { together } from "../../server/simulator/combine.ts";
import { assign } from "../../server/simulator/effect.ts";
import { explore } from "../../server/simulator/explore.ts";
import { and, element, eq } from "../../server/simulator/expression.ts";
import type { Expression } from "../../server/simulator/expression.ts";
import { atomicContext, enterAtomic, leaveAtomic, sleeps } from "../../server/simulator/objects/context.ts";
import { branchPresent, clearEntry, entry, readEntry, setEntry, SWAP } from "../../server/simulator/objects/entry.ts";
import { copyFolio, folios, getFolio, isExclusive, maybePinned, pinFolio, putFolio, shareFolio, unpinFolio } from "../../server/simulator/objects/folio.ts";
import { endInvalidateKvm, invalidateKvm, kvmSubscriber } from "../../server/simulator/objects/notifier.ts";
import { dereference, endGracePeriod, pageTable, putTable, tableLockLives } from "../../server/simulator/objects/page-table.ts";
import type { FreePolicy } from "../../server/simulator/objects/page-table.ts";
import { rcuReadLock, rcuReaders, rcuReadUnlock, synchronize } from "../../server/simulator/objects/rcu.ts";
import { downgradeWrite, downRead, downWrite, isHeldForWrite, rwsem, tryDownRead, tryDownWrite, upRead, upWrite } from "../../server/simulator/objects/rwsem.ts";
import { spinLock, spinTrylock, spinUnlock, spinlock } from "../../server/simulator/objects/spinlock.ts";

const expectation = (holds: Expression): StepPart => ({
  alternatives: [{ checks: [{ holds, property: "unexpected", message: "not as expected" }] }],
});

const reached = (): StepPart => expectation(eq(0, 1));

type Build = (model: ModelBuilder, thread: ThreadBuilder) => readonly StepPart[];

/** What one thread gets when it takes these steps one after the other: `pass`, or the property that it violates. */
const outcome = (build: Build): string => {
  const model = modelBuilder("objects");
  const thread = model.thread("reviewed", "review");
  for (const part of build(model, thread)) thread.step({ text: "step", ...part });
  thread.label("busy");
  thread.step({ text: "busy" });
  const { verdict, violation } = explore(model.finish(), { maxStates: 10_000, deadlock: true });
  return violation?.property ?? verdict;
};

const table = (model: ModelBuilder, refs: number) => pageTable(model, "table", refs);
const NOW: FreePolicy = { page: "now", lock: "now" };

const cases: readonly [string, string, Build][] = [
  ["readers share", "pass", (model) => {
    const lock = rwsem(model, "lock");
    return [downRead(lock), downRead(lock), upRead(lock), upRead(lock), downWrite(lock), upWrite(lock)];
  }],
  ["a writer excludes itself", "deadlock", (model) => {
    const lock = rwsem(model, "lock");
    return [downWrite(lock), downWrite(lock)];
  }],
  ["a downgraded writer reads", "pass", (model) => {
    const lock = rwsem(model, "lock");
    return [downWrite(lock), expectation(isHeldForWrite(lock)), downgradeWrite(lock), downRead(lock), upRead(lock), upRead(lock)];
  }],
  ["unlock for read of a free semaphore", "unlock-not-held", (model) => [upRead(rwsem(model, "lock"))]],
  ["unlock for write of one held for read", "unlock-not-held", (model) => {
    const lock = rwsem(model, "lock");
    return [downRead(lock), upWrite(lock)];
  }],
  ["unlock for read of one held for write", "unlock-not-held", (model) => {
    const lock = rwsem(model, "lock");
    return [downWrite(lock), upRead(lock)];
  }],
  ["a read trylock fails behind a writer", "pass", (model) => {
    const lock = rwsem(model, "lock");
    return [downWrite(lock), tryDownRead(lock, "busy"), reached()];
  }],
  ["a write trylock takes a free semaphore", "unexpected", (model) => [tryDownWrite(rwsem(model, "lock"), "busy"), reached()]],
  ["a spinlock is not recursive", "deadlock", (model) => {
    const lock = spinlock(model, "lock");
    return [spinLock(lock), spinLock(lock)];
  }],
  ["a trylock of a held spinlock fails", "pass", (model) => {
    const lock = spinlock(model, "lock");
    return [spinLock(lock), spinTrylock(lock, "busy"), reached()];
  }],
  ["unlock of a free spinlock", "unlock-not-held", (model) => [spinUnlock(spinlock(model, "lock"))]],
  ["sleeping under a spinlock", "sleep-in-atomic", (model, thread) => {
    const context = atomicContext(thread);
    return [together(spinLock(spinlock(model, "lock")), enterAtomic(context)), sleeps(context, "mutex_lock()")];
  }],
  ["sleeping after it", "pass", (_, thread) => {
    const context = atomicContext(thread);
    return [enterAtomic(context), leaveAtomic(context), sleeps(context, "mutex_lock()")];
  }],
  ["leaving what was not entered", "unlock-not-held", (_, thread) => [leaveAtomic(atomicContext(thread))]],
  ["waiting for readers from inside", "deadlock", (model) => {
    const readers = rcuReaders(model);
    return [rcuReadLock(readers), synchronize(readers)];
  }],
  ["one end too many", "unlock-not-held", (model) => [rcuReadUnlock(rcuReaders(model))]],
  ["a table with a reference left", "pass", (model) => {
    const shared = table(model, 2);
    return [putTable(shared, NOW), dereference(shared)];
  }],
  ["a table without", "uaf", (model) => {
    const shared = table(model, 2);
    return [putTable(shared, NOW), putTable(shared, NOW), dereference(shared)];
  }],
  ["a table is put once more than it was taken", "double-free", (model) => {
    const shared = table(model, 1);
    return [putTable(shared, NOW), putTable(shared, NOW)];
  }],
  ["a table that waits for a grace period", "pass", (model) => {
    const shared = table(model, 1);
    return [putTable(shared, { page: "rcu", lock: "rcu" }), dereference(shared), expectation(tableLockLives(shared).holds)];
  }],
  ["its lock that does not", "uaf", (model) => {
    const shared = table(model, 1);
    return [putTable(shared, { page: "rcu", lock: "now" }), { alternatives: [{ checks: [tableLockLives(shared)] }] }];
  }],
  ["a table after its grace period", "uaf", (model) => {
    const shared = table(model, 1);
    return [putTable(shared, { page: "rcu", lock: "rcu" }), endGracePeriod(shared, rcuReaders(model)), dereference(shared)];
  }],
  ["no grace period inside a reader", "deadlock", (model) => {
    const shared = table(model, 1);
    const readers = rcuReaders(model);
    return [rcuReadLock(readers), putTable(shared, { page: "rcu", lock: "rcu" }), endGracePeriod(shared, readers)];
  }],
  ["an entry that was cleared", "pass", (model, thread) => {
    const slot = entry(model, "pte", 1, ["X"]);
    const old = thread.local("old");
    return [clearEntry(slot, old), expectation(and(eq(slot, 0), eq(old, 1))), { alternatives: branchPresent(slot, "busy") }, reached()];
  }],
  ["a swap entry is not present", "pass", (model, thread) => {
    const slot = entry(model, "pte", SWAP);
    const copy = thread.local("copy");
    return [readEntry(slot, copy), { alternatives: branchPresent(copy, "busy") }, reached()];
  }],
  ["an entry that was set is", "unexpected", (model) => {
    const slot = entry(model, "pte", 0);
    return [setEntry(slot, 9), { alternatives: branchPresent(slot, "busy") }, reached()];
  }],
  ["a folio with references", "pass", (model) => {
    const all = folios(model, 2);
    return [getFolio(all, 1), putFolio(all, 1), putFolio(all, 1)];
  }],
  ["a folio without", "uaf", (model) => {
    const all = folios(model, 2);
    return [putFolio(all, 1), putFolio(all, 1)];
  }],
  ["a pin is seen until it is gone", "pass", (model) => {
    const all = folios(model, 2);
    return [pinFolio(all, 1), expectation(maybePinned(all, 1)), unpinFolio(all, 1), expectation(eq(maybePinned(all, 1), 0))];
  }],
  ["sharing ends exclusiveness, copying starts it anew", "pass", (model) => {
    const all = folios(model, 2);
    const slot = entry(model, "pte", 1);
    return [
      { alternatives: [{ effect: [...shareFolio(all, slot), assign(slot, 1)] }] },
      expectation(and(eq(isExclusive(all, 1), 0), eq(element(all.mapcount, 1), 2))),
      { alternatives: [{ effect: copyFolio(all, slot) }] },
      expectation(and(eq(slot, 2), isExclusive(all, 2), eq(element(all.refcount, 1), 1), eq(element(all.refcount, 2), 1))),
    ];
  }],
  ["an invalidation has a start and an end", "pass", (model) => {
    const kvm = kvmSubscriber(model, 1);
    return [invalidateKvm(kvm), expectation(eq(kvm.spte, 0)), endInvalidateKvm(kvm)];
  }],
  ["an end alone", "notifier-imbalance", (model) => [endInvalidateKvm(kvmSubscriber(model, 1))]],
];

test.each(cases)("%s: %s", (_, expected, build) => {
  expect(outcome(build)).toBe(expected);
});
