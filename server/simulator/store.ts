// SPDX-License-Identifier: GPL-2.0-only

/**
 * All states of a search, one behind the other in one growable block, so that a state's number is its order of discovery
 * and the block is the queue of a breadth-first search. The successor under construction is written into the slot behind
 * the last state; `commit` keeps it or finds the equal state that is there already. States are compared exactly.
 */
export interface StateStore {
  /** Words of four bytes a state. */
  readonly words: number;
  bytes: Uint8Array;
  /** The same memory as `bytes`. */
  ints: Int32Array;
  /** Open addressing, linear probing, at most half full: state number + 1, or 0. */
  table: Int32Array;
  /** State that this one was first reached from, -1 for the initial one. */
  parent: Int32Array;
  /** Action that first led here. */
  action: Int32Array;
  count: number;
  capacity: number;
}

const FIRST_CAPACITY = 512;
/** Up to here the store grows fourfold: all values are hashed again each time, which a medium search feels. */
const FAST_GROWTH = 1 << 18;

/** An empty store for states of `stride` bytes (a multiple of four). */
export const createStore = (stride: number): StateStore => {
  const words = stride >> 2;
  const ints = new Int32Array(FIRST_CAPACITY * words);
  return {
    words,
    bytes: new Uint8Array(ints.buffer),
    ints,
    table: new Int32Array(FIRST_CAPACITY * 2),
    parent: new Int32Array(FIRST_CAPACITY),
    action: new Int32Array(FIRST_CAPACITY),
    count: 0,
    capacity: FIRST_CAPACITY,
  };
};

const hashAt = (ints: Int32Array, from: number, words: number): number => {
  let hash = 0x9e3779b9 | 0;
  for (let word = from; word < from + words; word++) {
    hash = Math.imul(hash ^ ints[word], 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
};

const resized = (array: Int32Array, length: number): Int32Array<ArrayBuffer> => {
  const larger = new Int32Array(length);
  larger.set(array);
  return larger;
};

const grow = (store: StateStore): void => {
  const { words } = store;
  const capacity = store.capacity * (store.capacity < FAST_GROWTH ? 4 : 2);
  const ints = resized(store.ints, capacity * words);
  store.capacity = capacity;
  store.ints = ints;
  store.bytes = new Uint8Array(ints.buffer);
  store.parent = resized(store.parent, capacity);
  store.action = resized(store.action, capacity);
  store.table = new Int32Array(capacity * 2);
  const mask = capacity * 2 - 1;
  for (let state = 0; state < store.count; state++) {
    let slot = hashAt(ints, state * words, words) & mask;
    while (store.table[slot] !== 0) slot = (slot + 1) & mask;
    store.table[slot] = state + 1;
  }
};

const equalStates = (ints: Int32Array, left: number, right: number, words: number): boolean => {
  for (let word = 0; word < words; word++) if (ints[left + word] !== ints[right + word]) return false;
  return true;
};

/** Slot of the table that holds the state equal to the one written behind the last, or the free slot where it belongs. */
const findSlot = (store: StateStore): number => {
  const { ints, table, words, count } = store;
  const mask = table.length - 1;
  let slot = hashAt(ints, count * words, words) & mask;
  for (let entry = table[slot]; entry !== 0; entry = table[slot]) {
    if (equalStates(ints, (entry - 1) * words, count * words, words)) return slot;
    slot = (slot + 1) & mask;
  }
  return slot;
};

/** Number of the state written behind the last one; equal to the old `count` where it is new. */
export const commit = (store: StateStore, parent: number, action: number): number => {
  const slot = findSlot(store);
  const known = store.table[slot];
  if (known !== 0) return known - 1;
  const state = store.count;
  store.table[slot] = state + 1;
  store.parent[state] = parent;
  store.action[state] = action;
  store.count = state + 1;
  if (store.count >= store.capacity - 1) grow(store);
  return state;
};

/** Number of the kept state that equals the one written behind the last, or -1. */
export const findWritten = (store: StateStore): number => store.table[findSlot(store)] - 1;

/** Number of the state that equals these bytes (of the store's stride), or -1. */
export const find = (store: StateStore, state: Uint8Array): number => {
  store.bytes.set(state, store.count * store.words * 4);
  return findWritten(store);
};

/** Actions that lead from the initial state to this one, by first discovery. */
export const pathTo = (store: StateStore, state: number): number[] => {
  const actions: number[] = [];
  for (let at = state; store.parent[at] >= 0; at = store.parent[at]) actions.push(store.action[at]);
  return Array.from(actions.keys(), (index) => actions[actions.length - 1 - index]);
};
