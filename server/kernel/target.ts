// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "./release.ts";

export type Architecture = "x86_64" | "arm64" | "riscv64" | "powerpc64" | "s390x";

/**
 * What a review is about. A configuration key that is absent is not decided: axes that matter are all run.
 */
export interface Target {
  readonly release: Release;
  readonly arch: Architecture;
  /** False where the user did not choose the architecture: x86_64 by default. */
  readonly archIsSet: boolean;
  /** Kernel configuration that the user set, for example `PARAVIRT` -> false. */
  readonly config: Readonly<Record<string, boolean>>;
}
