// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart, ThreadBuilder } from "../build.ts";
import { assign, decrement, increment } from "../effect.ts";
import { and, eq, gt, ne, or } from "../expression.ts";
import type { Expression, Field } from "../expression.ts";
import type { Check } from "../model.ts";
import { isPresent, OF_DEVICE } from "./entry.ts";
import type { Entry } from "./entry.ts";

/**
 * A driver that mirrors one entry and is told through an interval subscription: `mmu_interval_notifier_insert()`,
 * `mn_itree_invalidate()` in `mm/mmu_notifier.c`. `mapping` is 0, or the folio that the device reads and writes.
 */
export interface IntervalSubscriber {
  readonly mapping: Field;
}

/**
 * KVM as a subscriber of the list: `virt/kvm/kvm_main.c` (`kvm_mmu_invalidate_begin()`, `mmu_invalidate_retry()`). `spte` is
 * 0, or the folio that the guest reads and writes.
 */
export interface KvmSubscriber {
  readonly spte: Field;
  readonly inProgress: Field;
  readonly seq: Field;
}

const labelsOf = (folios: readonly string[]): Record<number, string> =>
  Object.fromEntries([[0, "none"], ...folios.map((folio, index) => [index + 1, folio] as const), [OF_DEVICE, "device entry"]]);

export const intervalSubscriber = (
  model: ModelBuilder, name: string, mapping: number, folios: readonly string[] = [],
): IntervalSubscriber => ({ mapping: model.field(`${name} mapping`, mapping, { labels: labelsOf(folios) }) });

export const kvmSubscriber = (model: ModelBuilder, spte: number, folios: readonly string[] = [], name = "spte"): KvmSubscriber => ({
  spte: model.field(name, spte, { labels: labelsOf(folios) }),
  inProgress: model.field("mmu_invalidate_in_progress"),
  seq: model.field("mmu_invalidate_seq", 0, { hidden: true }),
});

/**
 * The interval subscriber's turn in `__mmu_notifier_invalidate_range_start()`. It may refuse where the range is not
 * blockable; then the start returns -EAGAIN without calling the list, and the thread goes on at the label.
 */
export const invalidateInterval = ({ mapping }: IntervalSubscriber, refused: string | null): StepPart => ({
  alternatives: [
    ...(refused === null ? [] : [{ to: refused, note: "a subscriber refuses: -EAGAIN" }]),
    { effect: [assign(mapping, 0)], note: "accepted" },
  ],
});

/** KVM's turn in `__mmu_notifier_invalidate_range_start()`: it holds off faults and drops its mapping. */
export const invalidateKvm = ({ spte, inProgress }: KvmSubscriber): StepPart => ({
  alternatives: [{ effect: [increment(inProgress), assign(spte, 0)] }],
});

/** KVM's turn in `__mmu_notifier_invalidate_range_end()`. */
export const endInvalidateKvm = ({ inProgress, seq }: KvmSubscriber): StepPart => ({
  alternatives: [
    {
      effect: [decrement(inProgress), increment(seq)],
      checks: [
        {
          holds: gt(inProgress, 0),
          property: "notifier-imbalance",
          message: "KVM sees the end of an invalidation whose start it did not see",
        },
      ],
    },
  ],
});

const agrees = (mapping: Field, primary: Entry): Expression => or(eq(mapping, 0), eq(mapping, primary));

/** The check of everything that goes through a secondary mapping. `who` is for example `the guest`. */
export const mappingIsFresh = (mapping: Field, primary: Entry, who: string): Check => ({
  holds: agrees(mapping, primary),
  property: "stale-secondary-mapping",
  message: `${who} goes through a mapping that ${primary.name} no longer backs`,
});

/** Registers of a virtual CPU thread. */
export interface VcpuRegisters {
  readonly seen: Field;
  readonly folio: Field;
}

export const vcpuRegisters = (thread: ThreadBuilder): VcpuRegisters => ({
  seen: thread.local("seq seen", 0, { hidden: true }),
  folio: thread.local("folio faulted", 0, { hidden: true }),
});

/** First half of `kvm_faultin_pfn()`: notes the sequence number and looks the folio up, only while nothing is mapped. */
export const kvmFaultStart = ({ spte, seq }: KvmSubscriber, primary: Entry, to: VcpuRegisters): StepPart => ({
  alternatives: [
    { guard: and(eq(spte, 0), isPresent(primary)), effect: [assign(to.seen, seq), assign(to.folio, primary)] },
  ],
});

/** Second half: maps the folio unless an invalidation is running or has run since; then it goes on at the label. */
export const kvmFaultFinish = ({ spte, seq, inProgress }: KvmSubscriber, from: VcpuRegisters, retry: string): StepPart => ({
  alternatives: [
    { guard: and(eq(inProgress, 0), eq(from.seen, seq)), effect: [assign(spte, from.folio)] },
    { guard: or(ne(inProgress, 0), ne(from.seen, seq)), to: retry, note: "an invalidation is running or has run: retry" },
  ],
});
