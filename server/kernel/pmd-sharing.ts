// SPDX-License-Identifier: GPL-2.0-only
import type { LockClass, LockMode, ReleaseRange } from "./effect.ts";
import { atLeast, covers, type Release } from "./release.ts";

/** What keeps a PMD table that hugetlb mappings share from being unshared, over a range of releases. */
export interface PmdSharingLocks extends ReleaseRange {
  /** True where unsharing takes the hugetlb lock of the VMA for writing as well. */
  readonly hasVmaLock: boolean;
  /** The locks that count, in words. */
  readonly words: string;
  /** The section that a walker needs around lookup and use. `of`: what the lock belongs to. */
  readonly walker: {
    readonly lock: LockClass;
    readonly mode: LockMode;
    readonly of: "vma" | "mapping";
    /** Calls, with `%` for the object. */
    readonly take: string;
    readonly drop: string;
  };
  /** How huge_pmd_share(), and with it huge_pte_alloc(), takes i_mmap_rwsem itself; null: its caller has to hold it. */
  readonly shareTakes: "read" | "write" | null;
  readonly source: string;
}

const MAPPING_LOCK = {
  hasVmaLock: false,
  words: "i_mmap_rwsem",
  walker: { lock: "i_mmap_rwsem", mode: "read", of: "mapping", take: "i_mmap_lock_read(%)", drop: "i_mmap_unlock_read(%)" },
} as const;

const LOCKS: readonly PmdSharingLocks[] = [
  {
    since: "6.1",
    hasVmaLock: true,
    words: "the hugetlb vma lock or i_mmap_rwsem",
    walker: { lock: "hugetlb_vma_lock", mode: "read", of: "vma", take: "hugetlb_vma_lock_read(%)", drop: "hugetlb_vma_unlock_read(%)" },
    shareTakes: "read",
    source: "40549ba8f8e0, 131a79b474e9, 3a47c54f09c4",
  },
  {
    since: "5.7",
    until: "6.1",
    ...MAPPING_LOCK,
    shareTakes: null,
    source: "c0d0381ade79 (5.7): faults take it for reading because of shared PMD tables",
  },
  {
    since: "3.19",
    until: "5.7",
    ...MAPPING_LOCK,
    shareTakes: "write",
    source: "mm/hugetlb.c, huge_pmd_share() before c0d0381ade79; unsharing held it for writing",
  },
  {
    until: "3.19",
    hasVmaLock: false,
    words: "i_mmap_mutex",
    walker: { lock: "i_mmap_rwsem", mode: "write", of: "mapping", take: "mutex_lock(&%->i_mmap_mutex)", drop: "mutex_unlock(&%->i_mmap_mutex)" },
    shareTakes: "write",
    source: "include/linux/fs.h (3.18); unverified before 3.0",
  },
];

export function pmdSharingLocks(release: Release): PmdSharingLocks {
  const found = LOCKS.find((one) => covers(one, release));
  if (!found) throw new Error("the table covers all releases");
  return found;
}

/** What huge_pmd_unshare() asserts of its caller where the table is shared, with CONFIG_LOCKDEP. */
export interface UnshareAsserts {
  /** i_mmap_rwsem, held for writing. */
  readonly mapping: boolean;
  /** The hugetlb lock of the VMA, in any mode. */
  readonly vmaLock: boolean;
}

/** mm/hugetlb.c: 34ae204f1851 (5.9), 40549ba8f8e0 (6.1). */
export const unshareAsserts = (release: Release): UnshareAsserts => ({ mapping: atLeast(release, "5.9"), vmaLock: pmdSharingLocks(release).hasVmaLock });

/**
 * Functions that unshare tables in the invalidation of their caller. Up to 6.1 they had one of their own (369258ce41c6, 6.2).
 */
const UNSHARE_FOR_CALLER = new Set(["__unmap_hugepage_range", "__unmap_hugepage_range_final"]);

/** True for a function of the kernel that unshares tables and leaves it to its caller to tell of them. */
export const unsharesForCaller = (name: string, release: Release): boolean => atLeast(release, "6.2") && UNSHARE_FOR_CALLER.has(name);
