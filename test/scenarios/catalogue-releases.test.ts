// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { architectureRows } from "../../server/kernel/architecture.ts";
import { gupEra } from "../../server/kernel/era.ts";
import { parseRelease } from "../../server/kernel/release.ts";
import { ATOMIC_SCENARIOS } from "../../server/scenarios/catalogue/atomic/scenarios.ts";
import { decideScenario, settingText } from "../../server/scenarios/catalogue/decide.ts";
import { MAPPED_SCENARIOS } from "../../server/scenarios/catalogue/mapped/scenarios.ts";
import { MOVE_SCENARIOS } from "../../server/scenarios/catalogue/move/scenarios.ts";
import { NOTIFIER_SCENARIOS } from "../../server/scenarios/catalogue/notifier/scenarios.ts";
import { PINNED_SCENARIOS } from "../../server/scenarios/catalogue/pinned/scenarios.ts";
import { PMD_SHARING_SCENARIOS } from "../../server/scenarios/catalogue/pmd-sharing/scenarios.ts";
import type { CatalogueScenario, Setting } from "../../server/scenarios/catalogue/scenario.ts";
import { TRACKING_SCENARIOS } from "../../server/scenarios/catalogue/tracking/scenarios.ts";
import { withoutFix } from "../../server/simulator/without-fix.ts";

const RELEASES = ["4.19", "5.4", "5.10", "5.15", "5.17", "6.0", "6.1", "6.1.192", "6.3", "6.4", "6.5", "6.6", "6.8", "6.9", "6.10", "6.12", "6.14", "6.16"];

/** All variants in all releases on all architectures: also where the scenario does not ask for them. */
const everywhere = (scenario: CatalogueScenario): readonly Setting[] =>
  scenario.variants.flatMap(({ id: variant }) =>
    RELEASES.flatMap((text) => {
      const release = parseRelease(text)!;
      return architectureRows({ release, arch: "x86_64", archIsSet: false, config: {} }).map((architecture) => ({ variant, release, era: gupEra(release), architecture }));
    }),
  );

const verdictOf = (scenario: CatalogueScenario, setting: Setting): string | null => {
  const model = scenario.build(setting);
  if (!model) return null;
  const { verdict, violation } = decideScenario(scenario, model);
  return violation?.property ?? verdict;
};

const all = [
  ...NOTIFIER_SCENARIOS, ...ATOMIC_SCENARIOS, ...MAPPED_SCENARIOS, ...MOVE_SCENARIOS, ...PMD_SHARING_SCENARIOS, ...TRACKING_SCENARIOS, ...PINNED_SCENARIOS,
];

describe.each(all.map((scenario) => [scenario.id, scenario] as const))("%s in every release", (_, scenario) => {
  const settings = everywhere(scenario);

  test("does what it says", () => {
    const wrong = settings.flatMap((setting) => {
      const verdict = verdictOf(scenario, setting);
      const expected = scenario.expected(setting);
      if (verdict === null || expected === "uncertain") return [];
      const right = typeof expected === "object" ? expected.fails : expected;
      return verdict === right ? [] : [`${settingText(setting)}: ${verdict}`];
    });
    expect(wrong).toEqual([]);
  });

  test("each fix is needed wherever it is offered", () => {
    const fixed = settings.filter(({ variant }) => scenario.variants.some(({ id, isFixed }) => id === variant && isFixed));
    const idle = fixed.flatMap((setting) => {
      const model = scenario.build(setting);
      if (!model) return [];
      const undone = scenario.variants.find(({ id }) => id === setting.variant)?.undone;
      const without = undone === undefined ? withoutFix(model) : scenario.build({ ...setting, variant: undone });
      return without && decideScenario(scenario, without).verdict === "fail" ? [] : [settingText(setting)];
    });
    expect(idle).toEqual([]);
  });
});
