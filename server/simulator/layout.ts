// SPDX-License-Identifier: GPL-2.0-only
import type { Field } from "./expression.ts";
import type { Model, ThreadSpec } from "./model.ts";

/** Where the program counter of one thread lies in a state, and what value means "ended". */
export interface CounterPlace {
  readonly offset: number;
  /** Two bytes, low byte first, where the thread has more than 255 steps. */
  readonly wide: boolean;
  readonly end: number;
}

/** How a state is packed: program counters, then globals, then locals; one byte a field element, padded to whole words. */
export interface Layout {
  /** Bytes in use. */
  readonly width: number;
  /** `width` rounded up to a multiple of four. */
  readonly stride: number;
  readonly counters: readonly CounterPlace[];
  /** Byte offset of each field. Only looked up, never iterated. */
  readonly offsets: ReadonlyMap<Field, number>;
  /** Thread that a local belongs to; absent for globals. */
  readonly owners: ReadonlyMap<Field, number>;
}

export const MAX_STEPS = 0xffff;
/** A search that keeps the last thread with each state has a byte for its number. */
export const MAX_THREADS = 0xff;
/** Far more than any model has: a store begins with room for hundreds of states. */
export const MAX_FIELD_BYTES = 0xffff;

const placeCounters = (threads: readonly ThreadSpec[]): CounterPlace[] => {
  let offset = 0;
  return threads.map(({ name, steps }) => {
    if (steps.length > MAX_STEPS) throw new Error(`thread ${name} has more than ${MAX_STEPS} steps`);
    const place = { offset, wide: steps.length > 0xff, end: steps.length };
    offset += place.wide ? 2 : 1;
    return place;
  });
};

/** Packs a model. Extra bytes (kept 0 here) are for a search that stores something of its own with each state. */
export const layoutOf = (model: Model, extraBytes = 0): Layout => {
  const counters = placeCounters(model.threads);
  const offsets = new Map<Field, number>();
  const owners = new Map<Field, number>();
  let offset = counters.reduce((sum, { wide }) => sum + (wide ? 2 : 1), 0);
  const place = (field: Field): void => {
    if (offsets.has(field)) throw new Error(`field ${field.name} is declared twice`);
    offsets.set(field, offset);
    offset += field.length;
  };
  model.globals.forEach(place);
  model.threads.forEach((thread, index) => {
    for (const field of thread.locals) {
      place(field);
      owners.set(field, index);
    }
  });
  const width = offset + extraBytes;
  return { width, stride: (width + 3) & ~3, counters, offsets, owners };
};

/** The packed initial state, `stride` bytes. */
export const initialState = (model: Model, layout: Layout): Uint8Array => {
  const state = new Uint8Array(layout.stride);
  const fields = [...model.globals, ...model.threads.flatMap(({ locals }) => locals)];
  for (const field of fields) state.set(field.initial, layout.offsets.get(field));
  return state;
};

export const readCounter = (bytes: Uint8Array, base: number, { offset, wide }: CounterPlace): number => {
  const low = bytes[base + offset];
  return wide ? low | (bytes[base + offset + 1] << 8) : low;
};

export const writeCounter = (bytes: Uint8Array, base: number, { offset, wide }: CounterPlace, value: number): void => {
  bytes[base + offset] = value;
  if (wide) bytes[base + offset + 1] = value >> 8;
};
