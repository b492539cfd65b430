// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, type EraBehavior, type GupEra } from "../kernel/era.ts";
import type { ModelBuilder } from "../simulator/build.ts";
import { assign, assignAt, decrementAt, increment, incrementAt } from "../simulator/effect.ts";
import { and, element, eq, FALSE, gt, minus, ne, not, or, plus, TRUE, type Expression, type Field, type Operand } from "../simulator/expression.ts";
import type { Alternative, Assignment } from "../simulator/model.ts";

/*
 * One address of a private mapping of process A, and what a write fault, GUP and fork do about it in each era. Which era
 * does what is data (kernel/era.ts); here are the steps. Sources: mm/memory.c (do_wp_page(), wp_page_copy(),
 * copy_present_pte()), mm/gup.c (gup_must_unshare(), faultin_page()), mm/huge_memory.c.
 *
 * An entry is one byte: 0 none, 2n - 1 page n read-only, 2n page n writable.
 */

/** Numbers of the pages. The first one is what is mapped, the others are what copies get. */
const PAGES = 3;
export const FIRST = 1;

/** What is at the address when the run begins. `anonymous`: page X, writable; `untouched`: nothing, a read gets the zero page. */
export type Initially = "anonymous" | "untouched";

export interface PrivateMapping {
  readonly behavior: EraBehavior;
  /** A's page table entry. */
  readonly entry: Field;
  /** Page that the child of a fork maps, 0 for none. */
  readonly childPage: Field;
  /** Arrays by page; a reader sees the count that decides in the era. */
  readonly refcount: Field;
  readonly mapcount: Field;
  readonly pincount: Field;
  /** PageAnonExclusive; means nothing before 5.19. */
  readonly exclusive: Field;
  readonly anonymous: Field;
  /** Page that the next copy gets. */
  readonly next: Field;
}

/** Names of the pages for a reader, by number; 0 is none. */
export const pageNames = (initially: Initially): readonly string[] => ["none", ...(initially === "untouched" ? ["zero page", "X", "Y"] : ["X", "Y", "Z"])];

/** Labels of a field that holds a page number. */
export const pageLabels = (initially: Initially): Record<number, string> => Object.fromEntries(pageNames(initially).entries());

const entryLabels = (initially: Initially): Record<number, string> =>
  Object.fromEntries(
    pageNames(initially).flatMap((name, page): [number, string][] =>
      page === 0 ? [[0, name]] : [[2 * page - 1, `${name}, read-only`], [2 * page, `${name}, writable`]],
    ),
  );

export function privateMapping(model: ModelBuilder, era: GupEra, initially: Initially): PrivateMapping {
  const behavior = ERAS[era];
  const names = pageNames(initially);
  const array = (what: string, first: number, hidden: boolean): Field =>
    model.array(what, [0, first, ...Array.from({ length: PAGES - 1 }, () => 0)], { hidden, elements: names.map((name) => `${what}(${name})`) });
  const mapped = initially === "anonymous" ? 1 : 0;
  return {
    behavior,
    entry: model.field("entry(va)", mapped === 1 ? 2 * FIRST : 0, { labels: entryLabels(initially) }),
    childPage: model.field("page of the child", 0, { hidden: true }),
    refcount: array("refcount", 1, behavior.anonReuse === "mapcount"),
    mapcount: array("mapcount", mapped, behavior.anonReuse !== "mapcount"),
    pincount: array("pins", 0, true),
    exclusive: array("AnonExclusive", mapped, behavior.anonReuse !== "exclusive"),
    anonymous: array("anonymous", mapped, true),
    next: model.field("next page", FIRST + 1, { hidden: true }),
  };
}

/** Page that an entry (or a register that holds a copy of one) maps; 0 for none. */
export const pageOf = (entry: Operand): Expression => plus(plus(gt(entry, 0), gt(entry, 2)), gt(entry, 4));

export const isWritable = (entry: Operand): Expression => or(eq(entry, 2), eq(entry, 4), eq(entry, 6));

const isReadOnly = (entry: Operand): Expression => and(ne(entry, 0), not(isWritable(entry)));

const mapping = (page: Operand, writable: boolean): Expression => (writable ? plus(page, page) : minus(plus(page, page), 1));

const of = (array: Field, { entry }: PrivateMapping): Expression => element(array, pageOf(entry));

/** True where a write fault on the present, read-only entry may keep the page. */
function reusable(at: PrivateMapping): Expression {
  const only = eq(of(at.refcount, at), 1);
  const once = eq(of(at.mapcount, at), 1);
  const test: Record<EraBehavior["anonReuse"], Expression> = {
    mapcount: once,
    refcount: and(only, once),
    "refcount-drop-caches": only,
    exclusive: or(eq(of(at.exclusive, at), 1), only),
  };
  return and(eq(of(at.anonymous, at), 1), test[at.behavior.anonReuse]);
}

/** The entry maps a new anonymous page; the zero page does not count its users. */
function freshPage(at: PrivateMapping, writable: boolean): Assignment[] {
  const { entry, next } = at;
  const leave = (array: Field): Assignment => assignAt(array, pageOf(entry), minus(of(array, at), of(at.anonymous, at)));
  return [
    leave(at.mapcount),
    leave(at.refcount),
    ...[at.refcount, at.mapcount, at.exclusive, at.anonymous].map((array) => assignAt(array, next, 1)),
    assign(entry, mapping(next, writable)),
    increment(next),
  ];
}

const reuse = (at: PrivateMapping): Assignment[] => [assign(at.entry, mapping(pageOf(at.entry), true)), assignAt(at.exclusive, pageOf(at.entry), 1)];

/** Faults of a store to a read-only or missing entry; the entry is writable afterwards. */
function breakCow(at: PrivateMapping): Alternative[] {
  const { entry, behavior } = at;
  const anonymous = eq(of(at.anonymous, at), 1);
  const count = behavior.anonReuse === "mapcount" ? "mapcount" : "refcount";
  return [
    { guard: eq(entry, 0), effect: freshPage(at, true), note: "write fault: gets a new page" },
    { guard: and(isReadOnly(entry), reusable(at)), effect: reuse(at), note: "write fault: keeps the page" },
    { guard: and(isReadOnly(entry), anonymous, not(reusable(at))), effect: freshPage(at, true), note: `write fault: ${count} is not 1, gets a copy` },
    { guard: and(isReadOnly(entry), not(anonymous)), effect: freshPage(at, true), note: "write fault: the zero page is nobody's own, gets a new page" },
  ];
}

/** The process stores to the address. */
export const store = (at: PrivateMapping): Alternative[] => [{ guard: isWritable(at.entry), note: "no fault" }, ...breakCow(at)];

/** What a call of GUP asks for. */
export interface GupRequest {
  readonly write: Expression;
  readonly pin: boolean;
  readonly longterm: Expression;
}

/** True where a read-only reference must not be taken before the page is unshared. */
export function mustUnshare(at: PrivateMapping, page: Operand, request: GupRequest): Expression {
  const { readOnlyGup } = at.behavior;
  if (!request.pin || (readOnlyGup !== "unshare-pin" && readOnlyGup !== "unshare-pin-and-longterm")) return FALSE;
  const anonymous = eq(element(at.anonymous, page), 1);
  const shared = and(anonymous, eq(element(at.exclusive, page), 0));
  const other = readOnlyGup === "unshare-pin-and-longterm" ? and(request.longterm, not(anonymous)) : FALSE;
  return and(not(request.write), or(shared, other));
}

/** GUP finds the entry as it needs it: it can take the page. */
export function isReady(at: PrivateMapping, request: GupRequest): Expression {
  const write = at.behavior.readOnlyGup === "forced-write" ? TRUE : request.write;
  return and(ne(at.entry, 0), or(isWritable(at.entry), and(not(write), not(mustUnshare(at, pageOf(at.entry), request)))));
}

/** The faults that GUP takes until the entry is ready. */
export function gupFaults(at: PrivateMapping, request: GupRequest): Alternative[] {
  const { entry } = at;
  const forced = at.behavior.readOnlyGup === "forced-write";
  const write = forced ? TRUE : request.write;
  const guarded = (one: Alternative, when: Expression): Alternative => ({ ...one, guard: and(one.guard ?? TRUE, when) });
  const unshare = and(isReadOnly(entry), not(write), mustUnshare(at, pageOf(entry), request));
  const alone = and(eq(of(at.anonymous, at), 1), eq(of(at.refcount, at), 1));
  return [
    ...breakCow(at).map((one) => guarded(forced ? { ...one, note: `breaks COW early, ${one.note}` } : one, write)),
    guarded({ guard: eq(entry, 0), effect: [assign(entry, mapping(FIRST, false))], note: "read fault: maps the zero page" }, not(write)),
    { guard: and(unshare, alone), effect: [assignAt(at.exclusive, pageOf(entry), 1)], note: "unshares: the page is exclusive now" },
    { guard: and(unshare, not(alone)), effect: freshPage(at, false), note: "unshares: gets a copy" },
  ];
}

/** Takes a reference or a pin on a page; those on the zero page decide nothing and are not counted. */
export const grab = (at: PrivateMapping, page: Operand, pin: boolean): Assignment[] => [
  assignAt(at.refcount, page, plus(element(at.refcount, page), element(at.anonymous, page))),
  ...(pin ? [incrementAt(at.pincount, page)] : []),
];

/** Gives it back. */
export const drop = (at: PrivateMapping, page: Operand, pin: boolean): Assignment[] => [
  assignAt(at.refcount, page, minus(element(at.refcount, page), element(at.anonymous, page))),
  ...(pin ? [decrementAt(at.pincount, page)] : []),
];

/** A forks: the child shares the page, or gets a copy where the page is pinned and the era protects pins. */
export function fork(at: PrivateMapping): Alternative[] {
  const { entry, behavior } = at;
  const pinned = gt(of(at.pincount, at), 0);
  const protects: Record<EraBehavior["forkProtection"], Expression> = {
    none: FALSE,
    "early-copy": pinned,
    "early-copy-seqcount": pinned,
    exclusive: and(pinned, eq(of(at.exclusive, at), 1)),
  };
  const copies = protects[behavior.forkProtection];
  const share = [
    assign(at.childPage, pageOf(entry)),
    incrementAt(at.refcount, pageOf(entry)),
    incrementAt(at.mapcount, pageOf(entry)),
    assignAt(at.exclusive, pageOf(entry), 0),
    assign(entry, mapping(pageOf(entry), false)),
  ];
  return [
    { guard: not(copies), effect: share, note: "child B shares the page" },
    { guard: copies, note: "the page is pinned: child B gets a copy" },
  ];
}

/** The child exits. */
export const childExits = (at: PrivateMapping): Alternative[] => [
  { guard: ne(at.childPage, 0), effect: [decrementAt(at.mapcount, at.childPage), decrementAt(at.refcount, at.childPage), assign(at.childPage, 0)] },
  { guard: eq(at.childPage, 0) },
];
