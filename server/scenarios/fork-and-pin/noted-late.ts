// SPDX-License-Identifier: GPL-2.0-only
import type { NodeId } from "../../program/program.ts";
import type { Experiment } from "../experiment.ts";
import { insertAtStart, synthetic, without } from "../rewrite.ts";
import { notesInField } from "./protocol-words.ts";
import { buildWalk, WALK_BOUNDS } from "./walk.ts";

/** FORK-3: the mm is told of pins when the page is taken already, or not at all. */
export const pinsNotedLate = (walk: NodeId): Experiment => {
  const noted = synthetic("mm_set_has_pinned_flag(&current->mm->flags)", { kind: "notesPins" });
  return {
    name: "pins-noted-late",
    primary: ["lost-dma"],
    secondary: [],
    bounds: WALK_BOUNDS,
    build: (program, release) => notesInField(program) ? null : buildWalk("pins-noted-late", program, release, walk, true, false),
    fix: (program) => ({ title: "the mm is told of its pins before the walk (008cfe4418b3)", program: insertAtStart(program, [noted]) }),
    mutate: (fixed) => without(fixed, (node) => node.kind === "call" && node.at < 0 && node.effects.some(({ kind }) => kind === "notesPins")),
    wrongFixes: [],
  };
};
