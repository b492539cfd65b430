// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { assign, increment } from "../../../simulator/effect.ts";
import { eq, gt, ne, type Field } from "../../../simulator/expression.ts";
import { spinLock, spinlock, spinUnlock, type Spinlock } from "../../../simulator/objects/spinlock.ts";
import { addDrain, fence, loadOwn, storeBuffer, storeLate, type Location, type StoreBuffer } from "../../../simulator/objects/store-buffer.ts";
import type { CatalogueScenario } from "../scenario.ts";

interface Objects {
  readonly model: ModelBuilder;
  /** Whether CPU 0 has a page in its batch. */
  readonly batch: Location;
  readonly buffer: StoreBuffer;
  readonly generation: Field;
  readonly lock: Spinlock;
}

/** Adds a page to its batch and wants all batches empty: `__lru_add_drain_all()`. */
function addCaller({ model, batch, buffer, generation, lock }: Objects, variant: string): void {
  const thread = model.thread("CPU 0: lru_add_drain_all()", "review");
  const [seen, left] = [thread.local("this_gen"), thread.local("own batch", 0, { hidden: true })];
  thread.step({ text: "folio_add_lru(): the page is in the batch of CPU 0", ...storeLate(buffer, batch, 1) });
  if (variant === "smp-mb") thread.step({ text: "smp_mb()", isFix: true, ...fence(buffer) });
  thread.step({ text: "this_gen = smp_load_acquire(&lru_drain_gen)", effect: [assign(seen, generation)] });
  thread.step({ text: "mutex_lock(&lock)", ...spinLock(lock) });
  thread.step({
    text: "this_gen != lru_drain_gen",
    alternatives: [{ guard: eq(seen, generation), note: "drains" }, { guard: ne(seen, generation), to: "done", note: "somebody else has drained since" }],
  });
  thread.step({ text: "WRITE_ONCE(lru_drain_gen, lru_drain_gen + 1); smp_mb()", ...together(fence(buffer), { alternatives: [{ effect: [increment(generation)] }] }) });
  thread.step({ text: "the batch of CPU 0 is drained", effect: [assign(batch.field, 0)] });
  thread.label("done");
  thread.step({ text: "the batch of CPU 0 is as its owner sees it", hidden: true, ...loadOwn(buffer, batch, left) });
  thread.step({ text: "mutex_unlock(&lock)", ...together(fence(buffer), spinUnlock(lock)) });
  const looked = thread.step({
    text: "the caller looks at the references of its page",
    checks: [{ holds: eq(left, 0), property: "missed-drain", message: "the page is still in the batch of CPU 0 after lru_add_drain_all() returned: its reference cannot be explained" }],
  });
  model.reach(thread, looked, "the caller looks for its page");
}

/** Another caller, which drains what it sees. */
function addOther({ model, batch, generation, lock }: Objects): void {
  const thread = model.thread("CPU 1: lru_add_drain_all()", "environment");
  thread.step({ text: "mutex_lock(&lock)", ...spinLock(lock) });
  thread.step({ text: "WRITE_ONCE(lru_drain_gen, lru_drain_gen + 1); smp_mb()", effect: [increment(generation)] });
  const drains = thread.step({
    text: "cpu_needs_drain(CPU 0)",
    alternatives: [{ guard: gt(batch.field, 0), effect: [assign(batch.field, 0)], note: "drained" }, { guard: eq(batch.field, 0), note: "empty" }],
  });
  thread.step({ text: "mutex_unlock(&lock)", ...spinUnlock(lock) });
  model.reach(thread, drains, "another CPU drains");
}

/** Who leaves the draining to somebody else must be sure that the other one has seen its page. */
export const drainGeneration: CatalogueScenario = {
  id: "lru-drain-generation",
  rules: [],
  title: "lru_add_drain_all() trusts a drain that did not see the caller's page",
  sources: ["mm/swap.c (6.1.192): __lru_add_drain_all(), the barrier before (A)", "6446a5131e24: mm/swap: Do not abuse the seqcount_t latching API"],
  properties: ["missed-drain"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "no-barrier", what: "the generation is read while the batch of this CPU may not be visible yet", isFixed: false },
    { id: "smp-mb", what: "smp_mb() before the generation is read", isFixed: true },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`lru-drain-generation, ${variant}`);
    const batch: Location = { name: "batch of CPU 0", field: model.field("batch of CPU 0", 0, { labels: { 0: "empty", 1: "a page" } }) };
    const objects: Objects = {
      model, batch, buffer: storeBuffer(model, "CPU 0", [batch], 1),
      generation: model.field("lru_drain_gen"), lock: spinlock(model, "lock"),
    };
    addCaller(objects, variant);
    addOther(objects);
    addDrain(model, objects.buffer);
    return model.finish();
  },
  expected: ({ variant }) => (variant === "no-barrier" ? { fails: "missed-drain" } : "pass"),
};
