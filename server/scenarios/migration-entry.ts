// SPDX-License-Identifier: GPL-2.0-only
import { factFor } from "../kernel/facts.ts";
import { spins } from "../kernel/lock-order.ts";
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";
import { partsOf } from "../program/value-parts.ts";
import type { ModelBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, gt, lt, minus, ne, not, or, plus, type Expression, type Field } from "../simulator/expression.ts";
import type { Alternative } from "../simulator/model.ts";
import { entry, MIGRATION, NONE, SWAP, type Entry } from "../simulator/objects/entry.ts";
import { downReadFair, upReadFair, type FairRwsem } from "../simulator/objects/fair-rwsem.ts";
import { someIn } from "./doubt.ts";
import { sourceOf } from "./obligation/foreign-unmap.ts";
import { pointerOf } from "./obligation/handed-on.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * The entry that a function reads until it finds a page under migration there. The page that is migrated is the one that the
 * entry maps at that moment, and nobody migrates a page whose lock is held: where the function has locked the first one,
 * another must have come in its place (MADV_DONTNEED takes no folio lock, and a fault maps what it likes).
 */

const FIRST = 1;
const SECOND = 2;
/** What a migrated page becomes. */
const MIGRATED = 3;

/** Where the copy comes from that is asked for a migration: read through a pointer, handed to the function, or neither for certain. */
type Origin = { readonly is: "read"; readonly pointer: string } | { readonly is: "given" } | { readonly is: "unknown" };

export interface MigrationEntry {
  readonly slot: Entry;
  /** Spinning locks that the function holds: nobody changes the entry meanwhile. */
  readonly spinning: Field;
  /** Locks of the first and of the second page. */
  readonly folioLocks: readonly [Field, Field];
  readonly origin: Origin;
  /** True where a caller may have locked the first page. */
  readonly mayBeLocked: boolean;
}

export function migrationEntry(model: ModelBuilder, program: EffectProgram, release: Release): MigrationEntry {
  const states = { labels: { 0: "free", 1: "held" } };
  return {
    slot: entry(model, "entry", FIRST, ["F1", "F2", "the new page"]),
    spinning: model.field("spinning locks held", 0, { hidden: true }),
    folioLocks: [model.field("lock of F1", 0, states), model.field("lock of F2", 0, states)],
    origin: originOf(program, release),
    mayBeLocked: [...program.variables.values()].some(({ type, isParameter }) => isParameter && /^(?:folio|page)$/.test(type)),
  };
}

function originOf(program: EffectProgram, release: Release): Origin {
  const asked = program.nodes.flatMap((node) => (node.kind === "branch" ? askedForMigration(node.condition, release) : []));
  const origins = asked.map((value) => traced(program, value, release, 8));
  const [first] = origins;
  return first && origins.every((one) => JSON.stringify(one) === JSON.stringify(first)) ? first : { is: "unknown" };
}

const meaningOf = (value: Value, release: Release): string | null => (value.kind === "call" ? (factFor(value.name, value.args.length, release)?.fact.pure?.meaning ?? null) : null);

const askedForMigration = (value: Value, release: Release): readonly Value[] =>
  value.kind === "call" && meaningOf(value, release) === "entry-migration" ? value.args.slice(0, 1) : partsOf(value).flatMap((part) => askedForMigration(part, release));

/** Back through copies and conversions to a read of the entry, or to what the function was handed. */
function traced(program: EffectProgram, value: Value, release: Release, left: number): Origin {
  if (left === 0) return { is: "unknown" };
  if (value.kind === "call") return meaningOf(value, release) === "identity" && value.args[0] ? traced(program, value.args[0], release, left - 1) : { is: "unknown" };
  if (value.kind === "unary" && value.operator === "*") return { is: "read", pointer: render(pointerOf(value.of)) };
  if (value.kind !== "name" && value.kind !== "member") return { is: "unknown" };
  const key = render(value);
  const source = sourceOf(program, key);
  const given = program.nodes.flatMap((node) => (node.kind === "assign" && render(node.target) === key && !readsEntry(node.value) ? [node.value] : []));
  const [only, ...others] = given;
  if (source !== null) return given.length === 0 ? { is: "read", pointer: source } : { is: "unknown" };
  if (only === undefined) return isFromCaller(program, value) ? { is: "given" } : { is: "unknown" };
  return only !== null && others.length === 0 ? traced(program, only, release, left - 1) : { is: "unknown" };
}

const readsEntry = (value: Value | null): boolean => value?.kind === "unary" && value.operator === "*";

/** True for a parameter, or a field of one, that no call here gives a value. */
function isFromCaller(program: EffectProgram, value: Value): boolean {
  const key = render(value);
  const root = value.kind === "member" ? value.of : value;
  return root.kind === "name" && program.variables.get(root.name)?.isParameter === true && !program.nodes.some((node) => node.kind === "call" && node.result === key);
}

/** Somebody zaps the first page, and a fault maps the second; neither needs a folio lock. */
function addFault(model: ModelBuilder, { slot, spinning }: MigrationEntry): void {
  const free = eq(spinning, 0);
  const thread = model.thread("another thread", "environment");
  thread.step({ text: "MADV_DONTNEED, under the page-table lock: zaps F1", alternatives: [{ guard: and(free, eq(slot, FIRST)), effect: [assign(slot, NONE)] }, { guard: ne(slot, FIRST), to: "END", note: "is gone" }] });
  thread.step({ text: "a fault, under the page-table lock: maps F2", alternatives: [{ guard: and(free, eq(slot, NONE)), effect: [assign(slot, SECOND)] }, { guard: ne(slot, NONE), note: "another page is there" }] });
}

/** `try_to_migrate()` and `remove_migration_ptes()` lock the anon_vma for reading, each on its own, the folio all the while. */
export function addMigration(model: ModelBuilder, anonVma: FairRwsem, objects: MigrationEntry): void {
  const { slot, spinning, folioLocks, mayBeLocked } = objects;
  addFault(model, objects);
  const thread = model.thread("compaction", "environment");
  const free = eq(spinning, 0);
  const mine = thread.local("page", 0, { hidden: true });
  const pages = ([[FIRST, folioLocks[0]], [SECOND, folioLocks[1]]] as const).filter(([page]) => page !== FIRST || !mayBeLocked);
  const isFree = ([page, lock]: (typeof pages)[number]): Expression => and(eq(slot, page), eq(lock, 0));
  thread.step({
    text: "folio_trylock()",
    alternatives: [
      ...pages.map((one) => ({ guard: isFree(one), effect: [assign(one[1], 1), assign(mine, one[0])], note: `F${one[0]}` })),
      { guard: not(or(...pages.map(isFree))), to: "END", note: "nothing to migrate" },
    ],
    acquires: pages.map(([, lock]) => ({ lock, name: lock.name })),
  });
  thread.step({ text: "try_to_migrate(): anon_vma_lock_read()", ...downReadFair(anonVma) });
  thread.step({
    text: "try_to_migrate_one(): installs a migration entry",
    alternatives: [{ guard: and(free, eq(slot, mine)), effect: [assign(slot, MIGRATION)] }, { guard: ne(slot, mine), note: "is not mapped any more" }],
  });
  thread.step({ text: "try_to_migrate(): anon_vma_unlock_read()", ...upReadFair(anonVma) });
  thread.step({ text: "remove_migration_ptes(): anon_vma_lock_read()", ...downReadFair(anonVma) });
  thread.step({ text: "remove_migration_pte(): maps the new page", alternatives: [{ guard: and(free, eq(slot, MIGRATION)), effect: [assign(slot, MIGRATED)] }, { guard: ne(slot, MIGRATION), note: "was not mapped" }] });
  thread.step({ text: "remove_migration_ptes(): anon_vma_unlock_read()", ...upReadFair(anonVma) });
  thread.step({ text: "folio_unlock()", alternatives: pages.map(([page, lock]) => ({ guard: eq(mine, page), effect: [assign(lock, 0)] })), releases: pages.map(([, lock]) => ({ lock })) });
}

type EntryWorld = Required<Pick<World, "sees" | "place" | "meaning" | "decidedBy" | "handed" | "shows">> & {
  reads(effect: BoundEffect): readonly Value[];
  refine(effect: BoundEffect, call: CallNode, lifting: Lifting): readonly LiftedStep[];
};

/** The part of a world that knows the entry. */
export function entryWorld(program: EffectProgram, release: Release, objects: MigrationEntry): EntryWorld {
  const { slot, origin } = objects;
  const isEntry = (pointer: Value): boolean => origin.is === "read" && render(pointerOf(pointer)) === origin.pointer;
  const isCopy = (part: Value): boolean => (part.kind === "name" && /^(?:pte_t|pmd_t|swp_entry_t)$/.test(program.variables.get(part.name)?.type ?? "") && program.variables.get(part.name)?.pointers === 0);
  return {
    sees: (effect, call) =>
      effect.kind === "mapPte" || effect.kind === "unmapPte" || effect.kind === "lockEntryTable" ||
      ((effect.kind === "acquire" || effect.kind === "release") && (spins(effect.lock) || effect.lock === "folio_lock")) ||
      ((effect.kind === "clearEntry" || effect.kind === "setEntry" || (effect.kind === "accessEntry" && call.result !== null)) && isEntry(effect.pte)),
    reads: (effect) => ((effect.kind === "acquire" || effect.kind === "release") && effect.lock === "folio_lock" && effect.object ? [effect.object] : []),
    refine: (effect, call, lifting) => refine(effect, call, lifting, objects),
    place: (value) => (value.kind === "unary" && value.operator === "*" && isEntry(value.of) ? slot : null),
    meaning(pure, args, translate) {
      const [first, second] = args;
      if (pure.meaning === "load-entry") return first && isEntry(first) ? { kind: "field", field: slot } : null;
      // What the caller read may be anything.
      if (origin.is !== "read") return null;
      const value = first ? translate(first) : null;
      return value && entryTest(pure.meaning, value, second ? translate(second) : null);
    },
    // What was read of the entry tells what was done to it; a copy from nowhere may be of another entry.
    decidedBy: (value) => origin.is !== "given" && someIn(value, (part) => isCopy(part) || (part.kind === "unary" && part.operator === "*" && isEntry(part.of)), isAboutBits),
    // What it finds there is the story.
    shows: (condition) => origin.is === "read" && someIn(condition, (part) => /^entry-(?:present|migration|swapped)$/.test(meaningOf(part, release) ?? "")),
    handed: (call) => {
      const lock = call.args.find((arg) => arg.kind === "name" && program.variables.get(arg.name)?.type === "spinlock_t");
      return lock ? render(lock) : null;
    },
  };
}

const isAboutBits = (part: Value): boolean => part.kind === "call" && /_(?:young|dirty|write|special|soft_dirty|uffd_wp|protnone|devmap)$/.test(part.name);

function entryTest(meaning: string, value: Expression, other: Expression | null): Expression | null {
  const isPresentValue = and(gt(value, NONE), lt(value, 10));
  switch (meaning) {
    case "entry-none":
      return eq(value, NONE);
    case "entry-present":
      return isPresentValue;
    case "entry-swapped":
      return or(eq(value, MIGRATION), eq(value, SWAP));
    case "entry-migration":
    case "entry-not-swap":
      return eq(value, MIGRATION);
    case "entry-same":
      return other && eq(value, other);
    default:
      return null;
  }
}

function refine(effect: BoundEffect, call: CallNode, lifting: Lifting, objects: MigrationEntry): LiftedStep[] {
  const { slot, spinning } = objects;
  const up = assign(spinning, plus(spinning, lt(spinning, 8)));
  const down = assign(spinning, minus(spinning, gt(spinning, 0)));
  const byResult = (yes: number, taken: Alternative, mayFail: boolean): Alternative[] => [
    { ...taken, effect: [...(taken.effect ?? []), ...lifting.set(call.result, yes)] },
    ...(mayFail ? [{ effect: lifting.set(call.result, 1 - yes), note: "not" }] : []),
  ];
  switch (effect.kind) {
    case "mapPte":
      return [{ alternatives: byResult(effect.pteOut ? 0 : 1, { effect: effect.locks ? [up] : [] }, effect.mayFail).map((one, index) => ({ ...one, note: index === 0 ? "mapped" : "not mapped" })) }];
    case "unmapPte":
      return [{ alternatives: [{ effect: effect.ptl === null ? [] : [down] }], hidden: effect.ptl === null }];
    case "lockEntryTable":
      return [{ alternatives: byResult(1, { effect: [up] }, effect.held === "nonzero") }];
    case "accessEntry":
      return [{ alternatives: [{ effect: lifting.set(call.result, slot) }] }];
    case "clearEntry":
      return [{ alternatives: [{ effect: [...lifting.set(call.result, slot), assign(slot, NONE)] }] }];
    case "setEntry":
      return [{ alternatives: [{ effect: [assign(slot, FIRST)] }] }];
    case "acquire":
    case "release":
      if (effect.lock === "folio_lock") return folioLocking(effect, call, lifting, objects);
      if (!spins(effect.lock)) return [];
      return [effect.kind === "release" ? { alternatives: [{ effect: [down] }] } : { alternatives: byResult(effect.held === "zero" ? 0 : 1, { effect: [up] }, effect.held !== "always") }];
    default:
      return [];
  }
}

/** The lock of the page that the call is handed; of one that is not known it is the first's, so that nobody migrates that. */
function folioLocking(effect: BoundEffect & { kind: "acquire" | "release" }, call: CallNode, lifting: Lifting, { folioLocks: [first, second] }: MigrationEntry): LiftedStep[] {
  const which = effect.object && lifting.translate(effect.object);
  const isSecond = which ? eq(which, SECOND) : eq(0, 1);
  const of = [[not(isSecond), first], [isSecond, second]] as const;
  if (effect.kind === "release") return [{ alternatives: of.map(([guard, lock]) => ({ guard, effect: [assign(lock, 0)] })), releases: of.map(([, lock]) => ({ lock })) }];
  const [yes, no] = effect.held === "zero" ? [0, 1] : [1, 0];
  const taken = of.map(([guard, lock]): Alternative => ({ guard: and(guard, eq(lock, 0)), effect: [assign(lock, 1), ...lifting.set(call.result, yes)], note: "acquired" }));
  const busy = of.map(([guard, lock]): Alternative => ({ guard: and(guard, ne(lock, 0)), effect: lifting.set(call.result, no), note: "busy" }));
  return [{ alternatives: effect.held === "always" ? taken : [...taken, ...busy], acquires: of.map(([, lock]) => ({ lock, name: lock.name })) }];
}

