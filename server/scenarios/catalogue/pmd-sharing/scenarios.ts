// SPDX-License-Identifier: GPL-2.0-only
import type { CatalogueScenario } from "../scenario.ts";
import { gupFastReuse } from "./gup-fast-reuse.ts";
import { ptlWithIrqsOff } from "./ptl-with-irqs-off.ts";
import { recursiveMappingLock } from "./recursive-mapping-lock.ts";
import { splitRace } from "./split-race.ts";
import { unshareUaf } from "./unshare-uaf.ts";
import { waitSection } from "./wait-section.ts";

/** hugetlb PMD sharing: tables that go away, come back, or are not there for whom they were; and its locks. */
export const PMD_SHARING_SCENARIOS: readonly CatalogueScenario[] = [unshareUaf, gupFastReuse, splitRace, waitSection, recursiveMappingLock, ptlWithIrqsOff];
