// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { assign, assignAt, decrementAt, increment, incrementAt } from "../effect.ts";
import { element, eq, gt } from "../expression.ts";
import type { Expression, Field, Operand } from "../expression.ts";
import type { Assignment, Check } from "../model.ts";

/**
 * The folios of a scenario, numbered from 1 so that an entry can hold the number: `include/linux/mm_types.h`,
 * `include/linux/page-flags.h` (`PageAnonExclusive`), `try_grab_folio()` in `mm/gup.c`. Arrays are indexed by folio; element 0
 * is unused.
 */
export interface Folios {
  readonly refcount: Field;
  readonly mapcount: Field;
  readonly pincount: Field;
  readonly anonExclusive: Field;
  /** What the page contains, as a number that the scenario gives meaning to. */
  readonly content: Field;
  /** Number of the next folio that an allocation returns. */
  readonly next: Field;
}

type FolioArray = "refcount" | "mapcount" | "pincount" | "anonExclusive" | "content";

/** How a reader sees the folios besides their names: the arrays that are of no interest, and what contents mean. */
export interface FolioView {
  readonly hidden?: readonly FolioArray[];
  /** What values of `content` mean. */
  readonly contents?: Readonly<Record<number, string>>;
  /** The counts of the first folio where it is not a page that its owner alone maps; it is not exclusive then. */
  readonly first?: { readonly refcount: number; readonly mapcount: number };
}

/** `count` folios, of which the first `mapped` are mapped once each, by the process that owns them. `names` for a reader. */
export const folios = (model: ModelBuilder, count: number, mapped = 1, names: readonly string[] = [], view: FolioView = {}): Folios => {
  const { hidden = [], contents = {}, first } = view;
  const once = Array.from({ length: count + 1 }, (_, folio) => (folio >= 1 && folio <= mapped ? 1 : 0));
  const zero = once.map(() => 0);
  const counts = (given: number | undefined): number[] => once.map((one, folio) => (folio === 1 && given !== undefined ? given : one));
  const array = (key: FolioArray, what: string, initial: readonly number[], labels = {}): Field =>
    model.array(what, initial, {
      ...(names.length > 0 ? { elements: ["none", ...names].map((name) => `${what}(${name})`) } : {}),
      hidden: hidden.includes(key),
      labels,
    });
  return {
    refcount: array("refcount", "refcount", counts(first?.refcount)),
    mapcount: array("mapcount", "mapcount", counts(first?.mapcount)),
    pincount: array("pincount", "pincount", zero),
    anonExclusive: array("anonExclusive", "AnonExclusive", counts(first === undefined ? undefined : 0)),
    content: array("content", "content", zero, contents),
    next: model.field("next folio", Math.max(mapped, first === undefined ? 0 : 1) + 1, { hidden: true }),
  };
};

/** The check of everything that uses a folio. */
export const folioLives = ({ refcount }: Folios, folio: Operand): Check => ({
  holds: gt(element(refcount, folio), 0),
  property: "uaf",
  message: "a folio is used after its last reference was put",
});

/** The check of every put: `VM_BUG_ON_PAGE(page_ref_count(page) == 0)` in `put_page_testzero()`. */
const freedOnce = ({ refcount }: Folios, folio: Operand): Check => ({
  holds: gt(element(refcount, folio), 0),
  property: "double-free",
  message: "a reference is put that nobody took: the folio is freed twice",
});

/** The check of every unpin: `gup_put_folio()` subtracts from `_pincount` without a look. */
const pinIsCounted = ({ pincount }: Folios, folio: Operand): Check => ({
  holds: gt(element(pincount, folio), 0),
  property: "underflow",
  message: "a page is unpinned more often than it was pinned",
});

export const isExclusive = ({ anonExclusive }: Folios, folio: Operand): Expression => eq(element(anonExclusive, folio), 1);
export const maybePinned = ({ pincount }: Folios, folio: Operand): Expression => gt(element(pincount, folio), 0);

/** `folio_get()`. */
export const getFolio = (all: Folios, folio: Operand): StepPart => ({
  alternatives: [{ effect: [incrementAt(all.refcount, folio)], checks: [folioLives(all, folio)] }],
});

/** `folio_put()`. */
export const putFolio = (all: Folios, folio: Operand): StepPart => ({
  alternatives: [{ effect: [decrementAt(all.refcount, folio)], checks: [folioLives(all, folio), freedOnce(all, folio)] }],
});

/** `try_grab_folio(FOLL_PIN)`. */
export const pinFolio = (all: Folios, folio: Operand): StepPart => ({
  alternatives: [
    { effect: [incrementAt(all.refcount, folio), incrementAt(all.pincount, folio)], checks: [folioLives(all, folio)] },
  ],
});

/** `unpin_user_page()`. */
export const unpinFolio = (all: Folios, folio: Operand): StepPart => ({
  alternatives: [
    {
      effect: [decrementAt(all.pincount, folio), decrementAt(all.refcount, folio)],
      checks: [folioLives(all, folio), pinIsCounted(all, folio)],
    },
  ],
});

/** Effect of mapping the folio once more and sharing it: `folio_try_dup_anon_rmap_pte()`. */
export const shareFolio = (all: Folios, folio: Operand): readonly Assignment[] => [
  incrementAt(all.refcount, folio),
  incrementAt(all.mapcount, folio),
  assignAt(all.anonExclusive, folio, 0),
];

/** Effect of removing one mapping: `folio_remove_rmap_pte()` and the put that goes with it. */
export const unmapFolio = (all: Folios, folio: Operand): readonly Assignment[] => [
  decrementAt(all.mapcount, folio),
  decrementAt(all.refcount, folio),
];

/**
 * Effect of replacing the folio that an entry maps by a copy (`wp_page_copy()` in `mm/memory.c`): the entry maps the next
 * free folio, which is exclusive and has the same content.
 */
export const copyFolio = (all: Folios, slot: Field): readonly Assignment[] => [
  assignAt(all.content, all.next, element(all.content, slot)),
  ...unmapFolio(all, slot),
  assignAt(all.refcount, all.next, 1),
  assignAt(all.mapcount, all.next, 1),
  assignAt(all.anonExclusive, all.next, 1),
  assign(slot, all.next),
  increment(all.next),
];
