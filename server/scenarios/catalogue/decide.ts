// SPDX-License-Identifier: GPL-2.0-only
import { architectureRows, type ArchitectureRow } from "../../kernel/architecture.ts";
import { gupEra, RELEASE_OF_ERA, type GupEra } from "../../kernel/era.ts";
import { parseRelease, type Release } from "../../kernel/release.ts";
import { counterexample } from "../../simulator/counterexample.ts";
import { explore, type Exploration, type ExploreOptions } from "../../simulator/explore.ts";
import type { Model } from "../../simulator/model.ts";
import type { Trace } from "../../simulator/trace.ts";
import type { CatalogueScenario, Setting } from "./scenario.ts";

/** More than any scenario of the catalogue needs. */
const MAX_STATES = 3_000_000;

/** How a scenario's models are explored. */
export const optionsOf = (scenario: CatalogueScenario, model: Model, maxStates = MAX_STATES): ExploreOptions => {
  const reviewed = scenario.livelock === null ? -1 : model.threads.findIndex(({ name }) => name === scenario.livelock);
  return {
    maxStates,
    deadlock: scenario.deadlock,
    livelock: reviewed < 0 ? null : reviewed,
    properties: new Set(scenario.properties),
  };
};

export const decideScenario = (scenario: CatalogueScenario, model: Model, maxStates?: number): Exploration => explore(model, optionsOf(scenario, model, maxStates));

/** The schedule to show, or null where none fails. */
export const scheduleOf = (scenario: CatalogueScenario, model: Model, maxStates?: number): Trace | null => counterexample(model, optionsOf(scenario, model, maxStates));

function released(text: string): Release {
  const release = parseRelease(text);
  if (!release) throw new Error(`no release: ${text}`);
  return release;
}

/** The rows of all architectures in a release. */
const rowsIn = (release: string): readonly ArchitectureRow[] =>
  architectureRows({ release: released(release), arch: "x86_64", archIsSet: false, config: {} });

/** When a scenario plays: its eras in its releases, or each in the other that belongs to it. */
function times({ eras, releases }: Pick<CatalogueScenario["axes"], "eras" | "releases">): readonly { readonly era: GupEra; readonly release: string }[] {
  if (releases.length === 0) return eras.map((era) => ({ era, release: RELEASE_OF_ERA[era] }));
  return releases.flatMap((release) => {
    const inEras = eras.length > 0 ? eras : [gupEra(released(release))];
    return inEras.map((era) => ({ era, release }));
  });
}

/** Releases and eras that are asked for in place of those of the axes. */
export interface AskedSetting {
  readonly release: string | null;
  readonly era: GupEra | null;
}

/** The axes of a scenario where another release or era was asked for: an era follows from a release, unless it is asked for. */
function axesOf({ axes }: CatalogueScenario, { release, era }: AskedSetting): { readonly eras: readonly GupEra[]; readonly releases: readonly string[] } {
  const eras = era !== null ? [era] : release === null ? axes.eras : [];
  return { eras, releases: release === null ? axes.releases : [release] };
}

/**
 * Every setting of a scenario that its axes tell apart, in the order of variants, releases, eras and architectures: all
 * architectures where somebody asks (`asked`), else those on which the scenario hangs.
 */
export function settingsOf(scenario: CatalogueScenario, asked: AskedSetting | null = null): readonly Setting[] {
  const { eras, releases } = axesOf(scenario, asked ?? { release: null, era: null });
  const byArchitecture = asked !== null || scenario.axes.byArchitecture;
  return scenario.variants.flatMap(({ id: variant }) =>
    times({ eras, releases }).flatMap(({ era, release }) => {
      const rows = rowsIn(release);
      const chosen = byArchitecture ? rows : rows.filter(({ isDefault }) => isDefault);
      return chosen.map((architecture): Setting => ({ variant, release: released(release), era, architecture }));
    }),
  );
}

/** A setting in words, for tests and for the terminal. */
export const settingText = ({ variant, release, era, architecture }: Setting): string =>
  `${variant}, ${release.major}.${release.minor}${release.sublevel === null ? "" : `.${release.sublevel}`}, ${era}, ${architecture.phrase}`;
