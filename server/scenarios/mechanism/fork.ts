// SPDX-License-Identifier: GPL-2.0-only
import type { EraBehavior } from "../../kernel/era.ts";
import { together } from "../../simulator/combine.ts";
import type { ThreadBuilder } from "../../simulator/build.ts";
import { assign, assignAt, increment } from "../../simulator/effect.ts";
import { and, element, eq, FALSE, not, TRUE, type Expression, type Field } from "../../simulator/expression.ts";
import type { Alternative, Assignment } from "../../simulator/model.ts";
import { isExclusive, maybePinned, shareFolio } from "../../simulator/objects/folio.ts";
import { folioOf, isMapped, isNone, readOnlyPte, writablePte } from "../../simulator/objects/pte.ts";
import { downWrite, upWrite } from "../../simulator/objects/rwsem.ts";
import { writeBegin, writeEnd, type Seqcount } from "../../simulator/objects/seqcount.ts";
import type { AddressSpace, Memory } from "./memory.ts";

/*
 * fork() of one private address, mmap_lock of the parent held for write. Sources: mm/memory.c (copy_page_range(),
 * copy_present_pte(), copy_present_page()), include/linux/mm.h (page_needs_cow_for_dma()), page_try_dup_anon_rmap().
 */

export interface ForkPlan {
  readonly parent: AddressSpace;
  readonly child: AddressSpace;
  /** `mm->write_protect_seq`; missing: not of interest, or before 57efa1fe5957. */
  readonly seq?: Seqcount;
  /** VM_DONTCOPY of the VMA. */
  readonly dontCopy?: Field;
  /** fork() is called when this holds. */
  readonly after?: Expression;
  /** Effect of fork() having returned. */
  readonly done: readonly Assignment[];
}

/** True where fork() gives the child a copy of a page: `page_needs_cow_for_dma()`, `page_try_dup_anon_rmap()`. */
export function copiesForChild(protection: EraBehavior["forkProtection"], pinned: Expression, exclusive: Expression): Expression {
  switch (protection) {
    case "none":
      return FALSE;
    case "early-copy":
    case "early-copy-seqcount":
      return pinned;
    case "exclusive":
      return and(pinned, exclusive);
  }
}

function needsCopy({ behavior, folios }: Memory, { pte, hasPinned }: AddressSpace): Expression {
  const page = folioOf(pte);
  return copiesForChild(behavior.forkProtection, and(eq(hasPinned, 1), maybePinned(folios, page)), isExclusive(folios, page));
}

/** The child gets a page of its own; the parent's entry stays as it is. */
const copyToChild = ({ folios }: Memory, parent: AddressSpace, child: AddressSpace): Assignment[] => [
  assignAt(folios.content, folios.next, element(folios.content, folioOf(parent.pte))),
  assignAt(folios.refcount, folios.next, 1),
  assignAt(folios.mapcount, folios.next, 1),
  assignAt(folios.anonExclusive, folios.next, 1),
  assign(child.pte.value, writablePte(folios.next)),
  increment(folios.next),
];

const countChild = ({ folios }: Memory, { pte }: AddressSpace): readonly Assignment[] => shareFolio(folios, folioOf(pte));

const protectBoth = ({ pte }: AddressSpace, child: AddressSpace): Assignment[] => [
  assign(pte.value, readOnlyPte(folioOf(pte))),
  assign(child.pte.value, pte.value),
];

/** Effect of sharing the page with the child, in one step. */
export const shareWithChild = (memory: Memory, parent: AddressSpace, child: AddressSpace): Assignment[] => [...countChild(memory, parent), ...protectBoth(parent, child)];

/** Nothing to do for an entry that is none, or a VMA that is not copied. */
const skips = ({ parent, dontCopy }: CopyPlan, copied: string): Alternative[] => [
  { guard: and(isNone(parent.pte), notSkipped(dontCopy)), to: copied, note: "nothing is mapped" },
  ...(dontCopy === undefined ? [] : [{ guard: eq(dontCopy, 1), to: copied, note: "VM_DONTCOPY: not copied" }]),
];

const notSkipped = (dontCopy: Field | undefined): Expression => (dontCopy === undefined ? TRUE : eq(dontCopy, 0));

type CopyPlan = Pick<ForkPlan, "parent" | "child" | "dontCopy">;

/** How the entry gets to the child, step by step; `copied`: label behind them. */
export function copySteps(memory: Memory, plan: CopyPlan, copied: string): readonly { readonly text: string; readonly alternatives: readonly Alternative[] }[] {
  const { parent, child, dontCopy } = plan;
  const { behavior } = memory;
  const here = and(isMapped(parent.pte), notSkipped(dontCopy));
  const text = `${behavior.names.fork}: ptep_set_wrprotect(), the child maps the page`;
  if (behavior.forkProtection === "none") {
    return [{ text, alternatives: [{ guard: here, effect: [...countChild(memory, parent), ...protectBoth(parent, child)] }, ...skips(plan, copied)] }];
  }
  const copies = needsCopy(memory, parent);
  return [
    {
      text: `${behavior.names.earlyCopy}: has_pinned && page_maybe_dma_pinned()?`,
      alternatives: [
        { guard: and(here, copies), effect: copyToChild(memory, parent, child), to: copied, note: "yes: the child gets a copy" },
        { guard: and(here, not(copies)), effect: countChild(memory, parent), note: "no: the child may share it" },
        ...skips(plan, copied),
      ],
    },
    { text, alternatives: [{ effect: protectBoth(parent, child) }] },
  ];
}

/** The steps of fork(). */
export function addFork(thread: ThreadBuilder, memory: Memory, plan: ForkPlan): void {
  const { parent, seq, after = TRUE, done } = plan;
  thread.step({ text: `mmap_write_lock(${parent.name})`, ...together({ alternatives: [{ guard: after }] }, downWrite(parent.mmapLock)) });
  if (seq) thread.step({ text: "raw_write_seqcount_begin(&mm->write_protect_seq)", isFix: true, ...writeBegin(seq) });
  for (const step of copySteps(memory, plan, "copied")) thread.step(step);
  thread.label("copied");
  if (seq) thread.step({ text: "raw_write_seqcount_end(&mm->write_protect_seq)", isFix: true, ...writeEnd(seq) });
  thread.step({ text: `mmap_write_unlock(${parent.name})`, ...together(upWrite(parent.mmapLock), { alternatives: [{ effect: done }] }) });
}
