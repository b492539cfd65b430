// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import type { CallNode, EffectProgram, ProgramNode } from "../../program/program.ts";
import { namesIn, render } from "../../program/render.ts";
import type { ThreadBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { expression, FALSE, type Expression, type Field } from "../../simulator/expression.ts";
import type { Assignment } from "../../simulator/model.ts";
import { outputsOf } from "../outputs.ts";

/*
 * The value of an entry as far as replacing a page is about it: which page, may it be written, and what userfaultfd and the
 * soft-dirty tracker have noted in it. Sources: arch/x86/include/asm/pgtable.h, include/linux/mm.h (maybe_mkwrite()).
 */

/** What an entry maps: nothing, the page that was there, the one that takes its place. */
export const [NOTHING, OLD, NEW] = [0, 1, 2] as const;

export const BITS = ["page", "writable", "uffdWp", "softDirty"] as const;
export type Bit = (typeof BITS)[number];

export type EntryValue = Readonly<Record<Bit, Expression>>;
export type EntryFields = Readonly<Record<Bit, Field>>;

/** Variables that hold entries, all of which are made in known ways, and the pointer to the entry that is replaced. */
export interface EntryVariables {
  readonly names: ReadonlySet<string>;
  readonly pointer: string;
}

/** Greatest fixpoint: a variable that gets its value from one that is not known is not known either. */
export function entryVariables(program: EffectProgram, pointer: string): EntryVariables {
  const names = new Set([...program.variables.values()].flatMap((one) => (one.type === "pte_t" && one.pointers === 0 && !one.isParameter ? [one.name] : [])));
  const variables: EntryVariables = { names, pointer };
  for (let size = -1; size !== names.size; ) {
    size = names.size;
    for (const node of program.nodes) for (const name of unknownAfter(node, variables)) names.delete(name);
  }
  return variables;
}

/** What has a value after a node that nothing is known of. */
function unknownAfter(node: ProgramNode, variables: EntryVariables): readonly string[] {
  if (node.kind === "call") return [...outputsOf(node), ...(node.result !== null && !clears(node, variables.pointer) ? [node.result] : [])];
  if (node.kind !== "assign") return [];
  const isKnown = node.operator === "=" && node.value !== null && entryValue(node.value, variables, () => NONE, NONE, NONE) !== null;
  return isKnown ? [] : [render(node.target)];
}

/** True for a call that gives the old entry: `pte = ptep_clear_flush(...)`. */
const clears = (call: CallNode, pointer: string): boolean => call.effects.some((effect) => effect.kind === "clearEntry" && render(effect.pte) === pointer);

type Change = Partial<Readonly<Record<Bit, 0 | 1 | 2>>>;

/** Calls that make an entry of a page, by name. The protection of a private mapping does not allow writing. */
const MAKES: Readonly<Record<string, Change>> = {
  mk_pte: { page: NEW, writable: 0, uffdWp: 0, softDirty: 0 },
  folio_mk_pte: { page: NEW, writable: 0, uffdWp: 0, softDirty: 0 },
};

/** Calls that make an entry of another one. On x86 pte_mkdirty() is soft-dirty too, and from 6.2 pte_mkuffd_wp() write-protects. */
const CHANGES: Readonly<Record<string, Change>> = {
  maybe_mkwrite: { writable: 1 },
  pte_mkwrite: { writable: 1 },
  pte_mkwrite_novma: { writable: 1 },
  pte_wrprotect: { writable: 0 },
  pte_mkuffd_wp: { uffdWp: 1, writable: 0 },
  pte_clear_uffd_wp: { uffdWp: 0 },
  pte_mksoft_dirty: { softDirty: 1 },
  pte_mkdirty: { softDirty: 1 },
  pte_clear_soft_dirty: { softDirty: 0 },
  pte_sw_mkyoung: {},
  pte_mkyoung: {},
  pte_mkold: {},
  pte_mkclean: {},
  pte_mkspecial: {},
};


/** `vmf->orig_pte`: the entry as the fault found it. */
const isOriginal = (value: Value): boolean => value.kind === "member" && value.field === "orig_pte";

const isLive = (value: Value, pointer: string): boolean =>
  (value.kind === "unary" && value.operator === "*" && render(value.of) === pointer) || (value.kind === "call" && value.name === "ptep_get" && value.args.some((arg) => render(arg) === pointer));

/** Reads a value, from what the entry was, what it is, and what the variables hold; null: it is made in a way that is not known. */
export function entryValue(value: Value, { names, pointer }: EntryVariables, read: (variable: string) => EntryValue, live: EntryValue, original: EntryValue): EntryValue | null {
  const inner = (part: Value | undefined): EntryValue | null => (part ? entryValue(part, { names, pointer }, read, live, original) : null);
  if (isOriginal(value)) return original;
  if (isLive(value, pointer)) return live;
  if (value.kind === "name") return names.has(value.name) ? read(value.name) : null;
  if (value.kind !== "call") return null;
  const made = MAKES[value.name];
  if (made) return changed(original, made);
  const change = CHANGES[value.name];
  const of = change && inner(value.args[0]);
  return change && of ? changed(of, change) : null;
}

const changed = (of: EntryValue, change: Change): EntryValue =>
  Object.fromEntries(BITS.map((bit) => [bit, change[bit] === undefined ? of[bit] : expression(change[bit])])) as Record<Bit, Expression>;

const NONE: EntryValue = { page: FALSE, writable: FALSE, uffdWp: FALSE, softDirty: FALSE };

/** True where a value is an entry that is made in a known way, of a page. */
export function isNewEntry(program: EffectProgram, value: Value, variables: EntryVariables): boolean {
  if (entryValue(value, variables, () => NONE, NONE, NONE) === null) return false;
  const behind = new Set([render(value), ...namesIn(value)]);
  const found = [value];
  for (let size = -1; size !== behind.size; ) {
    size = behind.size;
    for (const node of program.nodes) {
      if (node.kind !== "assign" || !node.value || !variables.names.has(render(node.target)) || !behind.has(render(node.target))) continue;
      found.push(node.value);
      namesIn(node.value).forEach((name) => behind.add(name));
    }
  }
  return found.some(makesEntry);
}

const makesEntry = (value: Value): boolean => value.kind === "call" && (MAKES[value.name] !== undefined || value.args.some(makesEntry));

/** Fields for the value of an entry, in a model or in a thread. */
export const entryLocals = (thread: ThreadBuilder, name: string): EntryFields =>
  Object.fromEntries(BITS.map((bit) => [bit, thread.local(`${name}: ${bit}`, 0, { hidden: true })])) as Record<Bit, Field>;

export const asExpressions = (fields: EntryFields): EntryValue =>
  Object.fromEntries(BITS.map((bit) => [bit, { kind: "field", field: fields[bit] }])) as Record<Bit, Expression>;

export const assignEntry = (to: EntryFields, value: EntryValue): Assignment[] => BITS.map((bit) => assign(to[bit], value[bit]));
