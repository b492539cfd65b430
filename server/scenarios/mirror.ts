// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, gt, ne, or, type Field } from "../simulator/expression.ts";
import { isPresent, type Entry } from "../simulator/objects/entry.ts";
import { mappingIsFresh, type KvmSubscriber } from "../simulator/objects/notifier.ts";

/** Who has a second mapping of the page and must be told. */
export interface Mirror {
  readonly thread: string;
  readonly mapping: string;
  readonly who: string;
  /** What is said of a refusal. */
  readonly refused: string;
  readonly stores: string;
  readonly faults: string;
}

/** KVM is on the list: where an interval subscriber refuses, it is not called. */
export const KVM_GUEST: Mirror = {
  thread: "KVM vCPU",
  mapping: "spte",
  who: "the guest",
  refused: "a subscriber refuses: -EAGAIN, KVM is not called",
  stores: "guest stores through its mapping",
  faults: "kvm_faultin_pfn(): maps the page",
};

/** A device whose driver refuses itself: it goes on where all threads of the process are gone. */
export const DEVICE: Mirror = {
  thread: "device",
  mapping: "mapping of the device",
  who: "the device",
  refused: "the driver of a device refuses: -EAGAIN",
  stores: "the device writes through its mapping",
  faults: "hmm_range_fault(): maps the page",
};

/** What a mirror looks at. */
export interface Mirrored {
  readonly invalidated: Entry;
  readonly kvm: KvmSubscriber;
  /** Set when an invalidation ends: a fault that began before must retry. */
  readonly retry: Field;
}

/** The guest (or the device) runs for as long as it likes: it stores through its mapping, or faults the mapping in. */
export function addMirror(model: ModelBuilder, mirror: Mirror, { kvm, retry, invalidated }: Mirrored): { thread: ThreadBuilder; store: number } {
  const thread = model.thread(mirror.thread, "daemon");
  const folio = thread.local("folio faulted", 0, { hidden: true });
  thread.label("run");
  const store = thread.step({
    text: mirror.stores,
    alternatives: [
      { guard: ne(kvm.spte, 0), checks: [mappingIsFresh(kvm.spte, invalidated, mirror.who)], to: "run" },
      { guard: and(eq(kvm.spte, 0), isPresent(invalidated)), effect: [assign(folio, invalidated), assign(retry, 0)], note: "not mapped: faults", to: "fault" },
    ],
  });
  thread.label("fault");
  thread.step({
    text: mirror.faults,
    alternatives: [
      { guard: and(eq(kvm.inProgress, 0), eq(retry, 0)), effect: [assign(kvm.spte, folio)], to: "run" },
      { guard: or(gt(kvm.inProgress, 0), eq(retry, 1)), note: "an invalidation runs or has run: retries", to: "run" },
    ],
  });
  return { thread, store };
}

