// SPDX-License-Identifier: GPL-2.0-only
import type { CatalogueScenario } from "../scenario.ts";
import { errorAsCount } from "./error-as-count.ts";
import { lostEnomem } from "./lost-enomem.ts";

/** Errors on the way to a protected range that do not arrive. */
export const TRACKING_SCENARIOS: readonly CatalogueScenario[] = [lostEnomem, errorAsCount];
