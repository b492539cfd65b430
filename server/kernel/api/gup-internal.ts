// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Argument, Effect, LockClass } from "../effect.ts";
import { sleepsIf } from "./flag-sleep.ts";
import { dropsMmapLock, facts, maySleep, requires, returnsReference } from "./make.ts";

const GUP = "mm/gup.c (6.1.192)";

/** Releases of pins look whether an anonymous page is exclusive, all but those of ranges and folios. */
const SANITY_CHECK = "sanity_check_pinned_pages() since b6a2619c60b4";

/** `put_user_page*()` were plain puts: pins are counted apart only from 5.7. */
const RELEASE: readonly ApiFact[] = [
  ...facts("put_user_page put_user_pages", "mm/gup.c (5.2-5.5)", [{ kind: "unpin", reference: "get", pages: 0 }], { since: "5.2", until: "5.6" }),
  ...facts("put_user_pages_dirty_lock put_user_pages_dirty", "mm/gup.c (5.2-5.3)", [maySleep, { kind: "unpin", reference: "get", pages: 0, count: 1 }], {
    arity: 2,
    since: "5.2",
    until: "5.6",
  }),
  ...facts("put_user_pages_dirty_lock", "mm/gup.c (5.4): boolean added", [sleepsIf(2, "boolean"), { kind: "unpin", reference: "get", pages: 0, count: 1, dirty: 2 }], {
    arity: 3,
    since: "5.4",
    until: "5.6",
    certainty: "plausible",
  }),
  ...facts("release_pages", "mm/swap.c (6.1.192)", [{ kind: "unpin", reference: "get", pages: 0, count: 1 }], { arity: 2 }),
  ...facts("release_pages", "mm/swap.c, with a flag for cold pages until 4.15", [{ kind: "unpin", reference: "get", pages: 0, count: 1 }], {
    arity: 3,
    until: "4.15",
    certainty: "plausible",
  }),
  ...facts("unpin_user_page", "mm/gup.c (5.18)", [{ kind: "unpin", reference: "pin", pages: 0 }], { arity: 1, since: "5.6", until: "5.19", certainty: "plausible" }),
  ...facts("unpin_user_page", `mm/gup.c:264 (6.1.192), ${SANITY_CHECK}`, [{ kind: "unpin", reference: "pin", pages: 0, asserts: "exclusive" }], { arity: 1, since: "5.19" }),
  ...facts("unpin_user_pages", "mm/gup.c (5.18)", [{ kind: "unpin", reference: "pin", pages: 0, count: 1 }], { arity: 2, since: "5.6", until: "5.19", certainty: "plausible" }),
  ...facts("unpin_user_pages", `mm/gup.c:434 (6.1.192), ${SANITY_CHECK}`, [{ kind: "unpin", reference: "pin", pages: 0, count: 1, asserts: "exclusive" }], { arity: 2, since: "5.19" }),
  ...facts("unpin_user_pages_lockless", "mm/gup.c (6.1.192)", [{ kind: "unpin", reference: "pin", pages: 0, count: 1 }], { arity: 2, since: "5.19" }),
  ...facts("unpin_user_pages_dirty_lock", "mm/gup.c (5.18)", [sleepsIf(2, "boolean"), { kind: "unpin", reference: "pin", pages: 0, count: 1, dirty: 2 }], {
    arity: 3,
    since: "5.6",
    until: "5.19",
    certainty: "plausible",
  }),
  ...facts("unpin_user_pages_dirty_lock", `mm/gup.c:323 (6.1.192), ${SANITY_CHECK}`, [sleepsIf(2, "boolean"), { kind: "unpin", reference: "pin", pages: 0, count: 1, dirty: 2, asserts: "exclusive" }], {
    arity: 3,
    since: "5.19",
  }),
  ...facts("unpin_user_page_range_dirty_lock", "mm/gup.c:389 (6.1.192)", [sleepsIf(2, "boolean"), { kind: "unpin", reference: "pin", pages: 0, count: 1, dirty: 2 }], {
    arity: 3,
    since: "5.13",
  }),
  ...facts("unpin_user_folio unpin_folios", "mm/gup.c:434,449 (6.12.117)", [{ kind: "unpin", reference: "pin", pages: 0, count: 1 }], {
    arity: 2,
    since: "6.11",
    certainty: "plausible",
  }),
  ...facts("unpin_folio", "mm/gup.c (6.12.117)", [{ kind: "unpin", reference: "pin", pages: 0 }], { arity: 1, since: "6.11", certainty: "plausible" }),
  ...facts("gup_put_folio", "mm/gup.c (6.1.192)", [{ kind: "unpin", reference: "get", pages: 0, flags: 2 }], { arity: 3, since: "5.17" }),
  ...facts("put_compound_head", "mm/gup.c (5.7-5.16)", [{ kind: "unpin", reference: "get", pages: 0, flags: 2 }], {
    arity: 3,
    since: "5.7",
    until: "5.17",
    certainty: "plausible",
  }),
];

/** Needs mmap_lock (or, in the second, takes it where it is not held) and may drop it as `*locked` says. */
const core = (mm: Argument, locked: Argument, required: LockClass | null): Effect[] => [
  maySleep,
  ...(required === null ? [] : [requires(required, "any", mm)]),
  dropsMmapLock(mm, "locked-cleared", "released", { tells: locked }),
];

const mayDrop = (mm: Argument, locked: Argument): Effect[] => core(mm, locked, null);

const grab = (flags: Argument, held: "nonzero" | "zero"): Effect => ({ kind: "grabPage", page: 0, flags, held });

const GRAB: readonly ApiFact[] = [
  ...facts("try_grab_page", "mm/gup.c (6.1.192): bool", [grab(1, "nonzero")], { arity: 2, since: "5.7", until: "6.2" }),
  ...facts("try_grab_page", "0f0892356fa1: 0 or an error", [grab(1, "zero")], { arity: 2, since: "6.2", until: "6.11" }),
  ...facts("try_grab_compound_head", "mm/gup.c (5.7-5.16): the head or NULL", [grab(2, "nonzero")], { arity: 3, since: "5.7", until: "5.17" }),
  ...facts("try_grab_folio", "mm/gup.c:125-180 (6.1.192): the folio or NULL", [grab(2, "nonzero")], { arity: 3, since: "5.17", until: "6.11" }),
  ...facts("try_grab_folio", "mm/gup.c (6.12): 0 or an error", [grab(2, "zero")], { arity: 3, since: "6.11", certainty: "plausible" }),
  ...facts("try_grab_folio_fast", "mm/gup.c (6.12): the folio or NULL", [grab(2, "nonzero")], { arity: 3, since: "6.11", certainty: "plausible" }),
];

const follow = (path: "normal" | "hugetlb", flags: Argument): Effect => ({ kind: "gupFollow", path, flags });
const fastWalk = (write: Argument): Effect => ({ kind: "gupFastWalk", write });

/** Steps of GUP itself. From 5.2 the fast walkers take the flag word where they took `write`. */
const INTERNALS: readonly ApiFact[] = [
  ...facts("follow_page_mask", GUP, [follow("normal", 2)], { arity: 4 }),
  ...facts("follow_page", "mm/gup.c:920 (6.1.192); removed in 6.12; sleeps for migration", [
    { kind: "maySleep", onlyIf: "contended" },
    requires("mmap_lock", "any"),
    follow("normal", 2),
    returnsReference("page", "null-or-error", { reference: "by-flags", flags: 2 }),
  ], { arity: 3, until: "6.12", certainty: "plausible" }),
  ...facts("follow_hugetlb_page", "mm/hugetlb.c; nonblocking added in 4.16", [maySleep, follow("hugetlb", 7)], {
    arity: 8,
    until: "4.17",
    certainty: "plausible",
  }),
  ...facts("follow_hugetlb_page", "mm/hugetlb.c:6440 (6.1.192); removed in 6.5", [...mayDrop(0, 8), follow("hugetlb", 7)], {
    arity: 9,
    since: "4.16",
    until: "6.5",
    certainty: "plausible",
  }),
  ...facts("hugetlb_follow_page_mask", "7d049f3a03ea", [follow("hugetlb", 2)], { since: "6.3", until: "6.10" }),
  ...facts("faultin_page", "mm/gup.c (tsk dropped by 64019a2e467a)", [...mayDrop(1, 4), { kind: "gupFault", flags: 3 }], { arity: 5, until: "5.9" }),
  ...facts("faultin_page", "mm/gup.c (5.9-5.18)", [...mayDrop(0, 3), { kind: "gupFault", flags: 2 }], { arity: 4, since: "5.9", until: "5.19" }),
  ...facts("faultin_page", "mm/gup.c:1249 (6.1.192)", [...mayDrop(0, 4), { kind: "gupFault", flags: 2 }], { arity: 5, since: "5.19" }),
  ...facts("gup_pgd_range", "mm/gup.c (4.12-6.10)", [fastWalk(2)], { arity: 5, since: "4.12", until: "6.11" }),
  ...facts("gup_p4d_range gup_pud_range gup_pmd_range gup_pte_range", "mm/gup.c (4.4, 5.8)", [fastWalk(3)], { arity: 6, until: "5.9" }),
  ...facts("gup_p4d_range gup_pud_range gup_pmd_range", "mm/gup.c (6.1.192); table pointer added in 5.9", [fastWalk(4)], {
    arity: 7,
    since: "5.9",
    until: "6.11",
    certainty: "plausible",
  }),
  ...facts("gup_pte_range", "mm/gup.c (6.1.192)", [fastWalk(3)], { arity: 6, since: "5.9", until: "6.1" }),
  ...facts("gup_pte_range", "70cbc3cc78a9 (pmd pointer added)", [fastWalk(4)], { arity: 7, since: "6.1", until: "6.11" }),
  ...facts("gup_huge_pmd gup_huge_pud gup_huge_pgd gup_huge_pd", "mm/gup.c (4.4, 6.1.192)", [fastWalk(4)], { arity: 7, until: "6.11" }),
];

/** The protocol of GUP-fast and fork. */
const PROTOCOL: readonly ApiFact[] = [
  ...facts("raw_write_seqcount_begin write_seqcount_begin", "include/linux/seqlock.h, mm/memory.c:1322 (6.1.192)", [{ kind: "seqcountSection", step: "begin", seqcount: 0 }], { arity: 1 }),
  ...facts("raw_write_seqcount_end write_seqcount_end", "include/linux/seqlock.h, mm/memory.c:1340 (6.1.192)", [{ kind: "seqcountSection", step: "end", seqcount: 0 }], { arity: 1 }),
  ...facts("mm_set_has_pinned_flag", "mm/gup.c:461 (6.1.192), a458b76a41e6", [{ kind: "notesPins" }], { arity: 1, since: "5.14" }),
  ...facts("copy_p4d_range", "mm/memory.c (6.1.192): allocates tables of the child", [maySleep, { kind: "forkCopy" }], { arity: 6, since: "5.9" }),
  ...facts("lockless_pages_from_mm", "mm/gup.c:2989 (6.1.192)", [fastWalk(2)], { arity: 4, since: "5.11", until: "6.11" }),
  ...facts("gup_fast", "mm/gup.c:3390 (6.12.117)", [fastWalk(2)], { arity: 4, since: "6.11", certainty: "plausible" }),
  ...facts("gup_fast_pgd_range", "mm/gup.c (6.12.117)", [fastWalk(2)], { arity: 5, since: "6.11", certainty: "plausible" }),
  ...facts("gup_fast_unpin_user_pages", "mm/gup.c (6.12.117)", [{ kind: "unpin", reference: "pin", pages: 0, count: 1 }], { arity: 2, since: "6.11", certainty: "plausible" }),
];

/** Cores of the slow and the fast path. */
const CORES: readonly ApiFact[] = [
  ...facts("__get_user_pages", "mm/gup.c:1179 (6.1.192)", core(0, 6, "mmap_lock"), { arity: 7, since: "5.9", until: "6.5" }),
  ...facts("__get_user_pages", "mm/gup.c:1427 (6.12.117)", core(0, 5, "mmap_lock"), { arity: 6, since: "6.5" }),
  ...facts("__get_user_pages", "mm/gup.c (5.8), tsk first", core(1, 7, "mmap_lock"), { arity: 8, until: "5.9", certainty: "plausible" }),
  ...facts("__get_user_pages_locked", "mm/gup.c:1737 (6.1.192)", core(0, 5, null), { arity: 7, since: "5.9", until: "6.5" }),
  ...facts("__get_user_pages_locked", "mm/gup.c:2054 (6.12.117)", core(0, 4, null), { arity: 6, since: "6.5" }),
  ...facts("__get_user_pages_locked", "mm/gup.c (5.8), tsk first", [maySleep], { until: "5.9", certainty: "plausible" }),
  ...facts("__gup_longterm_locked check_and_migrate_movable_pages", GUP, [maySleep]),
  ...facts("internal_get_user_pages_fast", "mm/gup.c:3038 (6.1.192)", [sleepsIf(2, "fast-only")], { arity: 4, since: "5.6", until: "6.11" }),
  ...facts("gup_fast_fallback", "mm/gup.c:3437 (6.12.117)", [sleepsIf(2, "fast-only")], { arity: 4, since: "6.11", certainty: "plausible" }),
];

export const gupInternalFacts: readonly ApiFact[] = [...RELEASE, ...GRAB, ...INTERNALS, ...PROTOCOL, ...CORES];
