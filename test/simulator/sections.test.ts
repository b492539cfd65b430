// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { fixedSchedule, shownSchedule } from "../../server/scenarios/schedule.ts";
import { modelBuilder, type StepPart } from "../../server/simulator/build.ts";
import { counterexample } from "../../server/simulator/counterexample.ts";
import { whyBlocked } from "../../server/simulator/explain.ts";
import type { Model } from "../../server/simulator/model.ts";
import { cpu, irqRestore, irqSave } from "../../server/simulator/objects/cpu.ts";
import { rcuReaders, rcuReadLock, rcuReadUnlock } from "../../server/simulator/objects/rcu.ts";
import { downRead, rwsem, upRead } from "../../server/simulator/objects/rwsem.ts";
import { sectionsOf } from "../../server/simulator/sections.ts";
import type { Trace } from "../../server/simulator/trace.ts";
import { pmdModel } from "./pmd-model.ts";
import { remapModel } from "./remap-model.ts";
import { crossedLocks, retryLoop } from "./small-models.ts";

const traceOf = (model: Model, options = {}): Trace => {
  const trace = counterexample(model, { maxStates: 100_000, ...options });
  if (trace === null) throw new Error("no counterexample");
  return trace;
};

test("what each thread holds, from the row that takes it to the row that gives it up", () => {
  const model = pmdModel("none");
  const { steps, held } = shownSchedule(model, traceOf(model));
  const shown = held.map(({ thread, name, from, to }) => `${thread}: ${name} from ${steps[from]?.step} to ${to === null ? "the end" : steps[to]?.step}`);
  expect(shown).toEqual([
    "walker: mmap_lock(A) from mmap_read_lock(A) to the end",
    "unsharer: mmap_lock(A) from mmap_read_lock(A) to the end",
    "unsharer: vma_lock(A) from hugetlb_vma_lock_write(A) to the end",
    "unsharer: i_mmap_rwsem from i_mmap_lock_write(mapping) to i_mmap_unlock_write(mapping)",
    "munmap(B): mmap_lock(B) from mmap_write_lock(B) to the end",
    "munmap(B): vma_lock(B) from hugetlb_vma_lock_write(B) to the end",
    "munmap(B): i_mmap_rwsem from i_mmap_lock_write(mapping) to the end",
  ]);
});

test("atomic sections by depth, not by their first unlock; the step that fails has no effect", () => {
  const model = remapModel("blocking under the map");
  const properties = new Set(["sleep-in-atomic"]);
  const { steps, held } = shownSchedule(model, traceOf(model, { properties }));
  expect(steps.map(({ step }) => step)).toEqual(["pte_offset_map()", "mmu_notifier_invalidate_range_start() [accepted]"]);
  expect(held.map(({ kind, name, from, to }) => ({ kind, name, from, to }))).toEqual([
    { kind: "atomic", name: "RCU readers", from: 0, to: null },
    { kind: "atomic", name: "atomic", from: 0, to: null },
  ]);
  const walk = sectionsOf(model, [0, 1, 2, 3, 4, 5].map((step) => ({ thread: 0, step, alternative: 0 })));
  expect(walk.map(({ name, from, to }) => [name, from, to])).toEqual([["RCU readers", 0, null], ["atomic", 0, null], ["ptl", 3, 5]]);
});

test("a deadlock holds what its last steps took; a trylock that fails takes nothing", () => {
  const crossed = shownSchedule(crossedLocks(), traceOf(crossedLocks(), { deadlock: true }));
  expect(crossed.held.map(({ thread, name, to }) => [thread, name, to])).toEqual([["reviewed", "a", null], ["other", "b", null]]);
  const retry = retryLoop(true);
  expect(shownSchedule(retry, traceOf(retry, { livelock: 0 })).held.map(({ thread }) => thread)).toEqual(["other"]);
});

test("what nests ends with the last of its ends; what is set ends with the first", () => {
  const model = modelBuilder("nested");
  const [readers, semaphore, one] = [rcuReaders(model), rwsem(model, "semaphore"), cpu(model, "CPU 0")];
  const thread = model.thread("thread", "review");
  const parts: readonly StepPart[] = [
    rcuReadLock(readers), rcuReadLock(readers), rcuReadUnlock(readers), rcuReadUnlock(readers),
    downRead(semaphore), downRead(semaphore), upRead(semaphore), upRead(semaphore),
    irqSave(one), irqSave(one), irqRestore(one),
  ];
  const places = parts.map((part) => ({ thread: 0, step: thread.step({ text: "step", ...part }), alternative: 0 }));
  expect(sectionsOf(model.finish(), places).map(({ name, from, to }) => [name, from, to])).toEqual([
    ["RCU readers", 0, 3], ["semaphore", 4, 7], ["interrupts of CPU 0", 8, 10],
  ]);
});

test("the fixed program's rows, what it holds, and the step that it blocks", () => {
  const [failing, fixed] = [pmdModel("none"), pmdModel("vma-lock")];
  const replay = fixedSchedule(fixed, whyBlocked(traceOf(failing), failing, fixed));
  expect(replay.steps.map(({ step, added }) => (added ? `+ ${step}` : step))).toEqual([
    "mmap_read_lock(A)", "+ hugetlb_vma_lock_read(A)", "pud = READ_ONCE(*pudp)", "if (pud_present(pud))", "mmap_read_lock(A)",
  ]);
  expect(replay.held).toContainEqual({ thread: "walker", kind: "lock", name: "vma_lock(A)", from: 1, to: null });
  expect(replay.blocked).toEqual({ thread: "unsharer", step: "hugetlb_vma_lock_write(A)", patchLine: null, state: "" });
});
