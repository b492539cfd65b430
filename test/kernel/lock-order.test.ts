// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import type { LockClass } from "../../server/kernel/effect.ts";
import { LOCK_FIELDS, nestsInside } from "../../server/kernel/lock-order.ts";

const CLASSES: readonly LockClass[] = [
  "mmap_lock", "vma_lock", "hugetlb_fault_mutex", "hugetlb_vma_lock", "i_mmap_rwsem", "anon_vma", "folio_lock", "ptl",
  "spinlock", "mutex", "rwsem",
];

describe("nestsInside", () => {
  const inside: readonly [inner: LockClass, outer: LockClass, documented: boolean][] = [
    ["ptl", "mmap_lock", true],
    ["hugetlb_vma_lock", "hugetlb_fault_mutex", true],
    ["i_mmap_rwsem", "hugetlb_vma_lock", true],
    ["hugetlb_vma_lock", "i_mmap_rwsem", false],
    ["anon_vma", "i_mmap_rwsem", true],
    ["anon_vma", "folio_lock", true],
    ["ptl", "anon_vma", true],
    // hugetlb folios are locked inside i_mmap_rwsem, others outside.
    ["folio_lock", "i_mmap_rwsem", false],
    ["i_mmap_rwsem", "folio_lock", false],
    ["spinlock", "mmap_lock", false],
  ];
  it.each(inside)("%s inside %s: %s", (inner, outer, documented) => {
    expect(nestsInside(inner, outer)).toBe(documented);
  });

  it("is never true both ways, nor for a class and itself", () => {
    const pairs = CLASSES.flatMap((a) => CLASSES.map((b) => [a, b] as const));
    expect(pairs.filter(([a, b]) => nestsInside(a, b) && nestsInside(b, a))).toEqual([]);
  });
});

describe("LOCK_FIELDS", () => {
  it("resolves the fields that generic calls name, and nothing inherited", () => {
    expect(LOCK_FIELDS.mmap_sem).toBe("mmap_lock");
    expect(LOCK_FIELDS.rw_sema).toBe("hugetlb_vma_lock");
    expect(LOCK_FIELDS.constructor).toBeUndefined();
    expect(Object.values(LOCK_FIELDS).filter((lock) => !CLASSES.includes(lock))).toEqual([]);
  });
});
