// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { ne } from "../../../simulator/expression.ts";
import { dmaDevice, dmaTargetLives, programDevice, stopDevice, whenProgrammed, type DmaDevice } from "../../../simulator/objects/device.ts";
import { clearEntry, entry, setEntry, type Entry } from "../../../simulator/objects/entry.ts";
import { folios, pinFolio, putFolio, unpinFolio, type Folios } from "../../../simulator/objects/folio.ts";
import type { CatalogueScenario } from "../scenario.ts";

interface Objects {
  readonly model: ModelBuilder;
  readonly all: Folios;
  /** The IOMMU's page table, and what the device has cached of it. */
  readonly iova: Entry;
  readonly iotlb: DmaDevice;
}

/** `VFIO_IOMMU_MAP_DMA`, then `VFIO_IOMMU_UNMAP_DMA`. */
function addVfio({ model, all, iova, iotlb }: Objects, variant: string): void {
  const thread = model.thread("vfio", "review");
  const unpin = (): void => model.reach(thread, thread.step({ text: "vfio_unpin_pages_remote(P)", ...unpinFolio(all, 1) }), "the page is unpinned");
  thread.step({ text: "vfio_pin_pages_remote(P)", ...pinFolio(all, 1) });
  thread.step({ text: "iommu_map(iova, P)", ...setEntry(iova, 1) });
  thread.step({ text: "iommu_unmap_fast(iova)", ...clearEntry(iova) });
  if (variant === "unpin-first") unpin();
  thread.step({ text: "iommu_iotlb_sync(domain)", ...stopDevice(iotlb) });
  if (variant === "sync-first") unpin();
}

/** Looks an address up once and goes on with what it found. */
function addDevice({ model, all, iova, iotlb }: Objects): void {
  const thread = model.thread("device", "daemon");
  thread.step({ text: "the IOTLB caches iova", ...together({ alternatives: [{ guard: ne(iova, 0) }] }, programDevice(iotlb, iova)) });
  const dma = thread.step({ text: "DMA write to iova", ...together(whenProgrammed(iotlb), { alternatives: [{ checks: [dmaTargetLives(iotlb, all)] }] }) });
  model.reach(thread, dma, "the device writes");
}

/** A pin must outlast the last translation that a device has of the page. */
export const unpinBeforeSync: CatalogueScenario = {
  id: "unpin-before-dma-stops",
  rules: [],
  title: "a page is unpinned while a device still reaches it",
  sources: ["drivers/vfio/vfio_iommu_type1.c (6.1.192): vfio_sync_unpin(), vfio_unmap_unpin()", "include/linux/iommu.h: iommu_unmap_fast(), iommu_iotlb_sync()"],
  properties: ["dma-to-freed"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "unpin-first", what: "the page is unpinned between iommu_unmap_fast() and iommu_iotlb_sync()", isFixed: false },
    { id: "sync-first", what: "iommu_iotlb_sync(), then the page is unpinned", isFixed: true, undone: "unpin-first" },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`unpin-before-dma-stops, ${variant}`);
    const objects: Objects = { model, all: folios(model, 1, 1, ["P"]), iova: entry(model, "IOMMU entry", 0, ["P"]), iotlb: dmaDevice(model, ["P"]) };
    addVfio(objects, variant);
    addDevice(objects);
    const owner = model.thread("munmap", "environment");
    const unmapped = owner.step({ text: "the page is unmapped and put", ...putFolio(objects.all, 1) });
    model.reach(owner, unmapped, "the process unmaps the page");
    return model.finish();
  },
  expected: ({ variant }) => (variant === "unpin-first" ? { fails: "dma-to-freed" } : "pass"),
};
