// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { modelBuilder } from "../../server/simulator/build.ts";
import { explore } from "../../server/simulator/explore.ts";
import { and, eq, not, type Expression } from "../../server/simulator/expression.ts";
import { folioOf, hasChanged, isMapped, isNone, isReadOnlyPte, isSamePte, isWritablePte, pte, readOnlyPte, SWAPPED, writablePte } from "../../server/simulator/objects/pte.ts";
import type { Pte } from "../../server/simulator/objects/pte.ts";

/** True where the expression holds of an entry that has the value. */
function holds(value: number, of: (at: Pte) => Expression): boolean {
  const model = modelBuilder("entry");
  const at = pte(model, "pte", value, ["X", "Y", "Z"]);
  model.thread("reads", "review").step({ text: "reads", checks: [{ holds: of(at), property: "unexpected", message: "it does not hold" }] });
  return explore(model.finish(), { maxStates: 10 }).verdict === "pass";
}

test.each([
  [0, 0, "none"],
  [1, 1, "read-only"],
  [2, 1, "writable"],
  [3, 2, "read-only"],
  [4, 2, "writable"],
  [5, 3, "read-only"],
  [6, 3, "writable"],
])("the value %i maps folio %i, %s", (value, folio, how) => {
  expect(holds(value, (at) => and(eq(folioOf(at), folio), how === "none" ? isNone(at) : isMapped(at)))).toBe(true);
  expect(holds(value, isReadOnlyPte)).toBe(how === "read-only");
  expect(holds(value, isWritablePte)).toBe(how === "writable");
  if (how === "read-only") expect(holds(value, (at) => eq(at.value, readOnlyPte(folio)))).toBe(true);
  if (how === "writable") expect(holds(value, (at) => eq(at.value, writablePte(folio)))).toBe(true);
});

test("a swap entry maps nothing and is not none", () => {
  for (const of of [isNone, isMapped, isReadOnlyPte, isWritablePte]) expect(holds(SWAPPED, of)).toBe(false);
});

test("a register has the entry as it was", () => {
  expect(holds(3, (at) => and(isSamePte(at, at.value), not(hasChanged(at, at.value))))).toBe(true);
});
