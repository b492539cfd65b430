// SPDX-License-Identifier: GPL-2.0-only
import { ANON_TESTS, PRIVATE_TESTS, SHARE_TESTS } from "../kernel/private-mapping.ts";
import { onlyAsserts, successors, type EffectProgram, type NodeId, type ProgramNode } from "../program/program.ts";
import { namesIn } from "../program/render.ts";
import type { State } from "./state.ts";

/** A set of names that is only asked. */
export interface Names {
  has(name: string): boolean;
}

/** For each node, the names that it or something behind it reads before they get another value. */
export type Live = (id: NodeId) => Names;

/** Facts that rules ask for wherever the names are: whether a VMA can share its page tables. */
const LASTING = new RegExp(`\\bVM_(?:MAY)?SHARED?\\b|\\bis_cow_mapping\\b|\\b(?:${[...ANON_TESTS, ...PRIVATE_TESTS, ...SHARE_TESTS].join("|")})\\(|^\\w+->vm_file$`);

export function isLasting(key: string): boolean {
  const known = lasting.get(key);
  if (known !== undefined) return known;
  if (lasting.size > MOST_TEXTS) lasting.clear();
  const made = LASTING.test(key);
  lasting.set(key, made);
  return made;
}

/** Texts are asked about once for each state: what was found out about them is kept, as far as it is not too much. */
const MOST_TEXTS = 10_000;

const lasting = new Map<string, boolean>();

/** Words of bits that the names of one program may take: a hundred times what the largest function of mm/ needs. */
const MOST_WORDS = 4_000_000;

/** Backward fixpoint over bit sets: one pass per nesting of loops. Null where the program is too large for that. */
export function liveNames(program: EffectProgram): Live | null {
  const numbers = new Map<string, number>();
  const numberOf = (name: string): number => {
    const known = numbers.get(name) ?? numbers.size;
    numbers.set(name, known);
    return known;
  };
  const reads = program.nodes.map((node) => readsOf(node).map(numberOf));
  const writes = program.nodes.map((node) => {
    const name = writtenName(node);
    return name === null ? -1 : numberOf(name);
  });
  const width = (numbers.size + 31) >> 5;
  if (width * program.nodes.length > MOST_WORDS) return null;
  const rows = liveRows(program, width, reads, writes);
  const isOne = (row: Int32Array, number: number): boolean => (((row[number >> 5] ?? 0) >> (number & 31)) & 1) === 1;
  const namesOf = (row: Int32Array): Names => ({
    has(name) {
      const number = numbers.get(name);
      return number !== undefined && isOne(row, number);
    },
  });
  // Nodes behind which the same is read have one set: what follows from it is found out once.
  const sets = new Map<number, { readonly row: Int32Array; readonly names: Names }[]>();
  const byNode: Names[] = [];
  return (id) => {
    const known = byNode[id];
    if (known) return known;
    const row = rows[id] ?? new Int32Array(width);
    const hash = hashOf(row);
    const alike = sets.get(hash) ?? [];
    sets.set(hash, alike);
    const same = alike.find((one) => one.row.every((word, index) => word === row[index]));
    const names = same?.names ?? namesOf(row);
    if (!same) alike.push({ row, names });
    else rows[id] = same.row;
    byNode[id] = names;
    return names;
  };
}

/** For each node, a row of bits: one for each name that is live there. */
function liveRows(program: EffectProgram, width: number, reads: readonly (readonly number[])[], writes: readonly number[]): Int32Array[] {
  const rows = program.nodes.map(() => new Int32Array(width));
  const behind = program.nodes.map((node) => successors(node).flatMap((next) => rows[next] ?? []));
  const row = new Int32Array(width);
  for (let changed = true; changed; ) {
    changed = false;
    // Nodes are added back to front: this order settles straight code in one pass.
    rows.forEach((into, id) => {
      row.fill(0);
      for (const other of behind[id] ?? []) for (let word = 0; word < width; word++) row[word] = (row[word] ?? 0) | (other[word] ?? 0);
      const written = writes[id] ?? -1;
      if (written >= 0) row[written >> 5] = (row[written >> 5] ?? 0) & ~(1 << (written & 31));
      for (const read of reads[id] ?? []) row[read >> 5] = (row[read >> 5] ?? 0) | (1 << (read & 31));
      if (row.every((word, index) => word === into[index])) return;
      into.set(row);
      changed = true;
    });
  }
  return rows;
}

const hashOf = (row: Int32Array): number => row.reduce((hash, word) => (Math.imul(hash, 31) + word) | 0, row.length);

function readsOf(node: ProgramNode): readonly string[] {
  switch (node.kind) {
    case "call":
      return [...(onlyAsserts(node) ? [] : node.args.flatMap((arg) => namesIn(arg))), ...(node.result === null || isName(node.result) ? [] : namesOfText(node.result))];
    case "assign":
      return [...(node.value ? namesIn(node.value) : []), ...(node.operator === "=" && node.target.kind === "name" ? [] : namesIn(node.target))];
    case "branch":
      return namesIn(node.condition);
    case "return":
      return node.value ? namesIn(node.value) : [];
    default:
      return [];
  }
}

function writtenName(node: ProgramNode): string | null {
  if (node.kind === "assign") return node.operator === "=" && node.target.kind === "name" ? node.target.name : null;
  return node.kind === "call" && node.result !== null && isName(node.result) ? node.result : null;
}

const isName = (text: string): boolean => /^[\w$]+$/.test(text);

/** Names in a canonical text: no fields, no functions, no macros. */
function namesOfText(text: string): readonly string[] {
  const known = textNames.get(text);
  if (known) return known;
  const found = [...text.matchAll(/(?<![\w$.]|->)[A-Za-z_$][\w$]*(?![\w$]*\()/g)].map((match) => match[0]).filter((name) => !/^[A-Z][A-Z0-9_]*$/.test(name));
  if (textNames.size > MOST_TEXTS) textNames.clear();
  textNames.set(text, found);
  return found;
}

const textNames = new Map<string, readonly string[]>();

/** Forgets what is known about names that nothing reads any more, so that paths meet again. */
export function withoutDead(state: State, live: Names): State {
  const wanted = throughDefinitions(state.definitions, live);
  const bits = kept(state.bits, wanted, placeOfBit);
  const truths = kept(state.truths, wanted, itself);
  const definitions = kept(state.definitions, wanted, null);
  const walks = kept(state.walks, wanted, itself);
  const doubtful = keptNames(state.doubtful, wanted);
  if (bits === state.bits && truths === state.truths && definitions === state.definitions && walks === state.walks && doubtful === state.doubtful)
    return state;
  return { ...state, bits, truths, definitions, walks, doubtful };
}

const placeOfBit = (key: string): string => key.slice(0, key.lastIndexOf("/"));
const itself = (key: string): string => key;

/** What follows from a set of names that are read: asked again and again for the same parts of states. */
interface Following {
  readonly wanted: Map<object, Names>;
  readonly kept: Map<object, object>;
}

const followings = new WeakMap<Names, Following>();

function following(names: Names): Following {
  const known = followings.get(names);
  if (known) return known;
  const made: Following = { wanted: new Map(), kept: new Map() };
  followings.set(names, made);
  return made;
}

/** A question about a variable is one about what it stands for. */
function throughDefinitions(definitions: State["definitions"], live: Names): Names {
  if (definitions.size === 0) return live;
  const { wanted } = following(live);
  const known = wanted.get(definitions);
  if (known) return known;
  const added = new Set<string>();
  const has = (name: string): boolean => live.has(name) || added.has(name);
  for (let size = -1; size !== added.size; ) {
    size = added.size;
    for (const [name, value] of definitions) if (has(name)) for (const one of namesIn(value)) if (!live.has(one)) added.add(one);
  }
  const found: Names = added.size === 0 ? live : { has };
  wanted.set(definitions, found);
  return found;
}

/** `placeOf`: the text that an entry is about; null where its key is a plain name. */
function kept<V>(map: ReadonlyMap<string, V>, wanted: Names, placeOf: ((key: string) => string) | null): ReadonlyMap<string, V> {
  if (map.size === 0) return map;
  const known = following(wanted).kept;
  const before = known.get(map) as ReadonlyMap<string, V> | undefined;
  if (before) return before;
  const isWanted = (key: string): boolean => (placeOf === null ? wanted.has(key) : isRead(placeOf(key), wanted));
  const made = [...map.keys()].every(isWanted) ? map : new Map([...map].filter(([key]) => isWanted(key)));
  known.set(map, made);
  return made;
}

function keptNames(set: ReadonlySet<string>, wanted: Names): ReadonlySet<string> {
  for (const name of set) if (!isRead(name, wanted)) return new Set([...set].filter((one) => isRead(one, wanted)));
  return set;
}

const isRead = (text: string, wanted: Names): boolean => isLasting(text) || namesOfText(text).every((name) => wanted.has(name));
