// SPDX-License-Identifier: GPL-2.0-only
import type { LockClass } from "./effect.ts";

/** A class that has a place in the lock order of mm/; the others are whatever a driver has. */
export type NamedLockClass = Exclude<LockClass, "spinlock" | "mutex" | "rwsem" | "lock">;

/** What people call the locks of a class; the first is what models call them, up to blanks and the object in brackets. */
const WORDS: Readonly<Record<NamedLockClass, readonly string[]>> = {
  mmap_lock: ["mmap_lock", "mmap_sem"],
  vma_lock: ["vma lock", "vma->vm_lock", "per-vma lock"],
  hugetlb_fault_mutex: ["hugetlb fault mutex", "hugetlb_fault_mutex_table"],
  hugetlb_vma_lock: ["hugetlb vma lock"],
  i_mmap_rwsem: ["i_mmap_rwsem", "i_mmap_mutex", "i_mmap_lock"],
  anon_vma: ["anon_vma lock", "anon_vma", "anon_vma->rwsem"],
  folio_lock: ["folio lock", "page lock"],
  ptl: ["page-table lock", "page-table locks", "pte lock", "ptl", "page_table_lock"],
};

const plain = (name: string): string => name.toLowerCase().replace(/[\s_]+/g, " ").trim();

const CLASSES: ReadonlyMap<string, NamedLockClass> = new Map(
  (Object.keys(WORDS) as NamedLockClass[]).flatMap((one) => [one, ...WORDS[one]].map((word) => [plain(word), one] as const)),
);

/** The class that a name means, with or without the object in brackets, such as `mmap_lock(A)`; null where it is none of mm/. */
export const lockClassNamed = (name: string): NamedLockClass | null => CLASSES.get(plain(name.replace(/\([^()]*\)$/, ""))) ?? null;

/** True where two names differ in case, blanks and underscores only. */
export const isSameName = (a: string, b: string): boolean => plain(a) === plain(b);

/** The lock in a sentence: `the hugetlb vma lock`, `mmap_lock`; a generic class as it is. */
export function lockWords(lock: LockClass): string {
  const [word = lock] = lock in WORDS ? WORDS[lock as NamedLockClass] : [];
  return word.includes(" ") ? `the ${word}` : word;
}
