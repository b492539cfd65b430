// SPDX-License-Identifier: GPL-2.0-only
import type { CatalogueScenario } from "../scenario.ts";
import { folioLockUnderMap } from "./folio-lock-under-map.ts";
import { startUnderMap } from "./start-under-map.ts";
import { startUnderPtl } from "./start-under-ptl.ts";

/** Sleeping where nobody may sleep, and what it leads to where the kernel does not complain. */
export const ATOMIC_SCENARIOS: readonly CatalogueScenario[] = [startUnderMap, startUnderPtl, folioLockUnderMap];
