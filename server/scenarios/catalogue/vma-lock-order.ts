// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder, type StepPart } from "../../simulator/build.ts";
import { downWrite, rwsem, tryDownWrite, upWrite, type Rwsem } from "../../simulator/objects/rwsem.ts";
import type { CatalogueScenario } from "./scenario.ts";

interface Locks {
  readonly vmaLock: Rwsem;
  readonly mapping: Rwsem;
}

/** `__unmap_hugepage_range_final()`: the hugetlb VMA lock first, as everyone must. */
function addUnmapper(model: ModelBuilder, { vmaLock, mapping }: Locks): void {
  const unmapper = model.thread("munmap()", "environment");
  unmapper.step({ text: "hugetlb_vma_lock_write(vma)", ...downWrite(vmaLock) });
  unmapper.step({ text: "i_mmap_lock_write(mapping)", ...downWrite(mapping) });
  unmapper.step({ text: "i_mmap_unlock_write(mapping)", ...upWrite(mapping) });
  unmapper.step({ text: "hugetlb_vma_unlock_write(vma)", ...upWrite(vmaLock) });
}

const goingTo = (to: string, part: StepPart): StepPart => ({ ...part, alternatives: part.alternatives.map((one) => ({ ...one, to })) });

/** `try_to_unmap_one()` of a shared hugetlb page: its caller holds i_mmap_rwsem for writing (TTU_RMAP_LOCKED). */
function addReverseWalk(model: ModelBuilder, { vmaLock, mapping }: Locks, variant: string): void {
  const walk = model.thread("try_to_unmap_one()", "review");
  walk.step({ text: "i_mmap_lock_write(mapping)", ...downWrite(mapping) });
  if (variant === "blocking") walk.step({ text: "hugetlb_vma_lock_write(vma)", ...downWrite(vmaLock) });
  else walk.step({ text: "hugetlb_vma_trylock_write(vma)", ...tryDownWrite(vmaLock, variant === "trylock" ? "out" : "in order") });
  walk.label("both");
  const unlock = walk.step({ text: "hugetlb_vma_unlock_write(vma)", ...upWrite(vmaLock) });
  walk.label("out");
  walk.step({ text: "i_mmap_unlock_write(mapping)", ...goingTo("END", upWrite(mapping)) });
  if (variant === "in-order") {
    walk.label("in order");
    walk.step({ text: "i_mmap_unlock_write(mapping)", ...upWrite(mapping) });
    walk.step({ text: "hugetlb_vma_lock_write(vma)", ...downWrite(vmaLock) });
    walk.step({ text: "i_mmap_lock_write(mapping)", ...goingTo("both", downWrite(mapping)) });
  }
  model.reach(walk, unlock, "both locks are held");
}

/** The hugetlb VMA lock is taken before i_mmap_rwsem; a reverse-map walk, which comes the other way, may only try. */
export const vmaLockOrder: CatalogueScenario = {
  id: "hugetlb-vma-lock-order",
  rules: ["lock-order"],
  title: "the hugetlb VMA lock taken inside i_mmap_rwsem",
  sources: ["40549ba8f8e0 (hugetlb VMA lock, 6.1)", "mm/rmap.c:1571, 1960 (6.1.192): trylock", "fs/hugetlbfs/inode.c:474, 548 (6.1.192): dropped and taken in order"],
  properties: [],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "blocking", what: "the reverse-map walk waits for the VMA lock", isFixed: false },
    { id: "trylock", what: "the reverse-map walk only tries", isFixed: true, undone: "blocking" },
    { id: "in-order", what: "where it is busy, i_mmap_rwsem is dropped and both are taken in order", isFixed: true, undone: "blocking" },
  ],
  axes: { eras: ["E5"], releases: ["6.1"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`hugetlb-vma-lock-order, ${variant}`);
    const locks: Locks = { vmaLock: rwsem(model, "hugetlb_vma_lock"), mapping: rwsem(model, "i_mmap_rwsem") };
    addReverseWalk(model, locks, variant);
    addUnmapper(model, locks);
    return model.finish();
  },
  expected: ({ variant }) => (variant === "blocking" ? { fails: "deadlock" } : "pass"),
};
