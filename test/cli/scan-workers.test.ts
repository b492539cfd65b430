// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import { runInWorkers } from "../../server/node/pool.ts";
import { folderOf, patchwalk } from "./run-command.ts";
import { TOY_TREE } from "./toy-tree.ts";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
/** Inside of the checkout, so that the worker finds the parser. */
const FOLDER = join(ROOT, "node_modules", `.patchwalk-test-${process.pid}`);
const WORKER = join(FOLDER, "worker.cjs");

beforeAll(async () => {
  mkdirSync(FOLDER, { recursive: true });
  await build({
    absWorkingDir: ROOT, entryPoints: ["server/worker.ts"], outfile: WORKER, bundle: true, platform: "node", target: "node20", format: "cjs",
    external: ["tree-sitter", "tree-sitter-c"], define: { "import.meta.url": "importMetaUrl" }, logLevel: "silent",
    banner: { js: `const importMetaUrl = require("node:url").pathToFileURL(__filename).href;` },
  });
});
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

/** Several copies of the tree's files under other names. */
const many = Object.fromEntries(
  Array.from({ length: 6 }, (_, index) => Object.entries(TOY_TREE).map(([path, text]) => [path.replace("toy_", `toy${index}_`), text.replaceAll("toy_", `toy${index}_`)] as const)).flat(),
);

test("any number of threads says the same", async () => {
  const tree = folderOf({ ...many, Makefile: TOY_TREE.Makefile! });
  const argv = ["scan", tree, "--no-simulate", "--no-cache", "--types", "hugetlb-walk-unlocked"];
  const here = await patchwalk(argv, { engine: ENGINE });
  expect(here.out).toContain("6 findings");
  for (const jobs of ["1", "2", "4"]) {
    expect(await patchwalk([...argv, "--jobs", jobs], { engine: ENGINE, io: { workerFile: WORKER } })).toEqual(here);
  }
});

test("an interrupt ends the threads", async () => {
  const tree = folderOf({ ...many, Makefile: TOY_TREE.Makefile! });
  const interrupt = new AbortController();
  setTimeout(() => interrupt.abort(new Error("interrupted")), 30);
  const outcome = await patchwalk(["scan", tree, "--no-cache"], { engine: ENGINE, io: { workerFile: WORKER, signal: interrupt.signal } });
  expect(outcome).toEqual({ status: 130, out: "", err: "patchwalk: interrupted\n" });
});

test("a thread that cannot start is an error, not a hang", async () => {
  const options = { file: WORKER, data: null, jobs: 2, signal: null, onDone: () => undefined };
  await expect(runInWorkers(["mm/a.c", "mm/b.c"], options)).rejects.toThrow();
});

test("a task that needs more memory than there is fails alone", async () => {
  const file = join(FOLDER, "hungry.cjs");
  writeFileSync(file, `const { parentPort } = require("node:worker_threads");
parentPort.on("message", ({ task, what }) => {
  const kept = [];
  while (what === "hungry") kept.push(new Array(1e6).fill(task + Math.random()));
  parentPort.postMessage({ task, result: what });
});`);
  const done: number[] = [];
  const options = { file, data: null, jobs: 1, signal: null, onDone: (count: number) => done.push(count) };
  const answers = await runInWorkers<string, string>(["a", "hungry", "b"], options);
  expect(answers.map((answer) => ("result" in answer ? answer.result : "failed"))).toEqual(["a", "failed", "b"]);
  expect(done).toEqual([1, 2, 3]);
  await expect(runInWorkers(["hungry", "b"], options)).rejects.toThrow(/memory/);
}, 120_000);
