// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign, assignAt, decrementAt, incrementAt } from "../simulator/effect.ts";
import { and, element, eq, ne, not, or, type Expression, type Field } from "../simulator/expression.ts";
import type { Alternative, Assignment } from "../simulator/model.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { gupWorld, type GupSteps } from "./gup-slow-path.ts";
import { lift } from "./lift.ts";
import { insertBefore } from "./rewrite.ts";

/*
 * The page of a pipe (CVE-2020-29374): a child takes a read-only reference to a page that it shares with its parent,
 * drops its mapping, and the parent's next write reuses the page in place, because only mappings are counted
 * (do_wp_page() and reuse_swap_page() before 5.9). knowledge: 17839856fd58 "gup: document and work around 'COW can break
 * either way' issue".
 */

const X = 1;
/** Copy that the child's fault makes, copy that the parent's fault makes. */
const CHILD_COPY = 2;
const PARENT_COPY = 3;
const PAGES = { labels: { 0: "none", 1: "X", 2: "copy of the child", 3: "copy of the parent" } };

interface Objects {
  readonly parent: Field;
  readonly child: Field;
  readonly parentWritable: Field;
  readonly childWritable: Field;
  readonly mapcount: Field;
  readonly refcount: Field;
  readonly secret: Field;
  /** Page that the child holds a reference to. */
  readonly taken: Field;
}

/** After fork(): X is mapped read-only in both. */
const objectsOf = (model: ModelBuilder): Objects => ({
  parent: model.field("pte(parent)", X, PAGES),
  child: model.field("pte(child)", X, PAGES),
  parentWritable: model.field("pte(parent) writable", 0, { labels: { 0: "no", 1: "yes" } }),
  childWritable: model.field("pte(child) writable", 0, { labels: { 0: "no", 1: "yes" } }),
  mapcount: model.array("mapcount", [0, 2, 0, 0]),
  refcount: model.array("refcount", [0, 2, 0, 0]),
  secret: model.array("secret in page", [0, 0, 0, 0], { hidden: true }),
  taken: model.field("reference of the child", 0, PAGES),
});

const drop = (objects: Objects, entry: Field): Assignment[] => [decrementAt(objects.mapcount, entry), decrementAt(objects.refcount, entry)];

/** A write fault before 5.9: the page is reused when it is mapped once, whatever references there are. */
function writeFault(objects: Objects, entry: Field, writable: Field, copy: number, when: Expression): Alternative[] {
  const once = eq(element(objects.mapcount, entry), 1);
  return [
    { guard: and(when, once), effect: [assign(writable, 1)], note: "mapped once: the page is reused in place" },
    {
      guard: and(when, not(once)),
      effect: [...drop(objects, entry), assign(entry, copy), assignAt(objects.mapcount, copy, 1), assignAt(objects.refcount, copy, 1), assign(writable, 1)],
      note: "mapped twice: the page is copied",
    },
  ];
}

function steps(objects: Objects, path: "normal" | "hugetlb"): GupSteps {
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

/** What the child does when it has its reference: it unmaps, and later looks at the page. */
function afterGup(thread: ThreadBuilder, objects: Objects): number {
  const { child, taken, secret } = objects;
  thread.label("has the reference");
  thread.step({
    text: "munmap(): the child drops its mapping",
    alternatives: [
      { guard: ne(child, 0), effect: [...drop(objects, child), assign(child, 0)] },
      { guard: eq(child, 0) },
    ],
  });
  return thread.step({
    text: "the child reads the page it holds",
    checks: [
      {
        holds: or(eq(taken, 0), eq(element(secret, taken), 0)),
        property: "info-leak",
        message: "the child reads what the parent wrote after the fork: both still use page X",
      },
    ],
  });
}

function parentWrites(model: ModelBuilder, objects: Objects): { thread: ThreadBuilder; store: number } {
  const { parent, parentWritable, secret } = objects;
  const thread = model.thread("parent", "environment");
  thread.step({
    text: "writes to the page: write fault",
    alternatives: [{ guard: eq(parentWritable, 1) }, ...writeFault(objects, parent, parentWritable, PARENT_COPY, eq(parentWritable, 0))],
  });
  const store = thread.step({ text: "stores its secret", effect: [assignAt(secret, parent, 1)] });
  return { thread, store };
}

/** Puts `word |= FOLL_WRITE` in front of every lookup: what the forced break amounts to on a COW mapping. */
function forceEverywhere(program: EffectProgram): EffectProgram {
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
    const objects = objectsOf(model);
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
