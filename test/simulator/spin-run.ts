// SPDX-License-Identifier: GPL-2.0-only
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** What Spin says of a program. Its own count of transitions has one for the initial state; this one has not. */
export interface SpinResult {
  readonly verdict: "pass" | "assertion" | "deadlock";
  readonly states: number;
  readonly transitions: number;
}

/** A program that `promelaOf` made, and how many states it may have. */
export interface SpinJob {
  readonly program: string;
  readonly maxStates: number;
}

const runs = (command: string, flag: string): boolean => spawnSync(command, [flag]).status === 0;

/** What is missing, or null where Spin can be run. */
export const absentTool = (): string | null =>
  !runs("spin", "-V") ? "spin is not installed" : !runs("gcc", "--version") ? "gcc is not installed" : null;

export const SPIN_FLAGS: readonly string[] = ["-o1", "-o2", "-o3", "-a"];
export const PAN_DEFINES: readonly string[] = ["-DNOREDUCE", "-DSAFETY", "-DMEMLIM=1024"];

const run = promisify(execFile);

/** Runs a command and returns its output. Spin complains on the standard output. */
const execute = async (command: string, args: readonly string[], cwd: string, env = process.env): Promise<string> => {
  try {
    return (await run(command, args, { cwd, env, maxBuffer: 1 << 26 })).stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")}: ${stdout}${stderr}`, { cause: error });
  }
};

/** Calls `work` with a folder that is gone afterwards. */
const inFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), "patchwalk-spin-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const compile = async (program: string, folder: string): Promise<void> => {
  writeFileSync(join(folder, "model.pml"), program);
  await execute("spin", [...SPIN_FLAGS, "model.pml"], folder);
  await execute("gcc", ["-w", "-O0", ...PAN_DEFINES, "-DVECTORSZ=4096", "-o", "pan", "pan.c"], folder);
};

const figure = (output: string, pattern: RegExp): number => {
  const text = pattern.exec(output)?.[1];
  if (text === undefined) throw new Error(`pan did not say ${String(pattern)}:\n${output}`);
  return Number(text);
};

const verdictOf = (output: string): SpinResult["verdict"] => {
  if (/^pan:1: assertion violated/m.test(output)) return "assertion";
  if (/^pan:1: invalid end state/m.test(output)) return "deadlock";
  if (figure(output, /errors: (\d+)/) !== 0 || /^(error|warning):|^pan:1:/m.test(output)) throw new Error(output);
  return "pass";
};

/** Searches depth first; no path is longer than there are states. */
const search = async (folder: string, maxStates: number, model: number): Promise<SpinResult> => {
  const args = ["-w18", `-m${2 * maxStates + 1000}`];
  const stdout = await execute("./pan", args, folder, { MODEL: String(model) });
  return {
    verdict: verdictOf(stdout),
    states: figure(stdout, /^\s*(\d+) states, stored/m),
    transitions: figure(stdout, /^\s*(\d+) transitions/m) - 1,
  };
};

/** Runs Spin on a program just as it was exported. */
export const spinOn = ({ program, maxStates }: SpinJob): Promise<SpinResult> =>
  inFolder(async (folder) => {
    await compile(program, folder);
    return search(folder, maxStates, 0);
  });

/** The program with names of its own and processes that wait to be started, and the names of these. */
const renamed = (program: string, index: number): { readonly text: string; readonly processes: readonly string[] } => {
  const text = program.replace(/\b(?=(?:g|T|t\d+l)\d+_)/g, `m${index}`).replace(/^active proctype/gm, "proctype");
  return { text, processes: [...text.matchAll(/^proctype (\w+)/gm)].map((match) => match[1] ?? "") };
};

/**
 * One program out of many, of which it runs the one that the environment names: compiling is most of the time. (Spin takes
 * the `=` of `==` in embedded C for an assignment.)
 */
const combined = (jobs: readonly SpinJob[]): string => {
  const parts = jobs.map(({ program }, index) => renamed(program, index));
  const choices = parts.map(({ processes }, index) =>
    `  :: atomic { c_expr { !(atoi(getenv("MODEL")) - ${index}) } -> ${processes.map((name) => `run ${name}()`).join("; ")} }`,
  );
  return [...parts.map(({ text }) => text), "init {", "  if", ...choices, "  fi;", "end: false", "}", ""].join("\n");
};

/** Spin allows 255 processes and 2048 places where a `d_step` ends. */
const PROCESSES_A_BATCH = 100;
const STEPS_A_BATCH = 1800;

const counted = (program: string, pattern: RegExp): number => program.match(pattern)?.length ?? 0;

const batchesOf = (jobs: readonly SpinJob[]): SpinJob[][] => {
  const batches: SpinJob[][] = [];
  let processes = Infinity;
  let steps = 0;
  for (const job of jobs) {
    processes += counted(job.program, /^active proctype/gm);
    steps += counted(job.program, /:: d_step/g);
    if (processes <= PROCESSES_A_BATCH && steps <= STEPS_A_BATCH) {
      batches.at(-1)?.push(job);
      continue;
    }
    batches.push([job]);
    processes = counted(job.program, /^active proctype/gm);
    steps = counted(job.program, /:: d_step/g);
  }
  return batches;
};

const runBatch = (jobs: readonly SpinJob[]): Promise<SpinResult[]> =>
  inFolder(async (folder) => {
    await compile(combined(jobs), folder);
    const results: SpinResult[] = [];
    for (const [index, { maxStates }] of jobs.entries()) {
      const { states, transitions, verdict } = await search(folder, maxStates, index);
      // Choosing the program is a step, from a state of its own.
      results.push({ verdict, states: states - 1, transitions: transitions - 1 });
    }
    return results;
  });

/** Runs Spin on many small programs, two batches at a time. Results are in the order of the jobs. */
export const spinOnEach = async (jobs: readonly SpinJob[]): Promise<SpinResult[]> => {
  const batches = batchesOf(jobs);
  const results: SpinResult[][] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < batches.length; at = next++) results[at] = await runBatch(batches[at] ?? []);
  };
  await Promise.all([work(), work()]);
  return results.flat();
};
