// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Argument, Effect } from "../effect.ts";
import { access, dropsMmapLock, excludes, facts, maySleep, release } from "./make.ts";

const consumes = (pte: Argument | null, ptl: Argument | null, when: "always" | "nonzero" = "always"): Effect => ({
  kind: "consumes",
  pte,
  ptl,
  when,
  through: "argument",
});

/** A lock of hugetlb that the caller took and that is gone on return. */
const gone = (lock: "hugetlb_vma_lock" | "hugetlb_fault_mutex", object: Argument | null): Effect => ({
  kind: "dropsLock",
  lock,
  object,
  mode: lock === "hugetlb_vma_lock" ? "read" : "exclusive",
  when: "always",
  onReturn: "released",
});

const WAIT = "mm/migrate.c:290-345 (6.1.192)";

/** Waiting for a migration: whatever the caller mapped and locked is given up first. */
const WAITS: readonly ApiFact[] = [
  ...facts("migration_entry_wait", `${WAIT}: maps and locks the entry itself`, [maySleep, excludes("ptl", 1)], { arity: 3 }),
  ...facts("pmd_migration_entry_wait", "mm/migrate.c (6.1.192): locks the entry itself", [maySleep, excludes("ptl", 1)], { arity: 2 }),
  ...facts(
    "migration_entry_wait_on_locked",
    "mm/filemap.c:1400 (6.1.192): consumes lock and mapping, then sleeps",
    [{ kind: "unmapPte", pte: 1, ptl: 2, rcu: false }, consumes(1, 2), maySleep],
    { arity: 3, since: "5.16", until: "6.5" },
  ),
  ...facts("migration_entry_wait_on_locked", "mm/filemap.c:1374 (6.12.117): consumes the lock; the caller unmapped before", [
    release("ptl", "exclusive", 1),
    consumes(null, 1),
    maySleep,
  ], { arity: 2, since: "6.5" }),
  ...facts(
    "__migration_entry_wait",
    "mm/migrate.c:290 (6.1.192): takes the lock itself, consumes the mapping, then sleeps",
    [
      excludes("ptl", 2),
      { kind: "acquire", lock: "ptl", object: 2, mode: "exclusive", sleeps: false, held: "always" },
      { kind: "unmapPte", pte: 1, ptl: 2, rcu: false },
      consumes(1, null),
      maySleep,
    ],
    { arity: 3, until: "6.5" },
  ),
  ...facts("__migration_entry_wait_huge", `${WAIT}: takes and releases the lock`, [access(0, false), excludes("ptl", 1), maySleep], {
    arity: 2,
    since: "6.0",
    until: "6.3",
  }),
  ...facts("__migration_entry_wait_huge", "fcd48540d188: and the VMA lock of the caller", [
    access(1, false),
    excludes("ptl", 2),
    { kind: "release", lock: "hugetlb_vma_lock", object: 0, mode: "read" },
    maySleep,
  ], { arity: 3, since: "6.3", until: "6.5" }),
];

/** Steps of a fault that end what the fault holds. */
const STEPS: readonly ApiFact[] = [
  ...facts("hmm_vma_handle_pte", "mm/hmm.c:277-315 (6.1.192): unmaps before it returns another value than 0", [maySleep, consumes(4, null, "nonzero")], {
    arity: 6,
    since: "5.7",
  }),
  ...facts("hugetlb_no_page", "mm/hugetlb.c:5832,6028 (6.1.192)", [maySleep, gone("hugetlb_vma_lock", 1), gone("hugetlb_fault_mutex", null)], {
    arity: 8,
    since: "6.1",
    until: "6.10",
    certainty: "plausible",
  }),
  ...facts("hugetlb_no_page", "mm/hugetlb.c:6106 (6.12.117)", [maySleep, gone("hugetlb_vma_lock", 1), gone("hugetlb_fault_mutex", null)], {
    arity: 2,
    since: "6.10",
    certainty: "plausible",
  }),
  ...facts("hugetlb_no_page", "mm/hugetlb.c (6.0): its caller unlocks", [maySleep], { until: "6.1", certainty: "plausible" }),
  ...facts("hugetlb_handle_userfault", "mm/hugetlb.c:5780-5811 (6.1.192)", [
    maySleep,
    gone("hugetlb_vma_lock", 0),
    gone("hugetlb_fault_mutex", null),
    dropsMmapLock(0, "retry", "released", { unless: "FAULT_FLAG_RETRY_NOWAIT" }),
  ], { arity: 7, since: "5.11", until: "6.10", certainty: "plausible" }),
  ...facts("hugetlb_handle_userfault", "mm/hugetlb.c:6072 (6.12.117)", [
    maySleep,
    gone("hugetlb_vma_lock", 0),
    gone("hugetlb_fault_mutex", null),
    dropsMmapLock(0, "retry", "released", { unless: "FAULT_FLAG_RETRY_NOWAIT" }),
  ], { arity: 3, since: "6.10", certainty: "plausible" }),
];

export const migrateFacts: readonly ApiFact[] = [...WAITS, ...STEPS];
