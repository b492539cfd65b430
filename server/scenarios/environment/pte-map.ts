// SPDX-License-Identifier: GPL-2.0-only
import { atLeast, type Release } from "../../kernel/release.ts";
import type { StepPart } from "../../simulator/build.ts";
import { together } from "../../simulator/combine.ts";
import { enterAtomic, leaveAtomic, type Context } from "../../simulator/objects/context.ts";
import { rcuReadLock, rcuReadUnlock, type Readers } from "../../simulator/objects/rcu.ts";

/**
 * What `pte_offset_map()` does besides computing an address. `rcu`: enters RCU, from 6.6 in every configuration
 * (146b42e07494); `preempt-off`: `kmap_atomic()`, up to 6.4 with CONFIG_HIGHPTE; `plain`: nothing that forbids to sleep, which
 * with CONFIG_HIGHPTE is 6.5 alone (`kmap_local_page()`).
 */
export type MapKind = "rcu" | "preempt-off" | "plain";

export const mapKind = (release: Release, highpte: boolean): MapKind =>
  atLeast(release, "6.6") ? "rcu" : highpte && !atLeast(release, "6.5") ? "preempt-off" : "plain";

/** `pte_offset_map()`, `pte_offset_map_nolock()`. */
export function mapPte(kind: MapKind, readers: Readers, context: Context): StepPart {
  switch (kind) {
    case "rcu":
      return together(rcuReadLock(readers), enterAtomic(context));
    case "preempt-off":
      return enterAtomic(context);
    case "plain":
      return { alternatives: [{}] };
  }
}

/** `pte_unmap()`. */
export function unmapPte(kind: MapKind, readers: Readers, context: Context): StepPart {
  switch (kind) {
    case "rcu":
      return together(rcuReadUnlock(readers), leaveAtomic(context));
    case "preempt-off":
      return leaveAtomic(context);
    case "plain":
      return { alternatives: [{}] };
  }
}
