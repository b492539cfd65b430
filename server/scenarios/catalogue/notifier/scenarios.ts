// SPDX-License-Identifier: GPL-2.0-only
import type { CatalogueScenario } from "../scenario.ts";
import { clearedOutside } from "./cleared-outside.ts";
import { deviceFault } from "./device-fault.ts";
import { guestUsesPfn } from "./guest-uses-pfn.ts";
import { missingEnd } from "./missing-end.ts";
import { noNotifier } from "./no-notifier.ts";
import { oomReaper } from "./oom-reaper.ts";
import { refusedAndIgnored } from "./refused-and-ignored.ts";
import { refusedByAnother } from "./refused-by-another.ts";

/** Secondary MMUs that are told too late, not at all, or too often. */
export const NOTIFIER_SCENARIOS: readonly CatalogueScenario[] = [
  refusedAndIgnored, guestUsesPfn, refusedByAnother, missingEnd, noNotifier, clearedOutside, deviceFault, oomReaper,
];
