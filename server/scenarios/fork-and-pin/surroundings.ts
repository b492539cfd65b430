// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, gupEra } from "../../kernel/era.ts";
import type { Release } from "../../kernel/release.ts";
import type { CallNode, EffectProgram } from "../../program/program.ts";
import type { ModelBuilder } from "../../simulator/build.ts";
import { assign, assignAt, decrementAt, increment } from "../../simulator/effect.ts";
import { and, eq, ne, not } from "../../simulator/expression.ts";
import type { Alternative } from "../../simulator/model.ts";
import { unmapFolio } from "../../simulator/objects/folio.ts";
import { folioOf, isReadOnlyPte, isWritablePte, writablePte } from "../../simulator/objects/pte.ts";
import { isHeldForWrite } from "../../simulator/objects/rwsem.ts";
import { seqcount, type Seqcount } from "../../simulator/objects/seqcount.ts";
import { addDma, dmaDevice, type Device } from "../environment/device.ts";
import { mapFresh } from "../mechanism/fault.ts";
import { addFork } from "../mechanism/fork.ts";
import { grab } from "../mechanism/gup.ts";
import { addressSpace, privateMemory, type AddressSpace, type Memory } from "../mechanism/memory.ts";
import type { PageKind } from "../mechanism/page-behavior.ts";
import { decidingCount, mayReuse, reuseReason } from "../mechanism/reuse.ts";
import { insertAtStart, synthetic } from "../rewrite.ts";

/*
 * fork() against GUP-fast from 5.11 on (57efa1fe5957): fork() asks for pins and shares the page inside of a write section of
 * mm->write_protect_seq; the walk takes no lock, reads the counter before the first entry and after the last grab, and has told
 * the mm of its pins before. One of the three functions is lifted, the others are as the release has them. What goes wrong is
 * the same each time: a pin on a page that the child shares, which the parent's next store moves away from the device.
 */

const GATE = "begin";

/** What the walk is asked for. */
export const PIN = { write: true, pin: true } as const;

export interface Objects {
  readonly memory: Memory;
  readonly a: AddressSpace;
  readonly b: AddressSpace;
  readonly seq: Seqcount;
  readonly device: Device;
}

export function objectsOf(model: ModelBuilder, release: Release, kind: PageKind = "order-0"): Objects {
  const memory = privateMemory(model, ERAS[gupEra(release)], { kind });
  return {
    memory,
    a: addressSpace(memory, "A", 2),
    b: addressSpace(memory, "B", 0),
    seq: seqcount(model, "write_protect_seq"),
    device: dmaDevice(memory),
  };
}

/** The other side, a store of the parent, and the device. */
export function addSurroundings(model: ModelBuilder, objects: Objects, fork: boolean): void {
  const { memory, a, b, seq, device } = objects;
  if (fork) addFork(model.thread("fork of A", "environment"), memory, { parent: a, child: b, seq, done: [] });
  const thread = model.thread("thread of A", "environment");
  const store = thread.step({ text: `stores to va: ${memory.behavior.names.writeFault}`, alternatives: stores(objects) });
  model.reach(thread, store, "the parent stores");
  addDma(model, device, a);
}

/** A store with its fault, which waits for mmap_lock; the copy is made in one step. */
function stores({ memory, a }: Objects): Alternative[] {
  const { folios, behavior } = memory;
  const page = folioOf(a.pte);
  const faults = and(isReadOnlyPte(a.pte), not(isHeldForWrite(a.mmapLock)));
  const may = mayReuse(behavior.reuse, folios, page);
  return [
    { guard: isWritablePte(a.pte), note: "no fault" },
    { guard: and(faults, may), effect: [assignAt(folios.anonExclusive, page, 1), assign(a.pte.value, writablePte(page))], note: `${reuseReason[behavior.reuse]}: keeps the page` },
    { guard: and(faults, not(may)), effect: [...unmapFolio(folios, page), ...mapFresh(memory, a, folios.next, true), increment(folios.next)], note: `${decidingCount[behavior.reuse]} is not 1: gets a copy` },
  ];
}

/** The lockless walk in two steps: what it does between the reads of the counter, and the second of them. */
export function addFastPin(model: ModelBuilder, { memory, a, seq, device }: Objects): void {
  const { folios } = memory;
  const thread = model.thread("pin_user_pages_fast()", "environment");
  const [page, seen] = [thread.local("page", 0, { hidden: true }), thread.local("seq read", 0, { hidden: true })];
  const may = and(eq(seq.open, 0), isWritablePte(a.pte));
  thread.step({
    text: "lockless_pages_from_mm(): reads write_protect_seq, pins the page, reads the entry again",
    alternatives: [
      { guard: may, effect: [assign(a.hasPinned, 1), assign(page, folioOf(a.pte)), ...grab(memory, folioOf(a.pte), PIN), assign(seen, seq.count)], note: "even, and unchanged" },
      { guard: not(may), to: "END", note: "the slow path waits for mmap_lock" },
    ],
  });
  thread.step({
    text: "read_seqcount_retry(&mm->write_protect_seq)",
    alternatives: [
      { guard: eq(seq.count, seen), effect: [assign(device.page, page)], note: "unchanged: the device gets the page" },
      { guard: ne(seq.count, seen), effect: [decrementAt(folios.refcount, page), decrementAt(folios.pincount, page)], note: "changed: the page is given back" },
    ],
  });
}

/** Somebody else pins the page, and a device has it from then on: slow GUP, which waits for fork(), in one step. */
export function addPin(model: ModelBuilder, { memory, a, device }: Objects): void {
  model.thread("driver", "environment").step({
    text: "pin_user_pages(FOLL_WRITE): the device gets the page",
    guard: and(isWritablePte(a.pte), not(isHeldForWrite(a.mmapLock))),
    effect: [assign(a.hasPinned, 1), assign(device.page, folioOf(a.pte)), ...grab(memory, folioOf(a.pte), PIN)],
  });
}

/** The call that stands for the beginning of the function. */
export const isGate = (call: CallNode): boolean => call.at < 0 && call.name === GATE;
export const gated = (program: EffectProgram): EffectProgram => insertAtStart(program, [{ ...synthetic("", { kind: "maySleep" }), name: GATE }]);

/** True where fork() and GUP-fast keep out of each other's way in the release. */
export const protectsPins = (release: Release): boolean => {
  const { forkProtection } = ERAS[gupEra(release)];
  return forkProtection === "early-copy-seqcount" || forkProtection === "exclusive";
};
