// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder } from "../../../simulator/build.ts";
import { spinlock } from "../../../simulator/objects/spinlock.ts";
import { addHolePunch, type Flushing } from "../../environment/hole-punch.ts";
import { addMunmap } from "../../environment/hugetlb-munmap.ts";
import { hugetlbTable } from "../../environment/hugetlb-table.ts";
import { addReverseMapUnmap } from "../../environment/reverse-map-unmap.ts";
import { tableFreeing } from "../../environment/table-freeing.ts";
import type { CatalogueScenario, Expectation, Setting, Variant } from "../scenario.ts";
import { addWalker, type Protection, type Use } from "./walker.ts";

interface Told {
  readonly protection: Protection;
  readonly use: Use;
  /** The walker walks another mm than the one that its CPU runs. */
  readonly foreign: boolean;
  /** The batch page of tlb_remove_table() cannot always be allocated. */
  readonly lowMemory: boolean;
  /** Who unshares A's mapping. */
  readonly by: "hole punch" | "migration";
}

const PHRASES: Readonly<Record<Protection, string>> = {
  none: "mmap lock held for reading, nothing else",
  "vma-lock": "hugetlb VMA lock from before the lookup to after the use",
  "i-mmap": "i_mmap_rwsem from before the lookup to after the use",
  private: "private mapping: the table is not shared",
  rcu: "RCU section around lookup and use",
  "irq-off": "interrupts off around lookup and use",
  released: "hugetlb VMA lock, given up before the use",
  retaken: "hugetlb VMA lock, given up and taken again before the use",
};

const USES: Readonly<Record<Use, string>> = { deref: "the entry is read", ptl: "the table's lock is taken" };
const FIXED: ReadonlySet<Protection> = new Set<Protection>(["vma-lock", "i-mmap", "private"]);

/** Where it matters how the table page goes away. */
const mayRunLow = (protection: Protection, use: Use): boolean => (protection === "rcu" || protection === "irq-off") && use === "deref";

const ALL: readonly Told[] = (["none", "vma-lock", "i-mmap", "private", "released", "retaken", "rcu", "irq-off"] as const).flatMap((protection) =>
  (["deref", "ptl"] as const).flatMap((use) =>
    (protection === "irq-off" ? [false, true] : [false]).flatMap((foreign) =>
      (mayRunLow(protection, use) ? [false, true] : [false]).map((lowMemory): Told => ({ protection, use, foreign, lowMemory, by: "hole punch" })),
    ),
  ),
);

/** The other way to unshare: the same verdicts, shown for what is used most. */
const BY_MIGRATION: readonly Told[] = (["none", "vma-lock", "i-mmap"] as const).map((protection) => ({
  protection,
  use: "deref",
  foreign: false,
  lowMemory: false,
  by: "migration",
}));

const WAYS: readonly Told[] = [...ALL, ...BY_MIGRATION];

const idOf = ({ protection, use, foreign, lowMemory, by }: Told): string =>
  `${protection}-${use}${foreign ? "-foreign-mm" : ""}${lowMemory ? "-low-memory" : ""}${by === "migration" ? "-migration" : ""}`;

const TOLD: Readonly<Record<string, Told>> = Object.fromEntries(WAYS.map((told) => [idOf(told), told]));

const whatOf = ({ protection, use, foreign, lowMemory, by }: Told): string =>
  [
    `${PHRASES[protection]}${foreign ? ", of another mm" : ""}`,
    USES[use],
    ...(lowMemory ? ["tlb_remove_table() may find no batch page"] : []),
    ...(by === "migration" ? ["a page is migrated"] : []),
  ].join("; ");

const variants: readonly Variant[] = WAYS.map((told) => ({
  id: idOf(told),
  what: whatOf(told),
  isFixed: FIXED.has(told.protection),
  ...(told.protection === "private" ? { undone: `none-${told.use}` } : {}),
}));

/** What the table of architectures says; the model is built of mechanisms, so that each checks the other. */
function safe({ protection, use, foreign, lowMemory }: Told, { architecture }: Setting): boolean {
  const { rcuProtectsDeref, irqOffProtects } = architecture;
  if (FIXED.has(protection)) return true;
  if (protection === "rcu") return use === "deref" && (rcuProtectsDeref === "yes" || (rcuProtectsDeref === "unless-batch-page-fails" && !lowMemory));
  return protection === "irq-off" && irqOffProtects[use] && !(irqOffProtects.onlyCurrentMm && foreign);
}

function expected(setting: Setting): Expectation {
  const told = TOLD[setting.variant]!;
  const lockless = told.protection === "rcu" || told.protection === "irq-off";
  if (lockless && setting.architecture.certainty === "plausible") return "uncertain";
  return safe(told, setting) ? "pass" : { fails: "uaf" };
}

/** A walker loses the table under its feet: A's mapping is unshared, then B, the last user, unmaps and frees the table. */
export const unshareUaf: CatalogueScenario = {
  id: "hugetlb-pmd-unshare",
  rules: ["hugetlb-walk-unlocked", "hugetlb-walk-bypassed", "hugetlb-ptl-under-rcu", "hugetlb-alloc-unlocked"],
  title: "a walker of hugetlb page tables uses a PMD table that was unshared and freed",
  sources: [
    "mm/hugetlb: Make huge_pte_offset() thread-safe for pmd unshare (series of November 2022), 9c67a20704e7 (6.3)",
    "mm/hugetlb.c:7124-7147, 5358-5445; fs/hugetlbfs/inode.c:464-522; mm/mmu_gather.c:203-207 (6.1.192)",
    "include/asm-generic/tlb.h:234, 700-753; 1013af4f585f (6.16)",
  ],
  properties: ["uaf"],
  deadlock: true,
  livelock: null,
  variants,
  axes: { eras: [], releases: ["6.1", "6.1.192", "6.6", "6.16"], byArchitecture: true },
  build(setting) {
    const told = TOLD[setting.variant]!;
    const { architecture, release } = setting;
    const freeing = tableFreeing(architecture, release);
    // The hugetlb VMA lock came with 6.1.
    if (!atLeast(release, "6.1") || !architecture.hugePmdShare || (told.lowMemory && freeing.page === "now")) return null;
    const model = modelBuilder(`hugetlb-pmd-unshare, ${setting.variant}`);
    const objects = hugetlbTable(model, told.protection !== "private");
    addWalker(objects, told.protection, told.use);
    const flushing: Flushing = { flushWaits: freeing.flushInterrupts && !told.foreign, sync: freeing.unshareSyncs ? "waits" : "none" };
    if (told.by === "hole punch") addHolePunch(objects, flushing);
    else addReverseMapUnmap(objects, spinlock(model, "page-table lock of P"), flushing);
    addMunmap(objects, { page: freeing.page, batchPageMayFail: told.lowMemory });
    return model.finish();
  },
  orders: [
    {
      source: "the cover letter of the series: lookup, unshare, munmap in the other process, use",
      variant: "none-deref",
      era: "E5",
      steps: [
        { thread: "walker of A", step: "ptep = huge_pte_offset(mm, addr, sz)" },
        { thread: "hole punch of the file", step: "huge_pmd_unshare(A): pud_clear()" },
        { thread: "munmap() in process B", step: "__unmap_hugepage_range(B)" },
        { thread: "munmap() in process B", step: "free_pgtables(B): pmd_free_tlb()" },
        { thread: "walker of A", step: "entry = huge_ptep_get(ptep)" },
      ],
      expected: "fail",
    },
  ],
  expected,
};
