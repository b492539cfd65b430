// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Argument, Effect, SleepWord } from "../effect.ts";
import { facts, type Bounds } from "./make.ts";

export const sleepsIf = (flag: Argument, word: SleepWord): Effect => ({ kind: "sleepsIf", flag, word });

const byGfp = (flag: Argument, source: string, names: string, bounds: Bounds = {}): ApiFact[] => facts(names, source, [sleepsIf(flag, "gfp")], bounds);

/** Names of allocation masks without direct reclaim. */
export const GFP_NEVER_SLEEPS: ReadonlySet<string> = new Set([
  "GFP_ATOMIC",
  "GFP_NOWAIT",
  "GFP_TRANSHUGE_LIGHT",
  "GFP_NOWAIT_ACCOUNT",
  "__GFP_HIGH",
  "__GFP_NOWARN",
  "__GFP_ZERO",
]);

/** Names of masks with direct reclaim: with one of them in the word, the allocation sleeps. */
const GFP_SLEEPS = /^GFP_(?:KERNEL|KERNEL_ACCOUNT|NOFS|NOIO|USER|HIGHUSER|HIGHUSER_MOVABLE|TRANSHUGE)$/;

/** True where the names of an allocation mask say that it sleeps, and none takes direct reclaim away again. */
export const definitelySleeps = (names: readonly string[]): boolean =>
  names.some((name) => GFP_SLEEPS.test(name)) && names.every((name) => GFP_SLEEPS.test(name) || GFP_NEVER_SLEEPS.has(name) || name === "__GFP_ACCOUNT" || name === "__GFP_NOFAIL");

const GFP = "include/linux/gfp.h (6.1.192)";
const SLAB = "include/linux/slab.h (6.1.192)";

/** Calls that sleep only with some flag words. Those that do more have the same effect in the table of their theme. */
export const flagSleepFacts: readonly ApiFact[] = [
  ...byGfp(0, GFP, "alloc_page alloc_pages __get_free_page __get_free_pages get_zeroed_page folio_alloc alloc_page_vma alloc_pages_vma vma_alloc_folio __folio_alloc __folio_alloc_node __alloc_pages filemap_alloc_folio might_alloc"),
  ...byGfp(1, GFP, "alloc_pages_node __alloc_pages_node alloc_pages_exact"),
  ...byGfp(0, "include/linux/radix-tree.h, include/linux/idr.h (6.1.192)", "radix_tree_preload radix_tree_maybe_preload idr_preload"),
  ...byGfp(0, "mm/rmap.c (6.1.192)", "anon_vma_chain_alloc"),
  ...byGfp(0, "include/linux/kernel.h (6.1.192)", "kasprintf kvasprintf kvasprintf_const"),
  ...byGfp(1, SLAB, "kmalloc kzalloc kvmalloc kvzalloc kmem_cache_alloc kmem_cache_zalloc kmalloc_node kzalloc_node kvmalloc_node kvzalloc_node kmem_cache_alloc_node kmalloc_track_caller"),
  ...byGfp(2, SLAB, "kcalloc kmalloc_array kvcalloc kvmalloc_array krealloc kmem_cache_alloc_lru kcalloc_node kmalloc_array_node"),
  ...byGfp(1, "include/linux/string.h, include/linux/bitmap.h (6.1.192)", "kstrdup kstrdup_const bitmap_alloc bitmap_zalloc"),
  ...byGfp(2, "include/linux/string.h (6.1.192)", "kmemdup kmemdup_nul kstrndup"),
  ...byGfp(1, "include/linux/vmalloc.h, include/linux/mempool.h (6.1.192)", "__vmalloc mempool_alloc"),
  ...byGfp(1, "mm/swapfile.c:3455 (6.1.192)", "add_swap_count_continuation"),
  ...byGfp(1, "include/linux/percpu.h (6.1.192)", "alloc_percpu_gfp"),
  ...byGfp(2, "include/linux/memcontrol.h (6.1.192)", "mem_cgroup_charge mem_cgroup_swapin_charge_page mem_cgroup_swapin_charge_folio"),
  ...byGfp(1, "include/linux/memcontrol.h (6.1.192)", "obj_cgroup_charge"),
  ...byGfp(3, "include/linux/xarray.h (6.1.192)", "xa_store xa_store_irq xa_insert"),
  ...byGfp(1, "include/linux/xarray.h (6.1.192)", "xas_nomem"),
  ...byGfp(4, "include/linux/xarray.h, include/linux/idr.h (6.1.192)", "xa_alloc xa_alloc_irq idr_alloc idr_alloc_cyclic"),
  ...byGfp(2, "include/linux/maple_tree.h (6.1.192)", "mas_store_gfp", { since: "6.1" }),
  ...byGfp(1, "include/linux/maple_tree.h (6.1.192)", "mas_nomem", { since: "6.1" }),
  ...byGfp(3, "include/linux/pagemap.h (6.1.192)", "add_to_page_cache_lru filemap_add_folio"),
];
