// SPDX-License-Identifier: GPL-2.0-only

/**
 * Calls with which drivers hand pages to a device: they keep no reference, drop none, and are quiet to every rule.
 * lib/scatterlist.c, kernel/dma/mapping.c, include/linux/dma-mapping.h, include/linux/dma-fence.h, drivers/iommu/iommu.c
 * (6.1.192). Dropping what a table was made of is the driver's own business: sg_free_table() frees the table alone.
 */
export const DEVICE_NAMES: ReadonlySet<string> = new Set(
  [
    "sg_alloc_table sg_alloc_table_from_pages_segment __sg_alloc_table_from_pages sg_alloc_append_table_from_pages sg_free_table sg_free_append_table sg_init_one sg_set_buf sg_next sg_mark_end",
    "dma_map_page_attrs dma_map_single dma_map_sg_attrs dma_map_resource dma_mapping_error",
    "dma_unmap_page dma_unmap_page_attrs dma_unmap_single dma_unmap_sg_attrs",
    "dma_sync_single_for_cpu dma_sync_single_for_device dma_sync_sg_for_cpu dma_sync_sg_for_device dma_sync_sgtable_for_cpu dma_sync_sgtable_for_device",
    "iommu_map_sg iommu_map_sgtable iommu_unmap",
  ].flatMap((names) => names.split(" ")),
);
