// SPDX-License-Identifier: GPL-2.0-only
import type { BoundEffect, CallNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { eq, gt, minus, ne, plus, type Field } from "../simulator/expression.ts";
import { entry } from "../simulator/objects/entry.ts";
import { kvmSubscriber } from "../simulator/objects/notifier.ts";
import { isUnknown } from "./doubt.ts";
import type { Experiment } from "./experiment.ts";
import { lift } from "./lift.ts";
import { pointee } from "./obligation/obligation.ts";
import { rangePlace } from "./obligation/notifier-range.ts";
import { addMirror, KVM_GUEST } from "./mirror.ts";
import { insertBefore, synthetic, without } from "./rewrite.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * huge_pmd_unshare() takes a whole shared PMD table out of a page table: all pages of its PUD are gone at once. Who has
 * another of them mapped must be told as well, so that the range has to be that of the table.
 */

const WIDEN = "adjust_range_if_pmd_sharing_possible";

const NARROW = 0;
const WIDE = 1;

/** Explores one function for a page that the range does not name and the shared table maps. */
export function narrowRange(place: string): Experiment {
  return {
    name: "narrow-invalidation",
    primary: ["stale-secondary-mapping"],
    secondary: [],
    bounds: "environment {KVM vCPU on another page of the shared table}, loops unbounded, SC",
    build(program, release) {
      const model = modelBuilder("narrow-invalidation");
      const beyond = entry(model, "another page of the shared table", 1, ["X"]);
      const kvm = kvmSubscriber(model, 1, ["X"]);
      const retry = model.field("fault must retry", 0, { hidden: true });
      const lifted = lift(model, program, release, (thread) => world(thread, place, { beyond, retry, spte: kvm.spte, inProgress: kvm.inProgress }));
      const guest = addMirror(model, KVM_GUEST, { kvm, retry, invalidated: beyond });
      for (const [id, steps] of lifted.stepsOf) {
        const node = program.nodes[id];
        if (node?.kind === "call" && node.effects.some(isUnshare) && steps[0] !== undefined) model.reach(lifted.thread, steps[0], "the table is unshared");
      }
      model.reach(guest.thread, guest.store, "the guest stores");
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix: (program) => ({
      title: `${WIDEN}() before the start`,
      program: insertBefore(program, (node) => (node.kind === "call" && node.effects.some((effect) => effect.kind === "notifierStart" && rangePlace(effect.range) === place) ? [widening(place)] : [])),
    }),
    mutate: (fixed) => without(fixed, (node) => node.kind === "call" && node.at < 0 && node.effects.some(({ kind }) => kind === "widensRange")),
    wrongFixes: [],
  };
}

export const isUnshare = (effect: BoundEffect): boolean => effect.kind === "modifyEntry" && effect.how === "unshare";

const field = (place: string, name: string): BoundEffect & { kind: "widensRange" } extends { start: infer V } ? V : never => ({ kind: "name", name: `${place}.${name}`, at: -1 });

const widening = (place: string): Omit<CallNode, "next"> => synthetic(`${WIDEN}(vma, &${place}.start, &${place}.end)`, { kind: "widensRange", start: field(place, "start"), end: field(place, "end") });

interface Objects {
  readonly beyond: Field;
  readonly retry: Field;
  readonly spte: Field;
  readonly inProgress: Field;
}

function world(thread: ThreadBuilder, place: string, objects: Objects): World {
  const range = thread.local(place, NARROW, { labels: { [NARROW]: "as it was asked for", [WIDE]: "whole tables" } });
  // Bounds that were widened before the range was made of them.
  const bounds = thread.local("bounds", NARROW, { hidden: true });
  const isOwn = (effect: BoundEffect): boolean => {
    switch (effect.kind) {
      case "notifierInit":
      case "notifierStart":
      case "notifierEnd":
        return rangePlace(effect.range) === place;
      default:
        return effect.kind === "widensRange" || isUnshare(effect);
    }
  };
  return {
    sees: isOwn,
    reads: () => [],
    refine: (effect, call, lifting) => (isOwn(effect) ? steps(effect, call, lifting, place, { ...objects, range, bounds }) : []),
    place: () => null,
    meaning: () => null,
    // Whoever is handed the range may widen it.
    handed: (call) => (isUnknown(call) && call.args.some((arg) => rangePlace(arg).startsWith(place)) ? place : null),
  };
}

function steps(effect: BoundEffect, call: CallNode, lifting: Lifting, place: string, { beyond, retry, spte, inProgress, range, bounds }: Objects & { readonly range: Field; readonly bounds: Field }): LiftedStep[] {
  switch (effect.kind) {
    case "notifierInit":
      return [{ alternatives: [{ effect: [assign(range, bounds)] }] }];
    case "widensRange": {
      const isRange = render(pointee(effect.start)) === `${place}.start`;
      return [{ alternatives: [{ effect: [assign(isRange ? range : bounds, WIDE)] }] }];
    }
    case "notifierStart":
      return [
        {
          alternatives: [
            { guard: eq(range, WIDE), effect: [assign(inProgress, plus(inProgress, eq(inProgress, 0))), assign(spte, 0)], note: "the whole table is in it" },
            { guard: ne(range, WIDE), note: "the other pages of the table are not in it" },
          ],
        },
      ];
    case "notifierEnd":
      return [{ alternatives: [{ guard: eq(range, WIDE), effect: [assign(inProgress, minus(inProgress, gt(inProgress, 0))), assign(retry, 1)] }, { guard: ne(range, WIDE) }] }];
    default:
      return [
        {
          alternatives: [
            { effect: [assign(beyond, 0), ...lifting.set(call.result, 1)], note: "it was shared: all pages of the table are gone" },
            { effect: lifting.set(call.result, 0), note: "not shared" },
          ],
        },
      ];
  }
}
