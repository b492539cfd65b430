// SPDX-License-Identifier: GPL-2.0-only
import { backportFamilyIncomplete } from "./backport-family-incomplete.ts";
import { cowReuseUnsafe } from "./cow-reuse-unsafe.ts";
import { forkPinProtocol } from "./fork-pin-protocol.ts";
import { gupCowBreakMisplaced } from "./gup-cow-break-misplaced.ts";
import { gupCowBreakMissing } from "./gup-cow-break-missing.ts";
import { gupCowObsolete } from "./gup-cow-obsolete.ts";
import { gupFastCowIncomplete } from "./gup-fast-cow-incomplete.ts";
import { gupFastProtocol } from "./gup-fast-protocol.ts";
import { gupReadonlyLongterm } from "./gup-readonly-longterm.ts";
import { gupUnshareUnhandled } from "./gup-unshare-unhandled.ts";
import { hugetlbWalkUnlocked } from "./hugetlb-walk-unlocked.ts";
import { notifierNonblockOutsideOom } from "./notifier-nonblock-outside-oom.ts";
import { pinnedCheckBeforeClear } from "./pinned-check-before-clear.ts";
import type { Rule } from "./rule.ts";

/** Every rule, ordered by id. A new rule is one line here, one file, its fixtures and its page. */
export const RULES: readonly Rule[] = [
  backportFamilyIncomplete,
  cowReuseUnsafe,
  forkPinProtocol,
  gupCowBreakMisplaced,
  gupCowBreakMissing,
  gupCowObsolete,
  gupFastCowIncomplete,
  gupFastProtocol,
  gupReadonlyLongterm,
  gupUnshareUnhandled,
  hugetlbWalkUnlocked,
  notifierNonblockOutsideOom,
  pinnedCheckBeforeClear,
];
