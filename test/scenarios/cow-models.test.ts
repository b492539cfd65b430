// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { ERAS } from "../../server/kernel/era.ts";
import { COW_SCENARIOS } from "../../server/scenarios/catalogue/cow/scenarios.ts";
import { settingsOf, settingText } from "../../server/scenarios/catalogue/decide.ts";
import { explore } from "../../server/simulator/explore.ts";
import { and, element, eq, gt, ne, not, or, type Expression, type Field } from "../../server/simulator/expression.ts";
import type { Model, Step } from "../../server/simulator/model.ts";

/*
 * What must hold in every state of every model of copy-on-write, whatever a scenario is about: an observer that may look at any
 * time, all other checks off.
 */

const ILL = "ill-formed";

/** The model with a thread that fails where the expression holds. */
function observed(model: Model, bad: Expression): Model {
  const step: Step = { text: "looks", source: null, hidden: false, alternatives: [{ checks: [{ holds: not(bad), property: ILL, message: "a state that must not be" }] }] };
  return { ...model, threads: [...model.threads, { name: "observer", role: "environment", locals: [], steps: [step], labels: {} }] };
}

const named = (model: Model, name: string): Field | undefined => model.globals.find((field) => field.name === name);

const pages = (array: Field): number[] => Array.from({ length: array.length - 1 }, (_, index) => index + 1);

/** A count that went below 0. */
const underflows = (array: Field): Expression[] => pages(array).map((page) => gt(element(array, page), 100));

/** More mappings and pins than references. */
const outnumbers = (refcount: Field, counts: Field): Expression[] => pages(refcount).map((page) => gt(element(counts, page), element(refcount, page)));

/** A page that an entry maps and that has no reference any more. */
const mapsFreed = (entry: Field, refcount: Field): Expression[] =>
  pages(refcount).map((page) => and(or(eq(entry, 2 * page), eq(entry, 2 * page - 1)), eq(element(refcount, page), 0)));

/**
 * A writable anonymous page that is not exclusive, for eras that have PageAnonExclusive. Inside of fork(), which has mmap_lock
 * for write, the page is shared one step before its entry is write-protected.
 */
const writableAndShared = (entry: Field, exclusive: Field, mmapLock: Field): Expression[] =>
  pages(exclusive).map((page) => and(ne(mmapLock, 255), eq(entry, 2 * page), ne(element(exclusive, page), 1)));

const cases = COW_SCENARIOS.flatMap((scenario) =>
  settingsOf(scenario).flatMap((setting) => {
    const model = scenario.build(setting);
    const counted = model && named(model, "next folio") !== undefined;
    return model && counted ? [{ name: `${scenario.id}, ${settingText(setting)}`, model, era: setting.era }] : [];
  }),
);

const isIll = (model: Model, bad: readonly Expression[]): boolean =>
  explore(observed(model, or(...bad)), { maxStates: 100_000, properties: new Set([ILL]) }).verdict === "fail";

describe("every state of every model", () => {
  test("there are models", () => {
    expect(cases.length).toBeGreaterThan(150);
  });

  test("has counts that agree, pages enough, and no entry of a freed page", () => {
    const ill = cases.filter(({ model }) => {
      const [refcount, mapcount, pincount, next] = ["refcount", "mapcount", "pincount", "next folio"].map((name) => named(model, name)!) as [Field, Field, Field, Field];
      const entries = ["pte(A)", "pte(B)"].flatMap((name) => named(model, name) ?? []);
      return isIll(model, [
        gt(next, refcount.length),
        ...[refcount, mapcount, pincount].flatMap(underflows),
        ...[mapcount, pincount].flatMap((counts) => outnumbers(refcount, counts)),
        ...entries.flatMap((entry) => mapsFreed(entry, refcount)),
      ]);
    });
    expect(ill.map(({ name }) => name)).toEqual([]);
  });

  test("has no writable page that is not exclusive, where that is a rule", () => {
    const ill = cases.filter(({ model, era }) => {
      const exclusive = named(model, "AnonExclusive")!;
      const mmapLock = named(model, "mmap_lock(A)")!;
      const entries = ["pte(A)", "pte(B)"].flatMap((name) => named(model, name) ?? []);
      return ERAS[era].anonReuse === "exclusive" && isIll(model, entries.flatMap((entry) => writableAndShared(entry, exclusive, mmapLock)));
    });
    expect(ill.map(({ name }) => name)).toEqual([]);
  });
});
