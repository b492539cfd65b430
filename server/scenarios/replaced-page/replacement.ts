// SPDX-License-Identifier: GPL-2.0-only
import type { BoundEffect, CallNode, EffectProgram, NodeId } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { entryVariables, isNewEntry, type EntryVariables } from "./entry-value.ts";

/*
 * A page takes the place of another one in an entry, as `wp_page_copy()` does it: the old entry is cleared and flushed, the new
 * page gets its reverse map, the new entry is set, the reverse map of the old page goes.
 */

/** The calls of one replacement, each of which occurs once. */
export interface Replacement {
  /** Sets the new entry. */
  readonly set: NodeId;
  /** Takes the old page out of the reverse map. */
  readonly removal: NodeId;
  /** The pointer to the entry, as the text has it. */
  readonly pointer: string;
  readonly oldPage: string;
  readonly newPage: string;
  readonly variables: EntryVariables;
}

interface Found<T> {
  readonly node: NodeId;
  readonly call: CallNode;
  readonly effect: T;
}

type Kind = BoundEffect["kind"];

function withEffect<K extends Kind>(program: EffectProgram, kind: K): Found<Extract<BoundEffect, { kind: K }>>[] {
  return program.nodes.flatMap((call, node) =>
    call.kind === "call" ? call.effects.flatMap((effect) => (effect.kind === kind ? [{ node, call, effect: effect as Extract<BoundEffect, { kind: K }> }] : [])) : [],
  );
}

const sole = <T>(list: readonly T[]): T | null => (list.length === 1 ? (list[0] ?? null) : null);

/** An entry of a small page is replaced; `ptep_set_access_flags()` changes one and replaces none. */
const isSetting = (effect: BoundEffect): boolean => effect.kind === "modifyEntry" && effect.how === "set" && effect.level === "pte";

/** True where the entry maps the old page: it is cleared, and no other one; or both are those of the fault. */
function isOldOf(program: EffectProgram, oldPage: string, pointer: string): boolean {
  const cleared = new Set(withEffect(program, "clearEntry").map(({ effect }) => render(effect.pte)));
  if (cleared.size > 0) return cleared.size === 1 && cleared.has(pointer);
  const fault = /^(\w+)->pte$/.exec(pointer)?.[1];
  const page = `${fault}->page`;
  return oldPage === page || program.nodes.some((node) => node.kind === "assign" && node.value !== null && render(node.target) === oldPage && [page, `page_folio(${page})`].includes(render(node.value)));
}

/** The replacement that a function makes; null: none, or more than one, or an entry that is made in a way that is not known. */
export function replacementOf(program: EffectProgram): Replacement | null {
  const removal = sole(withEffect(program, "removesRmap"));
  const added = removal && sole(withEffect(program, "transfersReference").filter(({ effect }) => effect.to === "mapping"));
  const set = added && sole(withEffect(program, "setEntry").filter(({ call }) => call.effects.some(isSetting)));
  if (!removal || !added || !set) return null;
  const [oldPage, newPage] = [render(removal.effect.page), render(added.effect.object)];
  const pointer = render(set.effect.pte);
  if (oldPage === newPage || !isOldOf(program, oldPage, pointer)) return null;
  const variables = entryVariables(program, pointer);
  if (!isNewEntry(program, set.effect.value, variables)) return null;
  return { set: set.node, removal: removal.node, pointer, oldPage, newPage, variables };
}
