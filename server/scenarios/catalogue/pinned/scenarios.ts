// SPDX-License-Identifier: GPL-2.0-only
import type { CatalogueScenario } from "../scenario.ts";
import { checkBeforeClear } from "./check-before-clear.ts";
import { falsePositive } from "./false-positive.ts";
import { forkVsGupFast } from "./fork-vs-gup-fast.ts";
import { invisibleReference } from "./invisible-reference.ts";
import { lazyfreeVsDirectIo } from "./lazyfree-vs-direct-io.ts";

/** Pages that someone reads or writes without the page tables, and what write protection is worth then. */
export const PINNED_SCENARIOS: readonly CatalogueScenario[] = [checkBeforeClear, forkVsGupFast, invisibleReference, falsePositive, lazyfreeVsDirectIo];
