// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, ThreadBuilder } from "../../simulator/build.ts";
import { assign, assignAt, increment, incrementAt } from "../../simulator/effect.ts";
import { and, element, eq, FALSE, ne, not, or, type Expression, type Field } from "../../simulator/expression.ts";
import type { Alternative, Assignment } from "../../simulator/model.ts";
import { isExclusive, unmapFolio } from "../../simulator/objects/folio.ts";
import { folioOf, isMapped, isNone, readOnlyPte } from "../../simulator/objects/pte.ts";
import { isAnonymous, type AddressSpace, type Memory } from "./memory.ts";

/*
 * GUP with a write fault on a private mapping that may not be written (PROT_READ): the entry never becomes writable
 * (maybe_mkwrite()), so something else must tell that COW was broken. Everybody here holds mmap_lock for read, and between
 * two faults anybody may change the entry. Sources: mm/gup.c (__get_user_pages(), faultin_page(), can_follow_write_pte()),
 * mm/memory.c (do_cow_fault(), do_wp_page()).
 */

/** What lets GUP take a page for write although its entry is read-only. */
export type Follow =
  /** Nothing: up to 4.8 the fault drops FOLL_WRITE instead (4ceb5db9757a). */
  | "drop-write"
  /** FOLL_FORCE, FOLL_COW and a dirty entry: 19be0eaffa3a (4.9), 8310d48b125d (4.10). */
  | "forced-cow-dirty"
  /** FOLL_COW and a dirty entry: 17839856fd58 (5.8), whose callers do not force. */
  | "cow-dirty"
  /** FOLL_FORCE and PageAnonExclusive: 5535be309971 (6.0). */
  | "exclusive";

export interface ForcedWorld {
  readonly memory: Memory;
  readonly at: AddressSpace;
  readonly dirty: Field;
}

/** `pte_dirty()` of the one entry. */
export const dirtyBit = (model: ModelBuilder): Field => model.field("pte_dirty", 0, { labels: { 0: "clean", 1: "dirty" } });

interface Call {
  /** FOLL_FORCE of the caller. */
  readonly force: boolean;
  readonly follow: Follow;
}

interface Flags {
  readonly write: Field;
  readonly cow: Field;
}

/** True where the entry may be followed for write. */
function mayFollow({ memory, at, dirty }: ForcedWorld, { cow }: Flags, { force, follow }: Call): Expression {
  const wasCopied = and(eq(cow, 1), eq(dirty, 1));
  const page = folioOf(at.pte);
  const tests: Record<Follow, Expression> = {
    "drop-write": FALSE,
    "forced-cow-dirty": force ? wasCopied : FALSE,
    "cow-dirty": wasCopied,
    exclusive: force ? and(isAnonymous(memory, page), isExclusive(memory.folios, page)) : FALSE,
  };
  return tests[follow];
}

/** Maps a copy of what is there, or of the page of the file; the copy is dirty. */
function copies({ memory, at, dirty }: ForcedWorld, from: Expression): Assignment[] {
  const { folios } = memory;
  return [
    assignAt(folios.content, folios.next, element(folios.content, from)),
    assignAt(folios.refcount, folios.next, 1),
    assignAt(folios.mapcount, folios.next, 1),
    assignAt(folios.anonExclusive, folios.next, 1),
    assign(at.pte.value, readOnlyPte(folios.next)),
    assign(dirty, 1),
    increment(folios.next),
  ];
}

const leave = ({ memory: { folios }, at }: ForcedWorld): readonly Assignment[] => unmapFolio(folios, folioOf(at.pte));

/** A read fault maps the page of the file; clean. */
export const mapFile = ({ memory: { folios, foreign }, at, dirty }: ForcedWorld, isDirty: 0 | 1 = 0): Assignment[] =>
  foreign === null
    ? []
    : [incrementAt(folios.refcount, foreign), incrementAt(folios.mapcount, foreign), assign(at.pte.value, readOnlyPte(foreign)), assign(dirty, isDirty)];

function faults(world: ForcedWorld, { write }: Flags): Alternative[] {
  const { memory, at, dirty } = world;
  const page = folioOf(at.pte);
  const wants = eq(write, 1);
  const here = and(isMapped(at.pte), wants);
  const keeps = and(isAnonymous(memory, page), eq(element(memory.folios.mapcount, page), 1));
  const foreign: Alternative[] =
    memory.foreign === null
      ? []
      : [
          { guard: and(isNone(at.pte), wants), effect: copies(world, { kind: "constant", value: memory.foreign }), note: `${memory.behavior.names.firstWrite}: maps a page of its own, read-only and dirty` },
          { guard: and(isNone(at.pte), not(wants)), effect: mapFile(world), to: "follow", note: `read fault: maps the ${memory.names[memory.foreign - 1]}` },
        ];
  return [
    ...foreign,
    { guard: and(here, keeps), effect: [assign(dirty, 1)], note: "do_wp_page(): keeps the page, still read-only" },
    { guard: and(here, not(keeps)), effect: [...leave(world), ...copies(world, page)], note: "wp_page_copy(): maps a copy, read-only and dirty" },
    { guard: and(isMapped(at.pte), not(wants)), to: "follow" },
  ];
}

/** What the fault handler tells GUP once COW was broken (VM_FAULT_WRITE). */
function addFlagChange(thread: ThreadBuilder, { write, cow }: Flags, { follow }: Call): void {
  if (follow === "drop-write") thread.step({ text: "faultin_page(): flags &= ~FOLL_WRITE", effect: [assign(write, 0)], to: "follow" });
  else if (follow === "exclusive") thread.goto("follow");
  else thread.step({ text: "faultin_page(): flags |= FOLL_COW", effect: [assign(cow, 1)], to: "follow" });
}

/** The steps of the call up to where it has the page; returns the step that takes it and the register that holds it. */
export function addForcedGup(thread: ThreadBuilder, world: ForcedWorld, call: Call): { readonly takes: number; readonly page: Field } {
  const { memory, at } = world;
  const flags: Flags = { write: thread.local("FOLL_WRITE", 1, { labels: { 0: "dropped", 1: "set" } }), cow: thread.local("FOLL_COW", 0, { labels: { 0: "not set", 1: "set" } }) };
  const page = thread.local("page", 0, { hidden: true });
  const good = and(isMapped(at.pte), or(eq(flags.write, 0), mayFollow(world, flags, call)));
  thread.label("follow");
  const takes = thread.step({
    text: `${memory.behavior.names.follow}: may GUP take the page?`,
    alternatives: [
      { guard: good, effect: [incrementAt(memory.folios.refcount, folioOf(at.pte)), assign(page, folioOf(at.pte))], to: "taken", note: "yes" },
      { guard: and(isMapped(at.pte), not(good)), note: "no: it may not be written" },
      { guard: isNone(at.pte), note: "no: nothing is mapped" },
    ],
  });
  thread.step({ text: "faultin_page(): handle_mm_fault()", alternatives: faults(world, flags) });
  addFlagChange(thread, flags, call);
  thread.label("taken");
  return { takes, page };
}

/** Whether a page is the process's own. */
export const isOwn = ({ memory }: ForcedWorld, page: Field): Expression => ne(page, memory.foreign ?? 0);
