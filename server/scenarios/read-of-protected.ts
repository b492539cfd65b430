// SPDX-License-Identifier: GPL-2.0-only
import { render } from "../program/render.ts";
import type { EffectProgram } from "../program/program.ts";
import { modelBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { eq, not } from "../simulator/expression.ts";
import { forceEverywhere } from "./cow-breaks-either-way.ts";
import type { Experiment } from "./experiment.ts";
import { gupWorld } from "./gup-slow-path.ts";
import { lift } from "./lift.ts";
import { without } from "./rewrite.ts";

/*
 * The kernel reads a page that a userfaultfd monitor has write-protected (process_vm_readv(), vmsplice()). Where GUP forces
 * the COW break, the read is a write fault, and the monitor is told of a write that nobody made: damage of 17839856fd58 as
 * the merge b25d1dc9474e (5.9-rc4) lists it.
 */

/** The slow path without the forced bit. */
const unforced = (program: EffectProgram): EffectProgram => without(program, (node) => node.kind === "assign" && node.value !== null && /\bFOLL_WRITE\b/.test(render(node.value)));

export const readOfProtected: Experiment = {
  name: "read-of-protected",
  primary: ["false-event"],
  secondary: [],
  bounds: "one thread; private anonymous page under uffd-wp, FOLL_GET for reading, SC",
  build(program, release) {
    const model = modelBuilder("read-of-protected");
    const taken = model.field("page taken", 0, { labels: { 0: "no", 1: "yes" } });
    const world = gupWorld(
      {
        follow: (path, flags, call, lifting) => {
          const write = flags.bit("FOLL_WRITE");
          if (path !== "normal") return [{ alternatives: [{ effect: lifting.set(call.result, 1) }] }];
          return [
            {
              alternatives: [
                { guard: not(write), effect: [assign(taken, 1), ...lifting.set(call.result, 1)], note: "takes the page as it is mapped" },
                { guard: write, effect: lifting.set(call.result, 0), note: "write-protected: NULL" },
              ],
            },
          ];
        },
        fault: (flags, call, lifting) => [
          {
            alternatives: [
              {
                effect: lifting.set(call.result, 0),
                checks: [
                  {
                    holds: not(flags.bit("FOLL_WRITE")),
                    property: "false-event",
                    message: "the monitor is told of a write, and nobody has written: a monitor that reads the page this way waits for itself",
                  },
                ],
              },
            ],
          },
        ],
      },
      new Set(["FOLL_GET"]),
      "normal",
    );
    const lifted = lift(model, program, release, () => world, { next: "returned" });
    lifted.thread.label("returned");
    const read = lifted.thread.step({ text: "the caller reads the page", guard: eq(taken, 1) });
    model.reach(lifted.thread, read, "the page is read");
    return { model: model.finish(), assumptions: lifted.assumptions };
  },
  fix: (program) => ({ title: "nothing forces FOLL_WRITE for a read (a308c71bf1e6)", program: unforced(program) }),
  mutate: forceEverywhere,
  wrongFixes: [],
};
