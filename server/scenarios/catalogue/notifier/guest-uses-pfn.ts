// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { assign } from "../../../simulator/effect.ts";
import { ne } from "../../../simulator/expression.ts";
import { atomicContext, enterAtomic, leaveAtomic, sleeps } from "../../../simulator/objects/context.ts";
import { clearEntry, entry, setEntry, type Entry } from "../../../simulator/objects/entry.ts";
import { folioLives, folios, putFolio, type Folios } from "../../../simulator/objects/folio.ts";
import { enterGuest, guestPfnCache, invalidateCache, leaveGuest, waitOutsideGuest, type GuestPfnCache } from "../../../simulator/objects/kvm.ts";
import { rcuReaders } from "../../../simulator/objects/rcu.ts";
import { spinLock, spinlock, spinUnlock, type Spinlock } from "../../../simulator/objects/spinlock.ts";
import { addDontneed } from "../../environment/madvise-dontneed.ts";
import { mapKind, mapPte, unmapPte } from "../../environment/pte-map.ts";
import type { CatalogueScenario, Setting } from "../scenario.ts";
import { END, START, START_NONBLOCK } from "./moved-page.ts";

interface Objects {
  readonly model: ModelBuilder;
  readonly src: Entry;
  readonly dst: Entry;
  readonly gpc: GuestPfnCache;
  readonly all: Folios;
  readonly ptl: Spinlock;
}

function objectsOf(name: string): Objects {
  const model = modelBuilder(name);
  return {
    model,
    src: entry(model, "src_pte", 1, ["P"]),
    dst: entry(model, "dst_pte", 0, ["P"]),
    gpc: guestPfnCache(model, 1, ["P"]),
    all: folios(model, 1, 1, ["P"]),
    ptl: spinlock(model, "page-table lock"),
  };
}

function addMover({ model, src, dst, gpc, ptl }: Objects, { variant, release }: Setting): void {
  const thread = model.thread("remap_pages_pte()", "review");
  const context = atomicContext(thread);
  const [kind, readers] = [mapKind(release, false), rcuReaders(model)];
  const map = (): void => {
    thread.step({ text: "pte_offset_map_nolock()", ...mapPte(kind, readers, context) });
  };
  if (variant === "nonblock") {
    map();
    thread.step({ text: START_NONBLOCK, ...invalidateCache(gpc) });
  } else {
    thread.step({ text: START, ...together(sleeps(context, START), invalidateCache(gpc)) });
    thread.step({ text: "kvm_make_vcpus_request_mask(KVM_REQUEST_WAIT)", ...waitOutsideGuest(gpc) });
    map();
  }
  thread.step({ text: "double_pt_lock(dst_ptl, src_ptl)", ...together(spinLock(ptl), enterAtomic(context)) });
  const clear = thread.step({ text: "ptep_clear_flush(src_vma, src_addr, src_pte)", ...clearEntry(src) });
  thread.step({ text: "set_pte_at(dst_mm, dst_addr, dst_pte, orig_dst_pte)", ...setEntry(dst, 1) });
  thread.step({ text: "double_pt_unlock(dst_ptl, src_ptl)", ...together(spinUnlock(ptl), leaveAtomic(context)) });
  thread.step({ text: "pte_unmap()", ...unmapPte(kind, readers, context) });
  thread.step({ text: END, ...(variant === "nonblock" ? { alternatives: [{}] } : sleeps(context, END)) });
  model.reach(thread, clear, "the page is moved");
}

/** An L2 guest that was given the physical address: no entry of KVM's is between its stores and the page. */
function addGuest({ model, gpc, all }: Objects): void {
  const vcpu = model.thread("vCPU", "daemon");
  const pfn = vcpu.local("pfn in use", 0, { labels: { 0: "none", 1: "P" } });
  vcpu.label("enter");
  vcpu.step({ text: "kvm_gpc_check(); enters the guest", ...enterGuest(gpc, pfn) });
  vcpu.label("inside");
  const store = vcpu.step({
    text: "the guest runs",
    alternatives: [
      { checks: [folioLives(all, pfn)], to: "inside", note: "stores to gpc->pfn" },
      { guard: ne(pfn, 0), effect: [assign(pfn, 0)], note: "an exit" },
    ],
  });
  vcpu.step({ text: "leaves the guest", ...together(leaveGuest(gpc), { alternatives: [{ to: "enter" }] }) });
  model.reach(vcpu, store, "the guest stores");
}

/**
 * The contract of a blocking start, told with the one subscriber that could not keep it otherwise: a cached pfn that the
 * guest uses directly. Nobody in the tree sets KVM_GUEST_USES_PFN, and 6.9 has removed it.
 */
export const guestUsesPfn: CatalogueScenario = {
  id: "notifier-guest-uses-pfn",
  rules: ["notifier-nonblock-outside-oom"],
  title: "a non-blocking invalidation does not wait for a guest that uses the page directly",
  sources: [
    "virt/kvm/pfncache.c:25-77 (6.1.192): without may_block there is no KVM_REQUEST_WAIT",
    "UFFDIO_REMAP, RFC of September 2023: review of the non-blocking start",
  ],
  properties: ["uaf", "sleep-in-atomic"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "nonblock", what: "non-blocking start: the vCPU is kicked and not waited for", isFixed: false },
    { id: "blocking-first", what: "blocking start before the maps: waits until the vCPU has left the guest", isFixed: true, undone: "nonblock" },
  ],
  axes: { eras: [], releases: ["6.1", "6.6"], byArchitecture: false },
  build(setting) {
    // KVM_GUEST_USES_PFN came with 5.17 and went with 6.9.
    if (!atLeast(setting.release, "5.17") || atLeast(setting.release, "6.9")) return null;
    const objects = objectsOf(`notifier-guest-uses-pfn, ${setting.variant}`);
    const { model, dst, ptl, all } = objects;
    addMover(objects, setting);
    addGuest(objects);
    addDontneed(model, "MADV_DONTNEED of the destination", { slot: dst, ptl, kvm: null, put: putFolio(all, 1) });
    return model.finish();
  },
  expected: ({ variant }) => (variant === "nonblock" ? { fails: "uaf" } : "pass"),
};
