// SPDX-License-Identifier: GPL-2.0-only
import type { ThreadBuilder } from "../../simulator/build.ts";
import { assign, assignAt, decrementAt, increment, incrementAt } from "../../simulator/effect.ts";
import { and, element, not, or, type Expression, type Field, type Operand } from "../../simulator/expression.ts";
import type { Alternative, Assignment } from "../../simulator/model.ts";
import { isExclusive } from "../../simulator/objects/folio.ts";
import { folioOf, hasChanged, isMapped, isNone, isSamePte, isWritablePte, readOnlyPte, writablePte } from "../../simulator/objects/pte.ts";
import { isAnonymous, type AddressSpace, type Memory } from "./memory.ts";
import { decidingCount, mayReuse, reuseReason } from "./reuse.ts";

/*
 * Faults on one address of a private mapping, with mmap_lock held for read. What is done under the page table lock and what
 * nobody can see without it is one step; the copy is made without the lock, so it is a step of its own. Sources:
 * mm/memory.c (do_wp_page(), wp_page_copy(), do_anonymous_page()), mm/huge_memory.c, mm/hugetlb.c.
 */

/** What a thread that takes faults has in its registers. */
export interface FaultRegisters {
  /** The entry that the fault was about. */
  readonly orig: Field;
  /** The page that a copy goes to. */
  readonly fresh: Field;
}

export const faultRegisters = (thread: ThreadBuilder): FaultRegisters => ({
  orig: thread.local("orig_pte", 0, { hidden: true }),
  fresh: thread.local("new page", 0, { hidden: true }),
});

/** `unshare`: FAULT_FLAG_UNSHARE, the page becomes exclusive and the entry stays read-only. */
export type FaultKind = "write" | "unshare";

export interface FaultPlan {
  readonly kind: FaultKind;
  /** Label at which the thread goes on when the fault is over. */
  readonly done: string;
  /** What ptep_clear_flush() of the old entry does to the TLBs of the scenario. */
  readonly flush?: readonly Assignment[];
}

/** A page that was just allocated is mapped for the first time. */
export const mapFresh = ({ folios }: Memory, { pte }: AddressSpace, page: Operand, writable: boolean): Assignment[] => [
  assignAt(folios.refcount, page, 1),
  assignAt(folios.mapcount, page, 1),
  assignAt(folios.anonExclusive, page, 1),
  assign(pte.value, writable ? writablePte(page) : readOnlyPte(page)),
];

/** The page stays: how the fault changes the entry. */
function reuse(memory: Memory, at: AddressSpace, { kind }: FaultPlan): Assignment[] {
  const page = folioOf(at.pte);
  return [
    assignAt(memory.folios.anonExclusive, page, 1),
    ...(kind === "write" ? [assign(at.pte.value, writablePte(page))] : []),
  ];
}

/** Why a page that may not be kept must be copied. */
function copies({ folios, behavior, foreign }: Memory, { pte }: AddressSpace, { orig }: FaultRegisters, anonymous: Expression, when: Expression): Alternative[] {
  const effect = [incrementAt(folios.refcount, folioOf(pte)), assign(orig, pte.value)];
  const own: Alternative = { guard: and(when, anonymous), effect, note: `${decidingCount[behavior.reuse]} is not 1: must copy` };
  return foreign === null ? [own] : [own, { guard: and(when, not(anonymous)), effect, note: "not the process's own: must copy" }];
}

function ways(memory: Memory, at: AddressSpace, registers: FaultRegisters, plan: FaultPlan): Alternative[] {
  const { folios, behavior } = memory;
  const { pte } = at;
  const { kind, done } = plan;
  const page = folioOf(pte);
  const anonymous = isAnonymous(memory, page);
  const settled = kind === "unshare" ? or(isWritablePte(pte), and(isMapped(pte), anonymous, isExclusive(folios, page))) : isWritablePte(pte);
  const open = and(isMapped(pte), not(settled));
  const may = and(anonymous, mayReuse(behavior.reuse, folios, page));
  return [
    { guard: isNone(pte), effect: [...mapFresh(memory, at, folios.next, kind === "write"), increment(folios.next)], to: done, note: "maps a new page" },
    { guard: settled, to: done, note: "somebody else was faster" },
    { guard: and(open, may), effect: reuse(memory, at, plan), to: done, note: `${reuseReason[behavior.reuse]}: ${kind === "unshare" ? "the page is exclusive now" : "keeps the page"}` },
    ...copies(memory, at, registers, anonymous, and(open, not(may))),
  ];
}

/** The copy takes the place of the page, unless the entry has changed meanwhile. */
function replace(memory: Memory, at: AddressSpace, { orig, fresh }: FaultRegisters, { kind, flush = [] }: FaultPlan): Alternative[] {
  const { folios } = memory;
  const old = folioOf(at.pte, orig);
  const forget = [assign(orig, 0), assign(fresh, 0)];
  return [
    {
      guard: isSamePte(at.pte, orig),
      effect: [
        ...mapFresh(memory, at, fresh, kind === "write"),
        decrementAt(folios.mapcount, old),
        decrementAt(folios.refcount, old, 2),
        ...flush,
        ...forget,
      ],
    },
    { guard: hasChanged(at.pte, orig), effect: [decrementAt(folios.refcount, old), assignAt(folios.refcount, fresh, 0), ...forget], note: "!pte_same(): gives up" },
  ];
}

/** The steps of a fault; the thread holds mmap_lock. Returns the step that decides. */
export function addFault(thread: ThreadBuilder, memory: Memory, at: AddressSpace, registers: FaultRegisters, plan: FaultPlan): number {
  const { folios, behavior } = memory;
  const flag = plan.kind === "unshare" ? "FAULT_FLAG_UNSHARE: " : "";
  const decides = thread.step({ text: `${flag}${behavior.names.writeFault}`, alternatives: ways(memory, at, registers, plan) });
  const source = folioOf(at.pte, registers.orig);
  thread.step({
    text: `${flag}${behavior.names.copy} copies the page`,
    effect: [
      assign(registers.fresh, folios.next),
      increment(folios.next),
      assignAt(folios.refcount, registers.fresh, 1),
      assignAt(folios.content, registers.fresh, element(folios.content, source)),
    ],
  });
  thread.step({
    text: `${flag}ptep_clear_flush(), set_pte_at() of the copy`,
    alternatives: replace(memory, at, registers, plan).map((way) => ({ ...way, to: plan.done })),
  });
  return decides;
}

/** A read fault on an entry that is none maps the page that is nobody's own; that the zero page counts its users is a simplification. */
export function addReadFault(thread: ThreadBuilder, { folios, foreign, names }: Memory, { pte }: AddressSpace, done: string): void {
  const map = foreign === null ? [] : [incrementAt(folios.refcount, foreign), incrementAt(folios.mapcount, foreign), assign(pte.value, readOnlyPte(foreign))];
  thread.step({
    text: "handle_mm_fault()",
    alternatives: [
      ...(foreign === null ? [] : [{ guard: isNone(pte), effect: map, to: done, note: `maps the ${names[foreign - 1]}` }]),
      { guard: isMapped(pte), to: done, note: "somebody else was faster" },
    ],
  });
}
