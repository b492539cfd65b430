// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Effect } from "../effect.ts";
import { facts, maySleep, requires } from "./make.ts";

const folioLocked = requires("folio_lock", "exclusive");
const RMAP = "mm/rmap.c:2422-2534 (6.1.192)";
const PAGEWALK = "mm/pagewalk.c (6.1.192)";

/** The lock that the walk asserts: read, or what the caller of the variant without VMAs must have. */
const walks = (object: number, mode: "any" | "write"): Effect[] => [maySleep, requires("mmap_lock", mode, object)];

/** Walks of page tables, and from a page to its entries. */
export const walkFacts: readonly ApiFact[] = [
  ...facts("DEFINE_PAGE_VMA_WALK DEFINE_FOLIO_VMA_WALK", "include/linux/rmap.h:384-402 (6.1.192)", [{ kind: "walkMapped", walk: 0, step: "fill" }], { arity: 5, since: "5.17" }),
  ...facts("page_vma_mapped_walk", "mm/page_vma_mapped.c:151 (6.1.192)", [{ kind: "walkMapped", walk: 0, step: "next" }], { arity: 1, since: "4.11" }),
  ...facts("page_vma_mapped_walk_done", "include/linux/rmap.h:404 (6.1.192)", [{ kind: "walkMapped", walk: 0, step: "done" }], { arity: 1, since: "4.11" }),

  ...facts("folio_walk_start", "mm/pagewalk.c:772 (6.12.117): the folio with its entry mapped and locked until folio_walk_end(), or NULL", [
    requires("mmap_lock", "any", 1),
    { kind: "acquire", lock: "ptl", object: 0, mode: "exclusive", sleeps: false, held: "nonzero" },
  ], { arity: 4, since: "6.12" }),
  ...facts("folio_walk_end", "include/linux/pagewalk.h (6.12.117)", [{ kind: "release", lock: "ptl", object: 0, mode: "exclusive" }], { arity: 2, since: "6.12" }),
  ...facts("rmap_walk", `${RMAP}: takes i_mmap_rwsem or the anon_vma's lock for reading`, [maySleep], { arity: 2 }),
  ...facts("rmap_walk_locked", RMAP, [maySleep, { kind: "requiresHeld", lock: "i_mmap_rwsem", object: null, mode: "any", or: "anon_vma" }], { arity: 2, since: "4.6" }),
  ...facts("rmap_walk_file", `${RMAP}: locks unless told that the caller did; with try_lock a busy lock ends the walk`, [maySleep, folioLocked]),
  ...facts("rmap_walk_anon", RMAP, [maySleep]),
  ...facts("rmap_walk_ksm", "mm/ksm.c:2737 (6.1.192)", [maySleep, folioLocked]),

  ...facts("walk_page_range", `${PAGEWALK}:446; ops and private data are arguments from 5.4 on`, walks(0, "any"), { arity: 5, since: "5.4" }),
  ...facts("walk_page_range", "mm/pagewalk.c (5.3)", [maySleep], { arity: 3, until: "5.4", certainty: "plausible" }),
  ...facts("walk_page_range_vma", `${PAGEWALK}:554`, walks(0, "any"), { arity: 5, since: "6.1" }),
  ...facts("walk_page_vma", `${PAGEWALK}:572`, walks(0, "any"), { arity: 3, since: "5.4" }),
  ...facts("walk_page_vma", "mm/pagewalk.c (5.3)", [maySleep], { arity: 2, until: "5.4", certainty: "plausible" }),
  ...facts("walk_page_range_novma", `${PAGEWALK}:525`, walks(0, "write"), { arity: 6, since: "5.7" }),
  ...facts("walk_page_mapping", `${PAGEWALK}:625`, [maySleep, requires("i_mmap_rwsem", "any")], { arity: 5, since: "5.5" }),
  ...facts("hmm_range_fault", "mm/hmm.c:581 (6.1.192): of the range's mm", [
    maySleep,
    requires("mmap_lock", "read", null),
    { kind: "returnsError", form: "negative", errors: ["EBUSY", "EFAULT"], allocates: false },
  ], { arity: 1, since: "5.8" }),
];
