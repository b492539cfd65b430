// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { modelBuilder } from "../../server/simulator/build.ts";
import { assign } from "../../server/simulator/effect.ts";
import { eq } from "../../server/simulator/expression.ts";
import { modelFromJson, modelToJson } from "../../server/simulator/json.ts";
import { problemsOf } from "../../server/simulator/validate.ts";

const good = () => {
  const model = modelBuilder("good");
  const flag = model.field("flag", 0, { labels: { 0: "clear" } });
  model.array("array", [1, 2]);
  const thread = model.thread("thread", "review");
  thread.label("again");
  const step = thread.step({ text: "set", effect: [assign(flag, 1)] });
  thread.step({ text: "look", checks: [{ holds: eq(flag, 0), property: "seen", message: "seen" }], to: "again" });
  model.reach(thread, step, "it is set");
  return model.finish();
};

/** The text of a good model, spoilt: what is changed is of no type that the compiler knows. */
const spoilt = (spoil: (text: any) => void): string => {
  const text = JSON.parse(modelToJson(good()));
  spoil(text);
  return JSON.stringify(text);
};

const problemIn = (text: string): string | null => {
  const read = modelFromJson(text);
  return "problem" in read ? read.problem : null;
};

const thread = (text: any) => text.model.threads[0];
const alternative = (text: any) => thread(text).steps[0].alternatives[0];

describe("a model as text", () => {
  test("survives", () => {
    const text = modelToJson(good());
    const read = modelFromJson(text);
    if (!("model" in read)) throw new Error(read.problem);
    expect(modelToJson(read.model)).toBe(text);
  });

  test.each<[string, (text: any) => void]>([
    ["thread thread, label again is at no step", (text) => { thread(text).labels.again = -1; }],
    ["thread thread, label again is at no step", (text) => { thread(text).labels.again = 3; }],
    ["thread thread, END is no name for a label", (text) => { thread(text).labels.END = 0; }],
    ["labels are malformed", (text) => { thread(text).labels = null; }],
    ["labels are malformed", (text) => { thread(text).labels = [0]; }],
    ["the labels of a field are malformed", (text) => { delete text.fields[0].labels; }],
    ["a name is missing", (text) => { text.fields[0].labels = { 0: {} }; }],
    ["a list is missing", (text) => { text.fields[1].elements = 5; }],
    ["a field is malformed", (text) => { delete text.fields[0].hidden; }],
    ["a field is malformed", (text) => { text.fields[0].length = 2 ** 40; }],
    ["no such field", (text) => { text.model.globals[0] = { $field: "length" }; }],
    ["no such field", (text) => { text.model.globals[0] = { $field: "constructor" }; }],
    ["no such field", (text) => { text.model.globals[0] = { $field: -1 }; }],
    ["no such field", (text) => { text.model.globals[0] = null; }],
    ["no such field", (text) => { delete alternative(text).effect[0].target; }],
    ["an expression is missing", (text) => { alternative(text).guard = null; }],
    ["an expression is missing", (text) => { delete alternative(text).effect[0].index; }],
    ["no such operator", (text) => { alternative(text).guard = { kind: "binary", operator: "constructor" }; }],
    ["a name is missing", (text) => { alternative(text).note = {}; }],
    ["an alternative is malformed", (text) => { thread(text).steps[0].alternatives = [null]; }],
    ["the source of a step is malformed", (text) => { delete thread(text).steps[0].source; }],
    ["the source of a step is malformed", (text) => { thread(text).steps[0].source = { line: "1", side: "new" }; }],
    ["a step is malformed", (text) => { thread(text).steps[0].isFix = "no"; }],
    ["a list is missing", (text) => { thread(text).steps[0].acquires = 5; }],
    ["a name is missing", (text) => { thread(text).steps[0].acquires = [{ lock: { $field: 0 } }]; }],
    ["an obligation is malformed", (text) => { text.model.reach = [null]; }],
    ["a list is missing", (text) => { delete text.fields; }],
    ["a model is missing", (text) => { text.model = 5; }],
  ])("%s", (problem, spoil) => {
    expect(problemIn(spoilt(spoil))).toBe(problem);
  });

  test.each(["null", "5", "[]", '"model"'])("%s is none", (text) => {
    expect(problemIn(text)).toBe("a model is missing");
  });

  test("too large in any direction", () => {
    const deep = `${'{"kind":"not","of":'.repeat(100_000)}{"kind":"constant","value":1}${"}".repeat(100_000)}`;
    expect(problemIn(spoilt((text) => { alternative(text).guard = "deep"; }).replace('"deep"', deep))).toBe("the text is nested too deeply");
    const one = good();
    const [first] = one.threads;
    expect(problemsOf({ ...one, threads: Array.from({ length: 256 }, (_, index) => ({ ...first, name: `${index}`, locals: [] })) })).toEqual(["there are more than 255 threads"]);
    expect(problemsOf({ ...one, threads: [{ ...first, steps: Array.from({ length: 65_536 }, () => first.steps[0]) }] })).toEqual(["thread thread, there are more than 65535 steps"]);
    const fields = Array.from({ length: 70_000 }, (_, index) => ({ name: `${index}`, length: 1, initial: [0], labels: {}, hidden: false }));
    expect(problemsOf({ ...one, globals: [...one.globals, ...fields] })).toEqual(["the fields take more than 65535 bytes"]);
  });
});
