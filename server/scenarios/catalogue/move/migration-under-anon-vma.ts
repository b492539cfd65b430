// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { assign } from "../../../simulator/effect.ts";
import { and, eq, ne, or } from "../../../simulator/expression.ts";
import { clearEntry, entry, isSame, MIGRATION, readEntry, setEntry, type Entry } from "../../../simulator/objects/entry.ts";
import { downRead, downWrite, rwsem, tryDownWrite, upRead, upWrite, type Rwsem } from "../../../simulator/objects/rwsem.ts";
import type { CatalogueScenario } from "../scenario.ts";

interface Objects {
  readonly model: ModelBuilder;
  readonly src: Entry;
  readonly anonVma: Rwsem;
}

function addMover({ model, src, anonVma }: Objects, variant: string): void {
  const thread = model.thread("remap_pages_pte()", "review");
  const names = { labels: { 0: "none", 1: "F", 2: "N", 101: "migration entry" } };
  const [orig, folioPte] = [thread.local("orig_src_pte", 0, names), thread.local("src_folio_pte", 0, names)];
  const held = thread.local("anon_vma held", 0, { hidden: true });
  thread.label("retry");
  thread.step({ text: "orig_src_pte = ptep_get(src_pte)", ...readEntry(src, orig) });
  if (variant === "compared")
    thread.step({
      text: "if (src_folio && !pte_same(src_folio_pte, orig_src_pte))", isFix: true,
      alternatives: [
        { guard: or(eq(folioPte, 0), eq(folioPte, orig)) },
        { guard: and(ne(folioPte, 0), ne(folioPte, orig)), to: "out", note: "another page: err = -EAGAIN" },
      ],
    });
  const kinds = thread.step({
    text: "pte_present(orig_src_pte)",
    alternatives: [
      { guard: eq(orig, 1), effect: [assign(folioPte, orig)] },
      { guard: and(eq(orig, 2), ne(folioPte, 0)), note: "N, while src_folio is F still" },
      { guard: and(eq(orig, 2), eq(folioPte, 0)), to: "out", note: "N already: the other one was first" },
      { guard: eq(orig, MIGRATION), to: "wait", note: "a migration entry" },
      { guard: eq(orig, 0), to: "out", note: "none: err = -ENOENT" },
    ],
  });
  thread.step({ text: "if (!src_anon_vma)", hidden: true, alternatives: [{ guard: eq(held, 0) }, { guard: eq(held, 1), to: "move" }] });
  thread.step({ text: "anon_vma_trylock_write(src_anon_vma)", ...tryDownWrite(anonVma, "busy") });
  thread.step({ text: "src_anon_vma is locked", hidden: true, effect: [assign(held, 1)] });
  thread.label("move");
  const move = thread.step({
    text: "pte_same(): the page is moved",
    alternatives: [
      { guard: and(isSame(orig, src), eq(orig, 1)), effect: [assign(src, 0)] },
      { guard: or(ne(orig, src), ne(orig, 1)), note: "changed: err = -EAGAIN" },
    ],
  });
  thread.label("out");
  thread.step({
    text: "anon_vma_unlock_write(src_anon_vma)",
    alternatives: [{ ...upWrite(anonVma).alternatives[0]!, guard: eq(held, 1) }, { guard: eq(held, 0), note: "not held" }],
    releases: [{ lock: anonVma }],
  });
  thread.step({ text: "return err", hidden: true, to: "END" });
  thread.label("busy");
  thread.step({
    text: "pte_unmap(src_pte); pte_unmap(dst_pte); anon_vma_lock_write(src_anon_vma); goto retry",
    ...together(downWrite(anonVma), { alternatives: [{ effect: [assign(held, 1)], to: "retry" }] }),
  });
  thread.label("wait");
  thread.step({ text: "migration_entry_wait(src_mm, src_pmd, src_addr)", guard: ne(src, MIGRATION), to: "out" });
  model.reach(thread, kinds, "the entry is judged");
  model.reach(thread, move, "the page is moved");
}

/** The page is dropped and another one, N, comes in its place: no lock of the old folio is needed for that. */
function addRefault({ model, src }: Objects): void {
  const thread = model.thread("another thread", "environment");
  thread.step({ text: "MADV_DONTNEED of the source", ...clearEntry(src) });
  thread.step({ text: "do_anonymous_page(): maps N", guard: eq(src, 0), effect: [assign(src, 2)] });
}

/** Compaction migrates N, with the anon_vma locked for reading each time the page tables are changed. */
function addMigration({ model, src, anonVma }: Objects): void {
  const thread = model.thread("compaction of N", "environment");
  thread.step({ text: "folio_trylock(N)", guard: eq(src, 2) });
  thread.step({ text: "try_to_migrate(): anon_vma_lock_read()", ...downRead(anonVma) });
  const install = thread.step({
    text: "try_to_migrate_one(): installs a migration entry",
    alternatives: [{ guard: eq(src, 2), effect: [assign(src, MIGRATION)] }, { guard: ne(src, 2), note: "not mapped any more" }],
  });
  thread.step({ text: "try_to_migrate(): anon_vma_unlock_read()", ...upRead(anonVma) });
  thread.step({ text: "remove_migration_ptes(): anon_vma_lock_read()", ...downRead(anonVma) });
  thread.step({
    text: "remove_migration_pte()",
    alternatives: [{ guard: eq(src, MIGRATION), ...setEntry(src, 2).alternatives[0] }, { guard: ne(src, MIGRATION), note: "nothing to restore" }],
  });
  thread.step({ text: "remove_migration_ptes(): anon_vma_unlock_read()", ...upRead(anonVma) });
  model.reach(thread, install, "the page is being migrated");
}

/** A retry that keeps the anon_vma locked waits for a migration that needs it. */
export const migrationUnderAnonVma: CatalogueScenario = {
  id: "move-migration-wait-under-anon-vma",
  rules: ["lock-order", "pte-recheck-missing"],
  title: "a migration entry is waited for with the anon_vma of its page locked",
  sources: [
    "UFFDIO_REMAP, RFC of September 2023: remap_pages_pte(), migration_entry_wait() on the retry",
    "adef440691ba (6.8): src_folio_pte is compared first",
  ],
  properties: ["unlock-not-held"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "kept", what: "src_anon_vma is kept over the retry", isFixed: false },
    { id: "compared", what: "an entry that changed is returned before anything is waited for", isFixed: true },
  ],
  axes: { eras: [], releases: ["6.8"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`move-migration-wait-under-anon-vma, ${variant}`);
    const objects: Objects = { model, src: entry(model, "src_pte", 1, ["F", "N"]), anonVma: rwsem(model, "anon_vma lock") };
    addMover(objects, variant);
    addRefault(objects);
    addMigration(objects);
    return model.finish();
  },
  expected: ({ variant }) => (variant === "kept" ? { fails: "deadlock" } : "pass"),
};
