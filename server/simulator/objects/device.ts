// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { assign } from "../effect.ts";
import { element, eq, gt, ne, or } from "../expression.ts";
import type { Field } from "../expression.ts";
import type { Check } from "../model.ts";
import type { Folios } from "./folio.ts";

/** A device that reads or writes one page by DMA: `dma_map_page()`, `Documentation/core-api/dma-api.rst`. */
export interface DmaDevice {
  /** 0, or the folio that the device was given. */
  readonly target: Field;
}

export const dmaDevice = (model: ModelBuilder, folios: readonly string[], initial = 0): DmaDevice => ({
  target: model.field("device buffer", initial, { labels: Object.fromEntries([[0, "none"], ...folios.map((name, index) => [index + 1, name] as const)]) }),
});

/** The driver hands the page to the device. */
export const programDevice = ({ target }: DmaDevice, folio: Field | number): StepPart => ({ alternatives: [{ effect: [assign(target, folio)] }] });

/** The device has something to do. The step that this is part of says what a transfer does. */
export const whenProgrammed = ({ target }: DmaDevice): StepPart => ({ alternatives: [{ guard: ne(target, 0) }] });

/** The device cannot reach the page any more: it has stopped, or its IOMMU has forgotten the address. */
export const stopDevice = ({ target }: DmaDevice): StepPart => ({ alternatives: [{ effect: [assign(target, 0)] }] });

/** The check of a transfer: the page is still there. */
export const dmaTargetLives = ({ target }: DmaDevice, { refcount }: Folios): Check => ({
  holds: or(eq(target, 0), gt(element(refcount, target), 0)),
  property: "dma-to-freed",
  message: "the device writes a page that was freed",
});
