// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Effect } from "../effect.ts";
import { facts, maySleep } from "./make.ts";

/*
 * What is done with the data of a page: who gets its address, who writes to it, who says that it is dirty. A rule asks for
 * these with pages of user memory in mind; of other pages the same calls say nothing that anybody asks for.
 */

const HIGHMEM = "include/linux/highmem.h, highmem-internal.h (6.1.192)";

const address = (form: "virtual" | "physical" = "virtual"): Effect => ({ kind: "addressOfPage", page: 0, form });
const writes = (form: "address" | "page", to = 0): Effect => ({ kind: "writesMemory", to, form });

const ADDRESSES: readonly ApiFact[] = [
  ...facts("kmap", HIGHMEM, [address()], { arity: 1 }),
  ...facts("page_address page_to_virt", "include/linux/mm.h (6.1.192)", [address()], { arity: 1 }),
  ...facts("page_to_phys page_to_pfn", "include/asm-generic/memory_model.h (6.1.192)", [address("physical")], { arity: 1 }),
];

const WRITES: readonly ApiFact[] = [
  ...facts("memcpy memmove memset", "include/linux/string.h (6.1.192)", [writes("address")], { arity: 3 }),
  ...facts("copy_from_user __copy_from_user", "include/linux/uaccess.h (6.1.192): might_fault()", [{ kind: "maySleep", onlyIf: "page-faults" }, writes("address")]),
  ...facts("memcpy_fromio", "include/asm-generic/io.h (6.1.192)", [writes("address")], { arity: 3 }),
  ...facts("memcpy_to_page", HIGHMEM, [writes("page")], { arity: 4 }),
  ...facts("memzero_page", HIGHMEM, [writes("page")], { arity: 3 }),
  ...facts("zero_user", HIGHMEM, [writes("page")], { arity: 3 }),
  ...facts("clear_highpage", HIGHMEM, [writes("page")], { arity: 1 }),
  ...facts("copy_highpage", HIGHMEM, [writes("page")], { arity: 2 }),
];

const DIRTY = "mm/page-writeback.c:2715-2810 (6.1.192)";

/** `folio_mark_dirty()`: "the folio lock, or a stable reference to the mapping some other way". */
const MARKS: readonly ApiFact[] = [
  ...facts("set_page_dirty_lock", DIRTY, [maySleep, { kind: "marksDirty", page: 0, locks: true, through: "mapping" }], { arity: 1 }),
  ...facts("set_page_dirty folio_mark_dirty", DIRTY, [{ kind: "marksDirty", page: 0, locks: false, through: "mapping" }], { arity: 1 }),
  ...facts("SetPageDirty", "include/linux/page-flags.h (6.1.192): the flag alone", [{ kind: "marksDirty", page: 0, locks: false, through: "flag" }], { arity: 1 }),
];

const DMA = "include/linux/dma-mapping.h, kernel/dma/mapping.c (6.1.192)";

const access = (memory: number, form: "page" | "scatterlist" | "address", direction: number | null, failure: "zero" | "nonzero" | null): Effect => ({
  kind: "deviceAccess",
  memory,
  form,
  direction,
  failure,
});
const ends = (memory: number): Effect => ({ kind: "deviceAccessEnd", memory });

const DEVICE: readonly ApiFact[] = [
  ...facts("dma_map_page", DMA, [access(1, "page", 4, null)], { arity: 5 }),
  ...facts("dma_map_sg", DMA, [access(1, "scatterlist", 3, "zero")], { arity: 4 }),
  ...facts("dma_map_sgtable", DMA, [access(1, "scatterlist", 2, "nonzero")], { arity: 4, since: "5.8" }),
  ...facts("dma_unmap_sg", DMA, [ends(1)], { arity: 4 }),
  ...facts("dma_unmap_sgtable", DMA, [ends(1)], { arity: 4, since: "5.8" }),
  ...facts("iommu_map", "drivers/iommu/iommu.c (6.1.192): until 6.3 without GFP flags", [access(2, "address", null, "nonzero")]),
  ...facts("writel writeq writel_relaxed writeq_relaxed iowrite32 iowrite64", "include/asm-generic/io.h (6.1.192): a register of a device", [
    access(0, "address", null, null),
  ], { arity: 2 }),
];

/** __free_page() of a page whose last reference this is takes nothing off the LRU lists. */
const FREES: readonly ApiFact[] = [
  ...facts("__free_page", "include/linux/gfp.h, mm/page_alloc.c (6.1.192)", [{ kind: "freesPage", page: 0 }], { arity: 1 }),
  ...facts("__free_pages", "mm/page_alloc.c (6.1.192)", [{ kind: "freesPage", page: 0 }], { arity: 2 }),
];

/** `refcount >= GUP_PIN_COUNTING_BIAS` for small pages. */
const PINS: readonly ApiFact[] = facts("folio_maybe_dma_pinned page_maybe_dma_pinned", "include/linux/mm.h:1585 (6.1.192)", [{ kind: "asksPins", page: 0 }], { arity: 1 }).map((fact) => ({
  ...fact,
  pure: { meaning: "maybe-pinned", of: [0] },
}));

export const pageDataFacts: readonly ApiFact[] = [...PINS, ...ADDRESSES, ...WRITES, ...MARKS, ...DEVICE, ...FREES];
