// SPDX-License-Identifier: GPL-2.0-only
import type { CatalogueScenario } from "../scenario.ts";
import { unshareUaf } from "./unshare-uaf.ts";

/** hugetlb PMD sharing: tables that go away, come back, or are not there for whom they were. */
export const PMD_SHARING_SCENARIOS: readonly CatalogueScenario[] = [unshareUaf];
