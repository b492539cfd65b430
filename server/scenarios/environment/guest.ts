// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { and, eq, ne, not, or } from "../../simulator/expression.ts";
import type { Check } from "../../simulator/model.ts";
import { isPresent, type Entry } from "../../simulator/objects/entry.ts";
import { kvmFaultFinish, kvmFaultStart, vcpuRegisters, type KvmSubscriber } from "../../simulator/objects/notifier.ts";

/**
 * A vCPU that goes on storing to one guest address: through the SPTE while there is one, else it faults it in. A daemon: the
 * guest never has to stop. `check` is that of the store.
 */
export function addGuest(model: ModelBuilder, kvm: KvmSubscriber, primary: Entry, check: Check): void {
  const vcpu = model.thread("vCPU", "daemon");
  const registers = vcpuRegisters(vcpu);
  vcpu.label("enter");
  vcpu.step({ text: "vcpu_enter_guest()", hidden: true, alternatives: [{ guard: ne(kvm.spte, 0), to: "store" }, { guard: eq(kvm.spte, 0) }] });
  vcpu.step({ text: "kvm_faultin_pfn()", ...kvmFaultStart(kvm, primary, registers) });
  vcpu.step({ text: "is_page_fault_stale(); kvm_tdp_mmu_map()", ...kvmFaultFinish(kvm, registers, "enter") });
  vcpu.label("store");
  const store = vcpu.step({ text: "the guest stores through the SPTE", guard: ne(kvm.spte, 0), checks: [check], to: "enter" });
  model.reach(vcpu, store, "the guest stores");
}

/**
 * One fault of a vCPU, with the host's fault inside where nothing is mapped: `kvm_faultin_pfn()`, `is_page_fault_stale()` in
 * `arch/x86/kvm/mmu/`. It ends when the SPTE is set, and starts anew as long as an invalidation runs.
 */
export function addGuestFault(model: ModelBuilder, kvm: KvmSubscriber, primary: Entry, fresh: number): void {
  const vcpu = model.thread("vCPU", "environment");
  const registers = vcpuRegisters(vcpu);
  vcpu.label("retry");
  vcpu.step({
    text: "kvm_faultin_pfn()",
    alternatives: [
      { guard: isPresent(primary), effect: [assign(registers.seen, kvm.seq), assign(registers.folio, primary)] },
      {
        guard: not(isPresent(primary)),
        effect: [assign(registers.seen, kvm.seq), assign(primary, fresh), assign(registers.folio, fresh)],
        note: "the host's fault maps a new page",
      },
    ],
  });
  const mapped = vcpu.step({
    text: "is_page_fault_stale()",
    alternatives: [
      { guard: and(eq(kvm.inProgress, 0), eq(registers.seen, kvm.seq)), effect: [assign(kvm.spte, registers.folio)], note: "not stale: maps the page" },
      { guard: or(ne(kvm.inProgress, 0), ne(registers.seen, kvm.seq)), to: "retry", note: "mmu_invalidate_in_progress, or the sequence number moved: retry" },
    ],
  });
  model.reach(vcpu, mapped, "the fault is judged");
}
