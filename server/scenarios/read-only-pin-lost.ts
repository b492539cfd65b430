// SPDX-License-Identifier: GPL-2.0-only
import { gupEra } from "../kernel/era.ts";
import type { Release } from "../kernel/release.ts";
import type { EffectProgram } from "../program/program.ts";
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import type { Field } from "../simulator/expression.ts";
import type { Alternative } from "../simulator/model.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { childExits, fork, privateMapping, store, type PrivateMapping } from "./gup-era.ts";
import { askForReadAgain, askForWrite, dmaDevice, forceOnly, liftPinningDriver, pinObjects, type PinFocus } from "./pinning-driver.ts";

/*
 * A page that was shared with a child is pinned for reading; then the process writes to it, gets a copy, and the device
 * keeps the old page. Where the child is gone, the page is the process's alone again, but its entry is still read-only.
 * Peter Xu's six steps: Re: [PATCH 1/4] mm: Trial do_wp_page() simplification, 15 September 2020.
 */

/** `exited`: the child is gone before the pin; `alive`: it stays. */
export type Child = "exited" | "alive";

/** Process A forks, and writes to the page at any time after that. `under`: what a write fault has to wait for. */
export function processThatForked(
  model: ModelBuilder,
  mapping: PrivateMapping,
  begun: Field,
  child: Child,
  under: (one: Alternative) => Alternative = (one) => one,
): ThreadBuilder {
  const thread = model.thread("process A", "environment");
  const begin = (one: Alternative): Alternative => ({ ...one, effect: [...(one.effect ?? []), assign(begun, 1)] });
  thread.step({ text: "fork(): the entry becomes read-only", alternatives: child === "alive" ? fork(mapping).map(begin) : fork(mapping) });
  if (child === "exited")
    thread.step({ text: "child B exits: A has the page alone, its entry stays read-only", alternatives: childExits(mapping).map(begin) });
  const write = thread.step({ text: "writes to va", alternatives: store(mapping).map(under) });
  model.reach(thread, write, "the process writes");
  return thread;
}

export const LOST = "the device works on a page that the process no longer has: neither sees what the other writes";

export function readOnlyPinLost(focus: PinFocus & { readonly child: Child }): Experiment {
  const build = (program: EffectProgram, release: Release): BuiltModel | null => {
    const model = modelBuilder("read-only-pin-lost");
    const mapping = privateMapping(model, focus.era ?? gupEra(release), "anonymous");
    const objects = pinObjects(model, mapping, "anonymous", false);
    const lifted = liftPinningDriver(model, program, release, focus, objects);
    if (!lifted) return null;
    processThatForked(model, mapping, objects.begun, focus.child);
    dmaDevice(model, objects, "DMA on the pinned page", LOST);
    return { model: model.finish(), assumptions: lifted.assumptions };
  };
  return {
    name: "read-only-pin-lost",
    primary: ["lost-dma"],
    secondary: [],
    bounds: `environment {fork before the call, child ${focus.child === "alive" ? "stays" : "exits"}, one write of the process, device}, private anonymous page, loops unbounded, SC`,
    build,
    fix: (program) => ({ title: "FOLL_WRITE at the call: COW is broken before the device gets the page", program: askForWrite(program, focus.node) }),
    mutate: (fixed) => askForReadAgain(fixed, focus.node),
    wrongFixes: [{ title: "FOLL_FORCE without FOLL_WRITE", program: (program) => forceOnly(program, focus.node) }],
  };
}
