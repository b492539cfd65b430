// SPDX-License-Identifier: GPL-2.0-only
import type { Site } from "./rule.ts";

/** How the mmap lock is held at a call, as far as it is visible: a fault handler runs with it held for reading. */
export function mmapLockAt({ program, states }: Site): "read" | "write" | "unknown" {
  const modes = states.map(({ state }) => state.held.find(({ lock }) => lock === "mmap_lock")?.mode ?? null);
  if (modes.some((mode) => mode === "write")) return "write";
  const isFault = [...program.variables.values()].some(({ type, isParameter }) => isParameter && type === "vm_fault");
  return isFault || (modes.length > 0 && modes.every((mode) => mode === "read")) ? "read" : "unknown";
}
