// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { assign, decrement, increment } from "../effect.ts";
import { and, eq, ne } from "../expression.ts";
import type { Field } from "../expression.ts";

/**
 * How many invalidations KVM has been told of that have not ended, which a change of memory slots waits for:
 * `mn_active_invalidate_count` in `virt/kvm/kvm_main.c` (6.1.192: 791, 850, 1576). An unsigned long there, a byte here: both
 * wrap below 0.
 */
export type ActiveInvalidations = Field;

export const activeInvalidations = (model: ModelBuilder): ActiveInvalidations =>
  model.field("mn_active_invalidate_count", 0, { labels: { 255: "ULONG_MAX" } });

/** `kvm_mmu_notifier_invalidate_range_start()`, first half. */
export const noteActive = (active: ActiveInvalidations): StepPart => ({ alternatives: [{ effect: [increment(active)] }] });

/** `kvm_mmu_notifier_invalidate_range_end()`, second half. */
export const noteInactive = (active: ActiveInvalidations): StepPart => ({ alternatives: [{ effect: [decrement(active)] }] });

/** `kvm_swap_active_memslots()`: sleeps until no invalidation is running. */
export const waitInactive = (active: ActiveInvalidations): StepPart => ({ alternatives: [{ guard: eq(active, 0) }] });

/**
 * A cached translation that the guest uses as a physical address, so that no entry of KVM's page tables is in the way:
 * `struct gfn_to_pfn_cache` with `KVM_GUEST_USES_PFN`, `virt/kvm/pfncache.c` (6.1.192).
 */
export interface GuestPfnCache {
  /** 0: not valid; else the folio that the guest was given. */
  readonly pfn: Field;
  /** The vCPU runs guest code. */
  readonly inGuest: Field;
  /** `KVM_REQ_OUTSIDE_GUEST_MODE` is pending. */
  readonly request: Field;
}

export const guestPfnCache = (model: ModelBuilder, pfn: number, folios: readonly string[]): GuestPfnCache => ({
  pfn: model.field("gpc->pfn", pfn, { labels: Object.fromEntries([[0, "invalid"], ...folios.map((name, index) => [index + 1, name] as const)]) }),
  inGuest: model.field("vCPU mode", 0, { labels: { 0: "outside guest", 1: "in guest" } }),
  request: model.field("KVM_REQ_OUTSIDE_GUEST_MODE", 0, { labels: { 0: "clear", 1: "pending" } }),
});

/** `gfn_to_pfn_cache_invalidate_start()`: marks the cache and asks the vCPU to leave the guest; does not wait. */
export const invalidateCache = ({ pfn, request }: GuestPfnCache): StepPart => ({ alternatives: [{ effect: [assign(pfn, 0), assign(request, 1)] }] });

/** `KVM_REQUEST_WAIT`: where the caller may block, until the vCPU has left the guest. */
export const waitOutsideGuest = ({ inGuest }: GuestPfnCache): StepPart => ({ alternatives: [{ guard: eq(inGuest, 0) }] });

/** `kvm_gpc_check()` and the entry: with a valid cache the vCPU goes in, and keeps what it was given in a register. */
export const enterGuest = ({ pfn, inGuest }: GuestPfnCache, register: Field): StepPart => ({
  alternatives: [{ guard: and(ne(pfn, 0), eq(inGuest, 0)), effect: [assign(inGuest, 1), assign(register, pfn)] }],
});

/** The vCPU leaves the guest and serves what was asked of it. */
export const leaveGuest = ({ inGuest, request }: GuestPfnCache): StepPart => ({ alternatives: [{ effect: [assign(inGuest, 0), assign(request, 0)] }] });
