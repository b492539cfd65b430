// SPDX-License-Identifier: GPL-2.0-only
import { gupEra } from "../kernel/era.ts";
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import { successors, type BoundEffect, type CallNode, type EffectProgram, type NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder } from "../simulator/build.ts";
import { together } from "../simulator/combine.ts";
import { ne } from "../simulator/expression.ts";
import type { Check } from "../simulator/model.ts";
import { folioLives, getFolio, putFolio } from "../simulator/objects/folio.ts";
import { spinlock, spinLock, spinUnlock, type Spinlock } from "../simulator/objects/spinlock.ts";
import { asValue } from "./doubt.ts";
import { addDontneed } from "./environment/madvise-dontneed.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { FIRST, privateMapping, reuse, type PrivateMapping } from "./gup-era.ts";
import { lift } from "./lift.ts";
import { emptied, insertAtStart, insertBefore, synthetic } from "./rewrite.ts";
import type { LiftedStep, World } from "./world.ts";
import { copies, faultWorld, KEEPS, withKept } from "./write-fault.ts";

/*
 * A write fault that keeps the page has no reference of its own: the entry has one, and as long as the page-table lock is held,
 * nobody takes the entry away. `wp_page_reuse()` gives the lock up. What is done with the page after it may be done with one
 * that was freed: 09854ba94c6a unlocked the page there, be068f29034f moved that up (both 5.9-rc).
 */

/** The fault as it comes to `do_wp_page()`. */
const BEGIN = "handle_pte_fault(): spin_lock(vmf->ptl), pte_same()";
const isBegin = (call: CallNode): boolean => call.at < 0 && call.name === BEGIN;

const FIND_PAGE = /^(?:vm_normal_(?:page|folio)|page_folio)$/;

/** Names of the page that the entry maps. */
function pageNames(program: EffectProgram): ReadonlySet<string> {
  const parameters = [...program.variables.values()].flatMap((one) => (one.isParameter && one.pointers === 1 && /^(?:page|folio)$/.test(one.type) ? [one.name] : []));
  const found = new Set(["vmf->page", ...parameters]);
  const isPage = (value: Value): boolean => found.has(render(value)) || (value.kind === "call" && (value.name === "page_folio" ? value.args.some(isPage) : FIND_PAGE.test(value.name)));
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const node of program.nodes) {
      if (node.kind === "assign" && node.operator === "=" && node.value && isPage(node.value)) found.add(render(node.target));
      if (node.kind === "call" && node.result !== null && isPage(asValue(node))) found.add(node.result);
    }
  }
  return found;
}

/** What an effect does with the page; null: it is not about the page, or only looks at it. */
function useOf(effect: BoundEffect, pages: ReadonlySet<string>): "get" | "put" | "other" | null {
  const isPage = (value: Value | null): boolean => value !== null && pages.has(render(value));
  switch (effect.kind) {
    case "getReference":
      return isPage(effect.object) && effect.held === undefined ? "get" : null;
    case "putReference":
      return isPage(effect.object) ? "put" : null;
    case "release":
      return effect.lock === "folio_lock" && isPage(effect.object) ? "other" : null;
    case "acquire":
      return effect.lock === "folio_lock" && effect.held === "always" && isPage(effect.object) ? "other" : null;
    case "marksDirty":
      return isPage(effect.page) ? "other" : null;
    default:
      return null;
  }
}

/** Calls that use the page once it was kept and the lock was given up, in order of the text. */
export function usesAfterKeeping(program: EffectProgram): readonly { readonly node: NodeId; readonly call: CallNode }[] {
  const pages = pageNames(program);
  const seen = new Set<NodeId>();
  const work = program.nodes.flatMap((node) => (node.kind === "call" && node.name === KEEPS && node.inlined === undefined ? [node.next] : []));
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = program.nodes[id];
    if (!node || seen.has(id)) continue;
    seen.add(id);
    work.push(...successors(node));
  }
  return [...seen].flatMap((node) => {
    const call = program.nodes[node];
    return call?.kind === "call" && call.inlined === undefined && call.effects.some((effect) => useOf(effect, pages) !== null) ? [{ node, call }] : [];
  }).toSorted((one, other) => one.call.at - other.call.at);
}

function world(program: EffectProgram, mapping: PrivateMapping, ptl: Spinlock): World {
  const pages = pageNames(program);
  const { folios } = mapping;
  const base = faultWorld({ program, mapping, begun: ptl, copyAt: null });
  const isPtl = (effect: BoundEffect): boolean => (effect.kind === "acquire" || effect.kind === "release") && effect.lock === "ptl";
  const lives: Check = { ...folioLives(folios, FIRST), message: "the page is used although nothing but the page-table lock kept it: it was freed" };
  return {
    ...base,
    sees: (effect, call) =>
      // What is in wp_page_reuse() is said by its call.
      call.inlined !== KEEPS &&
      (isBegin(call) || isPtl(effect) || effect.kind === "unmapPte" || (effect.kind === "mapPte" && effect.locks) || useOf(effect, pages) !== null || (effect.kind === "cowFault" && base.sees(effect, call))),
    refine(effect, call): readonly LiftedStep[] {
      if (isBegin(call)) return [{ text: BEGIN, ...together(spinLock(ptl), { alternatives: [{ guard: ne(mapping.entry, 0) }] }) }];
      if (copies(call)) return [{ alternatives: [{ to: "END", note: "gets a copy" }] }];
      if (effect.kind === "cowFault") return [{ ...together(spinUnlock(ptl), { alternatives: [{ effect: reuse(mapping), note: "keeps the page, gives the page-table lock up" }] }) }];
      if (effect.kind === "release" && effect.lock === "ptl") return [spinUnlock(ptl)];
      if (effect.kind === "unmapPte") return effect.ptl === null ? [] : [spinUnlock(ptl)];
      if (isPtl(effect) || effect.kind === "mapPte") return [spinLock(ptl)];
      const use = useOf(effect, pages);
      if (use === "get") return [getFolio(folios, FIRST)];
      return [use === "put" ? putFolio(folios, FIRST) : { alternatives: [{ checks: [lives] }] }];
    },
    place: (value) => (value.kind === "call" && value.name === "pte_same" ? ne(mapping.entry, 0) : pages.has(render(value)) ? 1 : base.place(value)),
  };
}

function build(program: EffectProgram, release: Release): BuiltModel | null {
  const model = modelBuilder("page-after-unlock");
  const mapping = privateMapping(model, gupEra(release), "anonymous", true);
  const ptl = spinlock(model, "page-table lock");
  const begun = insertAtStart(withKept(program), [{ ...synthetic("", { kind: "maySleep" }), name: BEGIN }]);
  const { thread, assumptions, stepsOf } = lift(model, begun, release, () => world(begun, mapping, ptl));
  const steps = begun.nodes.flatMap((node, id) => (node.kind === "call" && node.name === KEEPS ? (stepsOf.get(id) ?? []) : []));
  if (steps.length === 0) return null;
  for (const step of steps) model.reach(thread, step, "the page is kept");
  addDontneed(model, "madvise(MADV_DONTNEED)", {
    slot: mapping.entry,
    ptl,
    kvm: null,
    put: putFolio(mapping.folios, FIRST),
  });
  return { model: model.finish(), assumptions };
}

/** The page is used after the lock that kept it was given up; the fix uses it before (be068f29034f). */
export function pageAfterUnlock(program: EffectProgram): Experiment {
  const uses = usesAfterKeeping(program);
  const isUse = (id: NodeId): boolean => uses.some((one) => one.node === id);
  const calls = uses.map(({ call }) => call);
  return {
    name: "page-after-unlock",
    primary: ["uaf"],
    secondary: [],
    bounds: "environment {madvise(MADV_DONTNEED) of the address}, one write fault, private anonymous page, SC",
    build,
    fix: (of) => ({ title: "the page is used before wp_page_reuse() gives the page-table lock up (be068f29034f)", program: insertBefore(emptied(of, isUse), (node) => (node.kind === "call" && node.name === KEEPS ? calls : [])) }),
    mutate: () => program,
    wrongFixes: [],
  };
}
