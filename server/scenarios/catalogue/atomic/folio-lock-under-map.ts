// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder, type StepPart, type ThreadBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq } from "../../../simulator/expression.ts";
import { atomicContext, sleeps, type Context } from "../../../simulator/objects/context.ts";
import { rcuReaders, type Readers } from "../../../simulator/objects/rcu.ts";
import { spinLock, spinlock, spinTrylock, spinUnlock, type Spinlock } from "../../../simulator/objects/spinlock.ts";
import { addGracePeriodUnderFolioLock } from "../../environment/driver-lock.ts";
import { mapKind, mapPte, unmapPte, type MapKind } from "../../environment/pte-map.ts";
import type { CatalogueScenario, Setting, Variant } from "../scenario.ts";

/** `lock`: folio_lock() at once; `split`, `resched`: sleeps with the lock held; `try`: only tries, and sleeps after the unmap. */
type Manner = "lock" | "split" | "resched" | "try";

interface Told {
  readonly manner: Manner;
  readonly highpte: boolean;
  readonly silent: boolean;
}

const TOLD: Readonly<Record<string, Told>> = {
  lock: { manner: "lock", highpte: false, silent: false },
  "lock-highpte": { manner: "lock", highpte: true, silent: false },
  "lock-silent": { manner: "lock", highpte: false, silent: true },
  split: { manner: "split", highpte: false, silent: false },
  resched: { manner: "resched", highpte: false, silent: false },
  "resched-highpte": { manner: "resched", highpte: true, silent: false },
  try: { manner: "try", highpte: false, silent: false },
  "try-highpte": { manner: "try", highpte: true, silent: false },
  "try-silent": { manner: "try", highpte: false, silent: true },
};

const WHAT: Readonly<Record<Manner, string>> = {
  lock: "folio_lock() while the entry is mapped",
  split: "split_folio() while the entry is mapped",
  resched: "cond_resched() while the entry is mapped",
  try: "folio_trylock(); where it is busy, pte_unmap(), folio_lock(), retry",
};

const variants: readonly Variant[] = Object.entries(TOLD).map(([id, { manner, highpte, silent }]) => ({
  id,
  what: `${WHAT[manner]}${highpte ? ", CONFIG_HIGHPTE" : ""}${silent ? ", without CONFIG_DEBUG_ATOMIC_SLEEP, with preemptible RCU" : ""}`,
  isFixed: manner === "try",
  ...(manner === "try" ? { undone: `lock${id.slice("try".length)}` } : {}),
}));

interface Objects {
  readonly model: ModelBuilder;
  readonly thread: ThreadBuilder;
  readonly context: Context;
  readonly folio: Spinlock;
  readonly readers: Readers;
  readonly kind: MapKind;
}

const map = ({ model, thread, kind, readers, context }: Objects): void => {
  model.reach(thread, thread.step({ text: "src_pte = pte_offset_map()", ...mapPte(kind, readers, context) }), "the entry is mapped");
};

const unmap = ({ thread, kind, readers, context }: Objects): void => {
  thread.step({ text: "pte_unmap(src_pte)", ...unmapPte(kind, readers, context) });
};

function addSleeper(on: Objects, { manner, silent }: Told): void {
  const { thread, context, folio } = on;
  const asks = (what: string, part: StepPart): StepPart => (silent ? part : together(sleeps(context, what), part));
  map(on);
  if (manner !== "lock") {
    const sleeper = manner === "split" ? "split_folio(src_folio)" : "cond_resched()";
    thread.step({ text: "folio_trylock(src_folio)", ...spinTrylock(folio, "out") });
    thread.step({ text: sleeper, ...asks(sleeper, { alternatives: [{}] }) });
  } else thread.step({ text: "folio_lock(src_folio)", ...asks("folio_lock(src_folio)", spinLock(folio)) });
  thread.step({ text: "folio_unlock(src_folio)", ...spinUnlock(folio) });
  thread.label("out");
  unmap(on);
}

function addTrier(on: Objects, { silent }: Told): void {
  const { thread, context, folio } = on;
  const locked = thread.local("folio locked", 0, { hidden: true });
  thread.label("retry");
  map(on);
  thread.step({ text: "if (!src_folio)", hidden: true, alternatives: [{ guard: eq(locked, 0) }, { guard: eq(locked, 1), to: "move" }] });
  thread.step({ text: "folio_trylock(src_folio)", ...spinTrylock(folio, "busy") });
  thread.label("move");
  unmap(on);
  thread.step({ text: "folio_unlock(src_folio)", ...together(spinUnlock(folio), { alternatives: [{ to: "END" }] }) });
  thread.label("busy");
  unmap(on);
  const lock = spinLock(folio);
  const part = together(silent ? lock : together(sleeps(context, "folio_lock(src_folio)"), lock), {
    alternatives: [{ effect: [assign(locked, 1)], to: "retry" }],
  });
  on.model.reach(thread, thread.step({ text: "folio_lock(src_folio); goto retry", ...part }), "the folio is waited for");
}

const kindOf = ({ variant, release }: Setting): MapKind => mapKind(release, TOLD[variant]!.highpte);

/** A folio's lock, or a split, between map and unmap: the lock's owner may wait for the very section that waits for it. */
export const folioLockUnderMap: CatalogueScenario = {
  id: "folio-lock-under-map",
  rules: ["sleep-in-atomic"],
  title: "a folio is waited for while a page table is mapped",
  sources: ["146b42e07494 (6.6)", "adef440691ba (6.8): move_pages_pte()", "982ae058b2f0 (6.8): split_folio() with both entries mapped"],
  properties: ["sleep-in-atomic"],
  deadlock: true,
  livelock: null,
  variants,
  axes: { eras: [], releases: ["6.4", "6.5", "6.8"], byArchitecture: false },
  build(setting) {
    const told = TOLD[setting.variant]!;
    const kind = kindOf(setting);
    if ((told.silent && kind !== "rcu") || (told.manner === "try" && kind === "plain")) return null;
    const model = modelBuilder(`folio-lock-under-map, ${setting.variant}`);
    const thread = model.thread("move_pages_pte()", "review");
    const objects: Objects = { model, thread, context: atomicContext(thread), folio: spinlock(model, "folio lock"), readers: rcuReaders(model), kind };
    if (told.manner === "try") addTrier(objects, told);
    else addSleeper(objects, told);
    addGracePeriodUnderFolioLock(model, objects.folio, objects.readers);
    return model.finish();
  },
  expected(setting) {
    const { manner, silent } = TOLD[setting.variant]!;
    if (manner === "try" || kindOf(setting) === "plain") return "pass";
    return { fails: silent ? "deadlock" : "sleep-in-atomic" };
  },
};
