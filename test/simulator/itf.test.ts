// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { modelBuilder } from "../../server/simulator/build.ts";
import { assign } from "../../server/simulator/effect.ts";
import { eq } from "../../server/simulator/expression.ts";
import { counterexample } from "../../server/simulator/counterexample.ts";
import type { ExploreOptions } from "../../server/simulator/explore.ts";
import { itfOf, type ItfTrace } from "../../server/simulator/itf.ts";
import type { Model } from "../../server/simulator/model.ts";
import type { Trace } from "../../server/simulator/trace.ts";
import { schemaProblems, type Schema } from "../json-schema.ts";
import { pinModel } from "./pin-model.ts";
import { pmdModel } from "./pmd-model.ts";
import { randomModel } from "./random-model.ts";
import { crossedLocks, retryLoop } from "./small-models.ts";

const INTEGER: Schema = {
  type: "object", required: ["#bigint"], properties: { "#bigint": { type: "string", pattern: "^-?[0-9]+$" } }, additionalProperties: false,
};
/** ADR-015, of its expressions only those that we write; what every `#meta` of ours has. */
const ITF: Schema = {
  type: "object",
  required: ["#meta", "vars", "states"],
  additionalProperties: false,
  properties: {
    "#meta": {
      type: "object", required: ["format", "description"], properties: { format: { const: "ITF" } }, additionalProperties: { type: "string" },
    },
    vars: { type: "array", minItems: 1, items: { type: "string", pattern: "^(?!#)" } },
    states: {
      type: "array",
      minItems: 1,
      items: {
        type: "object",
        required: ["#meta", "mbt::actionTaken"],
        properties: {
          "#meta": {
            type: "object",
            required: ["index"],
            additionalProperties: false,
            properties: {
              index: { type: "integer", minimum: 0 }, action: { type: "string" }, thread: { type: "string" }, note: { type: "string" },
              line: { type: "integer", minimum: 1 }, side: { enum: ["old", "new"] }, violation: { type: "string" },
            },
          },
        },
        additionalProperties: { anyOf: [{ type: "string" }, INTEGER, { type: "array", items: INTEGER }] },
      },
    },
    loop: { type: "integer", minimum: 0 },
  },
};

const problemsOf = (itf: ItfTrace): string[] => [
  ...schemaProblems(ITF, JSON.parse(JSON.stringify(itf))),
  // What a schema cannot say.
  ...(new Set(itf.vars).size === itf.vars.length ? [] : ["a variable twice"]),
  ...itf.states.flatMap((state, index) => {
    const { "#meta": meta, ...values } = state as { readonly "#meta": { readonly index: number } };
    const names = Object.keys(values).toSorted().join("\n");
    return [...(meta.index === index ? [] : [`index of state ${index}`]), ...(names === itf.vars.toSorted().join("\n") ? [] : [`vars of state ${index}`])];
  }),
];

const traceOf = (model: Model, options: Partial<ExploreOptions> = {}): Trace => {
  const trace = counterexample(model, { maxStates: 100_000, ...options });
  if (trace === null) throw new Error("no counterexample");
  return trace;
};

test("initial state, one state a step, and the violation at the end", () => {
  const model = pmdModel("none");
  const trace = traceOf(model);
  const itf = itfOf(model, trace);
  expect(problemsOf(itf)).toEqual([]);
  expect(itf.states).toHaveLength(trace.steps.length + 1);
  expect(itf.states[0]).toMatchObject({ "#meta": { index: 0 }, "mbt::actionTaken": "init", "table refs": { "#bigint": "2" }, "at(walker)": "0: mmap_read_lock(A)" });
  expect(itf.states[1]).toMatchObject({ "#meta": { index: 1, action: "mmap_read_lock(A)", thread: "walker" }, "mmap_lock(A)": { "#bigint": "1" } });
  expect(itf.states.at(-1)).toMatchObject({ "#meta": { violation: "uaf: the walker uses a freed page table page" }, table: { "#bigint": "1" } });
  expect(itf).not.toHaveProperty("loop");
});

test("values follow the changes of the trace; arrays are lists", () => {
  const model = pinModel(false);
  const trace = traceOf(model);
  const { states } = itfOf(model, trace);
  const last = states.at(-1) as Record<string, unknown>;
  const final = new Map(trace.steps.flatMap(({ changes }) => changes.map(({ field, to }) => [field, to] as const)));
  expect(last.refcount).toEqual([0, 1, 2, 3, 4].map((page) => ({ "#bigint": final.get(`refcount[${page}]`) ?? (page === 0 ? "1" : "0") })));
  expect(last.pte_A).toEqual({ "#bigint": final.get("pte_A") ?? "0" });
});

describe("runs that end without a failed check", () => {
  test("a deadlock: every step has its effect", () => {
    const model = crossedLocks();
    const itf = itfOf(model, traceOf(model, { deadlock: true }));
    expect(problemsOf(itf)).toEqual([]);
    expect(itf.states.at(-1)).toMatchObject({ a: { "#bigint": "1" }, b: { "#bigint": "1" } });
  });

  test("a livelock: the last state is the one that the loop starts with", () => {
    const model = retryLoop(true);
    const itf = itfOf(model, traceOf(model, { livelock: 0 }));
    expect(problemsOf(itf)).toEqual([]);
    const values = (state: object) => Object.entries(state).filter(([name]) => name !== "#meta" && name !== "mbt::actionTaken");
    expect(values(itf.states.at(-1)!)).toEqual(values(itf.states[itf.loop!]!));
  });
});

test("names that the format has a meaning for, and equal names, stay apart", () => {
  const model = modelBuilder("names");
  for (const name of ["#meta", "__proto__", "mbt::actionTaken", "x", "x", "f().x"]) model.field(name, 7);
  const thread = model.thread("f()", "review");
  thread.step({ text: "</script>\u202e", effect: [assign(thread.local("x"), 3)] });
  thread.step({ text: "fails", checks: [{ holds: eq(0, 1), property: "p", message: "m" }] });
  const finished = model.finish();
  const itf = itfOf(finished, traceOf(finished));
  expect(problemsOf(itf)).toEqual([]);
  expect(itf.vars).toEqual(["_#meta", "__proto__", "mbt::actionTaken (2)", "x", "x (2)", "f().x", "f().x (2)", "at(f())", "mbt::actionTaken"]);
  expect(Object.getOwnPropertyDescriptor(itf.states[1], "__proto__")?.value).toEqual({ "#bigint": "7" });
  expect(itf.states[1]?.["f().x (2)"]).toEqual({ "#bigint": "3" });
});

test("every counterexample of a random program fits the schema", () => {
  let seen = 0;
  fc.assert(
    fc.property(randomModel({ checks: true, others: "environment" }), (model) => {
      const trace = counterexample(model, { maxStates: 600, deadlock: true });
      if (trace === null) return;
      seen++;
      expect(problemsOf(itfOf(model, trace))).toEqual([]);
    }),
    { numRuns: 200 },
  );
  expect(seen).toBeGreaterThan(50);
});

test("the schema refuses what is not ITF", () => {
  const model = pmdModel("none");
  const good = JSON.parse(JSON.stringify(itfOf(model, traceOf(model)))) as ItfTrace;
  const broken = [
    { ...good, vars: "x" }, { ...good, extra: 1 }, { ...good, loop: -1 }, { ...good, "#meta": {} },
    { ...good, states: [{ ...good.states[0], table: 1 }] }, { ...good, states: [{ ...good.states[0], table: { "#bigint": "one" } }] },
  ];
  for (const one of broken) expect(schemaProblems(ITF, one)).not.toEqual([]);
});
