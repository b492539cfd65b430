// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { assign, increment } from "../effect.ts";
import { eq, ne } from "../expression.ts";
import type { Field } from "../expression.ts";

/**
 * A sequence counter whose readers give up instead of waiting: `mm->write_protect_seq`, `raw_write_seqcount_begin()` and
 * `raw_seqcount_begin()` in `include/linux/seqlock.h`. Two bytes: the number of sections that began, and whether one is open
 * (the lowest bit of the kernel's counter).
 */
export interface Seqcount {
  readonly count: Field;
  readonly open: Field;
}

export const seqcount = (model: ModelBuilder, name: string): Seqcount => ({
  count: model.field(name),
  open: model.field(`${name}, write section`, 0, { labels: { 0: "closed", 1: "open" } }),
});

/** `raw_write_seqcount_begin()`. */
export const writeBegin = ({ count, open }: Seqcount): StepPart => ({ alternatives: [{ effect: [increment(count), assign(open, 1)] }] });

/** `raw_write_seqcount_end()`. */
export const writeEnd = ({ open }: Seqcount): StepPart => ({ alternatives: [{ effect: [assign(open, 0)] }] });

/** `raw_read_seqcount()` and the test of its lowest bit: goes on at the label inside of a write section. */
export const beginOrGiveUp = ({ count, open }: Seqcount, seen: Field, gaveUp: string): StepPart => ({
  alternatives: [
    { guard: eq(open, 0), effect: [assign(seen, count)], note: "even" },
    { guard: ne(open, 0), to: gaveUp, note: "odd: a write section is open" },
  ],
});

/** `read_seqcount_retry()`: goes on at the label where a write section began since. */
export const retrySeqcount = ({ count }: Seqcount, seen: Field, changed: string): StepPart => ({
  alternatives: [
    { guard: eq(seen, count), note: "unchanged" },
    { guard: ne(seen, count), to: changed, note: "changed" },
  ],
});
