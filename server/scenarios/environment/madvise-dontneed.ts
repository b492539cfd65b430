// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart, ThreadBuilder } from "../../simulator/build.ts";
import { together } from "../../simulator/combine.ts";
import { branchPresent, clearEntry, type Entry } from "../../simulator/objects/entry.ts";
import { endInvalidateKvm, invalidateKvm, type KvmSubscriber } from "../../simulator/objects/notifier.ts";
import { spinLock, spinUnlock, type Spinlock } from "../../simulator/objects/spinlock.ts";

/** What `madvise(MADV_DONTNEED)` meets on its way. */
export interface Zapped {
  readonly slot: Entry;
  readonly ptl: Spinlock;
  /** Null where the scenario has no subscriber. */
  readonly kvm: KvmSubscriber | null;
  /** What KVM does besides, at the start and at the end. */
  readonly start?: StepPart;
  readonly end?: StepPart;
  /** What becomes of the page once it is unmapped: the mapping's reference is put. */
  readonly put?: StepPart;
}

/**
 * `madvise_dontneed_single_vma()`: `zap_page_range_single()` with the mmap lock held for reading (not modeled: other
 * threads of the scenario hold it for reading too), the pair around it, the page-table lock around the entry.
 */
export function addDontneed(model: ModelBuilder, name: string, { slot, ptl, kvm, start, end, put }: Zapped): ThreadBuilder {
  const thread = model.thread(name, "environment");
  if (kvm) thread.step({ text: "mmu_notifier_invalidate_range_start(&range)", ...together(invalidateKvm(kvm), ...(start ? [start] : [])) });
  thread.step({ text: "pte_offset_map_lock()", ...spinLock(ptl) });
  thread.step({ text: "if (pte_none(ptent)) continue", hidden: true, alternatives: branchPresent(slot, "unlock") });
  const zap = thread.step({ text: "ptep_get_and_clear_full()", ...together(clearEntry(slot), ...(put ? [put] : [])) });
  thread.label("unlock");
  thread.step({ text: "pte_unmap_unlock()", ...spinUnlock(ptl) });
  if (kvm) thread.step({ text: "mmu_notifier_invalidate_range_end(&range)", ...together(endInvalidateKvm(kvm), ...(end ? [end] : [])) });
  model.reach(thread, zap, "the page is zapped");
  return thread;
}
