// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder } from "../simulator/build.ts";
import { assign, incrementAt } from "../simulator/effect.ts";
import { and, eq, ne, not, or } from "../simulator/expression.ts";
import type { Alternative, Assignment } from "../simulator/model.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { gupWorld, type GupSteps } from "./gup-slow-path.ts";
import { lift } from "./lift.ts";
import { afterGup, CHILD_COPY, parentWrites, pipeObjects, writeFault, type PipeObjects } from "./page-of-pipe.ts";
import { insertBefore } from "./rewrite.ts";

/*
 * The page of a pipe, with `__get_user_pages()` as the code has it: a lookup that does not force the break hands out the
 * page that parent and child share.
 */

function steps(objects: PipeObjects, path: "normal" | "hugetlb"): GupSteps {
  const { child, childWritable, taken, refcount } = objects;
  const take = (from: readonly Assignment[] = []): Assignment[] => [...from, assign(taken, child), incrementAt(refcount, child)];
  return {
    follow(kind, flags, call, lifting) {
      const allowed = or(not(flags.bit("FOLL_WRITE")), eq(childWritable, 1));
      const first = eq(taken, 0);
      const done = (ways: Alternative[]): Alternative[] => ways.map((way) => ({ ...way, effect: [...(way.effect ?? []), ...lifting.set(call.result, 1)] }));
      if (kind !== path) return [{ alternatives: done([{}]) }];
      const found: Alternative = { guard: and(first, allowed), effect: take(), note: "takes the mapped page" };
      const other: Alternative[] = [{ guard: ne(taken, 0) }, ...(path === "normal" ? [{ guard: first, note: "another page of the range" }] : [])];
      if (path === "hugetlb") {
        const faults = writeFault(objects, child, childWritable, CHILD_COPY, and(first, not(allowed)));
        return [{ alternatives: done([found, ...faults.map((way) => ({ ...way, effect: take(way.effect) })), ...other]) }];
      }
      const missing: Alternative = { guard: and(first, not(allowed)), effect: lifting.set(call.result, 0), note: "not writable: NULL" };
      return [{ alternatives: [...done([found]), missing, ...done(other)] }];
    },
    fault(flags, call, lifting) {
      const write = flags.bit("FOLL_WRITE");
      const ways = [...writeFault(objects, child, childWritable, CHILD_COPY, write), { guard: not(write) }];
      return [{ alternatives: ways.map((way) => ({ ...way, effect: [...(way.effect ?? []), ...lifting.set(call.result, 0)] })) }];
    },
  };
}

/** Puts `word |= FOLL_WRITE` in front of every lookup: what the forced break amounts to on a COW mapping. */
export function forceEverywhere(program: EffectProgram): EffectProgram {
  return insertBefore(program, (node) => {
    if (node.kind !== "call") return [];
    const follow = node.effects.find((effect) => effect.kind === "gupFollow");
    if (follow?.kind !== "gupFollow" || follow.flags.kind !== "name") return [];
    return [{ kind: "assign", target: follow.flags, operator: "|=", value: { kind: "name", name: "FOLL_WRITE", at: -1 }, at: -1, end: -1 }];
  });
}

/** `request`: what the caller of GUP asks for, FOLL_GET (vmsplice) or FOLL_PIN. */
export function cowBreaksEitherWay(path: "normal" | "hugetlb", request: "FOLL_GET" | "FOLL_PIN"): Experiment {
  const build = (program: EffectProgram, release: Release): BuiltModel => {
    const model = modelBuilder("cow-breaks-either-way");
    const objects = pipeObjects(model);
    const lifted = lift(model, program, release, () => gupWorld(steps(objects, path), new Set([request]), path), { next: "has the reference" });
    const read = afterGup(lifted.thread, objects);
    const parent = parentWrites(model, objects);
    model.reach(lifted.thread, read, "the child reads");
    model.reach(parent.thread, parent.store, "the parent stores");
    return { model: model.finish(), assumptions: lifted.assumptions };
  };
  return {
    name: "cow-breaks-either-way",
    primary: ["info-leak"],
    secondary: [],
    bounds: `environment {parent that writes after fork()}, ${path} page, ${request}, reuse by mapcount (before 5.9), SC`,
    build,
    fix: (program) => ({ title: "FOLL_WRITE forced into the flag word of every lookup in a COW mapping", program: forceEverywhere(program) }),
    mutate: (fixed) => ({
      ...fixed,
      nodes: fixed.nodes.map((node) => (node.kind === "assign" && node.at < 0 && render(node.target) !== "" ? { kind: "label", name: null, at: -1, next: node.next } : node)),
    }),
    wrongFixes: [],
  };
}
