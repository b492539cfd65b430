// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { modelBuilder, type ModelBuilder, type StepPart, type ThreadBuilder } from "../../server/simulator/build.ts";
import { explore } from "../../server/simulator/explore.ts";
import { and, element, eq, not, type Expression } from "../../server/simulator/expression.ts";
import { dmaDevice, programDevice, whenProgrammed } from "../../server/simulator/objects/device.ts";
import { acquireWrite, downReadFair, fairRwsem, queueWrite, upReadFair, upWriteFair } from "../../server/simulator/objects/fair-rwsem.ts";
import { beginInvalidation, dropMapping, endInvalidation, mirror, readBegin, readRetry } from "../../server/simulator/objects/interval.ts";
import { kmapLocal, kmapStack, kunmapLocal, kunmapOther, noKmapLeft } from "../../server/simulator/objects/kmap.ts";
import { activeInvalidations, enterGuest, guestPfnCache, invalidateCache, leaveGuest, noteActive, noteInactive, waitInactive, waitOutsideGuest } from "../../server/simulator/objects/kvm.ts";
import { beginOrGiveUp, retrySeqcount, seqcount, writeBegin, writeEnd } from "../../server/simulator/objects/seqcount.ts";
import { blocksOnlyWhenRunning, setInterruptible, setRunning, sleepUntil, taskState } from "../../server/simulator/objects/task-state.ts";
import { fillTlb, flushTlb, storesThrough, tlbSlot } from "../../server/simulator/objects/tlb.ts";
import { faultIn, installMarker, isWritable, SLOT, storeIsSeen, tellTracker, writeTracking } from "../../server/simulator/objects/uffd.ts";

const holds = (what: Expression): StepPart => ({ alternatives: [{ checks: [{ holds: what, property: "unexpected", message: "not as expected" }] }] });
const reached = (): StepPart => holds(eq(0, 1));

type Build = (model: ModelBuilder, thread: ThreadBuilder) => readonly StepPart[];

/** What one thread gets when it takes these steps one after the other: `pass`, or the property that it violates. */
const outcome = (build: Build): string => {
  const model = modelBuilder("objects");
  const thread = model.thread("reviewed", "review");
  for (const part of build(model, thread)) thread.step({ text: "step", ...part });
  thread.label("away");
  const { verdict, violation } = explore(model.finish(), { maxStates: 10_000, deadlock: true });
  return violation?.property ?? verdict;
};

const cases: readonly [string, string, Build][] = [
  ["readers share a fair semaphore", "pass", (model) => {
    const lock = fairRwsem(model, "lock");
    return [downReadFair(lock), downReadFair(lock), upReadFair(lock), upReadFair(lock), queueWrite(lock), acquireWrite(lock), upWriteFair(lock)];
  }],
  ["a reader waits behind a writer that waits", "deadlock", (model) => {
    const lock = fairRwsem(model, "lock");
    return [downReadFair(lock), queueWrite(lock), downReadFair(lock)];
  }],
  ["a writer acquires only what it has queued for", "deadlock", (model) => [acquireWrite(fairRwsem(model, "lock"))]],
  ["an invalidation holds back a device fault", "deadlock", (model, thread) => {
    const device = mirror(model, 0, ["P"]);
    return [beginInvalidation(device), readBegin(device, thread.local("seen"))];
  }],
  ["a fault that is late retries", "pass", (model, thread) => {
    const device = mirror(model, 1, ["P"]);
    const seen = thread.local("seen");
    return [readBegin(device, seen), beginInvalidation(device), dropMapping(device), endInvalidation(device), holds(eq(device.mapping, 0)), readRetry(device, seen, "away"), reached()];
  }],
  ["one that is not goes on", "unexpected", (model, thread) => {
    const device = mirror(model, 1, ["P"]);
    const seen = thread.local("seen");
    return [readBegin(device, seen), readRetry(device, seen, "away"), reached()];
  }],
  ["the stack of temporary mappings is bounded", "bug-on", (_, thread) => {
    const stack = kmapStack(thread);
    return [kmapLocal(stack, 2), kmapLocal(stack, 2), kmapLocal(stack, 2)];
  }],
  ["unmapping something else unmaps nothing", "leak-at-exit", (_, thread) => {
    const stack = kmapStack(thread);
    return [kmapLocal(stack, 2), kunmapOther(), { alternatives: [{ checks: [noKmapLeft(stack)] }] }];
  }],
  ["unmapping the mapping does", "pass", (_, thread) => {
    const stack = kmapStack(thread);
    return [kmapLocal(stack, 2), kunmapLocal(stack), { alternatives: [{ checks: [noKmapLeft(stack)] }] }];
  }],
  ["unmapping what is not mapped", "unlock-not-held", (_, thread) => [kunmapLocal(kmapStack(thread))]],
  ["the guest is waited for", "deadlock", (model, thread) => {
    const gpc = guestPfnCache(model, 1, ["P"]);
    return [enterGuest(gpc, thread.local("pfn")), invalidateCache(gpc), waitOutsideGuest(gpc)];
  }],
  ["until it leaves; then it finds the cache invalid", "deadlock", (model, thread) => {
    const gpc = guestPfnCache(model, 1, ["P"]);
    const pfn = thread.local("pfn");
    return [enterGuest(gpc, pfn), invalidateCache(gpc), leaveGuest(gpc), waitOutsideGuest(gpc), holds(eq(pfn, 1)), enterGuest(gpc, pfn)];
  }],
  ["a memory slot waits for invalidations", "deadlock", (model) => {
    const active = activeInvalidations(model);
    return [noteActive(active), noteActive(active), noteInactive(active), waitInactive(active)];
  }],
  ["one end too many wraps", "pass", (model) => {
    const active = activeInvalidations(model);
    return [noteInactive(active), holds(eq(active, 255)), noteActive(active), waitInactive(active)];
  }],
  ["readers of a sequence counter give up inside of a section", "pass", (model, thread) => {
    const seq = seqcount(model, "seq");
    return [writeBegin(seq), beginOrGiveUp(seq, thread.local("seen"), "away"), reached()];
  }],
  ["and where one came in between", "pass", (model, thread) => {
    const seq = seqcount(model, "seq");
    const seen = thread.local("seen");
    return [beginOrGiveUp(seq, seen, "away"), writeBegin(seq), writeEnd(seq), retrySeqcount(seq, seen, "away"), reached()];
  }],
  ["and go on where none did", "unexpected", (model, thread) => {
    const seq = seqcount(model, "seq");
    const seen = thread.local("seen");
    return [writeBegin(seq), writeEnd(seq), beginOrGiveUp(seq, seen, "away"), retrySeqcount(seq, seen, "away"), reached()];
  }],
  ["a task sleeps until it is woken", "deadlock", (_, thread) => {
    const state = taskState(thread);
    return [setInterruptible(state), sleepUntil(state, eq(0, 1))];
  }],
  ["a running task does not sleep", "pass", (_, thread) => {
    const state = taskState(thread);
    return [setInterruptible(state), setRunning(state), sleepUntil(state, eq(0, 1)), { alternatives: [{ checks: [blocksOnlyWhenRunning(state, "mutex_lock()")] }] }];
  }],
  ["blocking in an announced wait", "sleep-while-not-running", (_, thread) => {
    const state = taskState(thread);
    return [setInterruptible(state), { alternatives: [{ checks: [blocksOnlyWhenRunning(state, "mutex_lock()")] }] }];
  }],
  ["a TLB slot outlives its entry, not a flush", "pass", (model) => {
    const [pte, write] = [model.field("pte", 1), model.field("write", 1)];
    const slot = tlbSlot(model, "CPU 0", 0, 0, ["P"]);
    return [holds(not(storesThrough(slot))), fillTlb(slot, pte, write), { alternatives: [{ effect: [{ target: pte, index: null, value: { kind: "constant", value: 0 } }] }] }, holds(storesThrough(slot)), flushTlb(slot), holds(not(storesThrough(slot)))];
  }],
  ["a device without a buffer does nothing", "deadlock", (model) => [whenProgrammed(dmaDevice(model, ["P"]))]],
  ["a device with one does", "pass", (model) => {
    const device = dmaDevice(model, ["P"]);
    return [programDevice(device, 1), whenProgrammed(device)];
  }],
  ["a marker makes an event of a fault", "pass", (model) => {
    const tracking = writeTracking(model, ["pte 0"]);
    return [installMarker(tracking, 0), faultIn(tracking, 0), holds(and(eq(element(tracking.slots, 0), SLOT.protected), not(isWritable(tracking, 0))))];
  }],
  ["a fault without a marker does not, and the tracker misses the store", "missed-uffd-wp", (model) => {
    const tracking = writeTracking(model, ["pte 0"]);
    return [tellTracker(tracking), faultIn(tracking, 0), { alternatives: [{ checks: [storeIsSeen(tracking, 0)] }] }];
  }],
];

describe("objects", () => {
  test.each(cases)("%s: %s", (_name, expected, build) => {
    expect(outcome(build)).toBe(expected);
  });
});
