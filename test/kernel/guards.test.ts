// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { knownNames } from "../../server/kernel/facts.ts";
import { guardCalls, guardClass } from "../../server/kernel/guards.ts";

test("every function that a guard calls is known", () => {
  expect(guardCalls().filter((name) => !knownNames().has(name))).toEqual([]);
});

test("names of objects' own properties are no guards", () => {
  expect(guardClass("constructor")).toBeNull();
});
