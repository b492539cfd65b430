// SPDX-License-Identifier: GPL-2.0-only
import { gupEra } from "../kernel/era.ts";
import type { Release } from "../kernel/release.ts";
import type { EffectProgram, NodeId } from "../program/program.ts";
import { modelBuilder } from "../simulator/build.ts";
import { and, eq, ne, not } from "../simulator/expression.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { privateMapping } from "./gup-era.ts";
import { liftPinningDriver, pinObjects, withCallOf, withFlag } from "./pinning-driver.ts";

/*
 * A page in CMA memory or ZONE_MOVABLE must be free to move. A long-term pin migrates it out of there first
 * (check_and_migrate_movable_pages(), mm/gup.c:2100-2160, 6.1.192), and refuses pages of FS-DAX; any other pin leaves it,
 * and who keeps that pin after the call keeps the memory from its owner.
 */

export function movablePageHeld(node: NodeId, original: EffectProgram): Experiment {
  const focus = { node, device: "return" } as const;
  const build = (program: EffectProgram, release: Release): BuiltModel | null => {
    const model = modelBuilder("movable-page-held");
    const mapping = privateMapping(model, gupEra(release), "anonymous");
    const movable = model.field("memory of the page", 1, { labels: { 0: "may be pinned", 1: "CMA" } });
    const objects = { ...pinObjects(model, mapping, "anonymous", true), movable };
    const lifted = liftPinningDriver(model, program, release, focus, objects);
    if (!lifted) return null;
    const owner = model.thread("cma_alloc()", "daemon");
    const holds = not(and(ne(objects.device, 0), eq(movable, 1)));
    const message = "the page cannot be migrated as long as the object lives: the owner of the CMA area (or memory hot-unplug) does not get it";
    owner.step({ text: "migrate_pages(): wants the page's memory", alternatives: [{ guard: ne(objects.device, 0), checks: [{ holds, property: "movable-page-held", message }] }] });
    return { model: model.finish(), assumptions: lifted.assumptions };
  };
  return {
    name: "movable-page-held",
    primary: ["movable-page-held"],
    secondary: [],
    bounds: "environment {owner of the CMA area}, private anonymous page in CMA memory, loops unbounded, SC",
    build,
    fix: (program) => ({ title: "FOLL_LONGTERM at the call: the page is moved before it is pinned", program: withFlag(program, node, "FOLL_LONGTERM") }),
    mutate: (fixed) => withCallOf(fixed, node, original),
    wrongFixes: [],
  };
}
