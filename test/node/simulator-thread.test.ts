// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openSimulatorThread } from "../../server/node/simulator-thread.ts";
import type { SimulatorThread } from "../../server/node/simulator-thread.ts";
import { simulate } from "../../server/simulator/simulation.ts";
import type { Simulation } from "../../server/simulator/simulation.ts";
import { pmdModel } from "../simulator/pmd-model.ts";
import { counters } from "../simulator/small-models.ts";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
/** Inside of the checkout, so that the worker finds the parser. */
const FOLDER = join(ROOT, "dist", `test-simulator-${process.pid}`);
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

let thread: SimulatorThread;
beforeEach(() => {
  thread = openSimulatorThread(WORKER);
});
afterEach(() => thread.close());

const small = (protection: "none" | "vma-lock"): Simulation => ({
  model: pmdModel(protection), options: { maxStates: 300_000, properties: new Set(["uaf"]) },
});

/** Takes hours, unless it is stopped. */
const endless: Simulation = { model: counters(8, 20), options: { maxStates: 4_000_000, search: "full" } };

test("another thread says the same, one simulation after the other", async () => {
  const asked = [small("none"), small("vma-lock"), small("none")];
  const answers = await Promise.all(asked.map((one) => thread.run(one)));
  expect(answers).toEqual(asked.map(simulate));
  expect(answers.map(({ exploration }) => exploration.verdict)).toEqual(["fail", "pass", "fail"]);
});

test("an aborted simulation stops, and the next one has its turn", async () => {
  const controller = new AbortController();
  const aborted = thread.run(endless, controller.signal);
  const next = thread.run(small("vma-lock"));
  setTimeout(() => controller.abort(new Error("enough")), 30);
  await expect(aborted).rejects.toThrow("enough");
  expect((await next).exploration.verdict).toBe("pass");
});

test("what is aborted before it starts never runs", async () => {
  await expect(thread.run(endless, AbortSignal.abort(new Error("never mind")))).rejects.toThrow("never mind");
});

test("a model that cannot be explored is an error, not the end of the thread", async () => {
  const { model, options } = small("none");
  await expect(thread.run({ model: { ...model, globals: [] }, options })).rejects.toThrow("not part of the model");
  expect((await thread.run(small("vma-lock"))).exploration.verdict).toBe("pass");
});

test("closing ends what runs", async () => {
  const running = thread.run(endless);
  const ended = expect(running).rejects.toThrow("was closed");
  await thread.close();
  await ended;
});
