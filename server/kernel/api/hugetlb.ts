// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Effect } from "../effect.ts";
import { withModification } from "./modify.ts";
import { access, clear, facts, maySleep, set } from "./make.ts";

const HEADER = "include/linux/hugetlb.h (6.1.192)";
const GENERIC = "include/asm-generic/hugetlb.h (6.1.192)";

const walk = (mm: number | null, vma: number | null, asserts: boolean): Effect => ({ kind: "hugetlbWalk", mm, vma, asserts });

/** Each use of the pointer is an `accessEntry`, because the table behind it may be gone. */
const HUGETLB: readonly ApiFact[] = [
  ...facts("huge_pte_offset", "7868a2087ec1 (size added in 4.13)", [walk(0, null, false)], { arity: 2, until: "4.13", certainty: "plausible" }),
  ...facts("huge_pte_offset", "mm/hugetlb.c:7269 (6.1.192)", [walk(0, null, false)], { arity: 3, since: "4.13" }),
  ...facts("hugetlb_walk", "9c67a20704e7", [walk(null, 0, true)], { arity: 3, since: "6.3" }),
  ...facts("huge_pte_alloc", "mm/hugetlb.c; without vma until 5.13", [maySleep, walk(0, null, false)], {
    arity: 3,
    until: "5.13",
    certainty: "plausible",
  }),
  ...facts("huge_pte_alloc", "mm/hugetlb.c (6.1.192)", [maySleep, walk(0, 1, false)], { arity: 4, since: "5.13" }),
  ...facts("huge_pte_lock", "include/linux/hugetlb.h:1222 (6.1.192)", [{ kind: "lockEntryTable", pte: 2 }], { arity: 3 }),
  ...facts("huge_pte_lockptr", "include/linux/hugetlb.h:974 (6.1.192)", [{ kind: "ptlOf", of: 2, table: "own" }], { arity: 3 }),
  {
    name: "huge_ptep_get",
    arity: 1,
    until: "6.11",
    effects: [access(0, false)],
    pure: { meaning: "load-entry", of: [0] },
    source: GENERIC,
  },
  {
    name: "huge_ptep_get",
    arity: 3,
    since: "6.11",
    effects: [access(2, false)],
    pure: { meaning: "load-entry", of: [2] },
    source: "include/asm-generic/hugetlb.h, from 6.11",
    certainty: "plausible",
  },
  ...facts("huge_ptep_set_wrprotect", GENERIC, [access(2, true)], { arity: 3 }),
  ...facts("huge_ptep_get_and_clear", GENERIC, [access(2, true), clear(2, false)], { arity: 3, until: "6.14" }),
  ...facts("huge_ptep_get_and_clear", "include/asm-generic/hugetlb.h, size from 6.14", [access(2, true), clear(2, false)], {
    arity: 4,
    since: "6.14",
    certainty: "plausible",
  }),
  ...facts("huge_ptep_clear_flush", GENERIC, [access(2, true), clear(2, true)], { arity: 3 }),
  ...facts("huge_pte_clear", GENERIC, [access(2, true), clear(2, false)]),
  ...facts("set_huge_pte_at", GENERIC, [access(2, true), set(2, 3)], { arity: 4, until: "6.6" }),
  ...facts("set_huge_pte_at", "935d4f0c6dc8 (size added)", [access(2, true), set(2, 3)], { arity: 5, since: "6.6", certainty: "plausible" }),
  ...facts("huge_ptep_set_access_flags", GENERIC, [access(2, true), set(2, 3)], { arity: 5 }),
  ...facts("huge_ptep_modify_prot_start", HEADER, [access(2, true), clear(2, false)], { arity: 3, since: "5.2" }),
  ...facts("huge_ptep_modify_prot_commit", HEADER, [access(2, true), set(2, 4)], { arity: 5, since: "5.2" }),
  ...facts("huge_pmd_unshare", "mm/hugetlb.c, (mm, &addr, ptep) until 5.9", [access(2, true), { kind: "unshareTable", pte: 2, vma: null }], { arity: 3, until: "5.9", certainty: "plausible" }),
  ...facts("huge_pmd_unshare", "mm/hugetlb.c:7149-7164 (6.1.192); first argument is mm, later the mmu_gather", [access(3, true), { kind: "unshareTable", pte: 3, vma: 1 }], {
    arity: 4,
    since: "5.9",
  }),
  ...facts("huge_pmd_share", "mm/hugetlb.c:7090 (6.1.192): takes i_mmap_rwsem inside", [maySleep], { since: "4.4" }),
  ...facts("migration_entry_wait_huge", "fcd48540d188: the VMA lock that the caller holds for reading is released inside", [
    access(1, false),
    { kind: "release", lock: "hugetlb_vma_lock", object: 0, mode: "read" },
    maySleep,
  ], { arity: 2, since: "6.3", until: "6.11" }),
  ...facts("migration_entry_wait_huge", "mm/migrate.c (6.12)", [
    access(2, false),
    { kind: "release", lock: "hugetlb_vma_lock", object: 0, mode: "read" },
    maySleep,
  ], { arity: 3, since: "6.11" }),
  ...facts("migration_entry_wait_huge", "mm/migrate.c (6.1.192)", [access(1, false), maySleep], { arity: 2, until: "6.3" }),
  ...facts("hugetlb_wp", "mm/hugetlb.c:5537 (6.1.192): the page-table lock of the caller is released inside, and held again on return", [
    maySleep,
    { kind: "dropsLock", lock: "ptl", object: null, mode: "any", when: "always", onReturn: "held" },
  ]),
  ...facts("hugetlb_fault unmap_hugepage_range", "mm/hugetlb.c (6.1.192)", [maySleep]),
];

export const hugetlbFacts: readonly ApiFact[] = HUGETLB.map(withModification).map((fact) => ({ ...fact, needs: { HUGETLB_PAGE: true } }));
