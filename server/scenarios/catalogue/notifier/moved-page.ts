// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../../../kernel/release.ts";
import { modelBuilder, type ModelBuilder, type StepPart, type ThreadBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, ne, type Field } from "../../../simulator/expression.ts";
import { atomicContext, enterAtomic, leaveAtomic, sleeps, type Context } from "../../../simulator/objects/context.ts";
import { clearEntry, entry, setEntry, type Entry } from "../../../simulator/objects/entry.ts";
import { activeInvalidations, noteActive, noteInactive, type ActiveInvalidations } from "../../../simulator/objects/kvm.ts";
import {
  endInvalidateKvm, intervalSubscriber, invalidateInterval, invalidateKvm, kvmSubscriber, type IntervalSubscriber, type KvmSubscriber,
} from "../../../simulator/objects/notifier.ts";
import { rcuReaders, type Readers } from "../../../simulator/objects/rcu.ts";
import { spinLock, spinlock, spinUnlock, type Spinlock } from "../../../simulator/objects/spinlock.ts";
import { mapKind, mapPte, unmapPte, type MapKind } from "../../environment/pte-map.ts";

/*
 * A page that is moved from one entry to another while KVM and a device driver have mappings of their own: the shape of
 * remap_pages_pte() (UFFDIO_REMAP, seed 000), of which move_pages_pte() (adef440691ba, 6.8) is the merged form.
 */

export const START = "mmu_notifier_invalidate_range_start(&range)";
export const START_NONBLOCK = "mmu_notifier_invalidate_range_start_nonblock(&range)";
export const END = "mmu_notifier_invalidate_range_end(&range)";
const KVM_START = "kvm_mmu_notifier_invalidate_range_start()";
const KVM_END = "kvm_mmu_notifier_invalidate_range_end()";

export interface MovedPage {
  readonly model: ModelBuilder;
  readonly src: Entry;
  readonly dst: Entry;
  readonly kvm: KvmSubscriber;
  readonly active: ActiveInvalidations;
  /** The other subscriber, which may refuse where the range is not blockable. */
  readonly driver: IntervalSubscriber;
  readonly ptl: Spinlock;
  readonly readers: Readers;
  readonly map: MapKind;
}

export function movedPage(name: string, release: Release): MovedPage {
  const model = modelBuilder(name);
  return {
    model,
    src: entry(model, "src_pte", 1, ["X", "Y"]),
    dst: entry(model, "dst_pte", 0, ["X", "Y"]),
    kvm: kvmSubscriber(model, 1, ["X", "Y"]),
    active: activeInvalidations(model),
    driver: intervalSubscriber(model, "device", 1, ["X", "Y"]),
    ptl: spinlock(model, "page-table lock"),
    readers: rcuReaders(model),
    map: mapKind(release, false),
  };
}

/** The thread under review and what it keeps. */
export interface Mover extends MovedPage {
  readonly thread: ThreadBuilder;
  readonly context: Context;
  /** What the start returned: 1 where it was refused. */
  readonly err: Field;
}

export const mover = (page: MovedPage): Mover => {
  const thread = page.model.thread("remap_pages_pte()", "review");
  return { ...page, thread, context: atomicContext(thread), err: thread.local("err", 0, { labels: { 0: "0", 1: "-EAGAIN" } }) };
};

const kvmStarts = ({ kvm, active }: MovedPage): StepPart => together(noteActive(active), invalidateKvm(kvm));
const kvmEnds = ({ kvm, active }: MovedPage): StepPart => together(endInvalidateKvm(kvm), noteInactive(active));

/** Where the other subscriber stands: interval subscribers are asked before the list, on which KVM stands first. */
export type Refusing = "interval" | "list";

/** The blocking start: nobody can refuse, and it may sleep. */
export function startBlocking(on: Mover): void {
  on.thread.step({ text: START, ...together(sleeps(on.context, START), invalidateInterval(on.driver, null)) });
  on.thread.step({ text: KVM_START, ...kvmStarts(on) });
}

const noting = (err: Field, part: StepPart): StepPart => ({
  ...part,
  alternatives: part.alternatives.map((one) => (one.to === undefined ? one : { ...one, effect: [...(one.effect ?? []), assign(err, 1)] })),
});

/**
 * The start that may be refused. By an interval subscriber: the list is not asked at all. By one on the list: the core ends
 * the invalidation for those that accepted, then returns -EAGAIN (mm/mmu_notifier.c:475-546, 6.1.192).
 */
export function startNonblock(on: Mover, refusing: Refusing): void {
  const { thread, err, driver } = on;
  if (refusing === "interval") {
    thread.step({ text: START_NONBLOCK, ...noting(err, invalidateInterval(driver, "started")) });
    thread.step({ text: KVM_START, ...kvmStarts(on) });
  } else {
    thread.step({ text: START_NONBLOCK, ...kvmStarts(on) });
    const [refuse, accept] = invalidateInterval(driver, "started").alternatives;
    thread.step({
      text: "invalidate_range_start() of the driver, without blocking",
      alternatives: [
        { guard: eq(err, 0), effect: [assign(err, 1)], note: refuse!.note! },
        { ...accept!, to: "started" },
      ],
    });
    thread.step({ text: `mn_hlist_invalidate_range_start(): ${KVM_END}`, ...kvmEnds(on) });
  }
  thread.label("started");
}

/** Both entries are mapped, the source first unlocked and looked at (not modeled), then moved under both locks. */
export function mapBoth({ thread, map, readers, context }: Mover): void {
  thread.step({ text: "dst_pte = pte_offset_map_nolock()", ...mapPte(map, readers, context) });
  thread.step({ text: "src_pte = pte_offset_map_nolock()", ...mapPte(map, readers, context) });
}

export function lockBoth({ thread, ptl, context }: Mover): void {
  thread.step({ text: "double_pt_lock(dst_ptl, src_ptl)", ...together(spinLock(ptl), enterAtomic(context)) });
}

export function unlockBoth({ thread, ptl, context }: Mover): void {
  thread.step({ text: "double_pt_unlock(dst_ptl, src_ptl)", ...together(spinUnlock(ptl), leaveAtomic(context)) });
}

export function moveEntry({ model, thread, src, dst }: Mover): void {
  const clear = thread.step({ text: "ptep_clear_flush(src_vma, src_addr, src_pte)", ...clearEntry(src) });
  thread.step({ text: "set_pte_at(dst_mm, dst_addr, dst_pte, orig_dst_pte)", ...setEntry(dst, 1) });
  model.reach(thread, clear, "the page is moved");
}

export function unmapBoth({ thread, map, readers, context }: Mover): void {
  thread.step({ text: "pte_unmap(src_pte)", ...unmapPte(map, readers, context) });
  thread.step({ text: "pte_unmap(dst_pte)", ...unmapPte(map, readers, context) });
}

/** The end, which may sleep where the start could block. */
export function end(on: Mover, blocking: boolean, isFix?: true): void {
  const part = blocking ? together(sleeps(on.context, END), kvmEnds(on)) : kvmEnds(on);
  on.thread.step({ text: END, ...part, ...(isFix === undefined ? {} : { isFix }) });
}

/** Goes on at the label where the start was refused. */
export const checkRefusal = ({ thread, err }: Mover, refused: string, isFix?: true): void => {
  thread.step({
    text: "if (err) goto out",
    alternatives: [{ guard: eq(err, 0), note: "accepted" }, { guard: ne(err, 0), to: refused, note: "refused: nothing may be modified or ended" }],
    ...(isFix === undefined ? {} : { isFix }),
  });
};
