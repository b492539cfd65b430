// SPDX-License-Identifier: GPL-2.0-only
import type { LockClass } from "../kernel/effect.ts";
import { spins } from "../kernel/lock-order.ts";
import { atLeast, type Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { retriesOver, type Stale } from "./entry-recheck.ts";
import { mapsOf, sourceOf } from "./obligation/foreign-unmap.ts";
import { isHandedOn, pointerOf } from "./obligation/handed-on.ts";
import type { Site } from "./obligation/obligation.ts";

/** What may be old at a call that changes an entry: read off the text, for the simulator to decide. */
export function staleAt(program: EffectProgram, { call, effect }: Site, release: Release): readonly Stale[] {
  if (effect.kind !== "clearEntry" && effect.kind !== "setEntry") return [];
  const pointer = render(pointerOf(effect.pte));
  const maps = mapsOf(program, pointer);
  // An entry that the function did not map itself may be locked by whoever did.
  if (maps.length === 0 || isHandedOn(program, pointer)) return [];
  if (effect.kind === "clearEntry") return movedFolios(program, pointer, maps);
  return [...decidedCopies(program, pointer, call, effect), ...detached(maps, pointer, release)];
}

/** Copies of the entry behind a pointer: variables that are read through it and through nothing else. */
const copiesOf = (program: EffectProgram, pointer: string): readonly string[] =>
  [...program.variables.values()].flatMap(({ name, type, pointers }) => (type === "pte_t" && pointers === 0 && sourceOf(program, name) === pointer ? [name] : []));

const FINDS_FOLIO = /^(?:vm_normal_(?:folio|page)|pte_page)$/;

/** Folios that were found by a copy of the entry, may be kept over a retry, and are mapped elsewhere. */
function movedFolios(program: EffectProgram, pointer: string, maps: readonly Site[]): readonly Stale[] {
  const set = new Set(program.nodes.flatMap((node) => (node.kind === "call" ? node.effects.flatMap((effect) => (effect.kind === "setEntry" && render(pointerOf(effect.pte)) !== pointer ? namesIn(effect.value) : [])) : [])));
  // What a value that is set is made of.
  for (const node of program.nodes) if (node.kind === "assign" && node.value && set.has(render(node.target))) for (const one of namesIn(node.value)) set.add(one);
  const retries = maps.flatMap(({ call }) => retriesOver(program, call));
  if (retries.length === 0) return [];
  return copiesOf(program, pointer).flatMap((copy) => {
    const found = new Set<string>();
    for (let size = -1; size !== found.size; ) {
      size = found.size;
      for (const node of program.nodes) {
        if (node.kind !== "assign" || !node.value || !isFolio(program, render(node.target))) continue;
        if (finds(node.value, copy) || found.has(render(node.value))) found.add(render(node.target));
      }
    }
    // The name that is kept is given its value last.
    const folio = [...found].findLast((one) => set.has(one));
    return folio === undefined ? [] : retries.map((retry): Stale => ({ is: "folio", pointer, copy, folio, retry }));
  });
}

const isFolio = (program: EffectProgram, name: string): boolean => /^(?:folio|page)$/.test(program.variables.get(name)?.type ?? "");

const finds = (value: Value, copy: string): boolean => value.kind === "call" && FINDS_FOLIO.test(value.name) && value.args.some((arg) => render(arg) === copy);

/** True where the function takes a lock that spins: what is set without one may be locked by the caller. */
const locks = (program: EffectProgram): boolean =>
  program.nodes.some((node) => node.kind === "call" && node.effects.some((effect) => effect.kind === "acquire" && spins(effect.lock)));

/** Locks that reclaim needs to unmap a page. */
const RECLAIM_TAKES: ReadonlySet<LockClass> = new Set<LockClass>(["folio_lock", "anon_vma", "i_mmap_rwsem"]);

/** Copies that the value that is set is made of, or that are asked whether they are empty. */
function decidedCopies(program: EffectProgram, pointer: string, call: CallNode, effect: BoundEffect & { kind: "setEntry" }): readonly Stale[] {
  const keepsReclaimOut = program.nodes.some((node) => node.kind === "call" && node.effects.some((one) => one.kind === "acquire" && RECLAIM_TAKES.has(one.lock)));
  if (!locks(program) || call.result !== null && call.name === "ptep_set_access_flags") return [];
  return copiesOf(program, pointer).flatMap((copy): Stale[] => {
    const isUsed = namesIn(effect.value).includes(copy);
    const asksEmpty = program.nodes.some((node) => node.kind === "branch" && node.condition.kind === "call" && node.condition.name === "pte_none" && namesIn(node.condition).includes(copy));
    const reclaimed: Stale[] = isUsed && !keepsReclaimOut ? [{ is: "entry", pointer, copy, faults: false }] : [];
    return asksEmpty && !isUsed ? [...reclaimed, { is: "entry", pointer, copy, faults: true }] : reclaimed;
  });
}

/** Tables that are mapped without their lock, from the release on in which some go away under readers of the mmap lock. */
function detached(maps: readonly Site[], pointer: string, release: Release): readonly Stale[] {
  if (!atLeast(release, "6.6")) return [];
  const by = atLeast(release, "6.14") ? "reclaim" : "khugepaged";
  return maps.flatMap(({ effect }): Stale[] => (effect.kind === "mapPte" && !effect.locks && effect.ptlOut !== null ? [{ is: "table", pointer, pmd: render(effect.pmd), by }] : []));
}
