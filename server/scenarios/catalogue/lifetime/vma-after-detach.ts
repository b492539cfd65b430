// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { rcuReaders, rcuReadLock, rcuReadUnlock, type Readers } from "../../../simulator/objects/rcu.ts";
import { downWrite, rwsem, upWrite } from "../../../simulator/objects/rwsem.ts";
import {
  beginWriteVma, boundsAreBounds, detachVma, endReadVma, endVmaGracePeriod, endWriteAll, findVma, freeVma, markWriteVma,
  recheckDetached, recheckSequence, tryReadVma, vma, vmaLives, type Vma,
} from "../../../simulator/objects/vma.ts";
import type { CatalogueScenario } from "../scenario.ts";

interface Told {
  readonly sequence: boolean;
  /** Where `vma->detached` is looked at, if it is. */
  readonly detached: "first" | "after the bounds" | "never";
}

const TOLD: Readonly<Record<string, Told>> = {
  "no-sequence": { sequence: false, detached: "first" },
  "no-detached": { sequence: true, detached: "never" },
  "bounds-first": { sequence: true, detached: "after the bounds" },
  "detached-first": { sequence: true, detached: "first" },
};

/** `lock_vma_under_rcu()`, and a fault under the lock. */
function addFault(model: ModelBuilder, of: Vma, readers: Readers, { sequence, detached }: Told): void {
  const thread = model.thread("page fault", "review");
  const lookAtDetached = (): void => {
    thread.step({ text: "if (vma->detached)", ...recheckDetached(of, "miss") });
  };
  thread.step({ text: "rcu_read_lock()", ...rcuReadLock(readers) });
  thread.step({ text: "vma = mas_walk(&mas)", ...findVma(of, "miss") });
  thread.step({ text: "vma_start_read(): down_read_trylock(&vma->vm_lock)", ...tryReadVma(of, "miss") });
  if (sequence) thread.step({ text: "vma_start_read(): vma->vm_lock_seq == mm->mm_lock_seq", ...recheckSequence(of, "miss") });
  if (detached === "first") lookAtDetached();
  if (detached !== "never") thread.step({ text: "address < vma->vm_start || address >= vma->vm_end", checks: [vmaLives(of), boundsAreBounds(of)] });
  if (detached === "after the bounds") lookAtDetached();
  thread.step({ text: "rcu_read_unlock()", ...rcuReadUnlock(readers) });
  const fault = thread.step({ text: "handle_mm_fault(vma, address, flags)", checks: [vmaLives(of)] });
  thread.step({ text: "vma_end_read(vma)", ...together({ alternatives: [{ checks: [vmaLives(of)], to: "END" }] }, endReadVma(of)) });
  thread.label("miss");
  const miss = thread.step({ text: "rcu_read_unlock(); the fault is handled under mmap_lock", ...rcuReadUnlock(readers) });
  model.reach(thread, fault, "a fault is handled under the VMA lock");
  model.reach(thread, miss, "a fault falls back to mmap_lock");
}

/** `do_vmi_align_munmap()`. */
function addMunmap(model: ModelBuilder, of: Vma): void {
  const thread = model.thread("munmap", "environment");
  const mmapLock = rwsem(model, "mmap_lock");
  thread.step({ text: "mmap_write_lock(mm)", ...downWrite(mmapLock) });
  thread.step({ text: "vma_start_write(vma): down_write(&vma->vm_lock)", ...beginWriteVma(of) });
  thread.step({ text: "vma_start_write(vma): vm_lock_seq = mm_lock_seq, up_write()", ...markWriteVma(of) });
  thread.step({ text: "vma_mark_detached(vma, true)", ...detachVma(of) });
  thread.step({ text: "vm_area_free(vma): call_rcu(&vma->vm_rcu)", ...freeVma(of) });
  thread.step({ text: "mmap_write_unlock(mm): vma_end_write_all(mm)", ...together(endWriteAll(of), upWrite(mmapLock)) });
}

/** A fault finds a VMA with nothing but RCU held: it must see that the VMA was write-locked, and that it was unmapped. */
export const vmaAfterDetach: CatalogueScenario = {
  id: "vma-used-after-detach",
  rules: [],
  title: "a fault goes on with a VMA that munmap() has taken out of the tree",
  sources: [
    "5e31275cc997 (6.4): mm: add per-VMA lock and helper functions to control it",
    "50ee32537206 (6.4): mm: introduce lock_vma_under_rcu to be used from arch-specific code",
    "mm: fix (harmless) type confusion in lock_vma_under_rcu(), Jann Horn, August 2024",
  ],
  properties: ["uaf", "type-confusion", "lock-not-held", "unlock-not-held", "double-free"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "no-sequence", what: "vma_start_read() without the second look at the sequence number", isFixed: false },
    { id: "no-detached", what: "nobody looks at vma->detached after the lock", isFixed: false },
    { id: "bounds-first", what: "vm_start and vm_end are read before vma->detached, which is harmless by luck", isFixed: false },
    { id: "detached-first", what: "the sequence number, then vma->detached, then the bounds", isFixed: true, undone: "no-detached" },
  ],
  axes: { eras: [], releases: ["6.6"], byArchitecture: false },
  build({ variant, release }) {
    // The VMA has no lock of its own before.
    if (!atLeast(release, "6.4")) return null;
    const model = modelBuilder(`vma-used-after-detach, ${variant}`);
    const [of, readers] = [vma(model), rcuReaders(model)];
    addFault(model, of, readers, TOLD[variant]!);
    addMunmap(model, of);
    model.thread("RCU", "daemon").step({ text: "a grace period ends: the VMA is freed", ...endVmaGracePeriod(of, readers) });
    return model.finish();
  },
  expected({ variant }) {
    if (variant === "detached-first") return "pass";
    // The bounds are the first thing that is read of a VMA that is gone.
    return { fails: variant === "no-detached" ? "uaf" : "type-confusion" };
  },
};
