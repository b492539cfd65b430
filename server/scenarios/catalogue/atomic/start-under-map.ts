// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder, type StepPart, type ThreadBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { atomicContext, sleeps, type Context } from "../../../simulator/objects/context.ts";
import { rcuReaders, type Readers } from "../../../simulator/objects/rcu.ts";
import { spinLock, spinlock, spinUnlock, type Spinlock } from "../../../simulator/objects/spinlock.ts";
import { addGracePeriodUnderLock } from "../../environment/driver-lock.ts";
import { mapKind, mapPte, unmapPte, type MapKind } from "../../environment/pte-map.ts";
import type { CatalogueScenario, Setting, Variant } from "../scenario.ts";

const START = "mmu_notifier_invalidate_range_start(&range)";
const END = "mmu_notifier_invalidate_range_end(&range)";

/** Where start and end stand. */
type Order = "start-under-map" | "end-under-map" | "outside";

interface Told {
  readonly order: Order;
  readonly highpte: boolean;
  /** The kernel does not say so (no CONFIG_DEBUG_ATOMIC_SLEEP), and goes on to sleep. */
  readonly silent: boolean;
}

const TOLD: Readonly<Record<string, Told>> = {
  "start-under-map": { order: "start-under-map", highpte: false, silent: false },
  "start-under-map-highpte": { order: "start-under-map", highpte: true, silent: false },
  "start-under-map-silent": { order: "start-under-map", highpte: false, silent: true },
  "end-under-map": { order: "end-under-map", highpte: false, silent: false },
  "end-under-map-highpte": { order: "end-under-map", highpte: true, silent: false },
  outside: { order: "outside", highpte: false, silent: false },
  "outside-highpte": { order: "outside", highpte: true, silent: false },
  "outside-silent": { order: "outside", highpte: false, silent: true },
};

const WHAT: Readonly<Record<Order, string>> = {
  "start-under-map": "blocking start between pte_offset_map() and pte_unmap()",
  "end-under-map": "start before the map, end before pte_unmap()",
  outside: "start before the map and the retry label, end after pte_unmap()",
};

const variants: readonly Variant[] = Object.entries(TOLD).map(([id, { order, highpte, silent }]) => ({
  id,
  what: `${WHAT[order]}${highpte ? ", CONFIG_HIGHPTE" : ""}${silent ? ", without CONFIG_DEBUG_ATOMIC_SLEEP, with preemptible RCU" : ""}`,
  isFixed: order === "outside",
  ...(order === "outside" ? { undone: `start-under-map${id.slice("outside".length)}` } : {}),
}));

interface Objects {
  readonly model: ModelBuilder;
  readonly thread: ThreadBuilder;
  readonly context: Context;
  readonly mutex: Spinlock;
  readonly readers: Readers;
  readonly kind: MapKind;
}

function addReviewed({ model, thread, context, mutex, readers, kind }: Objects, { order, silent }: Told): void {
  const asks = (what: string, part: StepPart): StepPart => (silent ? part : together(sleeps(context, what), part));
  const start = (): void => {
    thread.step({ text: START, ...asks(START, { alternatives: [{}] }) });
    thread.step({ text: "invalidate_range_start() of the driver: mutex_lock(&driver->lock)", ...spinLock(mutex) });
    thread.step({ text: "invalidate_range_start() of the driver: mutex_unlock(&driver->lock)", ...spinUnlock(mutex) });
  };
  const end = (): void => {
    thread.step({ text: END, ...asks(END, { alternatives: [{}] }) });
  };
  if (order !== "start-under-map") start();
  model.reach(thread, thread.step({ text: "src_pte = pte_offset_map()", ...mapPte(kind, readers, context) }), "the entry is mapped");
  if (order === "start-under-map") start();
  if (order !== "outside") end();
  thread.step({ text: "pte_unmap(src_pte)", ...unmapPte(kind, readers, context) });
  if (order === "outside") end();
}

const kindOf = ({ variant, release }: Setting): MapKind => mapKind(release, TOLD[variant]!.highpte);

/** A sleeping notifier between map and unmap: forbidden by RCU from 6.6, by kmap_atomic() of HIGHPTE up to 6.4, not in 6.5. */
export const startUnderMap: CatalogueScenario = {
  id: "notifier-sleeps-under-map",
  rules: ["notifier-in-atomic"],
  title: "a notifier that may sleep is called while a page table is mapped",
  sources: [
    "146b42e07494 (6.6): pte_offset_map() enters RCU", "0d940a9b270b (6.5)", "include/linux/pgtable.h:98-105 (6.1.192): kmap_atomic() with HIGHPTE",
    "include/linux/mmu_notifier.h:454, 481 (6.1.192): might_sleep()",
    "UFFDIO_REMAP, RFC of September 2023: remap_pages_pte(); adef440691ba (6.8): start before the retry label",
  ],
  properties: ["sleep-in-atomic"],
  deadlock: true,
  livelock: null,
  variants,
  axes: { eras: [], releases: ["6.4", "6.5", "6.6"], byArchitecture: false },
  build(setting) {
    const told = TOLD[setting.variant]!;
    const kind = kindOf(setting);
    // Disabled preemption alone holds no grace period back for ever, and what is allowed needs no fix.
    if ((told.silent && kind !== "rcu") || (told.order === "outside" && kind === "plain")) return null;
    const model = modelBuilder(`notifier-sleeps-under-map, ${setting.variant}`);
    const thread = model.thread("remap_pages_pte()", "review");
    const objects: Objects = { model, thread, context: atomicContext(thread), mutex: spinlock(model, "driver lock"), readers: rcuReaders(model), kind };
    addReviewed(objects, told);
    addGracePeriodUnderLock(model, objects.mutex, objects.readers);
    return model.finish();
  },
  expected(setting) {
    const { order, silent } = TOLD[setting.variant]!;
    if (order === "outside" || kindOf(setting) === "plain") return "pass";
    return { fails: silent ? "deadlock" : "sleep-in-atomic" };
  },
};
