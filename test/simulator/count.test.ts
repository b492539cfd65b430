// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { modelBuilder } from "../../server/simulator/build.ts";
import { countSchedules } from "../../server/simulator/count.ts";
import type { CountOptions, ScheduleCounts } from "../../server/simulator/count.ts";
import type { Model } from "../../server/simulator/model.ts";
import { everyRun, modelOf, normalForm, randomActs } from "./every-run.ts";
import type { Acts } from "./every-run.ts";
import { chooser } from "./lock-programs.ts";
import { pinModel } from "./pin-model.ts";
import { pmdModel } from "./pmd-model.ts";
import { crossedLocks, retryLoop } from "./small-models.ts";

/** `total/failing`. */
const share = (of: ScheduleCounts["classes"]): string => (of === null ? "-" : `${of.total}/${of.failing}`);

const said = (model: Model, options: CountOptions = {}): string => {
  const counts = countSchedules(model, options);
  return counts === null ? "-" : `${share(counts.schedules)} ${share(counts.classes)}`;
};

/** Schedules as an independent program counted them on the same models, and classes where it counts the same thing. */
const known: readonly [string, Model, string][] = [
  ["page table walk without protection", pmdModel("none"), "579194573/63228097 8/4"],
  ["page table walk under the vma lock", pmdModel("vma-lock"), "176839753/0 4/0"],
  ["page table walk under i_mmap_rwsem", pmdModel("i-mmap"), "14732394/0 6/0"],
  ["page table walk under RCU", pmdModel("rcu"), "49808983728/0 6/0"],
  ["the same with two more faulters", pmdModel("vma-lock", 2), "1102046648177446380288/0 16/0"],
  ["pin of a shared page", pinModel(false), "806678/199033 19/4"],
  ["pin with unsharing", pinModel(true), "1144247/0 10/0"],
];

test.each(known)("%s", (_, model, counts) => {
  expect(said(model)).toBe(counts);
});

/** The same numbers by listing every run. */
const listed = (acts: Acts, deadlock: boolean): string => {
  let total = 0;
  let failing = 0;
  for (const { events, isStuck } of everyRun(acts, false)) {
    total++;
    if (events.at(-1)?.failed === true || (deadlock && isStuck)) failing++;
  }
  const classes = new Map<string, boolean>();
  for (const { events, isStuck } of everyRun(acts, true)) {
    classes.set(normalForm(events), events.some(({ failed }) => failed) || (deadlock && isStuck));
  }
  return `${total}/${failing} ${classes.size}/${[...classes.values()].filter(Boolean).length}`;
};

test.each([false, true])("counts are those of listing every run (deadlocks count: %s)", (deadlock) => {
  const seed = fc.readConfigureGlobal()?.seed ?? 0;
  const seen = { failing: 0, blocking: 0 };
  for (let program = 0; program < 600; program++) {
    const acts = randomActs(chooser(seed + program));
    const expected = listed(acts, deadlock);
    expect(said(modelOf(acts), { deadlock }), JSON.stringify(acts)).toBe(expected);
    if (!expected.includes("/0 ")) seen.failing++;
    if (acts.flat().some(({ kind }) => kind === "lock")) seen.blocking++;
  }
  expect(seen.failing).toBeGreaterThan(50);
  expect(seen.blocking).toBeGreaterThan(50);
});

describe("what is counted", () => {
  test("deadlocks fail on demand", () => {
    expect(said(crossedLocks())).toBe("6/0 3/0");
    expect(said(crossedLocks(), { deadlock: true })).toBe("6/2 3/1");
  });

  test("checks of other properties do not exist, and disabled threads do not run", () => {
    expect(said(pmdModel("none"), { properties: new Set() })).toMatch(/^\d+\/0 \d+\/0$/);
    expect(said(pmdModel("none"), { disabled: [1, 2] })).toBe("1/0 1/0");
  });

  test("nothing where schedules have no end, or where there are too many states", () => {
    expect(countSchedules(retryLoop(false))).toBeNull();
    expect(countSchedules(pmdModel("vma-lock", 3))).toBeNull();
    expect(countSchedules(pmdModel("vma-lock"), { cancel: new Int32Array([1]) })).toBeNull();
  });

  test("ways to take a step are different, whatever else happens first", () => {
    const model = modelBuilder("ways");
    model.thread("chooser", "review").step({ text: "any", alternatives: [{}, {}, {}] });
    model.thread("other", "environment").step({ text: "work" });
    expect(said(model.finish())).toBe("6/0 3/0");
  });

  test("more ways on than there are bits are counted as schedules only", () => {
    const model = modelBuilder("many");
    const thread = model.thread("many", "review");
    thread.step({ text: "any", alternatives: Array.from({ length: 40 }, () => ({})) });
    expect(said(model.finish())).toBe("40/0 -");
  });
});
