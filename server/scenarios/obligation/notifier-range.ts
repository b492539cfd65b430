// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { isUnknown } from "../doubt.ts";
import { pointee, type BadState, type ObligationKind, type Role } from "./obligation.ts";

/*
 * An invalidation is begun and ended by way of its range: every subscriber that saw the start must see one end. KVM counts
 * both (mmu_invalidate_in_progress, mn_active_invalidate_count): with one start too many no vCPU fault and no change of
 * memory slots ever ends, with one end too many it runs into BUG_ON() (virt/kvm/kvm_main.c, 6.1.192: 860).
 */

const PROPERTY = "notifier-imbalance";

const bad = (message: (range: string) => string): BadState => ({ property: PROPERTY, message });

/** The place that an argument for a range names: `&range` is `range`. */
export const rangePlace = (range: Value): string => render(pointee(range));

/** True for a range that is a variable of the function: nobody else can have started it, or end it later. */
export function isOwnRange(program: EffectProgram, place: string): boolean {
  const variable = program.variables.get(place);
  if (!variable || variable.isParameter || variable.pointers !== 0 || variable.type !== "mmu_notifier_range") return false;
  // Somebody else may end what has its address.
  const takes = (value: Value): boolean => value.kind === "unary" && value.operator === "&" && render(value.of) === place;
  return !program.nodes.some((node) => node.kind === "assign" && node.value !== null && takes(node.value));
}

/** How the start of a range may end. */
export type StartOutcome = "always-starts" | "may-be-refused";

function roleOf(effect: BoundEffect, outcome: StartOutcome): Role | null {
  switch (effect.kind) {
    case "notifierInit": {
      const place = rangePlace(effect.range);
      return { does: "renew", handle: { by: "place", place }, sets: [`${place}.start`, `${place}.end`] };
    }
    case "notifierStart": {
      const refuses = !effect.blocking && outcome === "may-be-refused";
      return {
        does: "begin",
        failure: refuses ? "nonzero" : null,
        received: null,
        place: rangePlace(effect.range),
        words: { begun: effect.blocking ? "started" : "all subscribers accept", failed: "a subscriber refuses: -EAGAIN" },
      };
    }
    case "notifierEnd":
      return { does: "end", handle: { by: "place", place: rangePlace(effect.range) } };
    default:
      return null;
  }
}

/** A callee that nothing is known about may end the range that it is handed. */
const handed = (place: string) => (_: EffectProgram, call: CallNode): string | null =>
  isUnknown(call) && call.keeps !== true && call.args.some((arg) => rangePlace(arg) === place) ? place : null;

const END = "mmu_notifier_invalidate_range_end";

/** What a range that the function itself starts needs: one end for each start, on every way. */
export const notifierRange = (place: string, outcome: StartOutcome): ObligationKind => ({
  scenario: "notifier-imbalance",
  shown: (range) => `invalidation(${range})`,
  states: { open: "started", ended: "ended" },
  role: (effect) => roleOf(effect, outcome),
  leftOpen: bad((range) => `the function returns with the invalidation of ${range} started: it never ends for those who saw the start`),
  endedTwice: bad((range) => `${range} is ended a second time: subscribers see one end more than starts`),
  begunAgain: bad((range) => `${range} is started again before its end: subscribers see one end less than starts`),
  usedAfter: null,
  endedUnbegun: bad((range) => `${range} is ended where it was not started: subscribers see an end without a start`),
  renewedOpen: bad((range) => `${range} is initialized again while its invalidation is started: what was started never ends`),
  handed: handed(place),
  ending: (range) => ({ shown: `${END}(&${range})`, effect: { kind: "notifierEnd", range: { kind: "name", name: range, at: -1 } } }),
  fixTitle: (range) => `one ${END}(&${range}) on every way from its start, and none on any other`,
});

/** What a range needs that may have been refused. `isTested`: the function looks at the value of its start. */
export function refusedRange(place: string, isTested: boolean): ObligationKind {
  const balanced = notifierRange(place, "may-be-refused");
  const endedUnbegun = bad((range) => `${range} is ended although a subscriber refused its start: KVM sees an end without a start`);
  if (isTested) return { ...balanced, endedUnbegun };
  return { ...balanced, leftOpen: null, endedTwice: null, begunAgain: null, renewedOpen: null, endedUnbegun };
}
