// SPDX-License-Identifier: GPL-2.0-only
import { SAME_FOLIO } from "../../kernel/same-folio.ts";
import type { Value } from "../../program/code.ts";
import type { AssignNode, CallNode, EffectProgram, ProgramNode } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { partsOf } from "../../program/value-parts.ts";
import { isPointer } from "../translate.ts";

/*
 * A folio has many names: `page`, `folio = page_folio(page)`, `&folio->page`. References are counted for all of them
 * together.
 */

/** What has the count: `page` for `page_folio(page)` and `page + 1`, `folio` for `&folio->page`. */
export function countedIn(value: Value): Value {
  if (value.kind === "call" && SAME_FOLIO.has(value.name) && value.args[0]) return countedIn(value.args[0]);
  if (value.kind === "binary" && (value.operator === "+" || value.operator === "-")) return countedIn(value.left);
  if (value.kind === "unary" && value.operator === "&" && value.of.kind === "member" && value.of.arrow && value.of.field === "page") return countedIn(value.of.of);
  return value;
}

/** A local pointer that a value is, seen through what counts together; null: something else. */
export function pointerNamed(program: EffectProgram, value: Value): string | null {
  const counted = countedIn(value);
  return counted.kind === "name" && (isPointer(program, counted) || counted.name.startsWith("$")) ? counted.name : null;
}

/** What gives a variable its value. */
export type Origin = { readonly is: "parameter" } | { readonly is: "node"; readonly node: CallNode | AssignNode };

const givesValue = (node: ProgramNode, name: string): node is CallNode | AssignNode =>
  (node.kind === "call" && node.result === name) || (node.kind === "assign" && render(node.target) === name);

const isNull = (value: Value): boolean => (value.kind === "name" && value.name === "NULL") || (value.kind === "number" && value.value === 0);

/** The variable or the call's object that a node hands to its target; null: it is something new. */
function copied(program: EffectProgram, node: CallNode | AssignNode): string | null {
  if (node.kind === "assign") return node.operator === "=" && node.value ? pointerNamed(program, node.value) : null;
  return node.effects.flatMap((effect) => (effect.kind === "getReference" ? [pointerNamed(program, effect.object)] : [])).at(0) ?? null;
}

/** The one place from which a variable can have its object, NULL aside; null: there are several, or none. */
export function originOf(program: EffectProgram, name: string): Origin | null {
  const found: Origin[] = [];
  const seen = new Set<string>();
  const work = [name];
  for (let one = work.pop(); one !== undefined; one = work.pop()) {
    if (seen.has(one)) continue;
    seen.add(one);
    if (program.variables.get(one)?.isParameter) found.push({ is: "parameter" });
    for (const node of program.nodes) {
      if (!givesValue(node, one) || (node.kind === "assign" && node.value && isNull(node.value))) continue;
      const from = copied(program, node);
      if (from === null) found.push({ is: "node", node });
      else work.push(from);
    }
  }
  const [only, ...others] = found;
  return only !== undefined && others.length === 0 ? only : null;
}

/** Variables that may name what one of them does, through copies in either direction. */
export function aliasesOf(program: EffectProgram, name: string): ReadonlySet<string> {
  const found = new Set([name]);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const node of program.nodes) {
      const target = node.kind === "assign" ? render(node.target) : node.kind === "call" ? node.result : null;
      const from = node.kind === "assign" || node.kind === "call" ? copied(program, node) : null;
      if (target === null || from === null) continue;
      if (found.has(from)) found.add(target);
      if (found.has(target)) found.add(from);
    }
  }
  return found;
}

/** Calls that make an entry, another pointer or a word of a pointer; all others read the object. */
const MAKES_POINTER = /^(?:mk_|make_|folio_mk_|pfn_|pte_mk|maybe_mk|encode_|xa_mk_)|(?:_page|_folio|_head|_entry|_pte|_pmd|ERR_CAST|ERR_PTR)$/;

/** True where the object itself is in a value: not what is read through it, and not what its flags say. */
export function carries(value: Value, names: ReadonlySet<string>): boolean {
  if (value.kind === "name") return names.has(value.name);
  if (value.kind === "unary" && value.operator === "&") return leadsTo(value.of, names);
  if (value.kind === "member" || value.kind === "index" || (value.kind === "unary" && value.operator === "*")) return false;
  if (value.kind === "call" && !MAKES_POINTER.test(value.name)) return false;
  return partsOf(value).some((part) => carries(part, names));
}

/** `folio->lru` and `page[1]` behind `&`: a place in the object. */
const leadsTo = (value: Value, names: ReadonlySet<string>): boolean => (value.kind === "member" || value.kind === "index" ? leadsTo(value.of, names) : value.kind === "name" && names.has(value.name));
