// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { assign, assignAt } from "../effect.ts";
import { and, element, eq, expression, ne, plus, TRUE } from "../expression.ts";
import type { Expression, Field, Operand } from "../expression.ts";
import type { Assignment } from "../model.ts";

/**
 * The stores of one CPU that no other CPU sees yet: `Documentation/memory-barriers.txt`, `tools/memory-model/` (a store may
 * pass a later load, which is what `smp_mb()` prevents). First in, first out, as on x86: that two stores, or two loads, of
 * one CPU change places is not modeled. Only writes that a scenario sends through the buffer can be late; a buffer of
 * depth 0 makes none late, so that the same scenario is sequentially consistent.
 *
 * Every way to write takes the store into the buffer; it reaches memory in a step of the daemon that `addDrain` adds, at any
 * time. A full buffer holds the CPU back until then.
 */
export interface StoreBuffer {
  readonly cpu: string;
  readonly locations: readonly Location[];
  /** What waits, oldest first: 0 nothing, else a location and whether it is set or added to. */
  readonly pending: readonly Field[];
  readonly values: readonly Field[];
}

/** A byte of memory that the CPU writes late. */
export interface Location {
  /** As a reader knows it, for example `*ptep`. */
  readonly name: string;
  readonly field: Field;
  /** Missing: the field is a scalar. */
  readonly index?: number;
}

export type Depth = 0 | 1 | 2;

const setOf = (location: number): number => 1 + 2 * location;
const addTo = (location: number): number => 2 + 2 * location;

const labelsOf = (locations: readonly Location[]): Record<number, string> =>
  Object.fromEntries([
    [0, "empty"],
    ...locations.flatMap(({ name }, index) => [[setOf(index), name] as const, [addTo(index), `change of ${name}`] as const]),
  ]);

const times = <T>(depth: Depth, make: (slot: number) => T): readonly T[] => Array.from({ length: depth }, (_, slot) => make(slot));

/** Declares the buffer of a CPU for the locations that it writes late. */
export const storeBuffer = (model: ModelBuilder, cpu: string, locations: readonly Location[], depth: Depth): StoreBuffer => ({
  cpu,
  locations,
  pending: times(depth, (slot) => model.field(slot === 0 ? `store buffer of ${cpu}` : `store buffer of ${cpu}, next`, 0, { labels: labelsOf(locations) })),
  values: times(depth, (slot) => model.field(`value ${slot} of ${cpu}`, 0, { hidden: true })),
});

const memory = ({ field, index }: Location): Expression => (index === undefined ? expression(field) : element(field, index));

const write = ({ field, index }: Location, value: Operand): Assignment => (index === undefined ? assign(field, value) : assignAt(field, index, value));

const numberOf = ({ cpu, locations }: StoreBuffer, location: Location): number => {
  const found = locations.indexOf(location);
  if (found < 0) throw new Error(`${cpu} does not write ${location.name} late`);
  return found;
};

/** Takes a store into the first slot that is free. */
const take = (buffer: StoreBuffer, code: number, value: Operand): StepPart => ({
  alternatives: buffer.pending.map((pending, slot) => {
    const before = buffer.pending[slot - 1];
    return {
      guard: before === undefined ? eq(pending, 0) : and(ne(before, 0), eq(pending, 0)),
      effect: [assign(pending, code), assign(buffer.values[slot]!, value)],
    };
  }),
});

/** `WRITE_ONCE(location, value)`, or an atomic operation without ordering that returns nothing. */
export const storeLate = (buffer: StoreBuffer, location: Location, value: Operand): StepPart => {
  const code = setOf(numberOf(buffer, location));
  return buffer.pending.length === 0 ? { alternatives: [{ effect: [write(location, value)] }] } : take(buffer, code, value);
};

/** `atomic_add(by, location)` and other changes without ordering: no change of another CPU is lost, but this one may be late. */
export const addLate = (buffer: StoreBuffer, location: Location, by: number): StepPart => {
  const code = addTo(numberOf(buffer, location));
  return buffer.pending.length === 0 ? { alternatives: [{ effect: [write(location, plus(memory(location), by))] }] } : take(buffer, code, by);
};

interface Seen {
  readonly guard: Expression;
  readonly value: Expression;
}

/** What the CPU itself reads: its own stores first. One case for each state of the buffer. */
const seenBy = (buffer: StoreBuffer, location: Location): readonly Seen[] => {
  const at = numberOf(buffer, location);
  return buffer.pending.reduce<readonly Seen[]>(
    (cases, pending, slot) =>
      cases.flatMap(({ guard, value }) => [
        { guard: and(guard, eq(pending, setOf(at))), value: expression(buffer.values[slot]!) },
        { guard: and(guard, eq(pending, addTo(at))), value: plus(value, buffer.values[slot]!) },
        { guard: and(guard, ne(pending, setOf(at)), ne(pending, addTo(at))), value },
      ]),
    [{ guard: TRUE, value: memory(location) }],
  );
};

/** `register = READ_ONCE(location)` on the CPU that owns the buffer. Other CPUs read the memory. */
export const loadOwn = (buffer: StoreBuffer, location: Location, register: Field): StepPart => ({
  alternatives: seenBy(buffer, location).map(({ guard, value }) => ({ guard, effect: [assign(register, value)] })),
});

/** `smp_mb()`, and a part of everything else that orders (locks, atomic operations that return a value): waits for the stores. */
export const fence = ({ pending }: StoreBuffer): StepPart => {
  const [oldest] = pending;
  return { alternatives: [oldest === undefined ? {} : { guard: eq(oldest, 0) }] };
};

/** All stores of the CPU are visible. */
export const isDrained = ({ pending }: StoreBuffer): Expression => {
  const [oldest] = pending;
  return oldest === undefined ? TRUE : eq(oldest, 0);
};

/** The oldest store leaves, the others move up. */
const shifted = ({ pending, values }: StoreBuffer): readonly Assignment[] => [
  ...pending.map((slot, index) => assign(slot, pending[index + 1] ?? 0)),
  ...values.map((slot, index) => assign(slot, values[index + 1] ?? 0)),
];

/** Adds the daemon that makes the stores visible, one a step. */
export const addDrain = (model: ModelBuilder, buffer: StoreBuffer): void => {
  const [oldest] = buffer.pending;
  const [value] = buffer.values;
  if (oldest === undefined || value === undefined) return;
  const daemon = model.thread(`store buffer of ${buffer.cpu}`, "daemon");
  daemon.label("next");
  daemon.step({
    text: `a store of ${buffer.cpu} becomes visible`,
    alternatives: buffer.locations.flatMap((location, index) => [
      { guard: eq(oldest, setOf(index)), effect: [write(location, value), ...shifted(buffer)], note: location.name, to: "next" },
      { guard: eq(oldest, addTo(index)), effect: [write(location, plus(memory(location), value)), ...shifted(buffer)], note: location.name, to: "next" },
    ]),
  });
};
