// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { assign } from "../effect.ts";
import { and, eq, ne } from "../expression.ts";
import type { Field } from "../expression.ts";
import { flushTlb } from "./tlb.ts";
import type { TlbSlot } from "./tlb.ts";

/**
 * A CPU as those see it who interrupt it and wait for its answer: `include/linux/irqflags.h`, `smp_call_function_many_cond()`
 * in `kernel/smp.c`, `native_flush_tlb_multi()` in `arch/x86/mm/tlb.c`. What it has cached is a `TlbSlot`; how deep it is in
 * sections that must not sleep belongs to the thread (`Context`).
 */
export interface Cpu {
  readonly irqsOff: Field;
  /** An interrupt was sent and is not answered. */
  readonly ipi: Field;
}

export const cpu = (model: ModelBuilder, name: string): Cpu => ({
  irqsOff: model.field(`interrupts of ${name}`, 0, { labels: { 0: "on", 1: "off" }, atomic: true }),
  ipi: model.field(`IPI to ${name}`, 0, { labels: { 0: "none", 1: "pending" } }),
});

/** `local_irq_save()`, of a thread that runs there. */
export const irqSave = ({ irqsOff }: Cpu): StepPart => ({
  alternatives: [{ effect: [assign(irqsOff, 1)] }],
  acquires: [{ lock: irqsOff, name: irqsOff.name }],
});

/** `local_irq_restore()`. */
export const irqRestore = ({ irqsOff }: Cpu): StepPart => ({
  alternatives: [
    {
      effect: [assign(irqsOff, 0)],
      checks: [{ holds: ne(irqsOff, 0), property: "unlock-not-held", message: "interrupts are restored that were not saved" }],
    },
  ],
  releases: [{ lock: irqsOff }],
});

/** First half of an interrupt that is waited for. */
export const sendIpi = ({ ipi }: Cpu): StepPart => ({ alternatives: [{ effect: [assign(ipi, 1)] }] });

/** Second half: the CPU has answered. */
export const awaitIpi = ({ ipi }: Cpu): StepPart => ({ alternatives: [{ guard: eq(ipi, 0) }] });

/** The CPU takes the interrupt as soon as it may, for a daemon thread; with a slot given, it drops what is in it. */
export const answerIpi = ({ irqsOff, ipi }: Cpu, slot: TlbSlot | null): StepPart => {
  const flush = slot === null ? [] : flushTlb(slot).alternatives.flatMap(({ effect = [] }) => effect);
  return { alternatives: [{ guard: and(eq(irqsOff, 0), eq(ipi, 1)), effect: [...flush, assign(ipi, 0)] }] };
};
