// SPDX-License-Identifier: GPL-2.0-only
import type { StepPart, ThreadBuilder } from "../build.ts";
import { decrement, increment } from "../effect.ts";
import { eq, gt, lt } from "../expression.ts";
import type { Field } from "../expression.ts";
import type { Check } from "../model.ts";

/** The stack of temporary kernel mappings of one task: `current->kmap_ctrl.idx`, `mm/highmem.c`. One local byte. */
export type KmapStack = Field;

export const kmapStack = (thread: ThreadBuilder): KmapStack => thread.local("kmap_ctrl.idx");

/** `kmap_local_page()`: `BUG_ON()` in `kmap_local_idx_push()` where the stack is full. */
export const kmapLocal = (stack: KmapStack, most: number): StepPart => ({
  alternatives: [
    {
      effect: [increment(stack)],
      checks: [{ holds: lt(stack, most), property: "bug-on", message: "kmap_local_idx_push(): the stack of temporary mappings is full" }],
    },
  ],
});

/** `kunmap_local()` of the address that was mapped last. */
export const kunmapLocal = (stack: KmapStack): StepPart => ({
  alternatives: [
    { effect: [decrement(stack)], checks: [{ holds: gt(stack, 0), property: "unlock-not-held", message: "kunmap_local() of what is not mapped" }] },
  ],
});

/** `kunmap_local()` of an address that is no temporary mapping, for example of a variable: warns at most, unmaps nothing. */
export const kunmapOther = (): StepPart => ({ alternatives: [{ note: "no temporary mapping: nothing is unmapped" }] });

/** The task must leave with as many mappings as it came with. */
export const noKmapLeft = (stack: KmapStack): Check => ({
  holds: eq(stack, 0),
  property: "leak-at-exit",
  message: "the function returns with temporary mappings left",
});
