// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import type { ModelBuilder } from "../../simulator/build.ts";
import { assign, assignAt } from "../../simulator/effect.ts";
import { and, element, eq, expression, gt, lt, ne, or, plus, type Expression, type Field } from "../../simulator/expression.ts";
import type { Alternative, Assignment, Check } from "../../simulator/model.ts";
import { someIn } from "../doubt.ts";
import { guessedNames } from "../obligation/guessed.ts";
import { pageCount } from "../pinned-pages.ts";
import type { LiftedStep, Lifting, World } from "../world.ts";
import { handingOf } from "./handed.ts";
import { elementOf, isFirstOfFolio, partOf, samePage, type UserPages } from "./names.ts";

/*
 * The pages of one pinning call, two of them where the text says n: each is taken and released on its own, and variables that
 * count pages have numbers (see `World.counts`). Two are enough for "some, not all".
 */

/** Pages that are asked for. */
export const ASKED = 2;

const NEVER = 0;
const PINNED = 1;
export const RELEASED = 2;
const GOT = 3;
/** -1 as a byte. */
const MINUS_ONE = 255;

export interface PageFields {
  readonly held: Field;
  /** 1: somebody else may give them back, so that keeping them is no leak. */
  readonly shared: Field;
  /** 1: nothing is known of them any more. */
  readonly lost: Field;
  /** 1 while the process has them mapped. */
  readonly mapped: Field;
}

export const pageFields = (model: ModelBuilder): PageFields => ({
  held: model.array("pages", [NEVER, NEVER], {
    elements: ["the first page", "the last page"],
    labels: { [NEVER]: "not taken", [PINNED]: "pinned", [RELEASED]: "given back", [GOT]: "referenced" },
  }),
  shared: model.field("known elsewhere", 0, { hidden: true }),
  lost: model.field("out of sight", 0, { hidden: true }),
  mapped: model.field("mapped by the process", 1, { hidden: true }),
});

export const isTaken = ({ held }: PageFields, slot: number): Expression => or(eq(element(held, slot), PINNED), eq(element(held, slot), GOT));

export const someTaken = (fields: PageFields): Expression => or(isTaken(fields, 0), isTaken(fields, 1));

/** What gives pages back. */
export interface Release {
  readonly pages: Value;
  /** null: one page. */
  readonly count: Value | null;
  readonly how: "pin" | "get" | "free" | "by-flags";
}

/** `unpin_user_folio(page_folio(page), 1)` is about the one page. */
function unpinned(pages: Value, count: Value | null): Pick<Release, "pages" | "count"> {
  const isOne = count?.kind === "number" && count.value === 1;
  return pages.kind === "call" && isOne ? { pages: samePage(pages), count: null } : { pages, count };
}

export function releaseOf(effect: BoundEffect): Release | null {
  switch (effect.kind) {
    case "unpin":
      return { ...unpinned(effect.pages, effect.count ?? null), how: effect.flags ? "by-flags" : effect.reference };
    case "putReference":
      return { pages: effect.object, count: null, how: "get" };
    case "freesPage":
      return { pages: effect.page, count: null, how: "free" };
    default:
      return null;
  }
}

/** True where the pages of the call may be meant. */
export function isOfPages({ arrays, pages }: UserPages, { pages: value, count }: Pick<Release, "pages" | "count">): boolean {
  if (count !== null) return arrays.has(render(partOf(value).array)) || pages.has(render(partOf(value).array));
  const one = samePage(value);
  const of = elementOf(one);
  return pages.has(render(one)) || (of !== null && arrays.has(render(of.array)));
}

/** A fix may take calls for what they were meant to be. */
export interface Meant {
  /** The call releases what is taken of its pages, and nothing else. */
  exact(call: CallNode): boolean;
  /** The call was added: it releases whatever is still taken. */
  cleanup(call: CallNode): boolean;
}

export interface Told {
  readonly program: EffectProgram;
  readonly found: UserPages;
  readonly fields: PageFields;
  readonly meant: Meant;
  /** The release that is looked at; null: none is. `every`: all of them, and each must say which pages it means. */
  readonly release: CallNode | "every" | null;
  /** More effects that a scenario sees. */
  readonly more?: Pick<World, "sees" | "reads" | "readsFlags" | "refine"> & { readonly onTake?: (gup: BoundEffect & { kind: "gup" }, lifting: Lifting) => readonly Assignment[]; readonly onRelease?: (call: CallNode) => readonly Assignment[] };
}

export function pagesWorld(told: Told): World {
  const { program, found, fields, meant, more } = told;
  const guessed = guessedNames(program);
  const takes = (effect: BoundEffect, call: CallNode): effect is BoundEffect & { kind: "gup" } => effect.kind === "gup" && found.taking.has(call.at);
  const releases = (effect: BoundEffect): Release | null => {
    const release = releaseOf(effect);
    return release && isOfPages(found, release) ? release : null;
  };
  const counted = (key: string): boolean => found.numbers.has(key) || found.pages.has(key);
  return {
    sees: (effect, call) => handingOf(call) !== null || meant.cleanup(call) || takes(effect, call) || releases(effect) !== null || (more?.sees(effect, call) ?? false),
    reads: (effect, call) => {
      if (handingOf(call) !== null || meant.cleanup(call)) return [];
      if (takes(effect, call)) return [pageCount(call, effect), effect.pages && partOf(effect.pages).first].flatMap((value) => value ?? []);
      const release = releases(effect);
      const own = release ? (release.count === null ? [samePage(release.pages)] : [partOf(release.pages).first, release.count]) : [];
      return [...own, ...(more?.sees(effect, call) ? more.reads(effect, call) : [])];
    },
    readsFlags: (effect, call) => (takes(effect, call) ? (more?.readsFlags?.(effect, call) ?? []) : []),
    refine(effect, call, lifting) {
      const handing = handingOf(call);
      if (handing !== null) return [{ hidden: true, alternatives: [{ effect: handing === "lost" ? [assign(fields.lost, 1)] : [assign(fields.shared, 1)] }] }];
      if (meant.cleanup(call)) return [cleanup(fields)];
      if (takes(effect, call)) return [taking(told, effect, call, lifting)];
      const release = releases(effect);
      if (release) return [...(more?.sees(effect, call) ? more.refine(effect, call, lifting) : []), releasing(told, release, call, lifting)];
      return more?.sees(effect, call) ? more.refine(effect, call, lifting) : [];
    },
    place: () => null,
    meaning: () => null,
    counts: counted,
    unknownNumbers: (key) => (found.pages.has(key) ? [{ value: 0, assumed: `${key} may be any page` }] : found.sizes.has(key) ? [{ value: ASKED }] : unknownNumber(key)),
    number: (value, numberOf) => numberBehind(told, value, numberOf),
    parameter: (name, bit) => (bit === null && found.sizes.has(name) ? ASKED : null),
    unseen: () => [{ text: "pages", hidden: true, alternatives: [{ effect: [assign(fields.lost, 1)] }] }],
    // What a function makes of a number that it is handed is its own value.
    decidedBy: (value) => someIn(value, (part) => guessed.has(render(part)) || counted(render(part)), (part) => part.kind === "call"),
    leaving: () => [{ holds: or(eq(fields.lost, 1), eq(fields.shared, 1), eq(someTaken(fields), 0)), property: "page-leaked", message: "the function returns and nobody knows of the page any more: it stays pinned for ever" }],
  };
}

const unknownNumber = (key: string): { value: number; assumed: string }[] => [0, MINUS_ONE].map((value) => ({ value, assumed: `${key} is a number that the text does not tell` }));

function numberBehind({ found }: Told, value: Value, numberOf: (value: Value) => Expression | null): Expression | null {
  const one = samePage(value);
  if (one !== value) return numberOf(one);
  const of = elementOf(value);
  if (of && found.arrays.has(render(of.array))) {
    const index = numberOf(of.index);
    return index && plus(index, 1);
  }
  if (value.kind === "name" && value.name === "NULL") return expression(0);
  if (value.kind === "unary" && value.operator === "-" && value.of.kind === "name" && /^E[A-Z0-9]+$/.test(value.of.name)) return expression(MINUS_ONE);
  if (value.kind === "call" && /^min(?:_t)?$/.test(value.name)) {
    const [only, ...others] = value.args.flatMap((arg) => numberOf(arg) ?? []);
    return only && others.length === 0 ? only : null;
  }
  return null;
}

const inRange = (slot: number, first: number, count: number): boolean => slot >= first && slot < first + count;

/** Ranges within the pages that are asked for. */
const RANGES: readonly { readonly first: number; readonly count: number }[] = [0, 1].flatMap((first) => [0, 1, 2].flatMap((count) => (first + count <= ASKED ? [{ first, count }] : [])));

const words = (count: number, asked: boolean): string => (count === ASKED ? "all pages" : asked ? "the page" : "some of the pages");

function taking({ found, fields, more }: Told, gup: BoundEffect & { kind: "gup" }, call: CallNode, lifting: Lifting): LiftedStep {
  const value = pageCount(call, gup);
  const isOne = value?.kind === "number" && value.value === 1;
  const asked = (value && lifting.number(value)) ?? expression(gup.returns === "bool" ? 1 : ASKED);
  const first = (gup.pages && lifting.number(partOf(gup.pages).first)) ?? expression(0);
  const state = gup.reference === "pin" ? PINNED : GOT;
  const single = gup.pages ? lifting.set(render(partOf(gup.pages).array), 1) : [];
  const isSingle = gup.pages !== null && found.pages.has(render(partOf(gup.pages).array));
  const took = RANGES.filter(({ count }) => count > 0).map(({ first: at, count }): Alternative => ({
    guard: and(eq(first, at), gt(asked, count - 1), lt(asked, 128)),
    effect: [
      ...[0, 1].filter((slot) => inRange(slot, at, count)).map((slot) => assignAt(fields.held, slot, state)),
      ...(isSingle ? single : []),
      ...lifting.set(call.result, count),
      ...(more?.onTake?.(gup, lifting) ?? []),
    ],
    note: isOne || at > 0 ? words(count, true) : `${words(count, false)}: returns ${count === ASKED ? "what was asked for" : "less than was asked for"}`,
  }));
  const failed = gup.returns === "count" || gup.returns === "bool" ? 0 : MINUS_ONE;
  return { alternatives: [...took, { guard: eq(asked, 0), effect: lifting.set(call.result, 0), note: "nothing to do" }, { effect: lifting.set(call.result, failed), note: "fails" }] };
}

function cleanup(fields: PageFields): LiftedStep {
  const all = [0, 1].map((slot) => assignAt(fields.held, slot, RELEASED));
  return { alternatives: [{ guard: someTaken(fields), effect: all, note: "what is still taken" }, { guard: eq(someTaken(fields), 0), note: "nothing is left" }] };
}

function releasing(told: Told, release: Release, call: CallNode, lifting: Lifting): LiftedStep {
  const { fields, found, meant } = told;
  const isExact = meant.exact(call);
  const isAsked = told.release === "every" || call.at === told.release?.at;
  // Of code that somebody proposes, what cannot be read is no excuse.
  const isMeant = { checks: told.release === "every" ? [{ holds: eq(fields.lost, 1), property: "released-unpinned", message: `${call.name}() gives back something that is not a page of the call` }] : [] };
  const way = (at: number, count: number, guard: Expression): Alternative => {
    const slots = [0, 1].filter((slot) => inRange(slot, at, count));
    return {
      guard,
      checks: isExact || !isAsked ? [] : slots.flatMap((slot) => checksOf(fields, slot, release, call)),
      effect: [
        ...slots.map((slot) => assignAt(fields.held, slot, isExact ? releasedIf(fields, slot) : RELEASED)),
        ...(slots.length > 0 ? (told.more?.onRelease?.(call) ?? []) : []),
      ],
    };
  };
  const unread: LiftedStep = { alternatives: [{ effect: [assign(fields.lost, 1)] }], hidden: true };
  if (release.count === null || found.pages.has(render(partOf(release.pages).array))) {
    const page = release.count === null ? lifting.number(samePage(release.pages)) : lifting.number(partOf(release.pages).array);
    if (page === null) return unread;
    return { alternatives: [way(0, 1, eq(page, 1)), way(1, 1, eq(page, 2)), { guard: and(ne(page, 1), ne(page, 2)), note: "another page", ...isMeant }] };
  }
  const [first, count] = [lifting.number(partOf(release.pages).first), lifting.number(release.count)];
  if (first === null || count === null) return unread;
  const known = RANGES.map((one) => way(one.first, one.count, and(eq(first, one.first), eq(count, one.count))));
  const isKnown = RANGES.map((one) => and(eq(first, one.first), eq(count, one.count))).reduce((all, one) => or(all, one));
  return { alternatives: [...known, { guard: eq(isKnown, 0), effect: [assign(fields.lost, 1)], note: "not pages of this call", ...isMeant }] };
}

/** RELEASED where the page is taken, else what it was: a sum of truths, as there is no choice in expressions. */
const releasedIf = ({ held }: PageFields, slot: number): Expression => {
  const state = element(held, slot);
  const isOne = (value: number): Expression => eq(state, value);
  return plus(plus(or(isOne(PINNED), isOne(GOT), isOne(RELEASED)), or(isOne(PINNED), isOne(GOT), isOne(RELEASED))), 0);
};

function checksOf(fields: PageFields, slot: number, release: Release, call: CallNode): Check[] {
  const state = element(fields.held, slot);
  const unless = (bad: Expression): Expression => or(eq(fields.lost, 1), eq(bad, 0));
  const checks: Check[] = [
    { holds: unless(or(eq(state, NEVER), eq(state, RELEASED))), property: "released-unpinned", message: `${call.name}() gives back a page that is not taken: somebody else's reference goes` },
  ];
  if (release.how === "get") checks.push({ holds: unless(eq(state, PINNED)), property: "pin-leaked", message: `${call.name}() takes one reference of the many that a pin is: the page stays pinned for ever` });
  if (release.how === "pin") checks.push({ holds: unless(eq(state, GOT)), property: "refcount-underflow", message: `${call.name}() takes as many references as a pin has where there was one: the page is freed under its other users` });
  if (release.how === "pin" && release.count === null && isFirstOfFolio(release.pages))
    checks.push({ holds: unless(eq(state, PINNED)), property: "other-page-unpinned", message: `the first page of the folio is not the page that was pinned: ${call.name}() finds it shared (sanity_check_pinned_pages())` });
  if (release.how === "free") {
    checks.push({ holds: unless(eq(state, PINNED)), property: "pin-leaked", message: `${call.name}() takes one reference of the many that a pin is: the page stays pinned for ever` });
    checks.push({ holds: unless(and(eq(state, GOT), eq(fields.mapped, 0))), property: "bad-page-state", message: `${call.name}() frees a page of user memory that is still on an LRU list` });
  }
  return checks;
}
