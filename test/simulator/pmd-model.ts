// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder } from "../../server/simulator/build.ts";
import type { ModelBuilder, ThreadBuilder } from "../../server/simulator/build.ts";
import { assign, decrement, increment } from "../../server/simulator/effect.ts";
import { and, eq, gt } from "../../server/simulator/expression.ts";
import type { Field } from "../../server/simulator/expression.ts";
import type { Model } from "../../server/simulator/model.ts";
import { downRead, downWrite, rwsem, upRead, upWrite } from "../../server/simulator/objects/rwsem.ts";

/** How the walker of a shared hugetlb PMD table protects itself. */
export type Protection = "none" | "vma-lock" | "i-mmap" | "rcu";

interface Objects {
  readonly model: ModelBuilder;
  readonly mmapA: Field;
  readonly mmapB: Field;
  readonly vmaA: Field;
  readonly vmaB: Field;
  readonly imap: Field;
  readonly rcu: Field;
  readonly refs: Field;
  readonly freed: Field;
  readonly queued: Field;
  readonly pudA: Field;
  readonly pudB: Field;
  readonly protection: Protection;
}

const declare = (protection: Protection): Objects => {
  const model = modelBuilder(`pmd ${protection}`);
  return {
    model,
    mmapA: rwsem(model, "mmap_lock(A)"),
    mmapB: rwsem(model, "mmap_lock(B)"),
    vmaA: rwsem(model, "vma_lock(A)"),
    vmaB: rwsem(model, "vma_lock(B)"),
    imap: rwsem(model, "i_mmap_rwsem"),
    rcu: model.field("rcu readers"),
    refs: model.field("table refs", 2),
    freed: model.field("table", 0, { labels: { 0: "live", 1: "freed" } }),
    queued: model.field("queued"),
    pudA: model.field("pud_A", 1, { labels: { 0: "none", 1: "table" } }),
    pudB: model.field("pud_B", 1, { labels: { 0: "none", 1: "table" } }),
    protection,
  };
};

const useTable = (thread: ThreadBuilder, { freed }: Objects, text: string): number =>
  thread.step({
    text,
    checks: [{ holds: eq(freed, 0), property: "uaf", message: "the walker uses a freed page table page" }],
  });

const addWalker = (objects: Objects): void => {
  const { model, mmapA, vmaA, imap, rcu, pudA, protection } = objects;
  const walker = model.thread("walker", "review");
  const pud = walker.local("pud", 0, { hidden: true });
  walker.step({ text: "mmap_read_lock(A)", ...downRead(mmapA) });
  if (protection === "vma-lock") walker.step({ text: "hugetlb_vma_lock_read(A)", ...downRead(vmaA) });
  if (protection === "i-mmap") walker.step({ text: "i_mmap_lock_read(mapping)", ...downRead(imap) });
  if (protection === "rcu") walker.step({ text: "rcu_read_lock()", effect: [increment(rcu)] });
  walker.step({ text: "pud = READ_ONCE(*pudp)", effect: [assign(pud, pudA)] });
  walker.step({
    text: "if (pud_present(pud))",
    alternatives: [{ guard: eq(pud, 1) }, { guard: eq(pud, 0), to: "out" }],
  });
  useTable(walker, objects, "pte = pmd_offset(pud, addr)");
  model.reach(walker, useTable(walker, objects, "huge_ptep_get(pte)"), "the walker reads the entry");
  walker.label("out");
  if (protection === "rcu") walker.step({ text: "rcu_read_unlock()", effect: [decrement(rcu)] });
  if (protection === "i-mmap") walker.step({ text: "i_mmap_unlock_read(mapping)", ...upRead(imap) });
  if (protection === "vma-lock") walker.step({ text: "hugetlb_vma_unlock_read(A)", ...upRead(vmaA) });
  walker.step({ text: "mmap_read_unlock(A)", ...upRead(mmapA) });
};

const addPut = (thread: ThreadBuilder, { refs, freed, queued, protection }: Objects): number =>
  thread.step({
    text: "put_page(table)",
    alternatives: [
      { guard: gt(refs, 1), effect: [decrement(refs)] },
      { guard: eq(refs, 1), effect: [assign(refs, 0), assign(protection === "rcu" ? queued : freed, 1)], note: "last reference" },
    ],
  });

const addClear = (thread: ThreadBuilder, objects: Objects, pud: Field): void => {
  const had = thread.local("had", 0, { hidden: true });
  thread.step({ text: `pud = *${pud.name}`, effect: [assign(had, pud)] });
  thread.step({ text: "if (present)", alternatives: [{ guard: eq(had, 1) }, { guard: eq(had, 0), to: "out" }] });
  thread.step({ text: `pud_clear(${pud.name})`, effect: [assign(pud, 0)] });
  objects.model.reach(thread, addPut(thread, objects), `the table of ${pud.name} is put`);
  thread.label("out");
};

const addUnsharer = (objects: Objects): void => {
  const { model, mmapA, vmaA, imap, pudA } = objects;
  const unsharer = model.thread("unsharer", "environment");
  unsharer.step({ text: "mmap_read_lock(A)", ...downRead(mmapA) });
  unsharer.step({ text: "hugetlb_vma_lock_write(A)", ...downWrite(vmaA) });
  unsharer.step({ text: "i_mmap_lock_write(mapping)", ...downWrite(imap) });
  addClear(unsharer, objects, pudA);
  unsharer.step({ text: "i_mmap_unlock_write(mapping)", ...upWrite(imap) });
  unsharer.step({ text: "hugetlb_vma_unlock_write(A)", ...upWrite(vmaA) });
  unsharer.step({ text: "mmap_read_unlock(A)", ...upRead(mmapA) });
};

const addUnmapper = (objects: Objects): void => {
  const { model, mmapB, vmaB, imap, pudB } = objects;
  const unmapper = model.thread("munmap(B)", "environment");
  unmapper.step({ text: "mmap_write_lock(B)", ...downWrite(mmapB) });
  unmapper.step({ text: "hugetlb_vma_lock_write(B)", ...downWrite(vmaB) });
  unmapper.step({ text: "i_mmap_lock_write(mapping)", ...downWrite(imap) });
  addClear(unmapper, objects, pudB);
  unmapper.step({ text: "i_mmap_unlock_write(mapping)", ...upWrite(imap) });
  unmapper.step({ text: "hugetlb_vma_unlock_write(B)", ...upWrite(vmaB) });
  unmapper.step({ text: "mmap_write_unlock(B)", ...upWrite(mmapB) });
};

const addFaulter = (objects: Objects, name: string): void => {
  const { model, mmapA, vmaA, pudA } = objects;
  const faulter = model.thread(name, "environment");
  const pud = faulter.local("pud", 0, { hidden: true });
  faulter.step({ text: "mmap_read_lock(A)", ...downRead(mmapA) });
  faulter.step({ text: "hugetlb_vma_lock_read(A)", ...downRead(vmaA) });
  faulter.step({ text: "pud = READ_ONCE(*pudp)", effect: [assign(pud, pudA)] });
  faulter.step({ text: "if (pud)", alternatives: [{ guard: eq(pud, 1) }, { guard: eq(pud, 0), to: "out" }] });
  useTable(faulter, objects, "dereference");
  faulter.label("out");
  faulter.step({ text: "hugetlb_vma_unlock_read(A)", ...upRead(vmaA) });
  faulter.step({ text: "mmap_read_unlock(A)", ...upRead(mmapA) });
};

/**
 * One process walks a page table page that a second one shares, while a third thread unshares it and the second unmaps its
 * last use. `faulters` more threads walk under all locks.
 */
export const pmdModel = (protection: Protection, faulters = 0): Model => {
  const objects = declare(protection);
  addWalker(objects);
  addUnsharer(objects);
  addUnmapper(objects);
  if (protection === "rcu") {
    objects.model.thread("grace period", "daemon").step({
      text: "the grace period ends: the table is freed",
      guard: and(eq(objects.queued, 1), eq(objects.rcu, 0)),
      effect: [assign(objects.freed, 1)],
    });
  }
  for (let index = 0; index < faulters; index++) addFaulter(objects, `fault ${index}`);
  return objects.model.finish();
};
