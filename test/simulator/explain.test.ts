// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { counterexample } from "../../server/simulator/counterexample.ts";
import { whyBlocked } from "../../server/simulator/explain.ts";
import type { WhyBlocked } from "../../server/simulator/explain.ts";
import type { Model } from "../../server/simulator/model.ts";
import { pinModel } from "./pin-model.ts";
import { pmdModel } from "./pmd-model.ts";
import { remapModel } from "./remap-model.ts";

const explain = (failing: Model, fixed: Model, properties?: ReadonlySet<string>): WhyBlocked => {
  const trace = counterexample(failing, { maxStates: 100_000, ...(properties === undefined ? {} : { properties }) });
  if (trace === null) throw new Error("no counterexample");
  return whyBlocked(trace, failing, fixed, properties);
};

test("the vma lock of the fixed walker stops the unsharer", () => {
  const why = explain(pmdModel("none"), pmdModel("vma-lock"));
  expect(why).toMatchObject({
    outcome: "blocked", blockedAt: "hugetlb_vma_lock_write(A)", thread: "unsharer", heldBy: "walker", locks: ["vma_lock(A)"],
  });
  expect(why.rows.map(({ thread, text, added }) => `${added ? "+" : " "} ${thread}: ${text}`)).toEqual([
    "  walker: mmap_read_lock(A)",
    "+ walker: hugetlb_vma_lock_read(A)",
    "  walker: pud = READ_ONCE(*pudp)",
    "  walker: if (pud_present(pud))",
    "  unsharer: mmap_read_lock(A)",
  ]);
});

test("i_mmap_rwsem stops it one lock later", () => {
  expect(explain(pmdModel("none"), pmdModel("i-mmap"))).toMatchObject({
    blockedAt: "i_mmap_lock_write(mapping)", heldBy: "walker", locks: ["i_mmap_rwsem"],
  });
});

describe("a schedule that completes", () => {
  const none = { outcome: "completes", blockedAt: null, thread: null, heldBy: null, locks: [] };

  test("because freeing is deferred", () => {
    expect(explain(pmdModel("none"), pmdModel("rcu"))).toMatchObject(none);
  });

  test("because a decision differs", () => {
    expect(explain(pinModel(false), pinModel(true))).toMatchObject(none);
  });
});

test("a step that the fix moved ahead runs first, and the removed one is left out", () => {
  const properties = new Set(["stale-secondary-mapping"]);
  const why = explain(remapModel("nonblock under the map"), remapModel("blocking before the map"), properties);
  expect(why.rows.slice(0, 3).map(({ text, added }) => [text, added])).toEqual([
    ["mmu_notifier_invalidate_range_start()", true],
    ["KVM drops its mapping", true],
    ["pte_offset_map()", false],
  ]);
  expect(why).toMatchObject({ outcome: "blocked", blockedAt: "the device writes", thread: "DMA", heldBy: null, locks: [] });
});

test("a remedy that does not help still fails", () => {
  const properties = new Set(["stale-secondary-mapping", "sleep-in-atomic"]);
  const why = explain(remapModel("nonblock under the map"), remapModel("blocking under the map"), properties);
  expect(why).toMatchObject({ outcome: "fails", thread: "remap()" });
});
