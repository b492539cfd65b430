// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Effect, LockClass } from "../effect.ts";
import { irqOff, irqOn, preemptOff, preemptOn } from "./atomic.ts";
import { acquire, acquireValue, facts, inField, maySleep, release, requires } from "./make.ts";

const MMAP = "include/linux/mmap_lock.h:68-147 (6.1.192)";

const MMAP_LOCK: readonly ApiFact[] = [
  ...facts("mmap_write_lock mmap_write_lock_nested", MMAP, [acquire("mmap_lock", "write")]),
  ...facts("mmap_write_lock_killable", MMAP, [acquire("mmap_lock", "write", "zero")]),
  ...facts("mmap_write_trylock", MMAP, [acquire("mmap_lock", "write", "nonzero")]),
  ...facts("mmap_write_unlock", MMAP, [release("mmap_lock", "write")]),
  ...facts("mmap_write_downgrade", MMAP, [
    release("mmap_lock", "write"),
    { kind: "acquire", lock: "mmap_lock", object: 0, mode: "read", sleeps: false, held: "always" },
  ]),
  ...facts("mmap_read_lock", MMAP, [acquire("mmap_lock", "read")]),
  ...facts("mmap_read_lock_killable", MMAP, [acquire("mmap_lock", "read", "zero")]),
  ...facts("mmap_read_trylock", MMAP, [acquire("mmap_lock", "read", "nonzero")]),
  ...facts("mmap_read_unlock mmap_read_unlock_non_owner", MMAP, [release("mmap_lock", "read")]),
];

/**
 * `vma_start_write()` is given as a sleeper only: what it takes goes away with mmap_write_unlock() as a whole, so an
 * acquire here would never see its release.
 */
const VMA_LOCK: readonly ApiFact[] = [
  ...facts("vma_start_read", "include/linux/mm.h (6.4): true is held", [acquire("vma_lock", "read", "nonzero")], {
    arity: 1,
    since: "6.4",
    until: "6.16",
    certainty: "plausible",
  }),
  ...facts("vma_start_read", "include/linux/mmap_lock.h (6.16): the VMA, NULL or an error pointer", [
    acquireValue("vma_lock", "read", false),
  ], { arity: 2, since: "6.16", certainty: "plausible" }),
  ...facts("lock_vma_under_rcu", "mm/memory.c (6.4): the locked VMA or NULL", [acquireValue("vma_lock", "read", false)], {
    arity: 2,
    since: "6.4",
    certainty: "plausible",
  }),
  ...facts("vma_end_read", "include/linux/mm.h (6.4)", [release("vma_lock", "read")], { since: "6.4", certainty: "plausible" }),
  ...facts("vma_start_write", "include/linux/mm.h (6.4)", [maySleep, requires("mmap_lock", "write")], { since: "6.4", certainty: "plausible" }),
];

const VMA_PREPARE = "mm/vma.c (6.12): the mapping's lock where the VMA has a file, as every hugetlb one has";

/** The lock belongs to `vp->mapping`: which VMA that is the argument does not say. */
const VMA_PREPARE_LOCKS: readonly ApiFact[] = [
  ...facts("vma_prepare", VMA_PREPARE, [maySleep, acquire("i_mmap_rwsem", "write", "always", null)], { since: "6.3" }),
  ...facts("vma_complete", VMA_PREPARE, [release("i_mmap_rwsem", "write", null)], { since: "6.3" }),
];

const HUGETLB = "mm/hugetlb.c:273-331 (6.1.192)";

const HUGETLB_VMA_LOCK: readonly ApiFact[] = [
  ...facts("hugetlb_vma_lock_read", HUGETLB, [acquire("hugetlb_vma_lock", "read")], { since: "6.1" }),
  ...facts("hugetlb_vma_unlock_read", HUGETLB, [release("hugetlb_vma_lock", "read")], { since: "6.1" }),
  ...facts("hugetlb_vma_lock_write", HUGETLB, [acquire("hugetlb_vma_lock", "write")], { since: "6.1" }),
  ...facts("hugetlb_vma_trylock_write", HUGETLB, [acquire("hugetlb_vma_lock", "write", "nonzero")], { since: "6.1" }),
  ...facts("hugetlb_zap_begin __hugetlb_zap_begin", "mm/hugetlb.c (6.12): both locks of the VMA, over unmap_vmas()", [
    acquire("hugetlb_vma_lock", "write"),
    acquire("i_mmap_rwsem", "write"),
  ], { since: "6.7" }),
  ...facts("hugetlb_zap_end __hugetlb_zap_end", "mm/hugetlb.c (6.12)", [
    release("hugetlb_vma_lock", "write"),
    release("i_mmap_rwsem", "write"),
  ], { since: "6.7" }),
  ...facts("hugetlb_vma_unlock_write __hugetlb_vma_unlock_write_free", `${HUGETLB}, :377`, [release("hugetlb_vma_lock", "write")], {
    since: "6.1",
  }),
];

const I_MMAP = "include/linux/fs.h:472-497 (6.1.192)";
const ANON = "include/linux/rmap.h:119-139 (6.1.192)";

const REVERSE_MAP: readonly ApiFact[] = [
  ...facts("i_mmap_lock_write", I_MMAP, [acquire("i_mmap_rwsem", "write")]),
  ...facts("i_mmap_trylock_write", I_MMAP, [acquire("i_mmap_rwsem", "write", "nonzero")]),
  ...facts("i_mmap_unlock_write", I_MMAP, [release("i_mmap_rwsem", "write")]),
  ...facts("i_mmap_lock_read", I_MMAP, [acquire("i_mmap_rwsem", "read")]),
  ...facts("i_mmap_trylock_read", I_MMAP, [acquire("i_mmap_rwsem", "read", "nonzero")]),
  ...facts("i_mmap_unlock_read", I_MMAP, [release("i_mmap_rwsem", "read")]),
  ...facts("hugetlb_page_mapping_lock_write hugetlb_folio_mapping_lock_write", "mm/hugetlb.c (6.1.192): the mapping or NULL, by trylock", [
    acquireValue("i_mmap_rwsem", "write", false),
  ]),
  ...facts("anon_vma_lock_write", ANON, [acquire("anon_vma", "write")]),
  ...facts("anon_vma_trylock_write", "include/linux/rmap.h, from 6.8", [acquire("anon_vma", "write", "nonzero")], { since: "6.8" }),
  ...facts("anon_vma_unlock_write", ANON, [release("anon_vma", "write")]),
  ...facts("anon_vma_lock_read", ANON, [acquire("anon_vma", "read")]),
  ...facts("anon_vma_trylock_read", ANON, [acquire("anon_vma", "read", "nonzero")]),
  ...facts("anon_vma_unlock_read page_unlock_anon_vma_read", ANON, [release("anon_vma", "read")]),
  ...facts("folio_lock_anon_vma_read page_lock_anon_vma_read", "include/linux/rmap.h:464 (6.1.192): the anon_vma or NULL", [
    acquireValue("anon_vma", "read", true),
  ]),
];

const PAGEMAP = "include/linux/pagemap.h:965-1063 (6.1.192)";

/** `folio_lock_or_retry()` drops mmap_lock when it fails: it is with the faults. */
const FOLIO_LOCK: readonly ApiFact[] = [
  ...facts("folio_lock lock_page __folio_lock __lock_page", PAGEMAP, [acquire("folio_lock", "exclusive")]),
  ...facts("folio_trylock trylock_page", PAGEMAP, [acquire("folio_lock", "exclusive", "nonzero")]),
  ...facts("folio_lock_killable lock_page_killable __folio_lock_killable", PAGEMAP, [acquire("folio_lock", "exclusive", "zero")]),
  ...facts("__folio_set_locked __SetPageLocked", "include/linux/page-flags.h (6.1.192): of a folio that nobody else sees yet", [
    { kind: "acquire", lock: "folio_lock", object: 0, mode: "exclusive", sleeps: false, held: "always" },
  ]),
  ...facts("__folio_clear_locked __ClearPageLocked", "include/linux/page-flags.h (6.1.192)", [release("folio_lock", "exclusive")]),
  ...facts("folio_unlock unlock_page", PAGEMAP, [release("folio_lock", "exclusive")]),
];

/** The irq and bh forms of spin locks: what else they switch off. */
const SPIN_FORMS = [
  { suffix: "", enter: [], leave: [] },
  { suffix: "_irq", enter: [irqOff], leave: [irqOn] },
  { suffix: "_bh", enter: [preemptOff], leave: [preemptOn] },
] as const;

const SPINLOCK_H = "include/linux/spinlock.h (6.1.192)";

const within = (effect: Effect, field: string | undefined): Effect => (field === undefined ? effect : inField(field, effect));

const spinFamily = (prefix: string, lock: LockClass, field?: string): ApiFact[] =>
  SPIN_FORMS.flatMap(({ suffix, enter, leave }) => [
    ...facts(`${prefix}_lock${suffix}`, SPINLOCK_H, [...enter, within(acquire(lock, "exclusive"), field)]),
    ...facts(`${prefix}_unlock${suffix}`, SPINLOCK_H, [within(release(lock, "exclusive"), field), ...leave]),
  ]);


/** Interrupts stay as they were where the try fails. */
const SPIN_TRIES = [
  { names: "spin_trylock_irq spin_trylock_irqsave raw_spin_trylock_irq raw_spin_trylock_irqsave", enter: { ...irqOff, held: "nonzero" } },
  { names: "spin_trylock_bh raw_spin_trylock_bh", enter: { ...preemptOff, held: "nonzero" } },
] as const;

const SPINLOCKS: readonly ApiFact[] = [
  ...spinFamily("spin", "spinlock"),
  ...spinFamily("raw_spin", "spinlock"),
  ...spinFamily("xa", "spinlock", "xa_lock"),
  ...spinFamily("xas", "spinlock"),
  ...facts("spin_lock_irqsave raw_spin_lock_irqsave xas_lock_irqsave", SPINLOCK_H, [irqOff, acquire("spinlock", "exclusive")]),
  ...facts("xa_lock_irqsave", SPINLOCK_H, [irqOff, inField("xa_lock", acquire("spinlock", "exclusive"))]),
  ...facts("xa_unlock_irqrestore", SPINLOCK_H, [inField("xa_lock", release("spinlock", "exclusive")), irqOn]),
  ...facts("spin_unlock_irqrestore raw_spin_unlock_irqrestore xas_unlock_irqrestore", SPINLOCK_H, [
    release("spinlock", "exclusive"),
    irqOn,
  ]),
  ...facts("spin_lock_nested spin_lock_nest_lock raw_spin_lock_nested", SPINLOCK_H, [acquire("spinlock", "exclusive")]),
  ...facts("spin_trylock raw_spin_trylock", SPINLOCK_H, [acquire("spinlock", "exclusive", "nonzero")]),
  ...facts("xa_trylock", SPINLOCK_H, [inField("xa_lock", acquire("spinlock", "exclusive", "nonzero"))]),
  ...SPIN_TRIES.flatMap(({ names, enter }) => facts(names, SPINLOCK_H, [enter, acquire("spinlock", "exclusive", "nonzero")])),
  ...facts("bit_spin_lock", "include/linux/bit_spinlock.h (6.1.192): the bit's number, the word", [acquire("spinlock", "exclusive", "always", 1)]),
  ...facts("bit_spin_unlock __bit_spin_unlock", "include/linux/bit_spinlock.h (6.1.192)", [release("spinlock", "exclusive", 1)]),
  ...facts("write_seqlock", "include/linux/seqlock.h (6.1.192)", [acquire("spinlock", "exclusive")]),
  ...facts("write_sequnlock", "include/linux/seqlock.h (6.1.192)", [release("spinlock", "exclusive")]),
  ...facts("write_seqlock_irqsave", "include/linux/seqlock.h (6.1.192)", [irqOff, acquire("spinlock", "exclusive")]),
  ...facts("write_sequnlock_irqrestore", "include/linux/seqlock.h (6.1.192)", [release("spinlock", "exclusive"), irqOn]),
  ...facts("cond_resched_lock", "include/linux/sched.h (6.1.192): gives it up and takes it again where someone waits", [requires("spinlock", "exclusive")]),
  ...facts("read_lock", SPINLOCK_H, [acquire("spinlock", "read")]),
  ...facts("read_unlock", SPINLOCK_H, [release("spinlock", "read")]),
  ...facts("write_lock", SPINLOCK_H, [acquire("spinlock", "exclusive")]),
  ...facts("write_unlock", SPINLOCK_H, [release("spinlock", "exclusive")]),
  ...facts("read_lock_irqsave", SPINLOCK_H, [irqOff, acquire("spinlock", "read")]),
  ...facts("read_unlock_irqrestore", SPINLOCK_H, [release("spinlock", "read"), irqOn]),
  ...facts("write_lock_nested", SPINLOCK_H, [acquire("spinlock", "exclusive")]),
  ...facts("write_lock_irqsave", SPINLOCK_H, [irqOff, acquire("spinlock", "exclusive")]),
  ...facts("write_unlock_irqrestore", SPINLOCK_H, [release("spinlock", "exclusive"), irqOn]),
  ...facts("write_lock_irq", SPINLOCK_H, [irqOff, acquire("spinlock", "exclusive")]),
  ...facts("write_unlock_irq", SPINLOCK_H, [release("spinlock", "exclusive"), irqOn]),
  ...facts("double_pt_lock", "fs/userfaultfd.c and mm/userfaultfd.c, adef440691ba (6.8): the two may be the same", [
    acquire("ptl", "exclusive"),
    acquire("ptl", "exclusive", "always", 1),
  ], { arity: 2, since: "6.8" }),
  ...facts("double_pt_unlock", "mm/userfaultfd.c, adef440691ba (6.8)", [release("ptl", "exclusive"), release("ptl", "exclusive", 1)], {
    arity: 2,
    since: "6.8",
  }),
];

/** Generic sleeping locks; lowering finds the class by the field that the argument names. */
const SLEEPING: readonly ApiFact[] = [
  ...facts("down_write down_write_nested down_write_nest_lock", "include/linux/rwsem.h (6.1.192)", [acquire("rwsem", "write")]),
  ...facts("down_read down_read_nested", "include/linux/rwsem.h (6.1.192)", [acquire("rwsem", "read")]),
  ...facts("down_write_killable down_write_killable_nested", "include/linux/rwsem.h (6.1.192)", [acquire("rwsem", "write", "zero")]),
  ...facts("down_read_killable down_read_interruptible", "include/linux/rwsem.h (6.1.192)", [acquire("rwsem", "read", "zero")]),
  ...facts("down_write_trylock", "include/linux/rwsem.h (6.1.192)", [acquire("rwsem", "write", "nonzero")]),
  ...facts("down_read_trylock", "include/linux/rwsem.h (6.1.192)", [acquire("rwsem", "read", "nonzero")]),
  ...facts("up_write", "include/linux/rwsem.h (6.1.192)", [release("rwsem", "write")]),
  ...facts("up_read up_read_non_owner", "include/linux/rwsem.h (6.1.192)", [release("rwsem", "read")]),
  ...facts("downgrade_write", "include/linux/rwsem.h (6.1.192)", [
    release("rwsem", "write"),
    { kind: "acquire", lock: "rwsem", object: 0, mode: "read", sleeps: false, held: "always" },
  ]),
  ...facts("mutex_lock mutex_lock_nested mutex_lock_io", "include/linux/mutex.h (6.1.192)", [acquire("mutex", "exclusive")]),
  ...facts("mutex_lock_killable mutex_lock_interruptible", "include/linux/mutex.h (6.1.192)", [acquire("mutex", "exclusive", "zero")]),
  ...facts("mutex_trylock", "include/linux/mutex.h (6.1.192)", [acquire("mutex", "exclusive", "nonzero")]),
  ...facts("percpu_down_write", "include/linux/percpu-rwsem.h (6.1.192)", [acquire("rwsem", "write")]),
  ...facts("percpu_up_write", "include/linux/percpu-rwsem.h (6.1.192)", [release("rwsem", "write")]),
  ...facts("percpu_down_read", "include/linux/percpu-rwsem.h (6.1.192)", [acquire("rwsem", "read")]),
  ...facts("percpu_down_read_trylock", "include/linux/percpu-rwsem.h (6.1.192)", [acquire("rwsem", "read", "nonzero")]),
  ...facts("percpu_up_read", "include/linux/percpu-rwsem.h (6.1.192)", [release("rwsem", "read")]),
  ...facts("mutex_unlock", "include/linux/mutex.h (6.1.192)", [release("mutex", "exclusive")]),
];

export const lockFacts: readonly ApiFact[] = [
  ...MMAP_LOCK,
  ...VMA_LOCK.map((fact) => ({ ...fact, needs: { PER_VMA_LOCK: true } })),
  ...VMA_PREPARE_LOCKS,
  ...HUGETLB_VMA_LOCK,
  ...REVERSE_MAP,
  ...FOLIO_LOCK,
  ...SPINLOCKS,
  ...SLEEPING,
];
