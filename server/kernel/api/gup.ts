// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Argument, Effect, ReleaseRange } from "../effect.ts";
import { facts, maySleep } from "./make.ts";

type Gup = Extract<Effect, { kind: "gup" }>;

const call = (reference: Gup["reference"], form: Gup["form"], where: Partial<Gup>): Effect[] => {
  const gup: Gup = {
    kind: "gup",
    reference,
    form,
    flags: null,
    write: null,
    force: null,
    pages: null,
    impliesLongterm: false,
    ...where,
  };
  return form === "fast-only" ? [gup] : [maySleep, gup];
};

const GUP = "mm/gup.c (6.1.192)";

/** Forms that take booleans: before 4.9, and the fast ones before 5.2. */
const BOOLEANS: readonly ApiFact[] = [
  ...facts("get_user_pages", "mm/gup.c (4.5), signature table of the eras", call("get", "plain", { write: 4, force: 5, pages: 6 }), {
    arity: 8,
    until: "4.6",
  }),
  ...facts("get_user_pages", "mm/gup.c, 4.4.168 stable only", call("get", "plain", { flags: 4, pages: 5 }), {
    arity: 7,
    since: "4.4",
    until: "4.5",
  }),
  ...facts("get_user_pages", "mm/gup.c (4.8), signature table of the eras", call("get", "plain", { write: 2, force: 3, pages: 4 }), {
    arity: 6,
    since: "4.6",
    until: "4.9",
  }),
  ...facts("get_user_pages_remote", "mm/gup.c (4.8), signature table of the eras", call("get", "remote", { write: 4, force: 5, pages: 6 }), {
    arity: 8,
    since: "4.6",
    until: "4.9",
  }),
  ...facts("get_user_pages_unlocked", "mm/gup.c (4.5), signature table of the eras", call("get", "unlocked", { write: 4, force: 5, pages: 6 }), {
    arity: 7,
    since: "4.0",
    until: "4.6",
  }),
  ...facts("get_user_pages_unlocked", "mm/gup.c (4.8), signature table of the eras", call("get", "unlocked", { write: 2, force: 3, pages: 4 }), {
    arity: 5,
    since: "4.6",
    until: "4.9",
  }),
  ...facts("get_user_pages_locked", "mm/gup.c (4.5)", call("get", "locked", { write: 4, force: 5, pages: 6 }), {
    arity: 8,
    since: "4.0",
    until: "4.6",
    certainty: "plausible",
  }),
  ...facts("get_user_pages_locked", "mm/gup.c (4.8)", call("get", "locked", { write: 2, force: 3, pages: 4 }), {
    arity: 6,
    since: "4.6",
    until: "4.9",
    certainty: "plausible",
  }),
  ...facts("get_user_pages_fast", "73b0140bf0fe (flags from 5.2)", call("get", "fast", { write: 2, pages: 3 }), {
    arity: 4,
    until: "5.2",
  }),
  ...facts("__get_user_pages_fast", "mm/gup.c (5.7), signature table of the eras", call("get", "fast-only", { write: 2, pages: 3 }), {
    arity: 4,
    until: "5.8",
  }),
];

interface Signature {
  readonly arity: number;
  readonly flags: Argument;
  readonly pages: Argument;
}

/** The `get` and `pin` forms with the same signature; there are no pins before 5.6. */
const both = (suffix: string, form: Gup["form"], { arity, flags, pages }: Signature, range: ReleaseRange & { pinSince?: string }, source: string): ApiFact[] => {
  const { pinSince, ...getRange } = range;
  return [
    ...facts(`get_user_pages${suffix}`, source, call("get", form, { flags, pages }), { arity, ...getRange }),
    ...facts(`pin_user_pages${suffix}`, source, call("pin", form, { flags, pages }), {
      arity,
      ...getRange,
      ...(pinSince === undefined ? {} : { since: pinSince }),
    }),
  ];
};

const FLAGS: readonly ApiFact[] = [
  ...both("", "plain", { arity: 5, flags: 2, pages: 3 }, { since: "4.9", until: "6.5", pinSince: "5.6" }, GUP),
  ...both("", "plain", { arity: 4, flags: 2, pages: 3 }, { since: "6.5" }, "54d020692b34, 4c630f307455 (vmas dropped)"),
  ...facts("get_user_pages_remote", "mm/gup.c (4.9), signature table of the eras", call("get", "remote", { flags: 4, pages: 5 }), {
    arity: 7,
    since: "4.9",
    until: "4.10",
  }),
  ...facts("get_user_pages_remote", "5b56d49fc31d (locked added)", call("get", "remote", { flags: 4, pages: 5 }), {
    arity: 8,
    since: "4.10",
    until: "5.9",
  }),
  ...facts("pin_user_pages_remote", "mm/gup.c (5.8), signature table of the eras", call("pin", "remote", { flags: 4, pages: 5 }), {
    arity: 8,
    since: "5.6",
    until: "5.9",
  }),
  ...both("_remote", "remote", { arity: 7, flags: 3, pages: 4 }, { since: "5.9", until: "6.5" }, "64019a2e467a (tsk dropped)"),
  ...both("_remote", "remote", { arity: 6, flags: 3, pages: 4 }, { since: "6.5" }, "ca5e863233e8, 0b295316b3a9 (vmas dropped)"),
  ...facts("get_user_page_vma_remote", "ca5e863233e8", call("get", "remote", { flags: 2 }), { arity: 4, since: "6.5" }),
  ...facts("get_user_pages_unlocked", "mm/gup.c:2354 (6.1.192)", call("get", "unlocked", { flags: 3, pages: 2 }), { arity: 4, since: "4.9" }),
  ...facts("pin_user_pages_unlocked", "mm/gup.c:3329 (6.1.192)", call("pin", "unlocked", { flags: 3, pages: 2 }), { arity: 4, since: "5.8" }),
  ...facts("get_user_pages_locked", "mm/gup.c; removed in 5.18", call("get", "locked", { flags: 2, pages: 3 }), {
    arity: 5,
    since: "4.9",
    until: "5.18",
    certainty: "plausible",
  }),
  ...facts("pin_user_pages_locked", "mm/gup.c", call("pin", "locked", { flags: 2, pages: 3 }), {
    arity: 5,
    since: "5.8",
    until: "5.18",
    certainty: "plausible",
  }),
  ...both("_fast", "fast", { arity: 4, flags: 2, pages: 3 }, { since: "5.2", pinSince: "5.6" }, "mm/gup.c:3151,3187 (6.1.192)"),
  ...facts("get_user_pages_fast_only", "mm/gup.c:3106 (6.1.192)", call("get", "fast-only", { flags: 2, pages: 3 }), { arity: 4, since: "5.8" }),
  ...facts("get_user_page_fast_only", "include/linux/mm.h (6.1.192)", call("get", "fast-only", { flags: 1, pages: 2 }), {
    arity: 3,
    since: "5.8",
  }),
  ...facts("pin_user_pages_fast_only", "mm/gup.c:3208 (6.1.192)", call("pin", "fast-only", { flags: 2, pages: 3 }), { arity: 4, since: "5.8" }),
  ...facts("get_user_pages_longterm", "mm/gup.c; 932f4a630a69 made it a flag in 5.2", call("get", "plain", { flags: 2, pages: 3, impliesLongterm: true }), {
    arity: 5,
    since: "4.15",
    until: "5.2",
  }),
  ...facts("get_dump_page", "mm/gup.c:1943 (6.1.192)", call("get", "unlocked", {})),
];

/** `put_user_page*()` were plain puts: pins are counted apart only from 5.7. */
const RELEASE: readonly ApiFact[] = [
  ...facts("put_user_page put_user_pages", "mm/gup.c (5.2-5.5)", [{ kind: "unpin", reference: "get", pages: 0 }], { since: "5.2", until: "5.6" }),
  ...facts("put_user_pages_dirty_lock put_user_pages_dirty", "mm/gup.c (5.2-5.5)", [maySleep, { kind: "unpin", reference: "get", pages: 0 }], {
    since: "5.2",
    until: "5.6",
  }),
  ...facts("release_pages", "mm/swap.c (6.1.192)", [{ kind: "unpin", reference: "get", pages: 0 }]),
  ...facts("unpin_user_page", "mm/gup.c:264 (6.1.192)", [{ kind: "unpin", reference: "pin", pages: 0 }], { arity: 1, since: "5.6" }),
  ...facts("unpin_user_pages", "mm/gup.c:434 (6.1.192)", [{ kind: "unpin", reference: "pin", pages: 0 }], { arity: 2, since: "5.6" }),
  ...facts("unpin_user_pages_lockless", "mm/gup.c (6.1.192)", [{ kind: "unpin", reference: "pin", pages: 0 }], { arity: 2, since: "5.19" }),
  ...facts("unpin_user_pages_dirty_lock", "mm/gup.c:323 (6.1.192)", [{ kind: "unpin", reference: "pin", pages: 0 }], { arity: 3, since: "5.6" }),
  ...facts("unpin_user_page_range_dirty_lock", "mm/gup.c:389 (6.1.192)", [{ kind: "unpin", reference: "pin", pages: 0 }], {
    arity: 3,
    since: "5.13",
  }),
  ...facts("unpin_user_folio unpin_folio unpin_folios", "mm/gup.c (6.11)", [{ kind: "unpin", reference: "pin", pages: 0 }], {
    since: "6.11",
    certainty: "plausible",
  }),
  ...facts("gup_put_folio", "mm/gup.c (6.1.192)", [{ kind: "unpin", reference: "get", pages: 0, flags: 2 }], { arity: 3, since: "5.17" }),
  ...facts("put_compound_head", "mm/gup.c (5.7-5.16)", [{ kind: "unpin", reference: "get", pages: 0, flags: 2 }], {
    arity: 3,
    since: "5.7",
    until: "5.17",
    certainty: "plausible",
  }),
];

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
  ...facts("follow_page", "mm/gup.c:920 (6.1.192); removed in 6.12", [follow("normal", 2)], { arity: 3, until: "6.12", certainty: "plausible" }),
  ...facts("follow_hugetlb_page", "mm/hugetlb.c; nonblocking added in 4.16", [maySleep, follow("hugetlb", 7)], {
    arity: 8,
    until: "4.17",
    certainty: "plausible",
  }),
  ...facts("follow_hugetlb_page", "mm/hugetlb.c:6440 (6.1.192); removed in 6.5", [maySleep, follow("hugetlb", 7)], {
    arity: 9,
    since: "4.16",
    until: "6.5",
    certainty: "plausible",
  }),
  ...facts("hugetlb_follow_page_mask", "7d049f3a03ea", [follow("hugetlb", 2)], { since: "6.3", until: "6.10" }),
  ...facts("faultin_page", "mm/gup.c (tsk dropped by 64019a2e467a)", [maySleep, { kind: "gupFault", flags: 3 }], { arity: 5, until: "5.9" }),
  ...facts("faultin_page", "mm/gup.c (5.9-5.18)", [maySleep, { kind: "gupFault", flags: 2 }], { arity: 4, since: "5.9", until: "5.19" }),
  ...facts("faultin_page", "mm/gup.c:1249 (6.1.192)", [maySleep, { kind: "gupFault", flags: 2 }], { arity: 5, since: "5.19" }),
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

export const gupFacts: readonly ApiFact[] = [...BOOLEANS, ...FLAGS, ...RELEASE, ...GRAB, ...INTERNALS];
