// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import { HUGETLB_TEST, walkCallback, walkLocks, WALK_OF_MAPPING } from "../kernel/walk-callbacks.ts";
import type { Value } from "../program/code.ts";
import type { EffectProgram, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { walkTablesOf, type WalkTable } from "../program/walk-tables.ts";
import type { Interpretation } from "./interpret.ts";
import { EMPTY_STATE, type Held, type State } from "./state.ts";
import { truthOf } from "./truth.ts";

/**
 * How a page walk enters a function that a `struct mm_walk_ops` of the same text names: with the lock that the walk asserts,
 * and with what pre_vma() of the table took. Empty for any other function.
 */
export function walkEntries(program: EffectProgram, programs: readonly EffectProgram[], release: Release, run: (program: EffectProgram) => Interpretation): State[] {
  const walk = walkParameter(program);
  if (walk === null) return [];
  return walkTablesOf(program.image).flatMap((table) =>
    [...table].flatMap(([field, name]): State[] => {
      const callback = name === program.name ? walkCallback(field) : null;
      if (!callback) return [];
      const own = program.image.text.includes(`${WALK_OF_MAPPING}(`) ? [] : walkLocks(field, table.get("walk_lock") ?? null, release);
      const held = own.map(({ lock, mode, of }): Held => ({ lock, mode, object: `${walk}->${of}`, at: -1, taken: false }));
      const before = programs.find((one) => one.image === program.image && one.name === preVma(table));
      const left = before ? leftHeld(before, walk, callback.isHugetlb, run) : [[]];
      return left.map((taken) => ({ ...EMPTY_STATE, held: [...held, ...taken] }));
    }),
  );
}

const preVma = (table: WalkTable): string | undefined => table.get("pre_vma");

/** The parameter by which a callback knows the walk. */
function walkParameter(program: EffectProgram): string | null {
  for (const { name, type, isParameter } of program.variables.values()) if (isParameter && type === "mm_walk") return name;
  return null;
}

/** What pre_vma() holds where it lets the walk go on, under the callback's name for the walk; one list for each way through it. */
function leftHeld(before: EffectProgram, walk: string, isHugetlb: boolean | null, run: (program: EffectProgram) => Interpretation): (readonly Held[])[] {
  const own = walkParameter(before);
  if (own === null) return [[]];
  const decided: EffectProgram = isHugetlb === null ? before : { ...before, nodes: before.nodes.map((node) => decide(node, isHugetlb)) };
  const states = run(decided).before;
  const found = new Map<string, readonly Held[]>();
  decided.nodes.forEach((node, id) => {
    // An error ends the walk.
    if (node.kind !== "return" || (node.value && isNeverZero(decided, node.value))) return;
    for (const state of states[id] ?? []) {
      const held = state.held.flatMap((one) => (one.object.startsWith(`${own}->`) ? [{ ...one, object: walk + one.object.slice(own.length), at: -1 }] : []));
      found.set(held.map((one) => `${one.lock}(${one.object})${one.mode}`).join(), held);
    }
  });
  return found.size > 0 ? [...found.values()] : [[]];
}

/** A returned value is a temporary that the value is computed into. */
function isNeverZero(program: EffectProgram, returned: Value): boolean {
  const given = program.nodes.flatMap((node) => (node.kind === "assign" && render(node.target) === render(returned) ? [node.value] : []));
  return given.length > 0 && given.every((value) => value !== null && truthOf(EMPTY_STATE, value) === true);
}

/** pre_vma() and the callback are asked about the same VMA. */
function decide(node: ProgramNode, isHugetlb: boolean): ProgramNode {
  if (node.kind !== "branch" || node.condition.kind !== "call" || node.condition.name !== HUGETLB_TEST) return node;
  return { kind: "label", name: null, at: node.at, next: isHugetlb ? node.then : node.otherwise };
}
