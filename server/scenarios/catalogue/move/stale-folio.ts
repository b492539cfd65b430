// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { assign, assignAt } from "../../../simulator/effect.ts";
import { and, element, eq, ne, or } from "../../../simulator/expression.ts";
import { clearEntry, entry, isSame, readEntry, setEntry, type Entry } from "../../../simulator/objects/entry.ts";
import { folios, type Folios } from "../../../simulator/objects/folio.ts";
import { spinLock, spinlock, spinTrylock, spinUnlock, type Spinlock } from "../../../simulator/objects/spinlock.ts";
import type { CatalogueScenario } from "../scenario.ts";

const NAMES = ["F1", "F2"];

interface Objects {
  readonly model: ModelBuilder;
  readonly src: Entry;
  readonly dst: Entry;
  readonly other: Entry;
  readonly all: Folios;
  /** The lock of F1. */
  readonly folio: Spinlock;
  readonly ptl: Spinlock;
}

function addMover({ model, src, dst, other, all, folio, ptl }: Objects, variant: string): void {
  const thread = model.thread("remap_pages_pte()", "review");
  const names = { labels: { 0: "none", 1: "F1", 2: "F2" } };
  const [orig, kept] = [thread.local("orig_src_pte", 0, names), thread.local("src_folio", 0, { labels: { ...names.labels, 0: "NULL" } })];
  thread.label("retry");
  thread.step({ text: "orig_src_pte = ptep_get(src_pte)", ...readEntry(src, orig) });
  if (variant === "compared")
    thread.step({
      text: "if (src_folio && !pte_same(src_folio_pte, orig_src_pte))", isFix: true,
      alternatives: [
        { guard: or(eq(kept, 0), eq(kept, orig)) },
        { guard: and(ne(kept, 0), ne(kept, orig)), to: "unlock folio", note: "another page: err = -EAGAIN" },
      ],
    });
  thread.step({
    text: "if (pte_none(orig_src_pte))", hidden: true,
    alternatives: [{ guard: ne(orig, 0) }, { guard: and(eq(orig, 0), ne(kept, 0)), to: "unlock folio" }, { guard: and(eq(orig, 0), eq(kept, 0)), to: "END" }],
  });
  thread.step({
    text: "if (!src_folio) src_folio = vm_normal_folio(orig_src_pte)",
    alternatives: [
      { guard: ne(kept, 0), to: "move", note: "kept from the last pass" },
      { guard: and(eq(kept, 0), eq(orig, 1)) },
      { guard: and(eq(kept, 0), ne(orig, 1)), to: "END", note: "F2 already: the other one was first" },
    ],
  });
  thread.step({ text: "folio_trylock(src_folio)", ...spinTrylock(folio, "busy") });
  thread.step({ text: "src_folio_pte = orig_src_pte", hidden: true, effect: [assign(kept, orig)] });
  thread.label("move");
  thread.step({ text: "double_pt_lock(dst_ptl, src_ptl)", ...spinLock(ptl) });
  thread.step({
    text: "pte_same(ptep_get(src_pte), orig_src_pte)",
    alternatives: [{ guard: isSame(orig, src), note: "same" }, { guard: ne(orig, src), to: "unlock", note: "changed: err = -EAGAIN" }],
  });
  thread.step({
    text: "folio_estimated_sharers(src_folio) == 1",
    alternatives: [{ guard: eq(element(all.mapcount, kept), 1) }, { guard: ne(element(all.mapcount, kept), 1), to: "unlock", note: "err = -EBUSY" }],
  });
  thread.step({ text: "ptep_clear_flush(src_vma, src_addr, src_pte)", ...clearEntry(src) });
  const set = thread.step({
    text: "set_pte_at(dst_mm, dst_addr, dst_pte, mk_pte(src_folio))",
    ...together(setEntry(dst, kept), {
      alternatives: [
        {
          checks: [
            {
              holds: ne(other, kept),
              property: "rmap-mismatch",
              message: "F1 is mapped at two places with mapcount 1, and F2, which the source mapped, is lost",
            },
          ],
        },
      ],
    }),
  });
  thread.label("unlock");
  thread.step({ text: "double_pt_unlock(dst_ptl, src_ptl)", ...spinUnlock(ptl) });
  thread.label("unlock folio");
  thread.step({ text: "folio_unlock(src_folio)", ...together(spinUnlock(folio), { alternatives: [{ to: "END" }] }) });
  thread.label("busy");
  thread.step({
    text: "pte_unmap(src_pte); pte_unmap(dst_pte); folio_lock(src_folio); goto retry",
    ...together(spinLock(folio), { alternatives: [{ effect: [assign(kept, orig)], to: "retry" }] }),
  });
  model.reach(thread, set, "the page is moved");
}

/** Another thread moves the page away and fills the place again, both under the locks that the ioctls take. */
function addOther({ model, src, other, folio, ptl, all }: Objects): void {
  const thread = model.thread("another thread", "environment");
  thread.step({ text: "UFFDIO_REMAP of the source: folio_trylock(F1)", ...spinTrylock(folio, "END") });
  thread.step({ text: "UFFDIO_REMAP: double_pt_lock()", ...spinLock(ptl) });
  const moved = thread.step({
    text: "UFFDIO_REMAP: moves F1 to a third place",
    alternatives: [{ guard: eq(src, 1), effect: [assign(other, 1), assign(src, 0)] }, { guard: ne(src, 1), note: "is gone" }],
  });
  thread.step({ text: "UFFDIO_REMAP: double_pt_unlock()", ...spinUnlock(ptl) });
  thread.step({ text: "UFFDIO_REMAP: folio_unlock(F1)", ...spinUnlock(folio) });
  thread.step({
    text: "UFFDIO_COPY to the source: installs F2",
    alternatives: [{ guard: and(eq(src, 0), eq(ptl, 0)), effect: [assign(src, 2), assignAt(all.mapcount, 2, 1)] }, { guard: ne(src, 0), note: "-EEXIST" }],
  });
  model.reach(thread, moved, "the other moves first");
}

/** After a wait for its lock, the folio of the last pass is kept although the entry maps another one by now. */
export const staleFolio: CatalogueScenario = {
  id: "move-stale-folio",
  rules: ["pte-recheck-missing", "anon-move-unexclusive"],
  title: "a retry keeps the folio of the last pass and moves it in the place of another",
  sources: ["UFFDIO_REMAP, RFC of September 2023: remap_pages_pte(), retry with src_folio", "adef440691ba (6.8): src_folio_pte"],
  properties: ["rmap-mismatch"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "kept", what: "src_folio is kept over the retry", isFixed: false },
    { id: "compared", what: "the entry is compared with the one that src_folio was found in", isFixed: true },
  ],
  axes: { eras: [], releases: ["6.8"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`move-stale-folio, ${variant}`);
    const objects: Objects = {
      model,
      src: entry(model, "src_pte", 1, NAMES),
      dst: entry(model, "dst_pte", 0, NAMES),
      other: entry(model, "third place", 0, NAMES),
      all: folios(model, 2, 1, NAMES),
      folio: spinlock(model, "lock of F1"),
      ptl: spinlock(model, "page-table locks"),
    };
    addMover(objects, variant);
    addOther(objects);
    return model.finish();
  },
  expected: ({ variant }) => (variant === "kept" ? { fails: "rmap-mismatch" } : "pass"),
};
