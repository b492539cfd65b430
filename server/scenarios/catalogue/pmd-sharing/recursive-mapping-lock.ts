// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder } from "../../../simulator/build.ts";
import { acquireWrite, downReadFair, fairRwsem, queueWrite, upReadFair, upWriteFair } from "../../../simulator/objects/fair-rwsem.ts";
import type { CatalogueScenario } from "../scenario.ts";

/**
 * A caller that holds i_mmap_rwsem calls huge_pte_alloc(), which takes it again where the table can be shared. For reading
 * that deadlocks only if a writer has queued in between. No report of this is known: the shape is kept for patches that
 * protect a walk with i_mmap_rwsem.
 */
export const recursiveMappingLock: CatalogueScenario = {
  id: "hugetlb-i-mmap-taken-again",
  rules: ["lock-order", "hugetlb-alloc-unlocked"],
  title: "i_mmap_rwsem is held around a call that takes it to share a PMD table",
  sources: [
    "mm/hugetlb.c:7090 (6.1.192): huge_pmd_share() takes i_mmap_rwsem for reading",
    "3a47c54f09c4 (6.1)",
    "kernel/locking/rwsem.c: readers queue behind a waiting writer",
  ],
  properties: [],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "read", what: "held for reading", isFixed: false },
    { id: "write", what: "held for writing", isFixed: false },
    { id: "after", what: "given up before huge_pte_alloc()", isFixed: true, undone: "read" },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`hugetlb-i-mmap-taken-again, ${variant}`);
    const mapping = fairRwsem(model, "i_mmap_rwsem");
    const thread = model.thread("walker", "review");
    if (variant === "write") {
      thread.step({ text: "i_mmap_lock_write(mapping): queues", ...queueWrite(mapping) });
      thread.step({ text: "i_mmap_lock_write(mapping)", ...acquireWrite(mapping) });
    } else thread.step({ text: "i_mmap_lock_read(mapping)", ...downReadFair(mapping) });
    if (variant === "after") thread.step({ text: "i_mmap_unlock_read(mapping)", ...upReadFair(mapping) });
    const share = thread.step({ text: "huge_pte_alloc(): huge_pmd_share(): i_mmap_lock_read(mapping)", ...downReadFair(mapping) });
    thread.step({ text: "huge_pmd_share(): i_mmap_unlock_read(mapping)", ...upReadFair(mapping) });
    if (variant === "write") thread.step({ text: "i_mmap_unlock_write(mapping)", ...upWriteFair(mapping) });
    if (variant === "read") thread.step({ text: "i_mmap_unlock_read(mapping)", ...upReadFair(mapping) });
    model.reach(thread, share, "the table is looked for");
    const punch = model.thread("hole punch of the file", "environment");
    punch.step({ text: "i_mmap_lock_write(mapping): queues", ...queueWrite(mapping) });
    punch.step({ text: "i_mmap_lock_write(mapping)", ...acquireWrite(mapping) });
    punch.step({ text: "i_mmap_unlock_write(mapping)", ...upWriteFair(mapping) });
    return model.finish();
  },
  expected: ({ variant }) => (variant === "after" ? "pass" : { fails: "deadlock" }),
};
