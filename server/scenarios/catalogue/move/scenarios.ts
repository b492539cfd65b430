// SPDX-License-Identifier: GPL-2.0-only
import type { CatalogueScenario } from "../scenario.ts";
import { migrationUnderAnonVma } from "./migration-under-anon-vma.ts";
import { staleFolio } from "./stale-folio.ts";
import { unlockAfterPut } from "./unlock-after-put.ts";

/** What goes wrong with the folio while a page is moved. */
export const MOVE_SCENARIOS: readonly CatalogueScenario[] = [staleFolio, migrationUnderAnonVma, unlockAfterPut];
