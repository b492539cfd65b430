// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, ThreadBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { eq, ne, or, type Field } from "../../simulator/expression.ts";
import type { Check } from "../../simulator/model.ts";
import { folioOf, SWAPPED } from "../../simulator/objects/pte.ts";
import type { AddressSpace, Memory } from "../mechanism/memory.ts";

/** A device that works on one page by its number: no page table, no fault. */
export interface Device {
  /** 0, or the page that it was given. */
  readonly page: Field;
}

export const dmaDevice = ({ model, names }: Memory): Device => ({
  page: model.field("page of the device", 0, { labels: Object.fromEntries([[0, "none"], ...names.map((name, index) => [index + 1, name] as const)]) }),
});

/** The driver passes the page that it took on; `from` is the register that GUP left it in. */
export const addProgramming = (thread: ThreadBuilder, { page }: Device, from: Field): number =>
  thread.step({ text: "the device gets the page (IOMMU, PFN)", effect: [assign(page, from)] });

/** What the device works on is what the process has at the address, or will have again after a fault. */
const pinHolds = ({ page }: Device, { pte, name }: AddressSpace): Check => ({
  holds: or(eq(page, folioOf(pte)), eq(pte.value, SWAPPED)),
  property: "lost-dma",
  message: `the device works on a page that ${name} no longer maps: neither sees what the other writes`,
});

/** The device transfers, at any time after it got its page. */
export function addDma(model: ModelBuilder, device: Device, at: AddressSpace): void {
  const thread = model.thread("device", "daemon");
  const step = thread.step({ text: "DMA to the page", guard: ne(device.page, 0), checks: [pinHolds(device, at)] });
  model.reach(thread, step, "the device works");
}
