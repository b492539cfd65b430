// SPDX-License-Identifier: GPL-2.0-only
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import type { Value } from "../../program/code.ts";
import { render } from "../../program/render.ts";
import { isUnknown } from "../doubt.ts";
import { pointee, type ObligationKind, type Role } from "./obligation.ts";

/*
 * A walk of the mappings of a page: page_vma_mapped_walk() returns true with the entry mapped and its lock held, and false
 * with all of it given up. Whoever leaves it before it returned false calls page_vma_mapped_walk_done()
 * (include/linux/rmap.h:404, 6.1.192).
 */

const walkPlace = (walk: Value): string => render(pointee(walk));

function walkRole(effect: BoundEffect): Role | null {
  if (effect.kind !== "walkMapped" || effect.step === "fill") return null;
  const place = walkPlace(effect.walk);
  if (effect.step === "done") return { does: "end", handle: { by: "place", place } };
  return { does: "begin", failure: "zero", received: null, place, words: { begun: "mapped and locked", failed: "no more mappings" } };
}

/** True for a walk that is a variable of the function: nobody else can end it. */
export function isOwnWalk(program: EffectProgram, walk: Value): boolean {
  const place = pointee(walk);
  return walk.kind === "unary" && place.kind === "name" && program.variables.get(place.name)?.isParameter !== true;
}

/** A callee that nothing is known about may end the walk that it is handed. */
const handed = (_: EffectProgram, call: CallNode, place: string): string | null =>
  isUnknown(call) && call.keeps !== true && call.args.some((arg) => walkPlace(arg) === place) ? place : null;

const DONE = "page_vma_mapped_walk_done";

/** What a walk needs: an end on each way on which it did not come to its own. */
export const mappedWalk: ObligationKind = {
  scenario: "pte-left-mapped",
  shown: (name) => `walk(${name})`,
  states: { open: "at an entry", ended: "ended" },
  role: walkRole,
  leftOpen: { property: "pte-left-mapped", message: (name) => `the function returns in the middle of the walk of ${name}: the entry stays mapped, and its page-table lock held` },
  endedTwice: null,
  begunAgain: null,
  usedAfter: null,
  handed,
  ending: (name) => ({ shown: `${DONE}(&${name})`, effect: { kind: "walkMapped", walk: { kind: "name", name, at: -1 }, step: "done" } }),
  fixTitle: (name) => `${DONE}(&${name}) on every way that leaves the walk`,
};
