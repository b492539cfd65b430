// SPDX-License-Identifier: GPL-2.0-only
import { COW_SCENARIOS } from "./cow/scenarios.ts";
import { vmaLockOrder } from "./vma-lock-order.ts";
import type { CatalogueScenario } from "./scenario.ts";

/** All scenarios, in the order in which they are listed. */
export const CATALOGUE: readonly CatalogueScenario[] = [
  ...COW_SCENARIOS,
  vmaLockOrder,
];

export const scenarioById = (id: string): CatalogueScenario | null => CATALOGUE.find((one) => one.id === id) ?? null;
