// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import { and, eq, gt, not } from "../../../simulator/expression.ts";
import type { Check } from "../../../simulator/model.ts";
import type { PageTable } from "../../../simulator/objects/page-table.ts";
import { downRead, downWrite, isHeldForWrite, rwsem, upRead, upWrite, type Rwsem } from "../../../simulator/objects/rwsem.ts";
import { hugetlbTable, type HugetlbTable } from "../../environment/hugetlb-table.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** Where the split unshares. `may-split`: before any lock of the split; `before-i-mmap`: inside, but before i_mmap_rwsem (the 6.1 back-port). */
type Place = "may-split" | "before-i-mmap" | "locked";
/** Who faults meanwhile: a thread of A under its VMA lock (hugetlb since 6.10), or another process that maps the same file. */
type Faulter = "same-mm" | "other-mm" | "nobody";

interface Told {
  readonly place: Place;
  readonly faulter: Faulter;
}

const TOLD: Readonly<Record<string, Told>> = {
  "may-split-same-mm": { place: "may-split", faulter: "same-mm" },
  "may-split-other-mm": { place: "may-split", faulter: "other-mm" },
  "before-i-mmap-other-mm": { place: "before-i-mmap", faulter: "other-mm" },
  "before-i-mmap-shared": { place: "before-i-mmap", faulter: "nobody" },
  "locked-same-mm": { place: "locked", faulter: "same-mm" },
  "locked-other-mm": { place: "locked", faulter: "other-mm" },
};

const PLACES: Readonly<Record<Place, string>> = {
  "may-split": "vm_ops->may_split() unshares, before the locks of the split",
  "before-i-mmap": "hugetlb_split() before i_mmap_lock_write()",
  locked: "hugetlb_split() with VMA and i_mmap_rwsem locked for writing",
};

const FAULTERS: Readonly<Record<Faulter, string>> = {
  "same-mm": "a thread of A faults under its VMA lock",
  "other-mm": "another process faults",
  nobody: "the table is shared, CONFIG_LOCKDEP",
};

interface Objects extends HugetlbTable {
  /** The per-VMA lock of A's VMA. */
  readonly vma: Rwsem;
}

const isShared = (table: PageTable, { pudA }: HugetlbTable) => and(eq(pudA, 1), gt(table.refs, 1));

/** `i_mmap_assert_write_locked()` in `__huge_pmd_unshare()`: only reached where there is something to unshare. */
const assertsHeld = (mapping: Rwsem): Check => ({
  holds: isHeldForWrite(mapping),
  property: "lock-not-held",
  message: "huge_pmd_unshare() without i_mmap_rwsem held for writing",
});

function addSplit(on: Objects, { place, faulter }: Told, hasVmaLock: boolean): void {
  const { model, mapping, table, pudA, vma } = on;
  const thread = model.thread("__split_vma() in A", "review");
  const mmapLock = rwsem(model, "mmap_lock(A)");
  thread.step({ text: "mmap_write_lock(mm)", ...downWrite(mmapLock) });
  const unshare = (text: string): void => {
    thread.step({
      text,
      alternatives: [
        {
          guard: gt(table.refs, 1),
          checks: faulter === "nobody" ? [assertsHeld(mapping)] : [],
          effect: [assign(pudA, 0), assign(table.refs, 1)],
          note: "huge_pmd_unshare()",
        },
        { guard: eq(table.refs, 1), note: "not shared" },
      ],
    });
  };
  if (place === "may-split") {
    thread.step({ text: "hugetlb_vm_op_split(): i_mmap_lock_write(mapping)", ...downWrite(mapping) });
    unshare("hugetlb_vm_op_split(): hugetlb_unshare_pmds()");
    thread.step({ text: "hugetlb_vm_op_split(): i_mmap_unlock_write(mapping)", ...upWrite(mapping) });
  }
  if (hasVmaLock) thread.step({ text: "vma_start_write(vma)", ...downWrite(vma) });
  if (place === "before-i-mmap") unshare("hugetlb_split()");
  thread.step({ text: "i_mmap_lock_write(mapping)", ...downWrite(mapping) });
  if (place === "locked") unshare("hugetlb_split()");
  const split = thread.step({
    text: "vma->vm_end = addr: inside of the range of the table",
    checks: [
      {
        holds: not(isShared(table, on)),
        property: "shared-across-split",
        message: "a shared table is left under two VMAs, neither of which may share it",
      },
    ],
  });
  thread.step({ text: "i_mmap_unlock_write(mapping)", ...upWrite(mapping) });
  if (hasVmaLock) thread.step({ text: "vma_end_write_all(mm)", ...upWrite(vma) });
  thread.step({ text: "mmap_write_unlock(mm)", ...upWrite(mmapLock) });
  model.reach(thread, split, "the VMA is split");
}

/** `huge_pmd_share()` of a fault: with i_mmap_rwsem held for reading, takes the table of another process that maps the range. */
function addFault(on: Objects, { faulter }: Told): void {
  const { model, mapping, table, pudA, pudB, vma } = on;
  const thread = model.thread(faulter === "same-mm" ? "fault of another thread of A" : "fault in process B", "environment");
  const [own, other] = faulter === "same-mm" ? [pudA, pudB] : [pudB, pudA];
  if (faulter === "same-mm") thread.step({ text: "lock_vma_under_rcu()", ...downRead(vma) });
  thread.step({ text: "huge_pmd_share(): i_mmap_lock_read(mapping)", ...downRead(mapping) });
  const share = thread.step({
    text: "huge_pmd_share(): pud_populate()",
    alternatives: [
      { guard: and(eq(own, 0), eq(other, 1)), effect: [assign(own, 1), assign(table.refs, 2)], note: "shares P" },
      { guard: not(and(eq(own, 0), eq(other, 1))), note: "nothing to share, or mapped already" },
    ],
  });
  thread.step({ text: "huge_pmd_share(): i_mmap_unlock_read(mapping)", ...upRead(mapping) });
  if (faulter === "same-mm") thread.step({ text: "vma_end_read(vma)", ...upRead(vma) });
  model.reach(thread, share, "the fault looks for a table to share");
}

const objectsOf = (model: ModelBuilder, { faulter }: Told): Objects => ({ ...hugetlbTable(model, faulter !== "other-mm"), vma: rwsem(model, "VMA lock(A)") });

/** A VMA is split at a place where no shared table may lie across, and a fault shares one again in between. */
export const splitRace: CatalogueScenario = {
  id: "hugetlb-split-vs-share",
  rules: ["hugetlb-unshare-locking"],
  title: "a VMA is split while a PMD table under it is shared again",
  sources: ["081056dc00a2 (6.16): mm/hugetlb: unshare page tables during VMA split, not before", "mm/mmap.c:736, 748 (6.1.192): the back-port"],
  properties: ["shared-across-split", "lock-not-held"],
  deadlock: true,
  livelock: null,
  variants: Object.entries(TOLD).map(([id, { place, faulter }]) => ({
    id, what: `${PLACES[place]}; ${FAULTERS[faulter]}`, isFixed: place === "locked", ...(place === "locked" ? { undone: `may-split-${faulter}` } : {}),
  })),
  axes: { eras: [], releases: ["6.1", "6.10"], byArchitecture: false },
  build({ variant, release }) {
    const told = TOLD[variant]!;
    if (!atLeast(release, "6.1")) return null;
    if (told.faulter === "same-mm" && !atLeast(release, "6.10")) return null;
    if (told.place === "before-i-mmap" && atLeast(release, "6.10")) return null;
    const model = modelBuilder(`hugetlb-split-vs-share, ${variant}`);
    const objects = objectsOf(model, told);
    addSplit(objects, told, atLeast(release, "6.4"));
    if (told.faulter !== "nobody") addFault(objects, told);
    return model.finish();
  },
  expected({ variant }) {
    const { place, faulter } = TOLD[variant]!;
    if (place === "locked") return "pass";
    return { fails: faulter === "nobody" ? "lock-not-held" : "shared-across-split" };
  },
};
