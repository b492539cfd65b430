// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { review } from "../../server/review/review.ts";
import { CATALOGUE } from "../../server/scenarios/catalogue/catalogue.ts";
import { scheduleOf, settingsOf, settingText } from "../../server/scenarios/catalogue/decide.ts";
import { counterexample } from "../../server/simulator/counterexample.ts";
import { countSchedules } from "../../server/simulator/count.ts";
import { explore } from "../../server/simulator/explore.ts";
import type { ExploreOptions } from "../../server/simulator/explore.ts";
import type { Model } from "../../server/simulator/model.ts";
import { optionsOf } from "../fixture-file.ts";
import { pinModel } from "../simulator/pin-model.ts";
import { pmdModel } from "../simulator/pmd-model.ts";
import { counters } from "../simulator/small-models.ts";

// How fast models are explored, how much of them need not be, and how many context switches the counterexamples of the
// rules' fixtures and of the catalogue have. The result is one line of JSON.

const [fixtures = ""] = process.argv.slice(2);
const LARGE = { maxStates: 3_000_000 };
const DEFAULT = { maxStates: 300_000 };

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const timed = (work: () => unknown): number => {
  const begin = performance.now();
  work();
  return performance.now() - begin;
};

/** Median time of several runs of each, taken in turn after as many to warm up. */
const alternate = (rounds: number, works: readonly (() => unknown)[]): number[] => {
  const times = works.map((): number[] => []);
  for (let round = 0; round < 2 * rounds; round++) {
    works.forEach((work, index) => {
      const ms = timed(work);
      if (round >= rounds) times[index]?.push(ms);
    });
  }
  return times.map(median);
};

interface Rate {
  readonly model: string;
  readonly states: number;
  readonly statesPerSecond: number;
  readonly transitionsPerSecond: number;
  readonly reducedStates: number;
  /** Full time by reduced time. */
  readonly speedup: number;
}

/** The full search and the reduced one, in turn. */
const rate = (model: Model): Rate => {
  const run = (search: ExploreOptions["search"]) => explore(model, { ...LARGE, deadlock: true, ...(search && { search }) });
  const full = run("full");
  const [slow = 0, fast = 0] = alternate(3, [() => run("full"), () => run("reduced")]);
  return {
    model: model.name, states: full.states, statesPerSecond: (full.states * 1000) / slow,
    transitionsPerSecond: (full.transitions * 1000) / slow, reducedStates: run("reduced").states, speedup: slow / fast,
  };
};

/** Times from a raised flag to the answer, of a model that takes far longer. A second thread raises the flag. */
async function cancelTimes(rounds: number): Promise<number[]> {
  const model = counters(6, 12);
  const memory = new Int32Array(new SharedArrayBuffer(8));
  const raised = new BigInt64Array(new SharedArrayBuffer(8));
  const program = `
    const { workerData: { memory, raised } } = require("node:worker_threads");
    for (;;) {
      Atomics.wait(memory, 1, 0);
      Atomics.wait(memory, 1, 1, 15);
      raised[0] = process.hrtime.bigint();
      Atomics.store(memory, 0, 1);
      Atomics.store(memory, 1, 0);
    }`;
  const worker = new Worker(program, { eval: true, workerData: { memory, raised } });
  await new Promise((resolve) => worker.once("online", resolve));
  const times = Array.from({ length: rounds }, () => {
    while (Atomics.load(memory, 1) !== 0);
    Atomics.store(memory, 0, 0);
    Atomics.store(memory, 1, 1);
    Atomics.notify(memory, 1);
    const { verdict } = explore(model, { maxStates: 1e9, search: "full", cancel: memory });
    if (verdict !== "unknown") throw new Error("the model was too small to be cancelled");
    return Number(process.hrtime.bigint() - (raised[0] ?? 0n)) / 1e6;
  });
  await worker.terminate();
  return times;
}

const contextSwitches = (schedule: readonly { readonly thread: string }[]): number =>
  schedule.filter(({ thread }, at) => at > 0 && schedule[at - 1]?.thread !== thread).length;

/** A schedule that is shown to somebody. */
interface Shown {
  readonly name: string;
  readonly switches: number;
}

/** The schedules that the findings of the rules' fixtures show. */
const shownOfFixtures = (): Shown[] =>
  readdirSync(fixtures).toSorted().flatMap((rule) =>
    readdirSync(join(fixtures, rule)).toSorted().flatMap((name) => {
      const text = readFileSync(join(fixtures, rule, name), "utf8");
      const kind = name.endsWith(".c") ? "c" : "patch";
      const found = review({ path: kind === "c" ? `mm/${name}` : name, text, kind }, optionsOf(text)).flatMap((one) => one.findings);
      return found.flatMap(({ evidence }) => {
        const schedule = evidence?.schedule ?? [];
        return schedule.length === 0 ? [] : [{ name: `${rule}/${name}`, switches: contextSwitches(schedule) }];
      });
    }),
  );

/** The schedules of the catalogue, in all its settings. */
const shownOfCatalogue = (): Shown[] =>
  CATALOGUE.flatMap((scenario) =>
    settingsOf(scenario).flatMap((setting) => {
      const model = scenario.build(setting);
      const trace = model && scheduleOf(scenario, model);
      return trace ? [{ name: `${scenario.id}: ${settingText(setting)}`, switches: trace.switches }] : [];
    }),
  );

const buggy = pmdModel("none");
const [first = 0, readable = 0] = alternate(200, [() => explore(buggy, DEFAULT), () => counterexample(buggy, DEFAULT)]);
const crowded = pmdModel("vma-lock", 4);
const crowdedBuggy = pmdModel("none", 4);
const [proof = 0, crowdedReadable = 0] = alternate(30, [() => explore(crowded, DEFAULT), () => counterexample(crowdedBuggy, DEFAULT)]);
const countable = pmdModel("vma-lock", 2);
const [counted = 0] = alternate(3, [() => countSchedules(countable)]);
const rates = [counters(4, 8), pmdModel("vma-lock", 3), pmdModel("vma-lock", 4), pinModel(true, 3)].map(rate);
const cancelled = await cancelTimes(30);
console.log(JSON.stringify({ first, readable, proof, crowdedReadable, counted, rates, cancel: median(cancelled), shown: [...shownOfFixtures(), ...shownOfCatalogue()] }));
