// SPDX-License-Identifier: GPL-2.0-only
import { deferredFlushCopyScenario } from "./deferred-flush-copy.ts";
import { dirtyCowScenario } from "./dirty-cow.ts";
import { forcedCowLoopScenario } from "./forced-cow-loop.ts";
import { forkAfterPinScenario } from "./fork-after-pin.ts";
import { gupFastForkScenario } from "./gup-fast-fork.ts";
import { pinAfterForkScenario } from "./pin-after-fork.ts";
import { readOfProtectedScenario } from "./read-of-protected.ts";
import { sharedWhilePinnedScenario } from "./shared-while-pinned.ts";
import { swappedPinScenario } from "./swapped-pin.ts";
import { unconvertedFastPathScenario } from "./unconverted-fast-path.ts";
import { unprotectPinnedScenario } from "./unprotect-pinned.ts";
import { vmaLockOrder } from "./vma-lock-order.ts";
import { vmspliceLeakScenario } from "./vmsplice-leak.ts";
import { writeProtectPinnedScenario } from "./write-protect-pinned.ts";
import { zeroPageLongtermScenario } from "./zero-page-longterm.ts";
import type { CatalogueScenario } from "./scenario.ts";

/** Scenarios of GUP, copy-on-write, fork and pins. */
const PINS: readonly CatalogueScenario[] = [
  pinAfterForkScenario,
  forkAfterPinScenario,
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

/** All scenarios, in the order in which they are listed. */
export const CATALOGUE: readonly CatalogueScenario[] = [
  vmaLockOrder,
  ...PINS,
];

export const scenarioById = (id: string): CatalogueScenario | null => CATALOGUE.find((one) => one.id === id) ?? null;
