// SPDX-License-Identifier: GPL-2.0-only

/** Position of a call's argument, from 0. */
export type Argument = number;

/**
 * Lock classes as mm code knows them. `spinlock`, `mutex` and `rwsem` are the generic ones; a generic lock call on a
 * known field (`&mm->mmap_lock`) or on a pointer that a page-table map handed out is resolved to the specific class.
 * `lock` is one that is asserted only, by an assertion that takes every kind of lock.
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
  | "rwsem"
  | "lock";

export type LockMode = "read" | "write" | "exclusive";

/** Which value of the call means that the lock (or reference) is held. */
export type HeldWhen = "always" | "nonzero" | "zero";

/** A bound on releases: `since` is the first release that has it, `until` the first that has not. */
export interface ReleaseRange {
  readonly since?: string;
  readonly until?: string;
}

/** What a word decides about sleeping: see `sleepsIf`. */
export type SleepWord = "gfp" | "fast-only" | "boolean" | "retry-nowait";

/**
 * `blockable`: the range was started as a blocking one; `last-reference`: this put frees; `batch-full`: pages are
 * queued already; `contended`: the object is busy.
 */
export type SleepCondition = "blockable" | "last-reference" | "batch-full" | "contended" | "page-faults";

/**
 * When a lock of the caller is given up. `retry`: the value has VM_FAULT_RETRY; `retry-or-completed`: or
 * VM_FAULT_COMPLETED; `locked-cleared`: `*locked` is 0 afterwards; `zero`, `nonzero`, `failure` (negative, NULL or
 * another error of the function): by the value; `sometimes`: nothing tells.
 */
export type DropWhen = "always" | "retry" | "retry-or-completed" | "locked-cleared" | "zero" | "nonzero" | "failure" | "sometimes";

/**
 * What a call asks of its caller, or does to what the caller owns. No state changes by these alone: they are read by
 * rules that ask about contracts, and every other reader may pass over them.
 */
export type ContractEffect =
  /**
   * Sleeps as an argument says. `gfp`: unless the word is one of `GFP_NEVER_SLEEPS`, or built from them; `fast-only`:
   * unless it has FOLL_FAST_ONLY; `boolean`: where it is true; `retry-nowait`: unless it (or the `flags` of the
   * `vm_fault` that it points to) has FAULT_FLAG_RETRY_NOWAIT.
   */
  | { readonly kind: "sleepsIf"; readonly flag: Argument; readonly word: SleepWord }
  /** `object`: what is locked, or leads to it (a VMA or a `vm_fault` for mmap_lock); null: of the current task. */
  | { readonly kind: "requiresHeld"; readonly lock: LockClass; readonly object: Argument | null; readonly mode: LockMode | "any"; readonly or?: LockClass }
  /** Takes the lock itself, or sleeps for someone who holds it. */
  | { readonly kind: "requiresNotHeld"; readonly lock: LockClass; readonly object: Argument | null }
  /**
   * Gives up a lock that the caller holds. `onReturn`: whether it is held again when `when` came true; every pointer
   * that the lock protected is stale either way. `tells`: pointer argument whose target says that it happened.
   */
  | {
      readonly kind: "dropsLock";
      readonly lock: LockClass;
      readonly object: Argument | null;
      readonly mode: LockMode | "any";
      readonly when: DropWhen;
      readonly onReturn: "released" | "held";
      readonly tells?: Argument;
      /** A fault flag with which nothing is dropped. */
      readonly unless?: "FAULT_FLAG_RETRY_NOWAIT";
      /** Fault flags of which one allows that; missing: nobody is asked. */
      readonly allowedBy?: Argument;
      /** True where the call may as well give up only what it took itself. */
      readonly isDoubtful?: true;
    }
  /**
   * Unmaps an entry, and releases its lock, that the caller mapped and locked. `through`: the arguments are
   * `vm_fault`s, whose `pte` and `ptl` are meant.
   */
  | {
      readonly kind: "consumes";
      readonly pte: Argument | null;
      readonly ptl: Argument | null;
      readonly when: "always" | "nonzero";
      readonly through: "argument" | "vm_fault";
    }
  /**
   * The call's value (or what `out` points to) carries a reference. `failure`: the value where there is none.
   * `flags`: word that decides whether, and which kind. `locks`: the folio lock comes with it, always or by flags.
   */
  | {
      readonly kind: "returnsReference";
      readonly to: "page" | "folio" | "mm" | "task" | "file" | "anon_vma" | "swap-device" | "pages";
      readonly reference: "get" | "pin" | "by-flags";
      readonly failure: "null" | "error-pointer" | "null-or-error" | "negative";
      readonly flags?: Argument;
      readonly out?: Argument;
      readonly locks?: "always" | "by-flags";
    }
  /** Hands a reference of the caller over to what outlives the call. `when`: by the call's value. */
  | {
      readonly kind: "transfersReference";
      readonly object: Argument;
      readonly to: "lru" | "list" | "mapping" | "scatterlist" | "bio" | "pipe" | "callee";
      readonly when: "always" | "zero" | "nonzero";
    }
  /**
   * The value tells of an error that must not be lost. `allocates`: because memory for page tables may be missing, with
   * the flag named by `onlyWith` in the word `flags` where they are given; `flags` alone: where that argument is not 0.
   */
  | {
      readonly kind: "returnsError";
      readonly form: "negative" | "error-pointer" | "null" | "vm-fault";
      readonly errors: readonly string[];
      readonly allocates: boolean;
      readonly flags?: Argument;
      readonly onlyWith?: string;
    }
  /**
   * Changes an entry that a secondary MMU may have cached, so that a notifier range must enclose the call.
   * `onlyPresent`: only where the old entry was present.
   */
  | {
      readonly kind: "modifyEntry";
      readonly pte: Argument;
      readonly address: Argument | null;
      /** `mm_struct` or `vm_area_struct`, as the call takes it. */
      readonly space: Argument | null;
      readonly level: "pte" | "pmd" | "pud" | "p4d" | "hugetlb";
      readonly how: "clear" | "protect" | "set" | "begin" | "commit" | "unshare";
      readonly onlyPresent: boolean;
    }
  /**
   * The walk of a mapped page: while the value is true, `pte` of the walk is mapped (but for hugetlb and huge PMDs) and
   * its `ptl` is held; false, or the end of the walk, released everything.
   */
  | { readonly kind: "walkMapped"; readonly walk: Argument; readonly step: "fill" | "next" | "done" }
  /** Gives a page table back. `by-architecture`: as `tableFree` of `architectureRows()` says. */
  | { readonly kind: "freesTable"; readonly table: Argument; readonly how: "by-architecture" | "rcu" | "at-once" }
  /** Stops the kernel, or warns, where the condition is true; null: whenever it is reached. */
  | { readonly kind: "bugIf"; readonly condition: Argument | null; readonly how: "bug" | "debug-bug" | "warn" }
  /** Control does not come back: the kernel stops, or the task ends. */
  | { readonly kind: "neverReturns" }
  /** Handles a fault; the word's FAULT_FLAG_WRITE says that it is one for write. */
  | { readonly kind: "handlesFault"; readonly flags: Argument }
  /** The call's value says whether the page may be pinned: a guess where references are many. */
  | { readonly kind: "asksPins"; readonly page: Argument }
  /** The page is mapped once less: its reverse map does not lead to the entry any more. */
  | { readonly kind: "removesRmap"; readonly page: Argument }
  /** Gives a page to the allocator although only the last reference may do so. */
  | { readonly kind: "freesPage"; readonly page: Argument }
  /**
   * Marks a page dirty. `locks`: takes the page lock for it; else the caller holds it, or has another hold on the mapping.
   * `through`: the mapping is told, or the flag of the page is all.
   */
  | { readonly kind: "marksDirty"; readonly page: Argument; readonly locks: boolean; readonly through: "mapping" | "flag" }
  /** The call's value is where the kernel reads and writes the page; `form`: an address, or one that devices and hypervisors use. */
  | { readonly kind: "addressOfPage"; readonly page: Argument; readonly form: "virtual" | "physical" }
  /** Writes to memory, through an address (`to` of form `address`) or to a page. */
  | { readonly kind: "writesMemory"; readonly to: Argument; readonly form: "address" | "page" }
  /** A device may read or write the memory from now on. `direction`: DMA_FROM_DEVICE and the like; null: by protection bits, or none. */
  | { readonly kind: "deviceAccess"; readonly memory: Argument; readonly form: "page" | "scatterlist" | "address"; readonly direction: Argument | null; readonly failure: "zero" | "nonzero" | null }
  /** The device lets go of it. */
  | { readonly kind: "deviceAccessEnd"; readonly memory: Argument }
  /** Waits until somebody else has done something: a device with what it was given. */
  | { readonly kind: "waitsForOthers" }
  /**
   * Ends with no CPU using translations of the range, or of more, that were removed before. `interrupts`: whatever the
   * architecture, CPUs that walk with interrupts off have been waited for.
   */
  | { readonly kind: "flushTlb"; readonly interrupts?: true }
  /** Gives up a table that other processes share, where they do: the call's value is then not 0. `vma`: null in forms that take none. */
  | { readonly kind: "unshareTable"; readonly pte: Argument; readonly vma: Argument | null }
  /** kmap_local_page() and its undoing: maps of a task are a stack, undone in reverse order. */
  | { readonly kind: "localMap"; readonly step: "push" | "pop" }
  /**
   * The state of the task: the argument names it. `running`: the call is the wait that was announced, or takes the
   * announcement back; `kept`: the call gives up the processor and comes back in the same state.
   */
  | { readonly kind: "taskState"; readonly to: Argument | "running" | "kept" };

/** Configuration symbols without CONFIG_, and the value that is meant. */
export type Configuration = Readonly<Record<string, boolean>>;

/** What a call does besides under a configuration. */
export interface ConfiguredEffects {
  readonly config: Configuration;
  readonly adds: readonly Effect[];
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
      /** Field of the object in which a generic lock lives: `i_rwsem` for `inode_lock(inode)`. */
      readonly field?: string;
    }
  | { readonly kind: "release"; readonly lock: LockClass; readonly object: Argument | null; readonly mode: LockMode; readonly field?: string }
  /** lockdep-style assertion: the caller holds the lock, in any of the modes. */
  | { readonly kind: "assertHeld"; readonly lock: LockClass; readonly object: Argument | null; readonly mode: LockMode | "any" }
  /** `held`: the value of the call that means that it happened; missing: always. */
  | { readonly kind: "enterAtomic"; readonly reason: "rcu" | "irq" | "preempt" | "lazy_mmu"; readonly held?: HeldWhen }
  /** `sometimes`: no value of the call tells whether it happened. */
  | { readonly kind: "leaveAtomic"; readonly reason: "rcu" | "irq" | "preempt" | "lazy_mmu"; readonly sometimes?: boolean }
  /** `onlyIf`: a condition that no argument of the call tells. Whoever does not know it takes the call for a sleeper. */
  | { readonly kind: "maySleep"; readonly onlyIf?: SleepCondition }
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
  | { readonly kind: "notifierInit"; readonly range: Argument; readonly mm: Argument; readonly start: Argument; readonly end?: Argument; readonly event?: Argument }
  /** Moves both bounds of a range out to those of the page tables that may be shared; the arguments are their addresses. */
  | { readonly kind: "widensRange"; readonly start: Argument; readonly end: Argument }
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
      /** `int *locked`: becomes 0 where mmap_lock was dropped. */
      readonly locked?: Argument;
      /** Flags that the call adds itself. */
      readonly implies?: readonly string[];
      /** What the value counts or is. `count`: 0 to n, never negative; `bool`: true is one page. Missing: count or error. */
      readonly returns?: "count" | "count-or-error" | "bool" | "page-or-null" | "page-or-error";
    }
  /**
   * `flags`: flag word that decides between get and pin where the call takes one; `reference` is then the default.
   * `count`: how many pages; `dirty`: boolean that marks them dirty first. `asserts`: what must be true of an anonymous page,
   * or the kernel stops (CONFIG_DEBUG_VM).
   */
  | {
      readonly kind: "unpin";
      readonly reference: "get" | "pin";
      readonly pages: Argument;
      readonly flags?: Argument;
      readonly count?: Argument;
      readonly dirty?: Argument;
      readonly asserts?: "exclusive";
    }
  /** Steps inside GUP itself that a patch to GUP decides about. */
  | { readonly kind: "gupFollow"; readonly path: "normal" | "hugetlb"; readonly flags: Argument }
  | { readonly kind: "gupFault"; readonly flags: Argument }
  | { readonly kind: "gupFastWalk"; readonly write: Argument }
  /** Steps of a write fault: the process gets a copy of the page, or the page becomes its own. */
  | { readonly kind: "cowFault"; readonly does: "copy" | "own" }
  /** A write section of a sequence counter; lockless readers fail over. */
  | { readonly kind: "seqcountSection"; readonly step: "begin" | "end"; readonly seqcount: Argument }
  /** Changes one bit of a word of bits; `bit` is its number. */
  | { readonly kind: "changesBit"; readonly bit: Argument; readonly word: Argument; readonly to: "set" | "clear" }
  /** The mm is told that it has pins, before there is one. */
  | { readonly kind: "notesPins" }
  /** fork() shares the entries of a range with the child, and write-protects them. */
  | { readonly kind: "forkCopy" }
  | ContractEffect;

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
    | "entry-device"
    /** A page under migration. */
    | "entry-migration"
    /** Neither empty nor present. */
    | "entry-swapped"
    /** Of those, one that is not a place on a swap device. */
    | "entry-not-swap"
    | "entry-present"
    | "entry-same"
    | "entry-write"
    | "entry-dirty"
    | "folio-mapcount"
    | "folio-anon"
    | "anon-exclusive"
    | "maybe-pinned"
    | "cow-mapping"
    | "hugetlb-vma"
    | "error-pointer"
    | "null-or-error-pointer"
    | "must-unshare"
    | "mm-of-vma"
    | "other";
  readonly of: readonly Argument[];
}

/** `plausible`: believed right, but the behavior or a bound of its releases was not re-read. */
export type Certainty = "verified" | "plausible";

/** What Patchwalk knows about one function of the kernel. */
export interface ApiFact extends ReleaseRange {
  readonly name: string;
  /** Number of arguments where signatures differ within a release; missing: any. */
  readonly arity?: number;
  readonly effects: readonly Effect[];
  /** Meaning of the value where the call has no effect on its own. */
  readonly pure?: PureMeaning;
  /** Without this configuration the call is an empty stub. */
  readonly needs?: Configuration;
  readonly underConfig?: readonly ConfiguredEffects[];
  /** Missing: verified. */
  readonly certainty?: Certainty;
  /** Where this was read: kernel file or commit. */
  readonly source: string;
}
