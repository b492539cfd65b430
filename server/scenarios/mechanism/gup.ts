// SPDX-License-Identifier: GPL-2.0-only
import { together } from "../../simulator/combine.ts";
import type { ThreadBuilder } from "../../simulator/build.ts";
import { assign, incrementAt } from "../../simulator/effect.ts";
import { and, FALSE, not, or, TRUE, type Expression, type Field } from "../../simulator/expression.ts";
import type { Alternative, Assignment } from "../../simulator/model.ts";
import { isExclusive } from "../../simulator/objects/folio.ts";
import { folioOf, isMapped, isNone, isWritablePte } from "../../simulator/objects/pte.ts";
import { downRead, upRead } from "../../simulator/objects/rwsem.ts";
import { addFault, addReadFault, type FaultRegisters } from "./fault.ts";
import { isAnonymous, type AddressSpace, type Memory } from "./memory.ts";
import { mustUnshare } from "./unshare.ts";

/*
 * GUP of one address, the slow way: mmap_lock held for read, the page taken under the page table lock, faults until the
 * entry is as it must be. Sources: mm/gup.c (__get_user_pages(), follow_page_pte(), faultin_page(), gup_must_unshare()).
 */

/** What a call asks for. */
export interface GupRequest {
  readonly write: boolean;
  /** FOLL_PIN, else FOLL_GET. */
  readonly pin: boolean;
  readonly longterm?: boolean;
}

export const requestName = ({ write, pin, longterm = false }: GupRequest): string =>
  [pin ? "FOLL_PIN" : "FOLL_GET", ...(write ? ["FOLL_WRITE"] : []), ...(longterm ? ["FOLL_LONGTERM"] : [])].join(" | ");

/** True where the call faults for write: it asks for it, or the era breaks COW early. */
export const faultsForWrite = ({ behavior }: Memory, { write }: GupRequest): boolean => write || behavior.readOnlyGup === "forced-write";

const truth = (value: boolean): Expression => (value ? TRUE : FALSE);

/** `gup_must_unshare()` of the page that an entry maps, or a register that holds a copy of one. */
export function mustUnsharePage(memory: Memory, { pte }: AddressSpace, { write, pin, longterm = false }: GupRequest, entry: Field = pte.value): Expression {
  const page = folioOf(pte, entry);
  return mustUnshare(
    memory.behavior.readOnlyGup,
    { anonymous: isAnonymous(memory, page), exclusive: isExclusive(memory.folios, page) },
    { write: truth(write), pin, longterm: truth(longterm) },
  );
}

/** The entry is as the call needs it. */
export const isReady = (memory: Memory, at: AddressSpace, request: GupRequest): Expression =>
  or(isWritablePte(at.pte), and(isMapped(at.pte), faultsForWrite(memory, request) ? FALSE : not(mustUnsharePage(memory, at, request))));

/** Effect of `try_grab_page()`. */
export const grab = ({ folios }: Memory, page: Expression | Field, { pin }: GupRequest): Assignment[] => [
  incrementAt(folios.refcount, page),
  ...(pin ? [incrementAt(folios.pincount, page)] : []),
];

/** Whether and how a call that pins notes in the mm that it did. */
export function addHasPinned(thread: ThreadBuilder, { behavior }: Memory, { hasPinned }: AddressSpace, { pin }: GupRequest): void {
  if (!pin || behavior.forkProtection === "none") return;
  thread.step({ text: "has_pinned of the mm is set", effect: [assign(hasPinned, 1)] });
}

export interface GupPlan {
  readonly request: GupRequest;
  /** Where the page's number goes. */
  readonly page: Field;
  readonly registers: FaultRegisters;
  /** In front of labels, so that a thread may call GUP twice. */
  readonly prefix: string;
  /** The call starts when this holds. */
  readonly after?: Expression;
  /** A fast walk has told the mm already. */
  readonly isFallback?: boolean;
}

const note = (memory: Memory, { write }: GupRequest): string =>
  !write && memory.behavior.readOnlyGup === "forced-write" ? "should_force_cow_break(): must fault for write" : write ? "not writable: must fault" : "gup_must_unshare(): must fault";

function follow(memory: Memory, at: AddressSpace, { request, page, prefix }: GupPlan): Alternative[] {
  const ready = isReady(memory, at, request);
  const found = folioOf(at.pte);
  const takes = [...grab(memory, found, request), assign(page, found)];
  const mapped = and(isMapped(at.pte), not(ready));
  return [
    { guard: and(ready, isWritablePte(at.pte)), effect: takes, to: `${prefix}: got it`, note: "writable: takes it" },
    { guard: and(ready, not(isWritablePte(at.pte))), effect: takes, to: `${prefix}: got it`, note: "read-only: takes the page as it is mapped" },
    { guard: mapped, note: note(memory, request) },
    { guard: isNone(at.pte), note: "nothing is mapped: must fault", to: `${prefix}: ${faultsForWrite(memory, request) ? "fault" : "read fault"}` },
  ];
}

/** The faults of a call: for write or to unshare, and a read fault where nothing is mapped. */
function addFaults(thread: ThreadBuilder, memory: Memory, at: AddressSpace, { request, registers, prefix }: GupPlan): void {
  const done = `${prefix}: follow`;
  thread.label(`${prefix}: fault`);
  const writes = faultsForWrite(memory, request);
  addFault(thread, memory, at, registers, { kind: writes ? "write" : "unshare", done });
  if (writes) return;
  thread.label(`${prefix}: read fault`);
  addReadFault(thread, memory, at, done);
}

/** The steps of a call; returns the step that takes the page. */
export function addSlowGup(thread: ThreadBuilder, memory: Memory, at: AddressSpace, plan: GupPlan): number {
  const { request, prefix, after = TRUE, isFallback = false } = plan;
  thread.step({ text: `mmap_read_lock(${at.name})`, ...together({ alternatives: [{ guard: after }] }, downRead(at.mmapLock)) });
  if (!isFallback) addHasPinned(thread, memory, at, request);
  thread.label(`${prefix}: follow`);
  const takes = thread.step({
    text: `${memory.behavior.names.follow}: try_grab_page(${requestName(request)})`,
    alternatives: follow(memory, at, plan),
  });
  addFaults(thread, memory, at, plan);
  thread.label(`${prefix}: got it`);
  thread.step({ text: `mmap_read_unlock(${at.name})`, ...upRead(at.mmapLock) });
  return takes;
}
