// SPDX-License-Identifier: GPL-2.0-only
import type { CatalogueScenario } from "../scenario.ts";
import { detachedTable } from "./detached-table.ts";
import { unmapOfCopy } from "./unmap-of-copy.ts";
import { unmapOfFailedMap } from "./unmap-of-failed-map.ts";
import { usedAfterUnmap } from "./used-after-unmap.ts";

/** Mapped page tables: unmapped wrongly, used too long, gone behind the back. */
export const MAPPED_SCENARIOS: readonly CatalogueScenario[] = [unmapOfCopy, unmapOfFailedMap, usedAfterUnmap, detachedTable];
