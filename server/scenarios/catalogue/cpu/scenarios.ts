// SPDX-License-Identifier: GPL-2.0-only
import type { CatalogueScenario } from "../scenario.ts";
import { batchedFlush } from "./batched-flush.ts";
import { drainGeneration } from "./drain-generation.ts";
import { mremapFlush } from "./mremap-flush.ts";
import { walkWithIrqsOn } from "./walk-with-irqs-on.ts";

/** What other CPUs have cached or do not see yet, and the interrupts that they answer. */
export const CPU_SCENARIOS: readonly CatalogueScenario[] = [batchedFlush, mremapFlush, walkWithIrqsOn, drainGeneration];
