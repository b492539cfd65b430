// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact } from "../effect.ts";
import { facts, maySleep } from "./make.ts";

const MM = "include/linux/mm.h, include/linux/sched/mm.h (6.1.192)";

/**
 * Lookups that return a referenced object (`find_get_page()`, `filemap_get_folio()`) are not here: the vocabulary has
 * no reference on a call's value except `getAnonVma`. `put_anon_vma()` may sleep on the last reference; callers in mm/
 * hold the VMA, whose chain keeps another one.
 */
export const referenceFacts: readonly ApiFact[] = [
  ...facts("get_page folio_get folio_ref_inc page_ref_inc get_anon_vma mmget mmgrab get_file get_task_struct folio_ref_add page_ref_add", MM, [
    { kind: "getReference", object: 0 },
  ]),
  ...facts("userfaultfd_ctx_get", "fs/userfaultfd.c (6.1.192)", [{ kind: "getReference", object: 0 }]),
  ...facts("get_page_unless_zero try_get_page folio_try_get mmget_not_zero try_get_folio folio_try_get_rcu page_cache_get_speculative", MM, [
    { kind: "getReference", object: 0, held: "nonzero" },
  ]),
  ...facts("put_page folio_put folio_put_refs mmdrop put_task_struct userfaultfd_ctx_put free_page_and_swap_cache", MM, [
    { kind: "putReference", object: 0 },
  ]),
  ...facts("put_anon_vma", "include/linux/rmap.h, mm/rmap.c:130 (6.1.192)", [{ kind: "putReference", object: 0 }]),
  ...facts("mmput fput iput", "kernel/fork.c, fs/ (6.1.192)", [maySleep, { kind: "putReference", object: 0 }]),
  ...facts("folio_get_anon_vma page_get_anon_vma", "mm/rmap.c (6.1.192): the anon_vma or NULL", [{ kind: "getAnonVma", folio: 0 }]),
];
