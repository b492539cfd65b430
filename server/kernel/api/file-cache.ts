// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact } from "../effect.ts";
import { sleepsIf } from "./flag-sleep.ts";
import { facts, maySleep, release, returnsReference } from "./make.ts";

const PAGEMAP = "include/linux/pagemap.h:589-700, mm/filemap.c:1937 (6.1.192)";

/** Lookups in the page cache. From 6.4 on those of folios return an error pointer where they returned NULL (66dabbb65d67). */
export const fileCacheFacts: readonly ApiFact[] = [
  ...facts("find_get_page find_get_entry", PAGEMAP, [returnsReference("page", "null")]),
  ...facts("find_get_page_flags", PAGEMAP, [returnsReference("page", "null", { locks: "by-flags", flags: 2 })], { arity: 3 }),
  ...facts("find_lock_page", PAGEMAP, [maySleep, returnsReference("page", "null", { locks: "always" })], { arity: 2 }),
  ...facts("find_or_create_page", PAGEMAP, [maySleep, returnsReference("page", "null", { locks: "always" })], { arity: 3 }),
  ...facts("grab_cache_page grab_cache_page_nowait", PAGEMAP, [maySleep, returnsReference("page", "null", { locks: "always" })], { arity: 2 }),
  ...facts("pagecache_get_page", `${PAGEMAP}: FGP_LOCK sleeps, FGP_CREAT allocates`, [maySleep, returnsReference("page", "null", { locks: "by-flags", flags: 2 })], {
    arity: 4,
  }),
  ...facts("filemap_get_folio", PAGEMAP, [returnsReference("folio", "null")], { arity: 2, since: "5.16", until: "6.4" }),
  ...facts("filemap_get_folio", "66dabbb65d67", [returnsReference("folio", "error-pointer")], { arity: 2, since: "6.4" }),
  ...facts("filemap_lock_folio", PAGEMAP, [maySleep, returnsReference("folio", "null", { locks: "always" })], { arity: 2, since: "5.16", until: "6.4" }),
  ...facts("filemap_lock_folio", "66dabbb65d67", [maySleep, returnsReference("folio", "error-pointer", { locks: "always" })], { arity: 2, since: "6.4" }),
  ...facts("__filemap_get_folio", `${PAGEMAP}: FGP_LOCK sleeps, FGP_CREAT allocates`, [maySleep, returnsReference("folio", "null", { locks: "by-flags", flags: 2 })], {
    arity: 4,
    since: "5.16",
    until: "6.4",
  }),
  ...facts("__filemap_get_folio", "66dabbb65d67", [maySleep, returnsReference("folio", "error-pointer", { locks: "by-flags", flags: 2 })], {
    arity: 4,
    since: "6.4",
  }),
  ...facts("read_cache_page read_mapping_page read_cache_folio read_mapping_folio", "mm/filemap.c (6.1.192)", [
    maySleep,
    returnsReference("page", "error-pointer"),
  ]),
  ...facts("filemap_read_folio", "mm/filemap.c:2487 (6.1.192): the filler unlocks the folio, whatever it returns", [maySleep, release("folio_lock", "exclusive", 2)], {
    arity: 3,
    since: "5.16",
  }),
  ...facts("swap_readpage swap_read_folio swap_writepage", "mm/page_io.c:194-520 (6.1.192): unlocked when the transfer is done, on every path", [
    maySleep,
    release("folio_lock", "exclusive"),
  ]),
  ...facts("try_to_free_buffers", "fs/buffer.c (6.1.192): needs the folio lock, takes spin locks only", [
    { kind: "requiresHeld", lock: "folio_lock", object: 0, mode: "exclusive" },
  ], { arity: 1 }),
  ...facts("try_to_release_page filemap_release_folio", "mm/filemap.c (6.1.192)", [
    { kind: "requiresHeld", lock: "folio_lock", object: 0, mode: "exclusive" },
    sleepsIf(1, "gfp"),
  ], { arity: 2 }),
];
