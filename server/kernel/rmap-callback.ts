// SPDX-License-Identifier: GPL-2.0-only

/** Functions that run under a walk of the reverse map. */
interface RmapUsers {
  readonly names: readonly string[];
  readonly source: string;
}

/*
 * rmap_walk_file() takes i_mmap_rwsem or its caller holds it (rmap_walk_locked()); the VMAs of rmap_walk_anon() are private.
 * Either way a PMD table that such a function walks cannot be unshared behind its back.
 */
const USERS: readonly RmapUsers[] = [
  { names: ["page_vma_mapped_walk"], source: "mm/page_vma_mapped.c:151-173, mm/rmap.c:2422-2534 (6.1.192)" },
  {
    names: [
      "try_to_unmap_one", "try_to_migrate_one", "folio_referenced_one", "page_referenced_one", "page_mkclean_one",
      "page_vma_mkclean_one", "page_mlock_one", "try_to_munlock_one", "page_make_device_exclusive_one",
    ],
    source: "mm/rmap.c (6.1.192 and before): rmap_one of struct rmap_walk_control",
  },
  { names: ["remove_migration_pte"], source: "mm/migrate.c:1417 (6.1.192): rmap_one" },
  { names: ["page_mapped_in_vma"], source: "mm/page_vma_mapped.c, mm/memory-failure.c (6.1.192)" },
];

const NAMES: ReadonlySet<string> = new Set(USERS.flatMap(({ names }) => names));

/** True where every caller holds i_mmap_rwsem, or walks a private mapping. */
export const runsUnderRmapWalk = (name: string): boolean => NAMES.has(name);
