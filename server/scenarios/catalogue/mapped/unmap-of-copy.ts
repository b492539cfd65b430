// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq } from "../../../simulator/expression.ts";
import { kmapLocal, kmapStack, kunmapLocal, kunmapOther, noKmapLeft } from "../../../simulator/objects/kmap.ts";
import { spinLock, spinlock, spinTrylock, spinUnlock, type Spinlock } from "../../../simulator/objects/spinlock.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** KM_MAX_IDX is 16; two contended pages fill a stack of four, eight fill the real one. */
const STACK = 4;

interface Told {
  /** What is handed to pte_unmap() on the way to a retry. */
  readonly unmaps: "copy" | "pointer";
  readonly pages: "one" | "many";
}

const TOLD: Readonly<Record<string, Told>> = {
  "one-page": { unmaps: "copy", pages: "one" },
  "many-pages": { unmaps: "copy", pages: "many" },
  "one-page-fixed": { unmaps: "pointer", pages: "one" },
  "many-pages-fixed": { unmaps: "pointer", pages: "many" },
};

function addMover(model: ModelBuilder, folio: Spinlock, { unmaps, pages }: Told): void {
  const thread = model.thread("move_pages_pte()", "review");
  const stack = kmapStack(thread);
  const locked = thread.local("folio locked", 0, { hidden: true });
  thread.label("retry");
  thread.step({ text: "dst_pte = pte_offset_map_nolock()", ...kmapLocal(stack, STACK) });
  thread.step({ text: "src_pte = pte_offset_map_nolock()", ...kmapLocal(stack, STACK) });
  thread.step({ text: "if (!src_folio)", hidden: true, alternatives: [{ guard: eq(locked, 0) }, { guard: eq(locked, 1), to: "move" }] });
  thread.step({ text: "folio_trylock(folio)", ...spinTrylock(folio, "busy") });
  thread.label("move");
  thread.step({ text: "pte_unmap(src_pte)", ...kunmapLocal(stack) });
  thread.step({ text: "pte_unmap(dst_pte)", ...kunmapLocal(stack) });
  thread.step({ text: "folio_unlock(src_folio)", ...together(spinUnlock(folio), { alternatives: [{ effect: [assign(locked, 0)] }] }) });
  if (pages === "many") thread.step({ text: "the next page", alternatives: [{ to: "retry" }, { note: "was the last" }] });
  thread.step({ text: "return", checks: pages === "one" ? [noKmapLeft(stack)] : [], to: "END" });
  thread.label("busy");
  for (const name of ["src", "dst"])
    thread.step(unmaps === "copy" ? { text: `pte_unmap(&orig_${name}_pte)`, ...kunmapOther() } : { text: `pte_unmap(${name}_pte)`, ...kunmapLocal(stack) });
  const lock = thread.step({
    text: "folio_lock(src_folio); goto retry",
    ...together(spinLock(folio), { alternatives: [{ effect: [assign(locked, 1)], to: "retry" }] }),
  });
  model.reach(thread, lock, "the folio is contended");
}

/** pte_unmap() of the address of a variable: on the stack there is nothing to unmap, and the real mapping stays. */
export const unmapOfCopy: CatalogueScenario = {
  id: "pte-unmap-of-copy",
  rules: ["pte-unmap-foreign-pointer"],
  title: "pte_unmap() is handed the copy of an entry, and the temporary mappings pile up (CONFIG_HIGHPTE)",
  sources: [
    "adef440691ba (6.8): mm/userfaultfd.c, move_pages_pte(), three places; 927e926d72d9 (6.14): the fix",
    "mm/highmem.c: kmap_local_idx_push(), BUG_ON(idx >= KM_MAX_IDX); kunmap_local_indexed()",
  ],
  properties: ["leak-at-exit", "bug-on", "unlock-not-held"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "one-page", what: "one contended folio", isFixed: false },
    { id: "many-pages", what: `contended folios in a row; a stack of ${STACK} stands for KM_MAX_IDX`, isFixed: false },
    { id: "one-page-fixed", what: "one contended folio; the mapped pointers are unmapped", isFixed: true, undone: "one-page" },
    { id: "many-pages-fixed", what: "contended folios in a row; the mapped pointers are unmapped", isFixed: true, undone: "many-pages" },
  ],
  axes: { eras: [], releases: ["6.8"], byArchitecture: false },
  build({ variant, release }) {
    // Before, HIGHPTE maps with kmap_atomic().
    if (!atLeast(release, "6.5")) return null;
    const model = modelBuilder(`pte-unmap-of-copy, ${variant}`);
    const folio = spinlock(model, "folio lock");
    addMover(model, folio, TOLD[variant]!);
    const owner = model.thread("another user of the folio", "daemon");
    owner.label("again");
    owner.step({ text: "folio_lock(folio)", ...spinLock(folio) });
    owner.step({ text: "folio_unlock(folio)", ...together(spinUnlock(folio), { alternatives: [{ to: "again" }] }) });
    return model.finish();
  },
  expected({ variant }) {
    const { unmaps, pages } = TOLD[variant]!;
    return unmaps === "pointer" ? "pass" : { fails: pages === "one" ? "leak-at-exit" : "bug-on" };
  },
};
