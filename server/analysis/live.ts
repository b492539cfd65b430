// SPDX-License-Identifier: GPL-2.0-only
import { ANON_TESTS, PRIVATE_TESTS, SHARE_TESTS } from "../kernel/private-mapping.ts";
import type { Value } from "../program/code.ts";
import { successors, type EffectProgram, type NodeId, type ProgramNode } from "../program/program.ts";
import { namesIn } from "../program/render.ts";
import type { State } from "./state.ts";

/** For each node, the names that it or something behind it reads before they get another value. */
export type Live = (id: NodeId) => ReadonlySet<string>;

/** Facts that rules ask for wherever the names are: whether a VMA can share its page tables. */
const LASTING = new RegExp(`\\bVM_(?:MAY)?SHARED?\\b|\\bis_cow_mapping\\b|\\b(?:${[...ANON_TESTS, ...PRIVATE_TESTS, ...SHARE_TESTS].join("|")})\\(|^\\w+->vm_file$`);

export const isLasting = (key: string): boolean => LASTING.test(key);

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
  const sets = new Map<NodeId, ReadonlySet<string>>();
  return (id) => {
    const known = sets.get(id) ?? new Set(names.filter((_, index) => ((live[id]?.[index >> 5] ?? 0) >> (index & 31)) & 1));
    sets.set(id, known);
    return known;
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
  if (textNames.size > 10_000) textNames.clear();
  textNames.set(text, found);
  return found;
}

const textNames = new Map<string, readonly string[]>();

/** Forgets what is known about names that nothing reads any more, so that paths meet again. */
export function withoutDead(state: State, live: ReadonlySet<string>): State {
  const wanted = throughDefinitions(state, live);
  const isWanted = (text: string): boolean => LASTING.test(text) || namesOfText(text).every((name) => wanted.has(name));
  const bits = kept(state.bits, (key) => isWanted(key.slice(0, key.lastIndexOf("/"))));
  const truths = kept(state.truths, isWanted);
  const definitions = kept(state.definitions, (name) => wanted.has(name));
  const walks = kept(state.walks, isWanted);
  const doubtful = [...state.doubtful].every(isWanted) ? state.doubtful : new Set([...state.doubtful].filter(isWanted));
  if (bits === state.bits && truths === state.truths && definitions === state.definitions && walks === state.walks && doubtful === state.doubtful)
    return state;
  return { ...state, bits, truths, definitions, walks, doubtful };
}

/** A question about a variable is one about what it stands for. */
function throughDefinitions(state: State, live: ReadonlySet<string>): ReadonlySet<string> {
  if (state.definitions.size === 0) return live;
  const wanted = new Set(live);
  for (let size = -1; size !== wanted.size; ) {
    size = wanted.size;
    for (const [name, value] of state.definitions) if (wanted.has(name)) for (const one of namesOf(value)) wanted.add(one);
  }
  return wanted;
}

const namesOf = (value: Value): readonly string[] => namesIn(value);

function kept<V>(map: ReadonlyMap<string, V>, isWanted: (key: string) => boolean): ReadonlyMap<string, V> {
  for (const key of map.keys()) if (!isWanted(key)) return new Map([...map].filter(([one]) => isWanted(one)));
  return map;
}
