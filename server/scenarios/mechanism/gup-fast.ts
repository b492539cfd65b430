// SPDX-License-Identifier: GPL-2.0-only
import type { ThreadBuilder } from "../../simulator/build.ts";
import { assign, decrementAt } from "../../simulator/effect.ts";
import { and, element, gt, not, type Field } from "../../simulator/expression.ts";
import type { Alternative } from "../../simulator/model.ts";
import { folioOf, hasChanged, isNone, isReadOnlyPte, isSamePte, isWritablePte } from "../../simulator/objects/pte.ts";
import { beginOrGiveUp, retrySeqcount, type Seqcount } from "../../simulator/objects/seqcount.ts";
import { addHasPinned, addSlowGup, grab, mustUnsharePage, requestName, type GupPlan } from "./gup.ts";
import type { AddressSpace, Memory } from "./memory.ts";

/*
 * GUP-fast of one address: no lock, interrupts off. It reads the entry, takes the page, reads the entry again, and falls back
 * to the slow path where anything has changed. Sources: mm/gup.c (lockless_pages_from_mm(), gup_pte_range(), gup_huge_pmd(),
 * internal_get_user_pages_fast()).
 */

export interface FastPlan extends GupPlan {
  /** `mm->write_protect_seq`; missing: before 57efa1fe5957. */
  readonly seq?: Seqcount;
  /** Where the counter is read again; only after the last page was taken it says something about all of them. */
  readonly retry?: "after-grab" | "before-grab";
  /** When the mm is told that it has pins; the fork must see it before there is one. */
  readonly tells?: "before-grab" | "after-grab";
  /** The walk asks for a writable entry. */
  readonly walksForWrite: boolean;
  /** What happens instead of the slow path, in one step with which the thread ends. */
  readonly instead?: string;
}

interface FastRegisters {
  readonly seen: Field;
  readonly seq: Field;
}

const readName = ({ behavior }: Memory): string =>
  behavior.names.follow === "follow_page_pte()" ? "gup_pte_range(): pte = *ptep" : "gup_huge_pmd(): pmd = *pmdp";

const againName = ({ behavior }: Memory): string =>
  behavior.names.follow === "follow_page_pte()" ? "pte_val(pte) != pte_val(*ptep)?" : "pmd_val(pmd) != pmd_val(*pmdp)?";

/** A plain reference had no function of its own before pins were told apart. */
const grabName = ({ behavior }: Memory, { request }: FastPlan): string =>
  !request.pin && behavior.forkProtection === "none" ? "get_page()" : `try_grab_folio(${requestName(request)})`;

/** The entry is read; a walk that cannot use it gives up at once. */
function reads({ pte }: AddressSpace, { seen }: FastRegisters, { prefix, walksForWrite }: FastPlan): Alternative[] {
  const usable = walksForWrite ? isWritablePte(pte) : not(isNone(pte));
  return [
    { guard: usable, effect: [assign(seen, pte.value)] },
    { guard: not(usable), to: `${prefix}: slow`, note: "not as it must be: slow path" },
  ];
}

function takes(memory: Memory, { pte }: AddressSpace, { seen }: FastRegisters, { request, prefix }: FastPlan): Alternative[] {
  const page = folioOf(pte, seen);
  const lives = gt(element(memory.folios.refcount, page), 0);
  return [
    { guard: lives, effect: grab(memory, page, request) },
    { guard: not(lives), to: `${prefix}: slow`, note: "the page is being freed: slow path" },
  ];
}

function addTests(thread: ThreadBuilder, memory: Memory, at: AddressSpace, registers: FastRegisters, plan: FastPlan): void {
  const { prefix } = plan;
  thread.step({
    text: againName(memory),
    alternatives: [
      { guard: isSamePte(at.pte, registers.seen), note: "unchanged" },
      { guard: hasChanged(at.pte, registers.seen), to: `${prefix}: drop`, note: "changed" },
    ],
  });
  const { readOnlyGup } = memory.behavior;
  if (plan.request.write || !plan.request.pin || readOnlyGup === "as-mapped" || readOnlyGup === "forced-write") return;
  // Without its barrier: memory is sequentially consistent here.
  const unshare = and(isReadOnlyPte(at.pte, registers.seen), mustUnsharePage(memory, at, plan.request, registers.seen));
  thread.step({
    text: "gup_must_unshare()?",
    alternatives: [{ guard: not(unshare), note: "no" }, { guard: unshare, to: `${prefix}: drop`, note: "yes" }],
  });
}

/** The page is given back, and the slow path takes over. */
function addDrop(thread: ThreadBuilder, { folios }: Memory, { pte }: AddressSpace, { seen }: FastRegisters, { request, prefix }: FastPlan): void {
  const page = folioOf(pte, seen);
  thread.label(`${prefix}: drop`);
  thread.step({
    text: "gup_put_folio(): the page is given back",
    effect: [decrementAt(folios.refcount, page), ...(request.pin ? [decrementAt(folios.pincount, page)] : [])],
  });
}

/** The lockless walk, and the slow path behind it; returns the steps that take the page. */
export function addFastGup(thread: ThreadBuilder, memory: Memory, at: AddressSpace, plan: FastPlan): { readonly fast: number; readonly slow: number } {
  const { prefix, request, seq, retry = "after-grab", tells = "before-grab", instead } = plan;
  const registers: FastRegisters = { seen: thread.local("pte read", 0, { hidden: true }), seq: thread.local("seq read", 0, { hidden: true }) };
  const again = (): void => {
    const changed = `${prefix}: ${retry === "after-grab" ? "drop" : "slow"}`;
    if (seq) thread.step({ text: "read_seqcount_retry(&mm->write_protect_seq)", isFix: true, ...retrySeqcount(seq, registers.seq, changed) });
  };
  if (tells === "before-grab") addHasPinned(thread, memory, at, request);
  if (seq) thread.step({ text: "raw_read_seqcount(&mm->write_protect_seq)", isFix: true, ...beginOrGiveUp(seq, registers.seq, `${prefix}: slow`) });
  thread.step({ text: readName(memory), alternatives: reads(at, registers, plan) });
  if (retry === "before-grab") again();
  const fast = thread.step({ text: grabName(memory, plan), alternatives: takes(memory, at, registers, plan) });
  addTests(thread, memory, at, registers, plan);
  if (retry === "after-grab") again();
  if (tells === "after-grab") addHasPinned(thread, memory, at, request);
  thread.step({ text: "the fast walk is over", hidden: true, effect: [assign(plan.page, folioOf(at.pte, registers.seen))], to: `${prefix}: done` });
  addDrop(thread, memory, at, registers, plan);
  thread.label(`${prefix}: slow`);
  const slow =
    instead === undefined
      ? addSlowGup(thread, memory, at, { ...plan, isFallback: tells === "before-grab" })
      : thread.step({ text: instead, to: "END" });
  thread.label(`${prefix}: done`);
  return { fast, slow };
}
