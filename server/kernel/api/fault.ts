// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Argument, Effect } from "../effect.ts";
import { dropsMmapLock, excludes, facts, maySleep, requires } from "./make.ts";

/** Unmaps what the `vm_fault` has mapped; `ptl` too where the fault holds it. */
const consumesFault = (withLock: boolean): Effect => ({ kind: "consumes", pte: 0, ptl: withLock ? 0 : null, when: "always", through: "vm_fault" });

/** From 6.4 a fault may hold the VMA's lock in place of mmap_lock, and drops that one. */
const dropsVmaLock = (object: Argument, when: "retry" | "retry-or-completed"): Effect => ({
  kind: "dropsLock",
  lock: "vma_lock",
  object,
  mode: "read",
  when,
  onReturn: "released",
});

const handlesFault = (flags: number): Effect => ({ kind: "handlesFault", flags });

const MEMORY = "mm/memory.c (6.1.192)";

const ENTRY: readonly ApiFact[] = [
  ...facts("handle_mm_fault", "mm/memory.c (4.7), mm first", [handlesFault(3), maySleep, requires("mmap_lock", "read"), dropsMmapLock(0, "retry", "released", { allowedBy: 3 })], {
    arity: 4,
    until: "4.8",
    certainty: "plausible",
  }),
  ...facts("handle_mm_fault", "mm/memory.c (5.8)", [handlesFault(2), maySleep, requires("mmap_lock", "read"), dropsMmapLock(0, "retry", "released", { allowedBy: 2 })], {
    arity: 3,
    since: "4.8",
    until: "5.9",
    certainty: "plausible",
  }),
  ...facts("handle_mm_fault", "mm/memory.c (5.19), regs added", [handlesFault(2), maySleep, requires("mmap_lock", "read"), dropsMmapLock(0, "retry", "released", { allowedBy: 2 })], {
    arity: 4,
    since: "5.9",
    until: "6.0",
    certainty: "plausible",
  }),
  ...facts("handle_mm_fault", "mm/memory.c:5263 (6.1.192); VM_FAULT_COMPLETED from 6.0", [
    handlesFault(2),
    maySleep,
    requires("mmap_lock", "read"),
    dropsMmapLock(0, "retry-or-completed", "released", { allowedBy: 2 }),
  ], { arity: 4, since: "6.0", until: "6.4" }),
  ...facts("handle_mm_fault", "mm/memory.c:6071 (6.12.117): with FAULT_FLAG_VMA_LOCK the VMA's lock stands for mmap_lock", [
    handlesFault(2),
    maySleep,
    { kind: "requiresHeld", lock: "mmap_lock", object: 0, mode: "read", or: "vma_lock" },
    dropsMmapLock(0, "retry-or-completed", "released", { allowedBy: 2 }),
    dropsVmaLock(0, "retry-or-completed"),
  ], { arity: 4, since: "6.4" }),
  ...facts("fixup_user_fault", "mm/gup.c (5.8), tsk first", [maySleep, requires("mmap_lock", "read", 1), dropsMmapLock(1, "sometimes", "held", { tells: 4 })], {
    arity: 5,
    since: "4.6",
    until: "5.9",
    certainty: "plausible",
  }),
  ...facts("fixup_user_fault", "mm/gup.c (4.5), without `unlocked`", [maySleep, requires("mmap_lock", "read", 1)], {
    arity: 4,
    until: "4.6",
    certainty: "plausible",
  }),
  ...facts("fixup_user_fault", "mm/gup.c:1358 (6.1.192): dropped and taken again, every VMA is stale then", [
    maySleep,
    requires("mmap_lock", "read"),
    dropsMmapLock(0, "sometimes", "held", { tells: 3 }),
  ], { arity: 4, since: "5.9" }),
];

/** Handlers of one fault, with the `vm_fault` from 4.10 on. */
const HANDLERS: readonly ApiFact[] = [
  ...facts("do_swap_page do_wp_page do_numa_page finish_fault", "mm/memory.c (4.9)", [maySleep], { until: "4.10", certainty: "plausible" }),
  ...facts("do_swap_page", "mm/memory.c:3775 (6.1.192): pte_unmap_same() first, without the lock", [
    maySleep,
    consumesFault(false),
    dropsMmapLock(0, "retry", "released", { unless: "FAULT_FLAG_RETRY_NOWAIT" }),
  ], { arity: 1, since: "4.10", until: "6.4" }),
  ...facts("do_swap_page", "mm/memory.c:4201 (6.12.117)", [
    maySleep,
    consumesFault(false),
    dropsMmapLock(0, "retry", "released", { unless: "FAULT_FLAG_RETRY_NOWAIT" }),
    dropsVmaLock(0, "retry"),
  ], { arity: 1, since: "6.4" }),
  ...facts("do_wp_page", "mm/memory.c:3403 (6.1.192)", [maySleep, consumesFault(true), dropsMmapLock(0, "retry", "released")], { arity: 1, since: "4.10" }),
  ...facts("do_numa_page", "mm/memory.c:4787 (6.1.192): takes the lock itself, consumes the mapping", [maySleep, consumesFault(false)], {
    arity: 1,
    since: "4.10",
  }),
  ...facts("finish_fault", "mm/memory.c:4451 (6.1.192): maps, locks and unmaps the entry itself", [maySleep], { arity: 1, since: "4.10" }),
  ...facts("filemap_fault", "mm/filemap.c (4.10), vma first", [maySleep, dropsMmapLock(0, "retry", "released")], { arity: 2, until: "4.11", certainty: "plausible" }),
  ...facts("filemap_fault", "mm/filemap.c:3063-3090 (6.1.192)", [
    maySleep,
    dropsMmapLock(0, "retry", "released", { unless: "FAULT_FLAG_RETRY_NOWAIT" }),
  ], { arity: 1, since: "4.11" }),
  ...facts("lock_page_maybe_drop_mmap", "mm/filemap.c (5.1-5.19)", dropsForPage(), { since: "5.1", until: "6.0", certainty: "plausible" }),
  ...facts("lock_folio_maybe_drop_mmap", "mm/filemap.c:3063 (6.1.192): 1 is locked", dropsForPage(), { arity: 3, since: "6.0" }),
  ...facts("handle_userfault", "fs/userfaultfd.c:436,549 (6.1.192)", [
    maySleep,
    requires("mmap_lock", "read"),
    dropsMmapLock(0, "retry", "released", { unless: "FAULT_FLAG_RETRY_NOWAIT" }),
  ], { arity: 2, until: "6.4" }),
  ...facts("handle_userfault", "fs/userfaultfd.c:373 (6.12.117)", [
    maySleep,
    { kind: "requiresHeld", lock: "mmap_lock", object: 0, mode: "read", or: "vma_lock" },
    dropsMmapLock(0, "retry", "released", { unless: "FAULT_FLAG_RETRY_NOWAIT" }),
    dropsVmaLock(0, "retry"),
  ], { arity: 2, since: "6.4" }),
];

/** Locks the page; what the fault holds goes first where waiting is needed. */
function dropsForPage(): Effect[] {
  return [
    { kind: "acquire", lock: "folio_lock", object: 1, mode: "exclusive", sleeps: true, held: "nonzero" },
    dropsMmapLock(0, "zero", "released", { unless: "FAULT_FLAG_RETRY_NOWAIT" }),
  ];
}

const KHUGEPAGED = "mm/khugepaged.c:905-1035 (6.1.192)";

const COLLAPSE: readonly ApiFact[] = [
  ...facts("collapse_huge_page", `${KHUGEPAGED}: gives the lock up before it allocates`, [
    maySleep,
    requires("mmap_lock", "read"),
    dropsMmapLock(0, "always", "released"),
  ]),
  ...facts("__collapse_huge_page_swapin", `${KHUGEPAGED}: SCAN_SUCCEED keeps the lock`, [
    maySleep,
    requires("mmap_lock", "read"),
    dropsMmapLock(0, "failure", "released"),
  ], { since: "4.8" }),
];

const MADVISE = "mm/madvise.c (6.1.192): sets *prev to NULL";

/** Functions of madvise() tell by `*prev` that they let the lock go in between. */
const ADVICE: readonly ApiFact[] = [
  ...facts("madvise_willneed madvise_remove", MADVISE, [maySleep, requires("mmap_lock", "read"), dropsMmapLock(0, "sometimes", "held", { tells: 1 })], {
    arity: 4,
  }),
  ...facts("madvise_dontneed_free", MADVISE, [maySleep, requires("mmap_lock", "read"), dropsMmapLock(0, "sometimes", "held", { tells: 1 })], {
    arity: 5,
    since: "4.14",
    certainty: "plausible",
  }),
  ...facts("userfaultfd_remove", "fs/userfaultfd.c:798 (6.1.192): false is dropped", [maySleep, dropsMmapLock(0, "zero", "released")], {
    arity: 3,
    since: "4.11",
    needs: { USERFAULTFD: true },
  }),
];

const STACK = "8d7071af8907 (6.5): mmap_lock is taken for writing in between; also in 6.1.192";

/** Growing a stack, and unmapping. */
const AREAS: readonly ApiFact[] = [
  ...facts("expand_stack", "mm/mmap.c (6.4): vma first", [maySleep, requires("mmap_lock", "any")], { arity: 2, until: "6.5", certainty: "plausible" }),
  ...facts("expand_stack", `${STACK}; NULL has dropped it`, [
    maySleep,
    requires("mmap_lock", "read"),
    dropsMmapLock(0, "always", "held"),
    dropsMmapLock(0, "failure", "released"),
  ], { arity: 2, since: "6.5" }),
  ...facts("find_extend_vma", "mm/mmap.c (6.4)", [maySleep, requires("mmap_lock", "any")], { arity: 2, until: "6.5", certainty: "plausible" }),
  ...facts("find_extend_vma_locked", "mm/mmap.c:2178 (6.1.192)", [maySleep, requires("mmap_lock", "write")], { arity: 2, since: "6.5" }),
  ...facts("lock_mm_and_find_vma", "mm/memory.c (6.12.117): the VMA with mmap_lock held, or NULL", [
    { kind: "acquire", lock: "mmap_lock", object: 0, mode: "read", sleeps: true, held: "nonzero" },
  ], { arity: 3, since: "6.5" }),
  ...facts("__vm_munmap", "mm/mmap.c:2934 (6.1.192): takes the lock for writing, may downgrade it", [maySleep, excludes("mmap_lock", null)], { arity: 3, since: "4.20" }),
];

const LOCK_OR_RETRY = "mm/filemap.c:1725-1767 (6.1.192)";

/** The page lock of a fault: without it, the fault's own lock is gone too. */
const PAGE_LOCK: readonly ApiFact[] = [
  ...facts("folio_lock_or_retry lock_page_or_retry __folio_lock_or_retry __lock_page_or_retry", `${LOCK_OR_RETRY}: true is held`, [
    { kind: "sleepsIf", flag: 2, word: "retry-nowait" },
    { kind: "acquire", lock: "folio_lock", object: 0, mode: "exclusive", sleeps: false, held: "nonzero" },
    dropsMmapLock(1, "zero", "released", { unless: "FAULT_FLAG_RETRY_NOWAIT" }),
  ], { arity: 3, until: "6.6" }),
  ...facts("folio_lock_or_retry __folio_lock_or_retry", "mm/filemap.c:1687 (6.12.117): 0 is held", [
    { kind: "sleepsIf", flag: 1, word: "retry-nowait" },
    { kind: "acquire", lock: "folio_lock", object: 0, mode: "exclusive", sleeps: false, held: "zero" },
    dropsMmapLock(1, "nonzero", "released", { unless: "FAULT_FLAG_RETRY_NOWAIT" }),
    { kind: "dropsLock", lock: "vma_lock", object: 1, mode: "read", when: "nonzero", onReturn: "released", unless: "FAULT_FLAG_RETRY_NOWAIT" },
  ], { arity: 2, since: "6.6" }),
];

/** Copying for userfaultfd: the outer call takes mmap_lock, the hugetlb part releases it for its caller. */
const COPY: readonly ApiFact[] = [
  ...facts("mcopy_atomic mfill_zeropage mcopy_continue __mcopy_atomic", "mm/userfaultfd.c:542-716 (6.1.192)", [maySleep, excludes("mmap_lock", 0)], {
    until: "6.4",
  }),
  ...facts("__mcopy_atomic_hugetlb", "mm/userfaultfd.c:352,437,477 (6.1.192): unlocks at every way out", [
    maySleep,
    requires("mmap_lock", "read"),
    dropsMmapLock(0, "always", "released"),
  ], { until: "6.4" }),
  ...facts("mfill_atomic mfill_atomic_copy mfill_atomic_zeropage mfill_atomic_continue", "mm/userfaultfd.c:701 (6.12.117)", [maySleep], { since: "6.4", certainty: "plausible" }),
  ...facts("mfill_atomic_hugetlb", "mm/userfaultfd.c (6.12.117): unlocks the VMA at every way out", [
    maySleep,
    { kind: "dropsLock", lock: "vma_lock", object: 1, mode: "read", when: "always", onReturn: "released" },
    dropsMmapLock(1, "always", "released"),
  ], { since: "6.4", certainty: "plausible" }),
];

const WRITE_FAULT: readonly ApiFact[] = [
  ...facts("wp_page_copy", "mm/memory.c:3120-3300 (6.1.192)", [maySleep, { kind: "cowFault", does: "copy" }]),
  ...facts("folio_prealloc", "mm/memory.c:1061 (6.12.117): allocates and charges; NULL where it cannot", [maySleep], { arity: 4, since: "6.8", certainty: "plausible" }),
];

export const faultFacts: readonly ApiFact[] = [
  ...WRITE_FAULT,
  ...ENTRY,
  ...HANDLERS,
  ...COLLAPSE,
  ...ADVICE,
  ...AREAS,
  ...PAGE_LOCK,
  ...COPY,
  ...facts("do_anonymous_page do_fault", MEMORY, [maySleep]),
];
