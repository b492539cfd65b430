// SPDX-License-Identifier: GPL-2.0-only
import { atLeast, type Release } from "../../kernel/release.ts";
import type { Value } from "../../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { modelBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { gt, minus, plus } from "../../simulator/expression.ts";
import type { Experiment } from "../experiment.ts";
import { lift } from "../lift.ts";
import type { World } from "../world.ts";
import { pointerOf } from "./handed-on.ts";
import { isSite, nameOf, type ObligationKind, type Site } from "./obligation.ts";
import { isAddressOfObject, pteObligation, pteRole } from "./pte-mapping.ts";
import { name } from "../rewrite.ts";

/*
 * pte_unmap() is handed something that is in no mapped table: the address of a copy of the entry, which undoes nothing
 * (927e926d72d9: UFFDIO_MOVE as merged), or an entry of an upper level, which nobody mapped.
 */

/** What is handed to pte_unmap() that is no mapped entry. */
export type Foreign = { readonly is: "object"; readonly text: string } | { readonly is: "upper-level"; readonly text: string; readonly type: string };

export function foreignPointer(program: EffectProgram, pte: Value): Foreign | null {
  if (isAddressOfObject(pte) && pte.kind === "unary") return isObject(program, pte.of) ? { is: "object", text: render(pte) } : null;
  const pointer = pointerOf(pte);
  const variable = pointer.kind === "name" ? program.variables.get(pointer.name) : undefined;
  return variable && variable.pointers === 1 && /^(?:pmd|pud|p4d|pgd)_t$/.test(variable.type) ? { is: "upper-level", text: render(pointer), type: variable.type } : null;
}

/** A variable that is an entry itself, or a field that keeps one. */
const isObject = (program: EffectProgram, of: Value): boolean => {
  if (of.kind === "member") return /^orig_\w*pte$/.test(of.field);
  const variable = of.kind === "name" ? program.variables.get(of.name) : undefined;
  return variable?.type === "pte_t" && variable.pointers === 0;
};

/** The pointer through which a copy was read; null: none, or several. */
export function sourceOf(program: EffectProgram, copy: string): string | null {
  const found = new Set<string>();
  const through = (value: Value): void => void found.add(render(pointerOf(value)));
  for (const node of program.nodes) {
    if (node.kind === "assign" && render(node.target) === copy && node.value?.kind === "unary" && node.value.operator === "*") through(node.value.of);
    if (node.kind === "call" && node.result === copy) for (const effect of node.effects) if (effect.kind === "accessEntry") through(effect.pte);
  }
  const [only, ...others] = found;
  return only !== undefined && others.length === 0 ? only : null;
}

/** Calls that map what a pointer then holds. */
export const mapsOf = (program: EffectProgram, pointer: string): readonly Site[] =>
  program.nodes.flatMap((node) => {
    if (node.kind !== "call") return [];
    return node.effects.flatMap((effect) => {
      const role = pteRole(effect, node);
      return role?.does === "begin" && nameOf(role, node) === pointer ? [{ call: node, effect }] : [];
    });
  });

/** The same call with another argument for the entry. */
const unmapping = (call: CallNode, of: BoundEffect, pte: Value): CallNode => ({
  ...call,
  shown: `${call.name}(${[pte, ...call.args.slice(1)].map(render).join(", ")})`,
  effects: call.effects.map((effect) => (effect === of || effect.kind === "unmapPte" ? { ...effect, pte } : effect) as BoundEffect),
});

const replaced = (program: EffectProgram, site: Site, by: (call: CallNode) => CallNode): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node) => (node.kind === "call" && isSite(site, node) ? by(node) : node)),
});

/** The mapping that a pointer has, which the call at the site was to undo. */
export function missedUnmap(release: Release, site: Site, pointer: string): ObligationKind {
  const wrong = site.call.args[0] ? render(site.call.args[0]) : "";
  const plain = pteObligation(release);
  const isFixed = (call: CallNode): boolean => call.shown !== undefined;
  const level = atLeast(release, "6.5") ? "the temporary mapping (kmap_local_page())" : "the mapping (kmap_atomic())";
  return {
    ...plain,
    scenario: "pte-unmap-of-copy",
    role: (effect, call) => {
      if (effect.kind !== "unmapPte" || !isAddressOfObject(effect.pte)) return plain.role(effect, call);
      return isSite(site, call) && !isFixed(call) ? { does: "miss" } : null;
    },
    missed: { property: "leak-at-exit", message: () => `${site.call.name}(${wrong}) undid nothing: with CONFIG_HIGHPTE ${level} of ${pointer} stays` },
    ending: () => null,
    repair: {
      title: () => `${site.call.name}(${pointer}${site.call.args.length > 1 ? ", ..." : ""}) in its place`,
      fix: (program) => replaced(program, site, (call) => unmapping(call, site.effect, name(pointer))),
      undo: (fixed) => replaced(fixed, site, () => site.call),
    },
  };
}

/** From 6.6 on pte_unmap() leaves an RCU section: of an entry that nobody mapped, one that nobody entered. */
export function unmapWithoutMap(site: Site): Experiment {
  const world = (depth: ReturnType<ReturnType<typeof modelBuilder>["field"]>): World => ({
    sees: (effect) => effect.kind === "mapPte" || effect.kind === "unmapPte",
    reads: () => [],
    refine(effect, call, lifting) {
      if (effect.kind === "mapPte") {
        const mapped = { effect: [assign(depth, plus(depth, 1)), ...lifting.set(call.result, effect.pteOut ? 0 : 1)], note: "mapped" };
        return [{ alternatives: effect.mayFail ? [mapped, { effect: lifting.set(call.result, effect.pteOut ? 1 : 0), note: "not mapped" }] : [mapped] }];
      }
      const checks = isSite(site, call) ? [{ holds: gt(depth, 0), property: "unlock-not-held", message: `${call.name}() ends an RCU read-side section that nothing here has begun` }] : [];
      return [{ alternatives: [{ checks, effect: [assign(depth, minus(depth, gt(depth, 0)))] }] }];
    },
    place: () => null,
    meaning: () => null,
  });
  return {
    name: "pte-unmap-of-copy",
    primary: ["unlock-not-held"],
    secondary: [],
    bounds: "one thread, every way through the function, loops unbounded",
    build(program, release) {
      const model = modelBuilder("pte-unmap-of-copy");
      const depth = model.field("RCU sections of mapped entries", 0);
      const lifted = lift(model, program, release, () => world(depth));
      for (const [id, steps] of lifted.stepsOf) {
        const node = program.nodes[id];
        if (node?.kind === "call" && isSite(site, node) && steps[0] !== undefined) model.reach(lifted.thread, steps[0], "the call");
      }
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix: (program) => ({
      title: site.call.args[1] ? `spin_unlock(${render(site.call.args[1])}) alone` : "no pte_unmap()",
      program: replaced(program, site, (call) => ({ ...call, effects: [], knowledge: "quiet", shown: site.call.args[1] ? `spin_unlock(${render(site.call.args[1])})` : "/* nothing to unmap */" })),
    }),
    mutate: (fixed) => replaced(fixed, site, () => site.call),
    wrongFixes: [],
  };
}
