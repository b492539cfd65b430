// SPDX-License-Identifier: GPL-2.0-only
import { gupCowBreakMisplaced } from "./gup-cow-break-misplaced.ts";
import { gupCowBreakMissing } from "./gup-cow-break-missing.ts";
import { gupReadonlyLongterm } from "./gup-readonly-longterm.ts";
import { hugetlbWalkUnlocked } from "./hugetlb-walk-unlocked.ts";
import { lockImbalance } from "./lock-imbalance.ts";
import { notifierInAtomic } from "./notifier-in-atomic.ts";
import { notifierNonblockOutsideOom } from "./notifier-nonblock-outside-oom.ts";
import { pgtableAllocFailureLost } from "./pgtable-alloc-failure-lost.ts";
import { pteUnmapForeignPointer } from "./pte-unmap-foreign-pointer.ts";
import { pteUnmapMissing } from "./pte-unmap-missing.ts";
import { referenceImbalance } from "./reference-imbalance.ts";
import { sleepInAtomic } from "./sleep-in-atomic.ts";
import type { Rule } from "./rule.ts";

/** Every rule, ordered by id. A new rule is one line here, one file, its fixtures and its page. */
export const RULES: readonly Rule[] = [
  gupCowBreakMisplaced,
  gupCowBreakMissing,
  gupReadonlyLongterm,
  hugetlbWalkUnlocked,
  lockImbalance,
  notifierInAtomic,
  notifierNonblockOutsideOom,
  pgtableAllocFailureLost,
  pteUnmapForeignPointer,
  pteUnmapMissing,
  referenceImbalance,
  sleepInAtomic,
];
