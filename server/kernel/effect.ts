// SPDX-License-Identifier: GPL-2.0-only

/** Position of a call's argument, from 0. */
export type Argument = number;

/**
 * Lock classes as mm code knows them. `spinlock`, `mutex` and `rwsem` are the generic ones; a generic lock call on a
 * known field (`&mm->mmap_lock`) or on a pointer that a page-table map handed out is resolved to the specific class.
 */
export type LockClass =
  | "mmap_lock"
  | "vma_lock"
  | "hugetlb_fault_mutex"
  | "hugetlb_vma_lock"
  | "i_mmap_rwsem"
  | "anon_vma"
  | "folio_lock"
  | "ptl"
  | "spinlock"
  | "mutex"
  | "rwsem";

export type LockMode = "read" | "write" | "exclusive";

/** Which value of the call means that the lock (or reference) is held. */
export type HeldWhen = "always" | "nonzero" | "zero";

/** A bound on releases: `since` is the first release that has it, `until` the first that has not. */
export interface ReleaseRange {
  readonly since?: string;
  readonly until?: string;
}

/**
 * What a call does to the kernel's objects: the stable vocabulary that both interpreters run. One call may have
 * several effects, in order. Free of release: what depends on the release is said by the fact that carries the effect.
 */
export type Effect =
  | {
      readonly kind: "acquire";
      readonly lock: LockClass;
      /** Argument that names the object; null where the lock is global, or where the call's value names it. */
      readonly object: Argument | null;
      readonly mode: LockMode;
      readonly sleeps: boolean;
      readonly held: HeldWhen;
      /** True where the call's value is the object that is locked now (NULL: nothing is), as `lock_vma_under_rcu()`. */
      readonly objectIsValue?: boolean;
    }
  | { readonly kind: "release"; readonly lock: LockClass; readonly object: Argument | null; readonly mode: LockMode }
  /** lockdep-style assertion: the caller holds the lock, in any of the modes. */
  | { readonly kind: "assertHeld"; readonly lock: LockClass; readonly object: Argument | null; readonly mode: LockMode | "any" }
  | { readonly kind: "enterAtomic"; readonly reason: "rcu" | "irq" | "preempt" | "lazy_mmu" }
  | { readonly kind: "leaveAtomic"; readonly reason: "rcu" | "irq" | "preempt" | "lazy_mmu" }
  | { readonly kind: "maySleep" }
  /** Maps a page table entry; the call's value is the pointer. */
  | {
      readonly kind: "mapPte";
      readonly mm: Argument | null;
      /** Names the page table: the pmd; the address in forms that take no pmd (`get_locked_pte()`). */
      readonly pmd: Argument;
      readonly address: Argument | null;
      /** `spinlock_t **` that receives the page-table lock. */
      readonly ptlOut: Argument | null;
      /** True where the lock is taken too. */
      readonly locks: boolean;
      /** True where NULL is possible. */
      readonly mayFail: boolean;
      /** True where the mapping is an RCU read-side section. */
      readonly rcu: boolean;
      /** `pte_t **` that receives the pointer, in forms whose value is an error code (`follow_pte()`: 0 is mapped). */
      readonly pteOut?: Argument;
      /** `pmd_t *` that receives the pmd value at the time of mapping. */
      readonly pmdOut?: Argument;
    }
  | { readonly kind: "unmapPte"; readonly pte: Argument; readonly ptl: Argument | null; readonly rcu: boolean }
  /**
   * The call's value is a page-table lock, not taken. `below`: of the table that the entry points to (`pte_lockptr()`
   * takes a pmd); `own`: of the table that holds the entry. Missing: own.
   */
  | { readonly kind: "ptlOf"; readonly of: Argument; readonly table?: "below" | "own" }
  | { readonly kind: "notifierInit"; readonly range: Argument; readonly mm: Argument; readonly start: Argument; readonly end?: Argument }
  /** A non-blocking start returns 0 or -EAGAIN; a blocking one has no value. */
  | { readonly kind: "notifierStart"; readonly range: Argument; readonly blocking: boolean }
  | { readonly kind: "notifierEnd"; readonly range: Argument }
  /** Lockless walk to a hugetlb entry; the call's value is the pointer or NULL. */
  | { readonly kind: "hugetlbWalk"; readonly mm: Argument | null; readonly vma: Argument | null; readonly asserts: boolean }
  /** Reads or writes the entry through the pointer. */
  | { readonly kind: "accessEntry"; readonly pte: Argument; readonly write: boolean }
  /**
   * Takes the lock that lives with the table of the entry; the call's value is the lock (held).
   * `held: "nonzero"`: NULL is possible and means that nothing is held. Missing: always held.
   */
  | { readonly kind: "lockEntryTable"; readonly pte: Argument; readonly held?: HeldWhen }
  /** Removes the entry; the call's value is the old entry. */
  | { readonly kind: "clearEntry"; readonly pte: Argument; readonly flush: boolean }
  /** Removes all entries of a range of a VMA. */
  | { readonly kind: "clearRange"; readonly vma: Argument; readonly start: Argument }
  | { readonly kind: "setEntry"; readonly pte: Argument; readonly value: Argument }
  /** `held`: which value means that the reference was taken. Missing: always. */
  | { readonly kind: "getReference"; readonly object: Argument; readonly held?: HeldWhen }
  | { readonly kind: "putReference"; readonly object: Argument }
  | { readonly kind: "getAnonVma"; readonly folio: Argument }
  /** Takes a GUP reference or pin on a page already found, by flags. */
  | { readonly kind: "grabPage"; readonly page: Argument; readonly flags: Argument; readonly held: HeldWhen }
  | {
      readonly kind: "gup";
      readonly reference: "get" | "pin";
      readonly form: "plain" | "remote" | "unlocked" | "locked" | "fast" | "fast-only";
      /** Flag word, or null where the form takes booleans. */
      readonly flags: Argument | null;
      /** Boolean `write` (and `force`) of the old forms. */
      readonly write: Argument | null;
      readonly force: Argument | null;
      readonly pages: Argument | null;
      readonly impliesLongterm: boolean;
    }
  /** `flags`: flag word that decides between get and pin where the call takes one; `reference` is then the default. */
  | { readonly kind: "unpin"; readonly reference: "get" | "pin"; readonly pages: Argument; readonly flags?: Argument }
  /** Steps inside GUP itself that a patch to GUP decides about. */
  | { readonly kind: "gupFollow"; readonly path: "normal" | "hugetlb"; readonly flags: Argument }
  | { readonly kind: "gupFault"; readonly flags: Argument }
  | { readonly kind: "gupFastWalk"; readonly write: Argument };

/**
 * What a call without effects computes, so that conditions can be decided on model state.
 * `of` lists the argument positions in the order in which the meaning takes them: one value for most, two entries
 * for `entry-same`, flags and page (and vma, where the call takes one) for `must-unshare`.
 */
export interface PureMeaning {
  readonly meaning:
    | "identity"
    | "load-entry"
    | "entry-none"
    | "entry-present"
    | "entry-same"
    | "entry-write"
    | "entry-dirty"
    | "folio-mapcount"
    | "folio-anon"
    | "cow-mapping"
    | "hugetlb-vma"
    | "error-pointer"
    | "must-unshare"
    | "mm-of-vma"
    | "other";
  readonly of: readonly Argument[];
}

/** What Patchwalk knows about one function of the kernel. */
export interface ApiFact extends ReleaseRange {
  readonly name: string;
  /** Number of arguments where signatures differ within a release; missing: any. */
  readonly arity?: number;
  readonly effects: readonly Effect[];
  /** Meaning of the value where the call has no effect on its own. */
  readonly pure?: PureMeaning;
  /** Where this was read: kernel file or commit. Ends in `(unverified)` where it is believed right but was not re-read. */
  readonly source: string;
}
