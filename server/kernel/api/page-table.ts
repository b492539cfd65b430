// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Argument, Effect } from "../effect.ts";
import { preemptOff, preemptOn } from "./atomic.ts";
import { withModification } from "./modify.ts";
import { access, clear, facts, maySleep, set, type Bounds } from "./make.ts";

/** With HIGHPTE tables are mapped for each use: by kmap_atomic() up to 6.4, by kmap_local_page() from 6.5 on. */
const push: Effect = { kind: "localMap", step: "push" };
const pop: Effect = { kind: "localMap", step: "pop" };

/** The releases between which mapping an entry means something else. */
const MAP_ERAS = [
  { bounds: { until: "6.5" }, mayFail: false, rcu: false, highPte: [preemptOff, preemptOn], source: "include/linux/pgtable.h:98-105 (6.1.192)" },
  { bounds: { since: "6.5", until: "6.6" }, mayFail: true, rcu: false, highPte: [push, pop], source: "0d940a9b270b (may return NULL)" },
  { bounds: { since: "6.6" }, mayFail: true, rcu: true, highPte: [push, pop], source: "146b42e07494 (RCU read-side section)" },
] as const satisfies readonly { highPte: readonly [mapped: Effect, unmapped: Effect]; [key: string]: unknown }[];

type Era = (typeof MAP_ERAS)[number];
type Shape = Omit<Extract<Effect, { kind: "mapPte" }>, "kind" | "mayFail" | "rcu">;

const underHighPte = (adds: Effect): Bounds => ({ underConfig: [{ config: { HIGHPTE: true }, adds: [adds] }] });

const map = (shape: Shape, mayFail: boolean, rcu: boolean): Effect => ({ kind: "mapPte", ...shape, mayFail, rcu });

/** A map that cannot fail before 6.5. */
const byEra = (name: string, arity: number, shape: Shape): ApiFact[] =>
  MAP_ERAS.flatMap((era: Era) => 
    facts(name, era.source, [map(shape, era.mayFail, era.rcu)], { arity, ...era.bounds, ...underHighPte(era.highPte[0]) }),
  );

/** A map that allocates the table: sleeps, and NULL (no memory) is possible in every release. */
const allocating = (name: string, arity: number, shape: Shape): ApiFact[] =>
  MAP_ERAS.flatMap((era: Era) =>
    facts(name, `include/linux/mm.h:2540 (6.1.192); ${era.source}`, [maySleep, map(shape, true, era.rcu)], {
      arity,
      ...era.bounds,
      ...underHighPte(era.highPte[0]),
    }),
  );

const unmapping = (name: string, pte: Argument, ptl: Argument | null, source: string): ApiFact[] =>
  MAP_ERAS.flatMap((era: Era) =>
    facts(name, `${source}; ${era.source}`, [{ kind: "unmapPte", pte, ptl, rcu: era.rcu }], { ...era.bounds, ...underHighPte(era.highPte[1]) }),
  );

const MAPS: readonly ApiFact[] = [
  ...byEra("pte_offset_map", 2, { mm: null, pmd: 0, address: 1, ptlOut: null, locks: false }),
  ...byEra("pte_offset_map_lock", 4, { mm: 0, pmd: 1, address: 2, ptlOut: 3, locks: true }),
  ...facts(
    "pte_offset_map_nolock",
    "0d940a9b270b (may return NULL)",
    [map({ mm: 0, pmd: 1, address: 2, ptlOut: 3, locks: false }, true, false)],
    { since: "6.5", until: "6.6" },
  ),
  ...facts(
    "pte_offset_map_nolock",
    "146b42e07494 (RCU read-side section)",
    [map({ mm: 0, pmd: 1, address: 2, ptlOut: 3, locks: false }, true, true)],
    { since: "6.6", until: "6.13" },
  ),
  ...facts(
    "pte_offset_map_ro_nolock",
    "66efef9b1a7d",
    [map({ mm: 0, pmd: 1, address: 2, ptlOut: 3, locks: false }, true, true)],
    { since: "6.13", certainty: "plausible" },
  ),
  ...facts(
    "pte_offset_map_rw_nolock",
    "66efef9b1a7d",
    [map({ mm: 0, pmd: 1, address: 2, ptlOut: 4, locks: false, pmdOut: 3 }, true, true)],
    { since: "6.13", certainty: "plausible" },
  ),
  ...allocating("pte_alloc_map", 3, { mm: 0, pmd: 1, address: 2, ptlOut: null, locks: false }),
  ...facts("pte_alloc_map", "include/linux/mm.h, with a vma until 4.6", [maySleep, map({ mm: 0, pmd: 2, address: 3, ptlOut: null, locks: false }, true, false)], {
    arity: 4,
    until: "4.6",
    certainty: "plausible",
  }),
  ...allocating("pte_alloc_map_lock", 4, { mm: 0, pmd: 1, address: 2, ptlOut: 3, locks: true }),
  ...allocating("get_locked_pte", 3, { mm: 0, pmd: 1, address: 1, ptlOut: 2, locks: true }),
  ...allocating("__get_locked_pte", 3, { mm: 0, pmd: 1, address: 1, ptlOut: 2, locks: true }),
  ...facts(
    "follow_pte",
    "mm/memory.c:5526 (6.1.192): 0 is mapped and locked",
    [map({ mm: 0, pmd: 1, address: 1, ptlOut: 3, locks: true, pteOut: 2 }, true, false)],
    { arity: 4, until: "6.6" },
  ),
  ...facts(
    "follow_pte",
    "mm/memory.c; 29ae7d96d166 (takes a vma from 6.10); removed in 6.12",
    [map({ mm: 0, pmd: 1, address: 1, ptlOut: 3, locks: true, pteOut: 2 }, true, true)],
    { arity: 4, since: "6.6", until: "6.12" },
  ),
  ...unmapping("pte_unmap", 0, null, "include/linux/pgtable.h:98-105 (6.1.192)"),
  ...unmapping("pte_unmap_unlock", 0, 1, "include/linux/mm.h:2530 (6.1.192)"),
];

const LOCKS: readonly ApiFact[] = [
  ...facts("pte_lockptr", "include/linux/mm.h (6.1.192)", [{ kind: "ptlOf", of: 1, table: "below" }], { arity: 2 }),
  ...facts("pmd_lockptr pud_lockptr", "include/linux/mm.h (6.1.192)", [{ kind: "ptlOf", of: 1, table: "own" }], { arity: 2 }),
  ...facts("pmd_lock pud_lock", "include/linux/mm.h:2593,2630 (6.1.192)", [{ kind: "lockEntryTable", pte: 1 }], { arity: 2 }),
  ...facts(
    "pmd_trans_huge_lock __pmd_trans_huge_lock pud_trans_huge_lock __pud_trans_huge_lock",
    "include/linux/huge_mm.h (6.1.192): NULL where the entry is no leaf",
    [{ kind: "lockEntryTable", pte: 0, held: "nonzero" }],
    { arity: 2 },
  ),
];

const READS: readonly ApiFact[] = "ptep_get ptep_get_lockless pmdp_get pmdp_get_lockless pudp_get p4dp_get pgdp_get pmd_read_atomic"
  .split(" ")
  .map((name) => ({
    name,
    arity: 1,
    effects: [access(0, false)],
    pure: { meaning: "load-entry", of: [0] },
    source: "include/linux/pgtable.h (6.1.192)",
  }));

const PGTABLE = "include/linux/pgtable.h (6.1.192)";

/** Calls at the pmd and pud level act on the entry that their pointer names, like those for a pte. */
const CHANGES: readonly ApiFact[] = [
  ...facts("ptep_clear_flush pmdp_huge_clear_flush pudp_huge_clear_flush pmdp_collapse_flush pmdp_invalidate", PGTABLE, [clear(2, true)], {
    arity: 3,
  }),
  ...facts("pudp_invalidate", "include/linux/pgtable.h (6.12.117)", [clear(2, true)], { arity: 3, since: "6.12", certainty: "plausible" }),
  ...facts("pmdp_invalidate_ad", PGTABLE, [clear(2, true)], { arity: 3, since: "5.19" }),
  ...facts(
    "ptep_clear_flush_notify pmdp_huge_clear_flush_notify pudp_huge_clear_flush_notify",
    "ec8832d007cb (removed in 6.6)",
    [clear(2, true)],
    { arity: 3, until: "6.6" },
  ),
  ...facts(
    "ptep_get_and_clear pmdp_huge_get_and_clear pudp_huge_get_and_clear ptep_clear pte_clear ptep_modify_prot_start",
    PGTABLE,
    [clear(2, false)],
    { arity: 3 },
  ),
  ...facts("ptep_get_and_clear_full pte_clear_not_present_full pmdp_huge_get_and_clear_full pudp_huge_get_and_clear_full", PGTABLE, [clear(2, false)], { arity: 4 }),
  ...facts("get_and_clear_full_ptes clear_full_ptes", `${PGTABLE}; batches from 6.9`, [clear(2, false)], { since: "6.9", certainty: "plausible" }),
  ...facts("unmap_page_range", "mm/memory.c:1656 (6.1.192): zaps a range; the notifiers are its caller's", [maySleep, { kind: "clearRange", vma: 1, start: 2 }], {
    arity: 5,
  }),
  ...facts("pmd_clear pud_clear p4d_clear pgd_clear", PGTABLE, [clear(0, false)], { arity: 1 }),
  ...facts("set_pte_at set_pmd_at set_pud_at", PGTABLE, [set(2, 3)], { arity: 4 }),
  ...facts("set_pte_at_notify", "f7842747d13d (removed in 6.10)", [set(2, 3)], { arity: 4, until: "6.10" }),
  ...facts("set_ptes", "include/linux/pgtable.h, from 6.6", [set(2, 3)], { arity: 5, since: "6.6", certainty: "plausible" }),
  ...facts("set_pte set_pmd", PGTABLE, [set(0, 1)], { arity: 2 }),
  ...facts("ptep_set_access_flags pmdp_set_access_flags", PGTABLE, [set(2, 3)], { arity: 5 }),
  ...facts("ptep_modify_prot_commit", "include/linux/pgtable.h, without old value until 5.2", [set(2, 3)], {
    arity: 4,
    until: "5.2",
    certainty: "plausible",
  }),
  ...facts("ptep_modify_prot_commit", PGTABLE, [set(2, 4)], { arity: 5, since: "5.2" }),
  ...facts("ptep_set_wrprotect pmdp_set_wrprotect pudp_set_wrprotect", PGTABLE, [access(2, true)], { arity: 3 }),
  ...facts("wrprotect_ptes", `${PGTABLE}; batches from 6.9`, [access(2, true)], { arity: 4, since: "6.9", certainty: "plausible" }),
  ...facts(
    "ptep_test_and_clear_young pmdp_test_and_clear_young ptep_clear_flush_young pmdp_clear_flush_young ptep_clear_young_notify pmdp_clear_young_notify ptep_clear_flush_young_notify pmdp_clear_flush_young_notify",
    PGTABLE,
    [access(2, true)],
    { arity: 3 },
  ),
];

const noTable = (form: "null" | "negative"): Effect => ({ kind: "returnsError", form, errors: ["ENOMEM"], allocates: true });
const frees = (table: Argument, how: "by-architecture" | "rcu" | "at-once"): Effect => ({ kind: "freesTable", table, how });

/** Allocation and release of tables. */
const TABLES: readonly ApiFact[] = [
  ...facts("pte_alloc_one pmd_alloc pud_alloc p4d_alloc", "include/linux/mm.h (6.1.192): GFP_PGTABLE_USER; NULL", [maySleep, noTable("null")]),
  ...facts("pte_alloc __pte_alloc __pmd_alloc __pud_alloc __p4d_alloc", "include/linux/mm.h, mm/memory.c (6.1.192): GFP_PGTABLE_USER; -ENOMEM", [
    maySleep,
    noTable("negative"),
  ]),
  ...facts("tlb_remove_table", "mm/mmu_gather.c:203-207 (6.1.192): falls back to interrupting all CPUs", [
    { kind: "maySleep", onlyIf: "batch-full" },
    frees(1, "by-architecture"),
  ], { arity: 2 }),
  ...facts("pte_free_tlb pmd_free_tlb pud_free_tlb p4d_free_tlb", "include/asm-generic/tlb.h (6.1.192)", [
    { kind: "maySleep", onlyIf: "batch-full" },
    frees(1, "by-architecture"),
  ], { arity: 3 }),
  ...facts("pte_free pmd_free pud_free p4d_free", "include/asm-generic/pgalloc.h (6.1.192)", [frees(1, "at-once")], { arity: 2 }),
  ...facts("pte_free_defer", "mm/pgtable-generic.c, 13cf577e6b66 (6.6)", [frees(1, "rcu")], { arity: 2, since: "6.6", certainty: "plausible" }),
];

export const pageTableFacts: readonly ApiFact[] = [
  ...MAPS,
  ...LOCKS,
  ...READS,
  ...CHANGES.map(withModification),
  ...TABLES,
];
