// SPDX-License-Identifier: GPL-2.0-only
import { gupEra } from "../kernel/era.ts";
import type { Release } from "../kernel/release.ts";
import type { EffectProgram, NodeId } from "../program/program.ts";
import { modelBuilder } from "../simulator/build.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { childExits, fork, privateMapping, store } from "./gup-era.ts";
import { asPin, dmaDevice, liftPinningDriver, pinObjects, withCallOf } from "./pinning-driver.ts";
import { LOST } from "./read-only-pin-lost.ts";

/*
 * fork() shares a page that has references and no pins: it is write-protected in the parent, the next store of the parent
 * gets a copy, and whoever works with the reference keeps the old page. fork() copies pinned pages early since 5.9.
 * Jason Gunthorpe's order of Peter Xu's steps: Re: [PATCH 1/4] mm: Trial do_wp_page() simplification, 15 September 2020.
 */

export function referenceLostAfterFork(node: NodeId, original: EffectProgram): Experiment {
  const focus = { node, device: "access" } as const;
  const build = (program: EffectProgram, release: Release): BuiltModel | null => {
    const model = modelBuilder("reference-lost-after-fork");
    const mapping = privateMapping(model, gupEra(release), "anonymous");
    const objects = pinObjects(model, mapping, "anonymous", true);
    const lifted = liftPinningDriver(model, program, release, focus, objects);
    if (!lifted) return null;
    const process = model.thread("process A", "environment");
    process.step({ text: "another thread: fork()", alternatives: fork(mapping) });
    process.step({ text: "child B exits", alternatives: childExits(mapping) });
    model.reach(process, process.step({ text: "writes to va", alternatives: store(mapping) }), "the process writes");
    // The function may do all of the writing itself.
    dmaDevice(model, objects, "DMA on the page", LOST, false);
    return { model: model.finish(), assumptions: lifted.assumptions };
  };
  return {
    name: "reference-lost-after-fork",
    primary: ["lost-dma"],
    secondary: [],
    bounds: "environment {one fork of another thread, the child exits, one write of the process, device}, private anonymous page, loops unbounded, SC",
    build,
    fix(program) {
      const changed = asPin(program, node);
      return changed && { title: `${changed.name}(), and unpin_user_pages() for what gives the pages back: fork() copies pinned pages`, program: changed.program };
    },
    mutate: (fixed) => withCallOf(fixed, node, original),
    wrongFixes: [],
  };
}
