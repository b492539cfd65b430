// SPDX-License-Identifier: GPL-2.0-only
import { gupCowBreakMisplaced } from "./gup-cow-break-misplaced.ts";
import { gupCowBreakMissing } from "./gup-cow-break-missing.ts";
import { gupReadonlyLongterm } from "./gup-readonly-longterm.ts";
import { hugetlbWalkUnlocked } from "./hugetlb-walk-unlocked.ts";
import { notifierInAtomic } from "./notifier-in-atomic.ts";
import { notifierNonblockOutsideOom } from "./notifier-nonblock-outside-oom.ts";
import { notifierNonblockUnchecked } from "./notifier-nonblock-unchecked.ts";
import { notifierRangeMissing } from "./notifier-range-missing.ts";
import { notifierRangeTooSmall } from "./notifier-range-too-small.ts";
import { notifierRangeUnbalanced } from "./notifier-range-unbalanced.ts";
import { pteUnmapForeignPointer } from "./pte-unmap-foreign-pointer.ts";
import { pteUnmapMissing } from "./pte-unmap-missing.ts";
import { pteUseAfterUnmap } from "./pte-use-after-unmap.ts";
import { sleepInAtomic } from "./sleep-in-atomic.ts";
import type { Rule } from "./rule.ts";

/** Every rule, ordered by id. A new rule is one line here, one file, its fixtures and its page. */
export const RULES: readonly Rule[] = [
  gupCowBreakMisplaced,
  gupCowBreakMissing,
  gupReadonlyLongterm,
  hugetlbWalkUnlocked,
  notifierInAtomic,
  notifierNonblockOutsideOom,
  notifierNonblockUnchecked,
  notifierRangeMissing,
  notifierRangeTooSmall,
  notifierRangeUnbalanced,
  pteUnmapForeignPointer,
  pteUnmapMissing,
  pteUseAfterUnmap,
  sleepInAtomic,
];
