// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, type EraBehavior, type GupEra } from "../kernel/era.ts";
import type { ModelBuilder } from "../simulator/build.ts";
import { assign, assignAt, decrementAt, increment, incrementAt } from "../simulator/effect.ts";
import { and, element, eq, minus, ne, not, or, plus, TRUE, type Expression, type Field, type Operand } from "../simulator/expression.ts";
import type { Alternative, Assignment } from "../simulator/model.ts";
import { folios, isExclusive, maybePinned, shareFolio, unmapFolio, type Folios } from "../simulator/objects/folio.ts";
import { folioOfValue, pteLabels, readOnlyPte, valueIsReadOnly, valueIsWritable, writablePte } from "../simulator/objects/pte.ts";
import { copiesForChild } from "./mechanism/fork.ts";
import { hiddenCounts } from "./mechanism/memory.ts";
import { decidingCount, mayReuse } from "./mechanism/reuse.ts";
import { mustUnshare as mustUnsharePage, type UnshareRequest } from "./mechanism/unshare.ts";

/*
 * One address of a private mapping of process A, and what a write fault, GUP and fork do about it in each era. Which era
 * does what is data (kernel/era.ts), what it comes to is decided in mechanism/; here are coarse steps, for the worlds of lifted
 * functions. Sources: mm/memory.c (do_wp_page(), wp_page_copy(), copy_present_pte()), mm/gup.c (gup_must_unshare(),
 * faultin_page()), mm/huge_memory.c.
 */

/** Pages that an address can have. The first one is what is mapped, the others are what copies get. */
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
  /** A reader sees the count that decides in the era. */
  readonly folios: Folios;
  /** By page. */
  readonly anonymous: Field;
}

/** Names of the pages for a reader, by number; 0 is none. */
export const pageNames = (initially: Initially): readonly string[] => ["none", ...(initially === "untouched" ? ["zero page", "X", "Y"] : ["X", "Y", "Z"])];

/** Labels of a field that holds a page number. */
export const pageLabels = (initially: Initially): Record<number, string> => Object.fromEntries(pageNames(initially).entries());

/** `readOnly`: the entry of an anonymous page is write-protected from the start, as after a fork whose child is gone. */
export function privateMapping(model: ModelBuilder, era: GupEra, initially: Initially, readOnly = false): PrivateMapping {
  const behavior = ERAS[era];
  const [, ...names] = pageNames(initially);
  const isAnonymous = initially === "anonymous";
  const hidden = [...hiddenCounts(behavior.anonReuse), "content"] as const;
  return {
    behavior,
    entry: model.field("entry(va)", isAnonymous ? 2 * FIRST - (readOnly ? 1 : 0) : 0, { labels: pteLabels(names) }),
    childPage: model.field("page of the child", 0, { hidden: true }),
    folios: folios(model, PAGES, isAnonymous ? 1 : 0, names, { hidden, ...(isAnonymous ? {} : { first: { refcount: 1, mapcount: 0 } }) }),
    anonymous: model.array("anonymous", [0, isAnonymous ? 1 : 0, 0, 0], { hidden: true }),
  };
}

/** Page that an entry (or a register that holds a copy of one) maps; 0 for none. */
export const pageOf = (entry: Operand): Expression => folioOfValue(PAGES, entry);

export const isWritable = (entry: Operand): Expression => valueIsWritable(PAGES, entry);

const isReadOnly = (entry: Operand): Expression => valueIsReadOnly(PAGES, entry);

const of = (array: Field, { entry }: PrivateMapping): Expression => element(array, pageOf(entry));

/** True where a write fault on the present, read-only entry may keep the page. */
const reusable = (at: PrivateMapping): Expression =>
  and(eq(of(at.anonymous, at), 1), mayReuse(at.behavior.anonReuse, at.folios, pageOf(at.entry)));

/** The entry maps a new anonymous page; the zero page does not count its users. */
export function freshPage(at: PrivateMapping, writable: boolean): Assignment[] {
  const { entry, folios } = at;
  const { next } = folios;
  const leave = (array: Field): Assignment => assignAt(array, pageOf(entry), minus(of(array, at), of(at.anonymous, at)));
  return [
    leave(folios.mapcount),
    leave(folios.refcount),
    ...[folios.refcount, folios.mapcount, folios.anonExclusive, at.anonymous].map((array) => assignAt(array, next, 1)),
    assign(entry, writable ? writablePte(next) : readOnlyPte(next)),
    increment(next),
  ];
}

/** The page becomes the process's own, and writable. */
export const reuse = (at: PrivateMapping): Assignment[] => [assign(at.entry, writablePte(pageOf(at.entry))), assignAt(at.folios.anonExclusive, pageOf(at.entry), 1)];

/** Faults of a store to a read-only or missing entry; the entry is writable afterwards. */
export function breakCow(at: PrivateMapping): Alternative[] {
  const { entry, behavior } = at;
  const anonymous = eq(of(at.anonymous, at), 1);
  const count = decidingCount[behavior.anonReuse];
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
export type GupRequest = UnshareRequest;

/** True where a read-only reference must not be taken before the page is unshared. */
export const mustUnshare = (at: PrivateMapping, page: Operand, request: GupRequest): Expression =>
  mustUnsharePage(
    at.behavior.readOnlyGup,
    { anonymous: eq(element(at.anonymous, page), 1), exclusive: isExclusive(at.folios, page) },
    request,
  );

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
  const alone = and(eq(of(at.anonymous, at), 1), eq(of(at.folios.refcount, at), 1));
  return [
    ...breakCow(at).map((one) => guarded(forced ? { ...one, note: `breaks COW early, ${one.note}` } : one, write)),
    guarded({ guard: eq(entry, 0), effect: [assign(entry, readOnlyPte(FIRST))], note: "read fault: maps the zero page" }, not(write)),
    { guard: and(unshare, alone), effect: [assignAt(at.folios.anonExclusive, pageOf(entry), 1)], note: "unshares: the page is exclusive now" },
    { guard: and(unshare, not(alone)), effect: freshPage(at, false), note: "unshares: gets a copy" },
  ];
}

/** Takes a reference or a pin on a page; those on the zero page decide nothing and are not counted. */
export const grab = (at: PrivateMapping, page: Operand, pin: boolean): Assignment[] => [
  assignAt(at.folios.refcount, page, plus(element(at.folios.refcount, page), element(at.anonymous, page))),
  ...(pin ? [incrementAt(at.folios.pincount, page)] : []),
];

/** Gives it back. */
export const drop = (at: PrivateMapping, page: Operand, pin: boolean): Assignment[] => [
  assignAt(at.folios.refcount, page, minus(element(at.folios.refcount, page), element(at.anonymous, page))),
  ...(pin ? [decrementAt(at.folios.pincount, page)] : []),
];

/** A forks: the child shares the page, or gets a copy where the page is pinned and the era protects pins. */
export function fork(at: PrivateMapping): Alternative[] {
  const { entry, behavior, folios } = at;
  const copies = copiesForChild(behavior.forkProtection, maybePinned(folios, pageOf(entry)), isExclusive(folios, pageOf(entry)));
  const share = [
    assign(at.childPage, pageOf(entry)),
    ...shareFolio(folios, pageOf(entry)),
    assign(entry, readOnlyPte(pageOf(entry))),
  ];
  return [
    { guard: not(copies), effect: share, note: "child B shares the page" },
    { guard: copies, note: "the page is pinned: child B gets a copy" },
  ];
}

/** The child exits. */
export const childExits = (at: PrivateMapping): Alternative[] => [
  { guard: ne(at.childPage, 0), effect: [...unmapFolio(at.folios, at.childPage), assign(at.childPage, 0)] },
  { guard: eq(at.childPage, 0) },
];
