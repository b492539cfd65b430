// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import { placeBehind } from "./pinned-pages.ts";
import { asValue } from "./doubt.ts";

/*
 * A page-table walker: which entry the page that it grabs was found in, and which names mean that page.
 */

export type Grab = BoundEffect & { readonly kind: "grabPage" };

/** Entries whose pages may be anonymous; there are no anonymous leaves above. */
const ENTRY = /^(?:pte_t|pmd_t|pud_t)$/;
const LEVEL = /^(?:pte|pmd|pud|p4d|pgd)_t$/;
const READS_ENTRY = /^(pte|pmd|pud)_(?:val|write|same|page|pfn|present|access_permitted)$/;

/** The grab at a node. */
export function grabAt(program: EffectProgram, node: NodeId): { readonly call: CallNode; readonly grab: Grab } | null {
  const call = program.nodes[node];
  if (call?.kind !== "call") return null;
  const grab = call.effects.find((effect) => effect.kind === "grabPage");
  return grab ? { call, grab } : null;
}

/** Values that a name gets somewhere in the program. */
function definitionsOf(program: EffectProgram): ReadonlyMap<string, readonly Value[]> {
  const found = new Map<string, Value[]>();
  const add = (name: string, value: Value): void => {
    const list = found.get(name);
    if (list) list.push(value);
    else found.set(name, [value]);
  };
  for (const node of program.nodes) {
    if (node.kind === "assign" && node.operator === "=" && node.value) add(render(node.target), node.value);
    if (node.kind === "call" && node.result !== null) add(node.result, asValue(node));
  }
  return found;
}

/** The entry that a page (or its folio, or its pfn) was found in; null where it comes from elsewhere. */
export function entryOfPage(program: EffectProgram, page: Value): Value | null {
  const definitions = definitionsOf(program);
  const seen = new Set<string>();
  const chase = (value: Value): Value | null => {
    switch (value.kind) {
      case "name": {
        const variable = program.variables.get(value.name);
        if (variable && ENTRY.test(variable.type) && variable.pointers === 0) return value;
        if (seen.has(value.name)) return null;
        seen.add(value.name);
        return firstOf(definitions.get(value.name) ?? [], chase);
      }
      case "unary":
        if (value.operator === "*" && pointsToEntry(program, value.of)) return value;
        return chase(value.of);
      case "call":
        return firstOf(value.args, chase);
      case "binary":
        return chase(value.left) ?? chase(value.right);
      case "member":
      case "index":
        return chase(value.of);
      case "conditional":
        return (value.then && chase(value.then)) ?? chase(value.otherwise);
      default:
        return null;
    }
  };
  return chase(page) ?? (program.openStart ? mentionedEntry(program) : null);
}

const firstOf = (values: readonly Value[], find: (value: Value) => Value | null): Value | null => {
  for (const value of values) {
    const found = find(value);
    if (found) return found;
  }
  return null;
};

/** True for a variable that points to an entry. */
export function pointsToEntry(program: EffectProgram, pointer: Value): boolean {
  const variable = pointer.kind === "name" ? program.variables.get(pointer.name) : undefined;
  return variable !== undefined && ENTRY.test(variable.type) && variable.pointers === 1;
}

/** Level of the table that a value is an entry of (`pte_t`, ...): a variable that holds one, or `*ptep`; null for anything else. */
export function entryLevel(program: EffectProgram, value: Value): string | null {
  const [name, pointers] = value.kind === "unary" && value.operator === "*" ? [value.of, 1] : [value, 0];
  const variable = name.kind === "name" ? program.variables.get(name.name) : undefined;
  return variable && variable.pointers === pointers && LEVEL.test(variable.type) ? variable.type : null;
}

/** In a fragment without the declarations: what the visible part treats as an entry. */
function mentionedEntry(program: EffectProgram): Value | null {
  for (const node of program.nodes) {
    const values = node.kind === "branch" ? [node.condition] : node.kind === "assign" && node.value ? [node.value] : [];
    for (const value of values) {
      const entry = entryIn(value);
      if (entry) return entry;
    }
  }
  return null;
}

function entryIn(value: Value): Value | null {
  if (value.kind === "call") {
    const first = value.args[0];
    return READS_ENTRY.test(value.name) && first?.kind === "name" && !first.name.startsWith("$") ? first : firstOf(value.args, entryIn);
  }
  if (value.kind === "binary") return entryIn(value.left) ?? entryIn(value.right);
  return value.kind === "unary" ? entryIn(value.of) : null;
}

/** Name of the test of the entry's write bit: `pte_write`, `pmd_write`. */
export function writeTestOf(program: EffectProgram, entry: Value): string {
  const base = placeBehind(entry);
  const type = base.kind === "name" ? program.variables.get(base.name)?.type : undefined;
  return `${type?.replace(/_t$/, "") ?? "pte"}_write`;
}

/** Names for the grabbed page: the page, its folio, what they are computed from and what is computed from them. */
export function grabbedNames(program: EffectProgram, { call, grab }: { readonly call: CallNode; readonly grab: Grab }): ReadonlySet<string> {
  const found = new Set([render(placeBehind(grab.page)), ...(call.result !== null && call.name !== "try_grab_page" ? [call.result] : [])]);
  const definitions = definitionsOf(program);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const [name, values] of definitions)
      for (const value of values) if (value.kind === "call" && /folio|page/.test(value.name) && value.args.some((arg) => found.has(render(placeBehind(arg))))) found.add(name);
  }
  return found;
}
