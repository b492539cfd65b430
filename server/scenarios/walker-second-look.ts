// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, gupEra } from "../kernel/era.ts";
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder } from "../simulator/build.ts";
import { assign, assignAt } from "../simulator/effect.ts";
import { and, element, eq, FALSE, not, TRUE } from "../simulator/expression.ts";
import { readOnlyPte } from "../simulator/objects/pte.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { FIRST, freshPage, pageOf, privateMapping, store, type GupRequest } from "./gup-era.ts";
import { dmaDevice } from "./pinning-driver.ts";
import { LOST } from "./read-only-pin-lost.ts";
import { invoke, name, synthetic } from "./rewrite.ts";
import { entryOfPage, grabAt } from "./walked-page.ts";
import { liftWalker, waitsForLock, type WalkerObjects } from "./walker-without-unshare.ts";

/*
 * The protocol of GUP-fast with those who take a page away: they clear the entry, flush, look for pins, and restore the entry
 * where there are some. The walker takes its pin first and looks at the entry again (and from 5.19 at PageAnonExclusive) after
 * that: include/linux/rmap.h:268-352, mm/gup.c:2435-2529 (6.1.192). A question that was asked before the pin says nothing.
 */

/** `moved`: the page gets another place (migration, UFFDIO_MOVE); `shared`: it stays and is no longer exclusive (KSM, swap). */
export type Rival = "moved" | "shared";

const REQUESTS: Readonly<Record<Rival, GupRequest>> = {
  moved: { write: TRUE, pin: true, longterm: FALSE },
  shared: { write: FALSE, pin: true, longterm: FALSE },
};

/** What exists in the release: before 5.19 nothing is exclusive. */
export const rivalsOf = (release: Release): readonly Rival[] => (ERAS[gupEra(release)].anonReuse === "exclusive" ? ["moved", "shared"] : ["moved"]);

/** Clears, flushes, and finds no pin; where there is one the entry is restored, and nothing has happened. One step under the lock. */
function addRival(model: ModelBuilder, objects: WalkerObjects, rival: Rival): void {
  const { mapping, ptl, begun } = objects;
  const { entry, folios } = mapping;
  const thread = model.thread(rival === "moved" ? "migration" : "KSM", "environment");
  const goes = and(eq(ptl, 0), eq(begun, 1), eq(pageOf(entry), FIRST), eq(element(folios.pincount, FIRST), 0));
  thread.step(
    rival === "moved"
      ? { text: "ptep_clear_flush(); not pinned: another page takes its place", guard: goes, effect: freshPage(mapping, true) }
      : { text: "ptep_clear_flush(); not pinned: no longer exclusive, mapped read-only", guard: goes, effect: [assign(entry, readOnlyPte(FIRST)), assignAt(folios.anonExclusive, FIRST, 0)] },
  );
}

/** Reference fix: the entry is read again behind the grab, and from 5.19 the page is asked for. */
function lookAgain(program: EffectProgram, node: NodeId, rival: Rival, release: Release): EffectProgram | null {
  const found = grabAt(program, node);
  const entry = found && entryOfPage(program, found.grab.page);
  if (!found || !entry) return null;
  const { call, grab: { page, flags } } = found;
  const nodes: ProgramNode[] = [...program.nodes];
  const add = (one: ProgramNode): NodeId => nodes.push(one) - 1;
  const put = add({ ...synthetic(`gup_put_folio(${render(page)}, 1, ${render(flags)})`, { kind: "unpin", reference: "pin", pages: page, flags }), next: program.exit });
  const ask = rival === "shared" ? add({ kind: "branch", condition: invoke("gup_must_unshare", release.major > 6 || (release.major === 6 && release.minor >= 2) ? [name("NULL"), flags, page] : [flags, page]), negated: false, at: -1, end: -1, then: put, otherwise: call.next }) : call.next;
  const same: Value = { kind: "binary", operator: "!=", left: invoke("pte_val", [entry]), right: invoke("pte_val", [invoke("ptep_get_lockless", [name("ptep")])]), at: -1 };
  nodes[node] = { ...call, next: add({ kind: "branch", condition: same, negated: false, at: -1, end: -1, then: put, otherwise: ask }) };
  return { ...program, nodes };
}

/** Takes what was added out again. */
const lookOnce = (fixed: EffectProgram): EffectProgram => ({
  ...fixed,
  nodes: fixed.nodes.map((node): ProgramNode => (node.kind === "branch" && node.at < 0 && (node.condition.kind === "binary" || node.condition.kind === "call") ? { kind: "label", name: null, at: -1, next: node.otherwise } : node)),
});

/** FAST-2: the second look is missing, or comes before the pin. */
export function walkerSecondLook(node: NodeId, rival: Rival, target: Release): Experiment {
  return {
    name: "walker-second-look",
    primary: ["lost-dma"],
    secondary: [],
    bounds: `environment {${rival === "moved" ? "a page that is moved" : "a page that is shared again, one write of the process"}, device}, one private anonymous page, SC`,
    build(program, release): BuiltModel | null {
      const model = modelBuilder("walker-second-look");
      const mapping = privateMapping(model, gupEra(release), "anonymous");
      const lifted = liftWalker(model, program, node, release, mapping, REQUESTS[rival], rival === "moved");
      if (!lifted) return null;
      const { objects, assumptions } = lifted;
      addRival(model, objects, rival);
      if (rival === "shared") {
        const thread = model.thread("process A", "environment");
        thread.step({ text: "mprotect(), there and back: the entry is read-only, the page still exclusive", effect: [assign(mapping.entry, readOnlyPte(FIRST)), assign(objects.begun, 1)] });
        const write = thread.step({ text: "writes to va", alternatives: store(mapping).map((way) => waitsForLock({ ...way, guard: and(way.guard ?? TRUE, not(eq(pageOf(mapping.entry), 0))) }, objects)) });
        model.reach(thread, write, "the process writes");
      }
      dmaDevice(model, objects, "DMA on the pinned page", LOST);
      return { model: model.finish(), assumptions: [...assumptions, `called for a ${rival === "moved" ? "FOLL_PIN | FOLL_WRITE" : "read-only FOLL_PIN"} reference`] };
    },
    fix(program) {
      const fixed = lookAgain(program, node, rival, target);
      return fixed && { title: "the entry is read again after the pin, and the page given back where anything has changed", program: fixed };
    },
    mutate: lookOnce,
    wrongFixes: [],
  };
}
