// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { decideScenario, scheduleOf, settingsOf, settingText } from "../../server/scenarios/catalogue/decide.ts";
import { CATALOGUE } from "../../server/scenarios/catalogue/catalogue.ts";
import type { Expectation, Setting } from "../../server/scenarios/catalogue/scenario.ts";
import { modelFromJson, modelToJson } from "../../server/simulator/json.ts";
import type { Model } from "../../server/simulator/model.ts";
import { inOrder } from "../../server/simulator/order.ts";
import { withoutFix } from "../../server/simulator/without-fix.ts";

const fails = (expected: Expectation): boolean => expected === "fail" || typeof expected === "object";

test("names are unique", () => {
  expect(new Set(CATALOGUE.map(({ id }) => id)).size).toBe(CATALOGUE.length);
  for (const { id, variants } of CATALOGUE) expect(new Set(variants.map((one) => one.id)).size, id).toBe(variants.length);
});

describe.each(CATALOGUE.map((scenario) => [scenario.id, scenario] as const))("%s", (_, scenario) => {
  const cases = settingsOf(scenario).flatMap((setting): { readonly setting: Setting; readonly model: Model }[] => {
    const model = scenario.build(setting);
    return model ? [{ setting, model }] : [];
  });

  test("has buggy variants, and says where it was read", () => {
    expect(scenario.variants.some(({ isFixed }) => !isFixed)).toBe(true);
    expect(scenario.sources.length).toBeGreaterThan(0);
    expect(cases.length).toBeGreaterThan(0);
  });

  test.each(cases.map(({ setting, model }) => [settingText(setting), setting, model] as const))("%s", (_text, setting, model) => {
    const expected = scenario.expected(setting);
    const { verdict, unreached, states, violation } = decideScenario(scenario, model);
    if (expected === "uncertain") return;
    expect({ verdict, unreached }).toEqual({ verdict: fails(expected) ? "fail" : "pass", unreached: [] });
    if (typeof expected === "object") expect(violation?.property).toBe(expected.fails);
    expect(states).toBeGreaterThan(1);
    const variant = scenario.variants.find(({ id }) => id === setting.variant);
    if (fails(expected)) expect(scheduleOf(scenario, model)?.minimal).toBe(true);
    else if (variant?.isFixed && needsFix(setting)) {
      const without = decideScenario(scenario, undone(setting, model));
      expect(without.verdict, "without its fix").toBe("fail");
      const buggy = buggyOf(setting);
      if (typeof buggy === "object") expect(without.violation?.property, "without its fix").toBe(buggy.fails);
    }
  });

  /** What is expected of the variant that this one is the fix of; undefined where the fix is a step. */
  const buggyOf = (setting: Setting): Expectation | undefined => {
    const variant = scenario.variants.find(({ id }) => id === setting.variant)?.undone;
    return variant === undefined ? undefined : scenario.expected({ ...setting, variant });
  };

  /** Where the era is safe even with the fix undone, there is nothing to see. */
  const needsFix = (setting: Setting): boolean => {
    const buggy = buggyOf(setting);
    return buggy === undefined || fails(buggy);
  };

  test("every fix is needed somewhere", () => {
    const fixed = scenario.variants.filter(({ isFixed }) => isFixed);
    expect(fixed.filter(({ id }) => !cases.some(({ setting }) => setting.variant === id && needsFix(setting))).map(({ id }) => id)).toEqual([]);
  });

  test("the properties that it names are those that it looks for", () => {
    const named = cases.flatMap(({ setting }) => {
      const expected = scenario.expected(setting);
      return typeof expected === "object" ? [expected.fails] : [];
    });
    const all = [...scenario.properties, ...(scenario.deadlock ? ["deadlock"] : []), ...(scenario.livelock === null ? [] : ["livelock"])];
    expect(named.filter((property) => !all.includes(property))).toEqual([]);
  });

  const undone = (setting: Setting, model: Model): Model => {
    const variant = scenario.variants.find(({ id }) => id === setting.variant);
    const made = variant?.undone === undefined ? withoutFix(model) : scenario.build({ ...setting, variant: variant.undone });
    if (!made) throw new Error(`${scenario.id}, ${setting.variant}: nothing says what the fix is`);
    return made;
  };

  test("its models survive as text, and equal models give equal bytes", () => {
    for (const { setting, model } of cases.slice(0, 20)) {
      const text = modelToJson(model);
      expect(modelToJson(scenario.build(setting)!)).toBe(text);
      const read = modelFromJson(text);
      if (!("model" in read)) throw new Error(read.problem);
      expect(modelToJson(read.model)).toBe(text);
      expect(decideScenario(scenario, read.model)).toEqual(decideScenario(scenario, model));
    }
  });

  test.each((scenario.orders ?? []).map((order) => [order.source, order] as const))("the numbered interleaving of %s", (_source, order) => {
    const found = cases.find(({ setting }) => setting.variant === order.variant && setting.era === order.era);
    if (!found) throw new Error(`no such setting: ${order.variant}, ${order.era}`);
    const ordered = inOrder(found.model, order.steps, new Set(scenario.properties));
    expect(decideScenario(scenario, ordered).verdict).toBe(order.expected);
    const shown = (scheduleOf(scenario, ordered)?.steps ?? []).map(({ thread, text }) => ({ thread: ordered.threads[thread]?.name, step: text }));
    if (order.expected === "fail") expect(shown).toEqual(expect.arrayContaining([...order.steps]));
  });
});
