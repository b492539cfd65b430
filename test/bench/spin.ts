// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explore } from "../../server/simulator/explore.ts";
import type { Model } from "../../server/simulator/model.ts";
import { promelaOf } from "../../server/simulator/promela.ts";
import { faultingCpus } from "../simulator/mm-model.ts";
import { pinModel } from "../simulator/pin-model.ts";
import { pmdModel } from "../simulator/pmd-model.ts";
import { counters } from "../simulator/small-models.ts";
import { absentTool, SPIN_FLAGS } from "../simulator/spin-run.ts";

// Exploration against Spin's depth-first search over the same graph, in one run and in turn: ratios, since absolute times
// depend on the machine, and of the fastest of several runs each, since noise only adds. Ours is the call, the compilation of
// the model included: the first one of a process, for which the engine has compiled nothing yet, and the next ones. Spin's
// is the generated program alone, without the time in which it is made.

const MODELS: Readonly<Record<string, () => Model>> = {
  "four counters of eight": () => counters(4, 8),
  "four CPUs, two faults each": () => faultingCpus(4, 2),
  "walk and three faulters": () => pmdModel("vma-lock", 3),
  "walk and four faulters": () => pmdModel("vma-lock", 4),
  "pin and three holders": () => pinModel(true, 3),
  "pin and four holders": () => pinModel(true, 4),
};
const ROUNDS = 5;
/** Calls in one process. */
const CALLS = 5;
/** Spin's time as part of ours. */
const LEAST_RATIO = 0.8;

const OPTIONS = { maxStates: 4_000_000, deadlock: true, search: "full" } as const;

interface Run {
  /** Of each call, in order. */
  readonly ms: readonly number[];
  readonly states: number;
  readonly transitions: number;
}

/** What the child process does. */
const exploreOften = (model: Model): Run => {
  const ms: number[] = [];
  let counts = { states: 0, transitions: 0 };
  for (let call = 0; call < CALLS; call++) {
    const begin = performance.now();
    const { states, transitions, verdict } = explore(model, OPTIONS);
    ms.push(performance.now() - begin);
    if (verdict !== "pass") throw new Error(`${model.name}: ${verdict}`);
    counts = { states, transitions };
  }
  return { ms, ...counts };
};

const ours = (name: string): Run =>
  JSON.parse(execFileSync(process.execPath, [process.argv[1] ?? "", name], { encoding: "utf8" })) as Run;

const figure = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1]);

/** The table of hash values has at least twice as many places as there are states. */
const theirs = (pan: string, states: number): Run => {
  const bits = Math.ceil(Math.log2(states)) + 1;
  const begin = performance.now();
  const { stdout } = spawnSync(pan, [`-w${bits}`, "-m20000"], { encoding: "utf8" });
  const ms = performance.now() - begin;
  if (!/errors: 0/.test(stdout) || /max search depth too small/.test(stdout)) throw new Error(stdout);
  return { ms: [ms], states: figure(stdout, /(\d+) states, stored/), transitions: figure(stdout, /(\d+) transitions/) - 1 };
};

const compilePan = (model: Model, folder: string): string => {
  writeFileSync(join(folder, "model.pml"), promelaOf(model, OPTIONS));
  execFileSync("spin", [...SPIN_FLAGS, "model.pml"], { cwd: folder });
  execFileSync("gcc", ["-w", "-O2", "-DNOREDUCE", "-DSAFETY", "-DMEMLIM=4000", "-o", "pan", "pan.c"], { cwd: folder });
  return join(folder, "pan");
};

const compare = (name: string, model: Model): void => {
  const folder = mkdtempSync(join(tmpdir(), "patchwalk-spin-"));
  try {
    const pan = compilePan(model, folder);
    const { states, transitions } = ours(name);
    let [first, next, spin] = [Infinity, Infinity, Infinity];
    for (let round = 0; round < ROUNDS; round++) {
      const other = theirs(pan, states);
      if (other.states !== states || other.transitions !== transitions) throw new Error(`${name}: Spin counts ${other.states} states`);
      const { ms } = ours(name);
      spin = Math.min(spin, ...other.ms);
      first = Math.min(first, ms[0] ?? Infinity);
      next = Math.min(next, ...ms.slice(1));
    }
    const isSlow = spin / next < LEAST_RATIO;
    const words = `${(spin / next).toFixed(2)} x Spin's speed (limit ${LEAST_RATIO}), ${(spin / first).toFixed(2)} x for the first call of a process`;
    console.log(`${name.padEnd(28)}${`${states} states`.padEnd(17)}${words}${isSlow ? "  TOO SLOW" : ""}`);
    if (isSlow) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const [wanted] = process.argv.slice(2);
const absent = absentTool();
if (wanted !== undefined) console.log(JSON.stringify(exploreOften(MODELS[wanted]!())));
else if (absent !== null) console.log(`Spin: skipped, ${absent}`);
else for (const [name, build] of Object.entries(MODELS)) compare(name, build());
