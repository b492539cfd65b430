// SPDX-License-Identifier: GPL-2.0-only
import type { Release as KernelRelease } from "../../kernel/release.ts";
import type { Value } from "../../program/code.ts";
import { textAt } from "../../program/place.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { modelBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { eq } from "../../simulator/expression.ts";
import type { BuiltModel, Experiment } from "../experiment.ts";
import { lift } from "../lift.ts";
import { asWritten, insertAtEnd, synthetic, without } from "../rewrite.ts";
import { withHandings } from "./handed.ts";
import { isFirstOfFolio, samePage, userPages, type UserPages } from "./names.ts";
import { isOfPages, pageFields, pagesWorld, releaseOf, type Meant, type Told } from "./world.ts";

/*
 * What a function does with the pages of one pinning call, one thread and every way through: each page that was taken is
 * given back exactly once, by the call that belongs to it, or somebody else knows of it.
 */

const CLEANUP = "gives back what is still taken";
const EXACT = ": what is taken, and no more";

export const MEANT: Meant = { exact: (call) => call.shown?.endsWith(EXACT) ?? false, cleanup: (call) => call.at < 0 && call.name === CLEANUP };

/** A pinning call, and the release that is looked at. */
export interface PagesFocus {
  readonly node: NodeId;
  readonly release: CallNode | null;
}

const BOUNDS = "one thread, every way through the function, two pages where the text asks for n, loops unbounded";

/** Experiments that turn on which of the pages a release means. */
const COUNTED: ReadonlySet<string> = new Set(["pages-leaked", "pages-released-untaken"]);

function build(name: string, focus: { readonly node: NodeId; readonly release: Told["release"] }, program: EffectProgram, kernel: KernelRelease): BuiltModel | null {
  const found = userPages(program, focus.node);
  if (!found || (focus.release === null && !found.isOwn) || (COUNTED.has(name) && !found.isIndexed)) return null;
  const model = modelBuilder(name);
  const fields = pageFields(model);
  const marked = withHandings(program, found);
  const lifted = lift(model, marked, kernel, () => pagesWorld({ program: marked, found, fields, meant: MEANT, release: focus.release }));
  for (const step of lifted.stepsOf.get(focus.node) ?? []) model.reach(lifted.thread, step, "the pinning call");
  if (focus.release !== "every" && focus.release?.effects.some((effect) => effect.kind === "freesPage")) {
    const process = model.thread("process", "daemon");
    process.step({ text: "munmap(): the mapping's reference goes", guard: eq(fields.mapped, 1), effect: [assign(fields.mapped, 0)] });
  }
  return { model: model.finish(), assumptions: lifted.assumptions };
}

/** A way out on which pages that were taken are forgotten. */
export function pagesLeaked(node: NodeId, reference: "pin" | "get"): Experiment {
  const name = "pages-leaked";
  const shown = reference === "pin" ? "unpin_user_pages() of what is still pinned" : "put_page() of what is still referenced";
  const added = { ...synthetic("", { kind: "maySleep" }), name: CLEANUP, shown };
  return {
    name,
    primary: ["page-leaked"],
    secondary: [],
    bounds: BOUNDS,
    build: (program, kernel) => build(name, { node, release: null }, program, kernel),
    fix: (program) => ({ title: `${shown} on every way out`, program: insertAtEnd(program, [added]) }),
    mutate: (fixed) => without(fixed, (one) => one.kind === "call" && MEANT.cleanup(one)),
    wrongFixes: [],
  };
}

/** A release of pages that were not taken, or are gone already. */
export function pagesReleasedUntaken(focus: PagesFocus & { readonly release: CallNode }): Experiment {
  const name = "pages-released-untaken";
  const change = (program: EffectProgram, to: (call: CallNode) => CallNode): EffectProgram => ({
    ...program,
    nodes: program.nodes.map((one) => (one.kind === "call" && one.at === focus.release.at && one.effects.some(releaseOf) ? to(one) : one)),
  });
  return {
    name,
    primary: ["released-unpinned"],
    secondary: [],
    bounds: BOUNDS,
    build: (program, kernel) => build(name, focus, program, kernel),
    fix: (program) => ({ title: `${focus.release.name}() of what the call took, once`, program: change(program, (call) => ({ ...call, shown: `${textAt(program.image, call.at, call.end)}${EXACT}` })) }),
    mutate: (fixed) => change(fixed, asWritten),
    wrongFixes: [],
  };
}

/**
 * Everything at once, for code that somebody proposes: each page that was taken is given back exactly once. `asked`: what the
 * code before did.
 */
export function pagesAccounted(node: NodeId, asked: "page-leaked" | "released-unpinned", program: EffectProgram): Experiment {
  const name = asked === "page-leaked" ? "pages-leaked" : "pages-released-untaken";
  const isOwn = userPages(program, node)?.isOwn === true;
  const all = [...(isOwn ? ["page-leaked"] : []), "released-unpinned", "pin-leaked", "refcount-underflow"];
  return {
    name,
    primary: [asked],
    secondary: all.filter((one) => one !== asked),
    bounds: BOUNDS,
    build: (edited, kernel) => build(name, { node, release: "every" }, edited, kernel),
    fix: () => null,
    mutate: (fixed) => fixed,
    wrongFixes: [],
  };
}

/** A release that belongs to another kind of reference. */
export function pagesReleasedWrongly(focus: PagesFocus & { readonly release: CallNode }): Experiment {
  const name = "pages-released-wrongly";
  return {
    name,
    primary: ["pin-leaked", "refcount-underflow", "bad-page-state", "other-page-unpinned"],
    secondary: [],
    bounds: BOUNDS,
    build: (program, kernel) => build(name, focus, program, kernel),
    fix(program) {
      const found = userPages(program, focus.node);
      if (!found) return null;
      const right = wrongPage(focus.release) ? ofFolio(focus.release) : rightCall(found, focus.release);
      return { title: `${right.name}() for pages of ${found.call.name}()`, program: { ...program, nodes: program.nodes.map((one) => (one.kind === "call" && one.at === focus.release.at && one.effects.some(releaseOf) ? { ...one, ...right } : one)) } };
    },
    mutate: (fixed) => ({ ...fixed, nodes: fixed.nodes.map((one) => (one.kind === "call" && one.at === focus.release.at && one.effects.some(releaseOf) ? { ...focus.release, next: one.next } : one)) }),
    wrongFixes: [],
  };
}

/** The call that gives the pages back as they were taken. */
function rightCall({ gup }: UserPages, wrong: CallNode): Pick<CallNode, "name" | "effects" | "shown"> {
  const isPin = gup.reference === "pin";
  const release = wrong.effects.map(releaseOf).find((one) => one !== null);
  const count = release?.count ?? null;
  const pages = release?.pages;
  const name = count === null ? (isPin ? "unpin_user_page" : "put_page") : isPin ? "unpin_user_pages" : "release_pages";
  const shown = `${name}(${[pages, count].flatMap((value) => (value ? [render(value)] : [])).join(", ")})`;
  const effect: BoundEffect | null = pages ? { kind: "unpin", reference: gup.reference, pages, ...(count === null ? {} : { count }) } : null;
  return { name, shown, effects: effect ? [effect] : [] };
}

/** True for a pin of some page of a folio that is given back as one of its first page. */
export const wrongPage = (call: CallNode): boolean => call.effects.some((effect) => effect.kind === "unpin" && effect.reference === "pin" && effect.count === undefined && isFirstOfFolio(effect.pages));

/** Pins of a large folio are counted for all of it. */
function ofFolio(wrong: CallNode): Pick<CallNode, "name" | "effects" | "shown"> {
  const one: Value = { kind: "number", value: 1, at: -1 };
  const [pages] = wrong.effects.flatMap((effect) => (effect.kind === "unpin" ? [samePage(effect.pages)] : []));
  return { name: "unpin_user_folio", shown: `unpin_user_folio(${pages ? render(pages) : "folio"}, 1)`, effects: pages ? [{ kind: "unpin", reference: "pin", pages, count: one }] : [] };
}

/** Calls that give pages of the call back, in order of text. */
export function releasesOf(program: EffectProgram, node: NodeId): CallNode[] {
  const found = userPages(program, node);
  if (!found) return [];
  const calls = program.nodes.flatMap((one) => {
    if (one.kind !== "call" || one.at < 0 || one.inlined !== undefined) return [];
    const isRelease = one.effects.some((effect) => {
      const release = releaseOf(effect);
      return release !== null && isOfPages(found, release);
    });
    return isRelease ? [one] : [];
  });
  return [...new Map(calls.map((call) => [call.at, call])).values()].toSorted((a, b) => a.at - b.at);
}

/** True for the first of the calls that fill one array: the others are looked at with it. */
export function isFirstOfArray(program: EffectProgram, node: NodeId): boolean {
  const found = userPages(program, node);
  return found !== null && [...found.taking].every((at) => at >= found.call.at);
}
