// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { modelBuilder, type ThreadBuilder } from "../../server/simulator/build.ts";
import { together } from "../../server/simulator/combine.ts";
import { assign } from "../../server/simulator/effect.ts";
import { explore } from "../../server/simulator/explore.ts";
import { and, eq, not, or, type Expression } from "../../server/simulator/expression.ts";
import type { Model } from "../../server/simulator/model.ts";
import { spinLock, spinlock } from "../../server/simulator/objects/spinlock.ts";
import { addDrain, addLate, fence, isDrained, loadOwn, storeBuffer, storeLate, type Depth } from "../../server/simulator/objects/store-buffer.ts";

const verdictOf = (model: Model): string => {
  const { verdict, violation } = explore(model, { maxStates: 10_000, deadlock: true });
  return violation?.property ?? verdict;
};

const never = (thread: ThreadBuilder, outcome: Expression): void => {
  thread.step({ text: "judge", checks: [{ holds: not(outcome), property: "forbidden", message: "not allowed" }] });
};

/** Each of two CPUs writes its flag and reads the other's: both read 0 only where a store passed a load. */
const storeBuffering = (depth: Depth, fenced: readonly [boolean, boolean]): Model => {
  const model = modelBuilder("store buffering");
  const flags = [model.field("x"), model.field("y")] as const;
  const read = [model.field("read by 0", 2), model.field("read by 1", 2)] as const;
  const buffers = flags.map((field, cpu) => storeBuffer(model, `CPU ${cpu}`, [{ name: field.name, field }], depth));
  buffers.forEach((buffer, cpu) => {
    const thread = model.thread(`thread ${cpu}`, "review");
    thread.step({ text: "write", ...storeLate(buffer, buffer.locations[0]!, 1) });
    if (fenced[cpu]) thread.step({ text: "smp_mb()", ...fence(buffer) });
    thread.step({ text: "read", effect: [assign(read[cpu]!, flags[1 - cpu]!)] });
    never(thread, and(eq(read[0], 0), eq(read[1], 0)));
  });
  for (const buffer of buffers) addDrain(model, buffer);
  return model.finish();
};

describe("a store passes a later load", () => {
  test("not without a buffer", () => expect(verdictOf(storeBuffering(0, [false, false]))).toBe("pass"));
  test.each([1, 2] as const)("with a buffer of depth %i", (depth) => expect(verdictOf(storeBuffering(depth, [false, false]))).toBe("forbidden"));
  test("nor with a barrier on each side", () => expect(verdictOf(storeBuffering(1, [true, true]))).toBe("pass"));
  test.each([[[true, false]], [[false, true]]] as const)("one barrier does not help: %j", (fenced) => expect(verdictOf(storeBuffering(1, fenced))).toBe("forbidden"));
});

test("two stores of one CPU become visible in order", () => {
  const model = modelBuilder("message passing");
  const data = { name: "data", field: model.field("data") };
  const flag = { name: "flag", field: model.field("flag") };
  const buffer = storeBuffer(model, "CPU 0", [data, flag], 2);
  const writer = model.thread("writer", "review");
  writer.step({ text: "data = 1", ...storeLate(buffer, data, 1) });
  writer.step({ text: "flag = 1", ...storeLate(buffer, flag, 1) });
  const reader = model.thread("reader", "review");
  const [first, second] = [reader.local("flag read"), reader.local("data read")];
  reader.step({ text: "read flag", effect: [assign(first, flag.field)] });
  reader.step({ text: "read data", effect: [assign(second, data.field)] });
  model.reach(reader, reader.step({ text: "the flag was seen", guard: eq(first, 1) }), "the flag is seen");
  never(reader, eq(second, 0));
  addDrain(model, buffer);
  // The reader that does not see the flag stays where it is: nothing to find fault with.
  expect(explore(model.finish(), { maxStates: 10_000 })).toMatchObject({ verdict: "pass", unreached: [] });
});

test("a CPU reads what it wrote, and others do not yet", () => {
  const model = modelBuilder("forwarding");
  const cells = model.array("cells", [0, 5]);
  const cell = { name: "cells[1]", field: cells, index: 1 };
  const buffer = storeBuffer(model, "CPU 0", [cell], 2);
  const thread = model.thread("thread", "review");
  const seen = thread.local("seen");
  const reads = (value: number): void => {
    thread.step({ text: "read", ...loadOwn(buffer, cell, seen) });
    never(thread, not(eq(seen, value)));
  };
  reads(5);
  thread.step({ text: "add 2", ...addLate(buffer, cell, 2) });
  reads(7);
  thread.step({ text: "set 3", ...storeLate(buffer, cell, 3) });
  reads(3);
  // Full: waits for the oldest.
  thread.step({ text: "add 1", ...addLate(buffer, cell, 1) });
  reads(4);
  thread.step({ text: "smp_mb()", ...fence(buffer) });
  never(thread, or(not(isDrained(buffer)), not(eq({ kind: "element", field: cells, index: { kind: "constant", value: 1 } }, 4))));
  addDrain(model, buffer);
  expect(verdictOf(model.finish())).toBe("pass");
});

test("a late change loses no change of another CPU", () => {
  const model = modelBuilder("two increments");
  const count = { name: "count", field: model.field("count") };
  const buffers = ["CPU 0", "CPU 1"].map((cpu) => storeBuffer(model, cpu, [count], 1));
  const ended = model.field("ended");
  buffers.forEach((buffer, cpu) => {
    const thread = model.thread(`thread ${cpu}`, "review");
    thread.step({ text: "atomic_inc(&count)", ...addLate(buffer, count, 1) });
    thread.step({ text: "smp_mb()", ...together(fence(buffer), { alternatives: [{ effect: [assign(ended, { kind: "binary", operator: "+", left: { kind: "field", field: ended }, right: { kind: "constant", value: 1 } })] }] }) });
    never(thread, and(eq(ended, 2), not(eq(count.field, 2))));
  });
  for (const buffer of buffers) addDrain(model, buffer);
  expect(verdictOf(model.finish())).toBe("pass");
});

test("a lock that is taken with a barrier waits for the stores", () => {
  const model = modelBuilder("lock");
  const x = { name: "x", field: model.field("x") };
  const buffer = storeBuffer(model, "CPU 0", [x], 1);
  const lock = spinlock(model, "lock");
  const thread = model.thread("thread", "review");
  thread.step({ text: "x = 1", ...storeLate(buffer, x, 1) });
  thread.step({ text: "spin_lock(lock)", ...together(spinLock(lock), fence(buffer)) });
  never(thread, eq(x.field, 0));
  addDrain(model, buffer);
  expect(verdictOf(model.finish())).toBe("pass");
});

test("only what the buffer was declared for can be late", () => {
  const model = modelBuilder("unknown location");
  const buffer = storeBuffer(model, "CPU 0", [], 1);
  expect(() => storeLate(buffer, { name: "x", field: model.field("x") }, 1)).toThrow("CPU 0 does not write x late");
});
