// SPDX-License-Identifier: GPL-2.0-only
import { anonMoveUnexclusive } from "./anon-move-unexclusive.ts";
import { apiNotInTarget } from "./api-not-in-target.ts";
import { assertNotHeld } from "./assert-not-held.ts";
import { backportContradictsMessage } from "./backport-contradicts-message.ts";
import { backportFamilyIncomplete } from "./backport-family-incomplete.ts";
import { backportPrerequisiteMissing } from "./backport-prerequisite-missing.ts";
import { bugOnRacyState } from "./bug-on-racy-state.ts";
import { cowReuseUnsafe } from "./cow-reuse-unsafe.ts";
import { forkPinProtocol } from "./fork-pin-protocol.ts";
import { gupCowBreakMisplaced } from "./gup-cow-break-misplaced.ts";
import { gupCowBreakMissing } from "./gup-cow-break-missing.ts";
import { gupCowObsolete } from "./gup-cow-obsolete.ts";
import { gupFastCowIncomplete } from "./gup-fast-cow-incomplete.ts";
import { gupFastProtocol } from "./gup-fast-protocol.ts";
import { gupFlagsInvalid } from "./gup-flags-invalid.ts";
import { gupForceMisuse } from "./gup-force-misuse.ts";
import { gupLockContext } from "./gup-lock-context.ts";
import { gupLongtermMissing } from "./gup-longterm-missing.ts";
import { gupNotDirtied } from "./gup-not-dirtied.ts";
import { gupPartialLeak } from "./gup-partial-leak.ts";
import { gupReadonlyLongterm } from "./gup-readonly-longterm.ts";
import { gupReleaseMismatch } from "./gup-release-mismatch.ts";
import { gupResultMisread } from "./gup-result-misread.ts";
import { gupUnshareUnhandled } from "./gup-unshare-unhandled.ts";
import { hugetlbAllocUnlocked } from "./hugetlb-alloc-unlocked.ts";
import { hugetlbPtlUnderRcu } from "./hugetlb-ptl-under-rcu.ts";
import { hugetlbUnshareLocking } from "./hugetlb-unshare-locking.ts";
import { hugetlbWalkBypassed } from "./hugetlb-walk-bypassed.ts";
import { hugetlbWalkUnlocked } from "./hugetlb-walk-unlocked.ts";
import { lockImbalance } from "./lock-imbalance.ts";
import { lockOrderRule } from "./lock-order.ts";
import { notifierInAtomic } from "./notifier-in-atomic.ts";
import { notifierNonblockOutsideOom } from "./notifier-nonblock-outside-oom.ts";
import { notifierNonblockUnchecked } from "./notifier-nonblock-unchecked.ts";
import { notifierRangeMissing } from "./notifier-range-missing.ts";
import { notifierRangeTooSmall } from "./notifier-range-too-small.ts";
import { notifierRangeUnbalanced } from "./notifier-range-unbalanced.ts";
import { parameterLeftDead } from "./parameter-left-dead.ts";
import { pgtableAllocFailureLost } from "./pgtable-alloc-failure-lost.ts";
import { pinnedAsHardError } from "./pinned-as-hard-error.ts";
import { pinnedCheckBeforeClear } from "./pinned-check-before-clear.ts";
import { pteMapUnchecked } from "./pte-map-unchecked.ts";
import { pteRecheckMissing } from "./pte-recheck-missing.ts";
import { pteUnmapForeignPointer } from "./pte-unmap-foreign-pointer.ts";
import { pteUnmapMissing } from "./pte-unmap-missing.ts";
import { pteUnmapOrder } from "./pte-unmap-order.ts";
import { pteUseAfterUnmap } from "./pte-use-after-unmap.ts";
import { referenceImbalance } from "./reference-imbalance.ts";
import { sleepInAtomic } from "./sleep-in-atomic.ts";
import { writeProtectIgnoresPins } from "./write-protect-ignores-pins.ts";
import type { Rule } from "./rule.ts";

/** Every rule, ordered by id. A new rule is one line here, one file, its fixtures and its page. */
export const RULES: readonly Rule[] = [
  anonMoveUnexclusive,
  apiNotInTarget,
  assertNotHeld,
  backportContradictsMessage,
  backportFamilyIncomplete,
  backportPrerequisiteMissing,
  bugOnRacyState,
  cowReuseUnsafe,
  forkPinProtocol,
  gupCowBreakMisplaced,
  gupCowBreakMissing,
  gupCowObsolete,
  gupFastCowIncomplete,
  gupFastProtocol,
  gupFlagsInvalid,
  gupForceMisuse,
  gupLockContext,
  gupLongtermMissing,
  gupNotDirtied,
  gupPartialLeak,
  gupReadonlyLongterm,
  gupReleaseMismatch,
  gupResultMisread,
  gupUnshareUnhandled,
  hugetlbAllocUnlocked,
  hugetlbPtlUnderRcu,
  hugetlbUnshareLocking,
  hugetlbWalkBypassed,
  hugetlbWalkUnlocked,
  lockImbalance,
  lockOrderRule,
  notifierInAtomic,
  notifierNonblockOutsideOom,
  notifierNonblockUnchecked,
  notifierRangeMissing,
  notifierRangeTooSmall,
  notifierRangeUnbalanced,
  parameterLeftDead,
  pgtableAllocFailureLost,
  pinnedAsHardError,
  pinnedCheckBeforeClear,
  pteMapUnchecked,
  pteRecheckMissing,
  pteUnmapForeignPointer,
  pteUnmapMissing,
  pteUnmapOrder,
  pteUseAfterUnmap,
  referenceImbalance,
  sleepInAtomic,
  writeProtectIgnoresPins,
];
