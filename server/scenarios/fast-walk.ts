// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder } from "../simulator/build.ts";
import { assign, incrementAt } from "../simulator/effect.ts";
import { and, eq, FALSE, ne, not, or, type Expression, type Field } from "../simulator/expression.ts";
import type { Alternative } from "../simulator/model.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { lift } from "./lift.ts";
import { afterGup, CHILD_COPY, parentWrites, pipeObjects, writeFault, type PipeObjects } from "./page-of-pipe.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * The forced COW break (17839856fd58) in functions of GUP-fast. The entry function decides with which access each walker
 * looks at the page tables. `get_user_pages_fast()` has a slow path behind it: a walk that asks for a writable entry loses
 * nothing, and one that does not takes a shared page. `__get_user_pages_fast()` has none: a walk that asks for more than its
 * caller finds nothing. Walkers below are steps of the scenario.
 */

/** The argument that says for which access a call walks the page tables; null: it does not walk. */
export function accessOfWalk(call: CallNode): Value | null {
  for (const effect of call.effects) {
    if (effect.kind === "gupFastWalk") return effect.write;
    // Before 4.13 the generic get_user_pages_fast() has its walk in the fast-only form.
    if (effect.kind === "gup" && effect.form === "fast-only") return effect.write ?? effect.flags;
  }
  return null;
}

const WALKS = new Set<BoundEffect["kind"]>(["gupFastWalk", "gup"]);

/** What a walk does with the page of the scenario when it is for write or not. */
type Walk = (write: Expression, call: CallNode, lifting: Lifting) => readonly Alternative[];

/** The world of an entry function that is called for reading, with some flags of its own. */
const world = (request: readonly string[], walk: Walk): World => ({
  sees: (effect, call) => WALKS.has(effect.kind) && accessOfWalk(call) !== null,
  reads: () => [],
  // Before 5.2 it is a boolean: 1 is FOLL_WRITE.
  readsFlags: (_, call) => {
    const word = accessOfWalk(call);
    return word ? [{ word, bit: "FOLL_WRITE" }] : [];
  },
  refine(_, call, lifting): readonly LiftedStep[] {
    const word = accessOfWalk(call);
    const write = word && lifting.flag(word, "FOLL_WRITE");
    const outside = write === null ? { assumed: "what the walk asks for comes from outside" } : {};
    return [{ alternatives: walk(write ?? FALSE, call, lifting).map((way) => ({ ...way, ...outside })) }];
  },
  place: () => null,
  meaning: () => null,
  parameter: (name, bit) => (bit !== null && /^write$|flags$/.test(name) ? (request.includes(bit) ? 1 : 0) : null),
});

/** The program with another access at its walks. */
const withAccess = (program: EffectProgram, access: (own: Value) => Value): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node): ProgramNode => {
    const own = node.kind === "call" ? accessOfWalk(node) : null;
    return node.kind === "call" && own !== null ? withArgument(node, own, access(own)) : node;
  }),
});

function withArgument(call: CallNode, own: Value, other: Value): CallNode {
  const args = call.args.map((arg) => (arg === own ? other : arg));
  const effects = call.effects.map((effect): BoundEffect => {
    if (effect.kind === "gupFastWalk") return { ...effect, write: other };
    if (effect.kind !== "gup") return effect;
    return effect.write === own ? { ...effect, write: other } : { ...effect, flags: other };
  });
  const text = `${call.name}(${args.map(render).join(", ")})`;
  return { ...call, args, effects, shown: call.result === null || call.result.startsWith("$") ? text : `${call.result} = ${text}` };
}

const access = (value: number): Value => ({ kind: "number", value, at: -1 });

/** An experiment whose fix is one access for all walks. */
function aboutAccess(
  experiment: Pick<Experiment, "name" | "primary" | "bounds">,
  title: string,
  right: Value,
  wrong: Value,
  make: (model: ModelBuilder, program: EffectProgram, release: Release) => readonly string[],
): Experiment {
  return {
    ...experiment,
    secondary: [],
    build(program, release): BuiltModel {
      const model = modelBuilder(experiment.name);
      const assumptions = make(model, program, release);
      return { model: model.finish(), assumptions };
    },
    fix: (program) => ({ title, program: withAccess(program, () => right) }),
    mutate: (fixed) => withAccess(fixed, () => wrong),
    wrongFixes: [],
  };
}

/** The walk takes the page that the child maps, or leaves it to the slow path. */
function takesOrLeaves({ child, childWritable, taken, refcount }: PipeObjects): Walk {
  return (write, call, lifting) => {
    const first = eq(taken, 0);
    const allowed = or(not(write), eq(childWritable, 1));
    const done = (value: number) => lifting.set(call.result, value);
    return [
      { guard: and(first, allowed), effect: [assign(taken, child), incrementAt(refcount, child), ...done(1)], note: "takes the mapped page" },
      { guard: and(first, not(allowed)), effect: done(0), note: "not writable: left to the slow path" },
      { guard: first, effect: done(1), note: "other pages of the range" },
      { guard: ne(taken, 0), effect: done(1), note: "other pages of the range" },
    ];
  };
}

/** COW-7: `get_user_pages_fast()` takes a page that is still shared (CVE-2020-29374). */
export const fastWalkTakesShared: Experiment = aboutAccess(
  {
    name: "fast-walk-takes-shared",
    primary: ["info-leak"],
    bounds: "environment {parent that writes after fork()}, one page, FOLL_GET for reading, reuse by mapcount (before 5.9), SC",
  },
  "every walk of get_user_pages_fast() asks for a writable entry",
  access(1),
  access(0),
  (model, program, release) => {
    const objects = pipeObjects(model);
    const { child, childWritable, taken, refcount } = objects;
    const lifted = lift(model, program, release, () => world(["FOLL_GET"], takesOrLeaves(objects)), { next: "slow" });
    lifted.thread.label("slow");
    const take = [assign(taken, child), incrementAt(refcount, child)];
    lifted.thread.step({
      text: "get_user_pages_unlocked() for the rest: breaks COW first",
      alternatives: [
        { guard: ne(taken, 0), note: "nothing is left" },
        { guard: and(eq(taken, 0), eq(childWritable, 1)), effect: take },
        ...writeFault(objects, child, childWritable, CHILD_COPY, and(eq(taken, 0), eq(childWritable, 0))).map((way) => ({ ...way, effect: [...(way.effect ?? []), ...take] })),
      ],
    });
    const read = afterGup(lifted.thread, objects);
    const parent = parentWrites(model, objects);
    model.reach(lifted.thread, read, "the child reads");
    model.reach(parent.thread, parent.store, "the parent stores");
    return lifted.assumptions;
  },
);

/** A page of a read-only mapping is looked at from a context that cannot fault. */
const findsOrRefuses = (found: Field, refused: Field): Walk => (write, call, lifting) => [
  { guard: not(write), effect: [assign(found, 1), ...lifting.set(call.result, 1)], note: "takes the page" },
  { guard: write, effect: [assign(refused, 1), ...lifting.set(call.result, 0)], note: "the entry is read-only: takes nothing" },
  { effect: lifting.set(call.result, 1), note: "other pages of the range" },
];

/** COW-8: the fast-only form finds nothing that is not writable, and has no slow path. */
export const fastOnlyForced: Experiment = aboutAccess(
  {
    name: "fast-only-forced",
    primary: ["lost-function"],
    bounds: "one thread that may not fault, one page that is mapped read-only, called for reading, SC",
  },
  "the walk asks for what the caller asked for",
  access(0),
  access(1),
  (model, program, release) => {
    const found = model.field("page found", 0, { labels: { 0: "no", 1: "yes" } });
    const refused = model.field("entry refused", 0, { labels: { 0: "no", 1: "yes" } });
    const request = ["FOLL_GET", "FOLL_FAST_ONLY"];
    const lifted = lift(model, program, release, () => world(request, findsOrRefuses(found, refused)), { next: "returned" });
    lifted.thread.label("returned");
    const uses = lifted.thread.step({
      text: "the caller (perf in an NMI) looks at what it got",
      checks: [
        {
          holds: or(eq(refused, 0), eq(found, 1)),
          property: "lost-function",
          message: "a page that is mapped and may be read is not found for a reader: there is no slow path here",
        },
      ],
    });
    const reader = lifted.thread.step({ text: "reads the page", guard: eq(found, 1) });
    model.reach(lifted.thread, uses, "the caller looks");
    model.reach(lifted.thread, reader, "the caller reads");
    return lifted.assumptions;
  },
);
