// SPDX-License-Identifier: GPL-2.0-only
import { deferredFlushCopyScenario } from "./deferred-flush-copy.ts";
import { dirtyCowScenario } from "./dirty-cow.ts";
import { dmaSeenByChildScenario } from "./dma-seen-by-child.ts";
import { forcedCowLoopScenario } from "./forced-cow-loop.ts";
import { forkAfterPinScenario } from "./fork-after-pin.ts";
import { gupFastForkScenario } from "./gup-fast-fork.ts";
import { pinAfterForkScenario } from "./pin-after-fork.ts";
import { readOfProtectedScenario } from "./read-of-protected.ts";
import { sharedWhilePinnedScenario } from "./shared-while-pinned.ts";
import { swappedPinScenario } from "./swapped-pin.ts";
import { unconvertedFastPathScenario } from "./unconverted-fast-path.ts";
import { unprotectPinnedScenario } from "./unprotect-pinned.ts";
import { vmspliceLeakScenario } from "./vmsplice-leak.ts";
import { writeProtectPinnedScenario } from "./write-protect-pinned.ts";
import { zeroPageLongtermScenario } from "./zero-page-longterm.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** Copy-on-write, GUP, fork and pins. */
export const COW_SCENARIOS: readonly CatalogueScenario[] = [
  pinAfterForkScenario,
  forkAfterPinScenario,
  dmaSeenByChildScenario,
  vmspliceLeakScenario,
  unconvertedFastPathScenario,
  gupFastForkScenario,
  writeProtectPinnedScenario,
  unprotectPinnedScenario,
  readOfProtectedScenario,
  dirtyCowScenario,
  forcedCowLoopScenario,
  zeroPageLongtermScenario,
  sharedWhilePinnedScenario,
  deferredFlushCopyScenario,
  swappedPinScenario,
];
