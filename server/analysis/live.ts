// SPDX-License-Identifier: GPL-2.0-only
import { ANON_TESTS, PRIVATE_TESTS, SHARE_TESTS } from "../kernel/private-mapping.ts";
import { successors, type EffectProgram, type NodeId, type ProgramNode } from "../program/program.ts";
import { namesIn } from "../program/render.ts";
import type { State } from "./state.ts";

/** For each node, the names that it or something behind it reads before they get another value. */
export type Live = (id: NodeId) => ReadonlySet<string>;

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

/** Backward fixpoint over bit sets: one pass per nesting of loops. */
export function liveNames(program: EffectProgram): Live {
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
  const live = program.nodes.map(() => new Int32Array(width));
  for (let changed = true; changed; ) {
    changed = false;
    // Nodes are added back to front: this order settles straight code in one pass.
    program.nodes.forEach((node, id) => {
      const into = live[id] ?? new Int32Array(width);
      const written = writes[id] ?? -1;
      for (let word = 0; word < width; word++) {
        let bits = 0;
        for (const next of successors(node)) bits |= live[next]?.[word] ?? 0;
        if (written >> 5 === word) bits &= ~(1 << (written & 31));
        for (const read of reads[id] ?? []) if (read >> 5 === word) bits |= 1 << (read & 31);
        if (bits !== into[word]) {
          into[word] = bits;
          changed = true;
        }
      }
    });
  }
  const names = [...numbers.keys()];
  // Nodes behind which the same is read have one set.
  const sets = new Map<string, ReadonlySet<string>>();
  const byNode: ReadonlySet<string>[] = [];
  return (id) => {
    const known = byNode[id];
    if (known) return known;
    const key = live[id]?.join() ?? "";
    const made = sets.get(key) ?? new Set(names.filter((_, index) => ((live[id]?.[index >> 5] ?? 0) >> (index & 31)) & 1));
    sets.set(key, made);
    byNode[id] = made;
    return made;
  };
}

function readsOf(node: ProgramNode): readonly string[] {
  switch (node.kind) {
    case "call":
      return [...node.args.flatMap((arg) => namesIn(arg)), ...(node.result === null || isName(node.result) ? [] : namesOfText(node.result))];
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
export function withoutDead(state: State, live: ReadonlySet<string>): State {
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
  readonly wanted: Map<object, ReadonlySet<string>>;
  readonly kept: Map<object, object>;
}

const followings = new WeakMap<ReadonlySet<string>, Following>();

function following(names: ReadonlySet<string>): Following {
  const known = followings.get(names);
  if (known) return known;
  const made: Following = { wanted: new Map(), kept: new Map() };
  followings.set(names, made);
  return made;
}

/** A question about a variable is one about what it stands for. */
function throughDefinitions(definitions: State["definitions"], live: ReadonlySet<string>): ReadonlySet<string> {
  if (definitions.size === 0) return live;
  const { wanted } = following(live);
  const known = wanted.get(definitions);
  if (known) return known;
  const found = new Set(live);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const [name, value] of definitions) if (found.has(name)) for (const one of namesIn(value)) found.add(one);
  }
  wanted.set(definitions, found);
  return found;
}

/** `placeOf`: the text that an entry is about; null where its key is a plain name. */
function kept<V>(map: ReadonlyMap<string, V>, wanted: ReadonlySet<string>, placeOf: ((key: string) => string) | null): ReadonlyMap<string, V> {
  if (map.size === 0) return map;
  const known = following(wanted).kept;
  const before = known.get(map) as ReadonlyMap<string, V> | undefined;
  if (before) return before;
  const isWanted = (key: string): boolean => (placeOf === null ? wanted.has(key) : isRead(placeOf(key), wanted));
  const made = [...map.keys()].every(isWanted) ? map : new Map([...map].filter(([key]) => isWanted(key)));
  known.set(map, made);
  return made;
}

function keptNames(set: ReadonlySet<string>, wanted: ReadonlySet<string>): ReadonlySet<string> {
  for (const name of set) if (!isRead(name, wanted)) return new Set([...set].filter((one) => isRead(one, wanted)));
  return set;
}

const isRead = (text: string, wanted: ReadonlySet<string>): boolean => isLasting(text) || namesOfText(text).every((name) => wanted.has(name));
