// SPDX-License-Identifier: GPL-2.0-only
import type { Target } from "./target.ts";

/*
 * CONFIG_HIGHPTE: page tables in high memory, mapped for each use. 32-bit x86 and arm only (arch/x86/Kconfig,
 * arch/arm/Kconfig), so that a target with an architecture of 64 bits has it nowhere.
 */

/** How much a defect weighs that only kernels with CONFIG_HIGHPTE show; null: the target is none of them. */
export function highPteSeverity({ config, archIsSet }: Target): "error" | "warning" | null {
  const asked = config["HIGHPTE"];
  if (asked !== undefined) return asked ? "error" : null;
  return archIsSet ? null : "warning";
}
