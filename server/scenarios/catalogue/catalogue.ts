// SPDX-License-Identifier: GPL-2.0-only
import { ATOMIC_SCENARIOS } from "./atomic/scenarios.ts";
import { COW_SCENARIOS } from "./cow/scenarios.ts";
import { CPU_SCENARIOS } from "./cpu/scenarios.ts";
import { LIFETIME_SCENARIOS } from "./lifetime/scenarios.ts";
import { MAPPED_SCENARIOS } from "./mapped/scenarios.ts";
import { mmapLockOrder } from "./mmap-lock-order.ts";
import { MOVE_SCENARIOS } from "./move/scenarios.ts";
import { NOTIFIER_SCENARIOS } from "./notifier/scenarios.ts";
import { PINNED_SCENARIOS } from "./pinned/scenarios.ts";
import { PMD_SHARING_SCENARIOS } from "./pmd-sharing/scenarios.ts";
import { TRACKING_SCENARIOS } from "./tracking/scenarios.ts";
import { vmaLockOrder } from "./vma-lock-order.ts";
import type { CatalogueScenario } from "./scenario.ts";

/** All scenarios, in the order in which they are listed. */
export const CATALOGUE: readonly CatalogueScenario[] = [
  ...NOTIFIER_SCENARIOS,
  ...ATOMIC_SCENARIOS,
  ...MAPPED_SCENARIOS,
  ...MOVE_SCENARIOS,
  ...PMD_SHARING_SCENARIOS,
  ...TRACKING_SCENARIOS,
  ...PINNED_SCENARIOS,
  ...COW_SCENARIOS,
  ...LIFETIME_SCENARIOS,
  ...CPU_SCENARIOS,
  vmaLockOrder,
  mmapLockOrder,
];

export const scenarioById = (id: string): CatalogueScenario | null => CATALOGUE.find((one) => one.id === id) ?? null;
