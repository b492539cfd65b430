// SPDX-License-Identifier: GPL-2.0-only
import type { GupEra } from "../../kernel/era.ts";
import type { ArchitectureRow } from "../../kernel/architecture.ts";
import type { Release } from "../../kernel/release.ts";
import type { Model } from "../../simulator/model.ts";
import type { OrderedStep } from "../../simulator/order.ts";

/** One way in which a scenario is told: the code as it was, or one of the fixes. */
export interface Variant {
  /** Kebab-case, unique in the scenario. */
  readonly id: string;
  /** One line without a full stop. */
  readonly what: string;
  readonly isFixed: boolean;
  /**
   * The variant that is this one with its fix undone, for fixes that are an order and not a step. Fixed variants without
   * it mark the steps that the fix adds (`isFix`).
   */
  readonly undone?: string;
}

/** Where a scenario plays. */
export interface Setting {
  readonly variant: string;
  readonly release: Release;
  /** Of GUP and copy-on-write; E2 was never in a release. */
  readonly era: GupEra;
  /** How the architecture frees page tables. */
  readonly architecture: ArchitectureRow;
}

/** What is expected of a setting; `uncertain`: listed and not asserted; `fails`: with this property before any other. */
export type Expectation = "fail" | "pass" | "uncertain" | { readonly fails: string };

/** A reviewer's numbered interleaving and what exploring it must say. */
export interface NumberedOrder {
  /** Who said it, where. */
  readonly source: string;
  readonly variant: string;
  readonly era: GupEra;
  readonly steps: readonly OrderedStep[];
  readonly expected: "fail" | "pass";
}

/** A hazard that is known, told as a model of its own: no patch is needed to explore it. */
export interface CatalogueScenario {
  /** Kebab-case, unique in the catalogue. */
  readonly id: string;
  /** Rules that look for the hazard in code, by id; empty where none does. */
  readonly rules: readonly string[];
  readonly title: string;
  /** Threads, commits and kernel files that it was read from. */
  readonly sources: readonly string[];
  /** The bad states that are looked for: others do not end a path. */
  readonly properties: readonly string[];
  /** Also looks for a state in which a thread under review waits for ever. */
  readonly deadlock: boolean;
  /** Name of the thread that must be able to end, or null. */
  readonly livelock: string | null;
  readonly variants: readonly Variant[];
  /**
   * Axes on which the variants differ: all settings that they tell apart are run by the tests. Without releases every era
   * plays in the release that stands for it; without eras every release is of its own.
   */
  readonly axes: { readonly eras: readonly GupEra[]; readonly releases: readonly string[]; readonly byArchitecture: boolean };
  /** Null where the variant does not exist in that setting. */
  build(setting: Setting): Model | null;
  /** Called for settings that `build` has a model for. */
  expected(setting: Setting): Expectation;
  readonly orders?: readonly NumberedOrder[];
}
