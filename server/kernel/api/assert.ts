// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Effect, LockClass, LockMode } from "../effect.ts";
import { facts } from "./make.ts";

const held = (lock: LockClass, mode: LockMode | "any"): Effect => ({ kind: "assertHeld", lock, object: 0, mode });

/**
 * The generic forms name a lock by address, and lowering finds the class by its field. `lockdep_assert_held()` takes
 * any kind of lock, so that a lock whose field tells nothing is of no known kind.
 */
const ASSERTIONS: readonly ApiFact[] = [
  ...facts("mmap_assert_locked", "include/linux/mmap_lock.h (6.1.192)", [held("mmap_lock", "any")]),
  ...facts("mmap_assert_write_locked", "include/linux/mmap_lock.h (6.1.192)", [held("mmap_lock", "write")]),
  ...facts("vma_assert_write_locked", "include/linux/mm.h (6.4)", [held("vma_lock", "write")], { since: "6.4", certainty: "plausible" }),
  ...facts("vma_assert_locked", "include/linux/mm.h (6.5)", [held("vma_lock", "any")], { since: "6.5", certainty: "plausible" }),
  ...facts("i_mmap_assert_locked", "include/linux/fs.h (6.1.192)", [held("i_mmap_rwsem", "any")]),
  ...facts("i_mmap_assert_write_locked", "include/linux/fs.h (6.1.192)", [held("i_mmap_rwsem", "write")]),
  ...facts("hugetlb_vma_assert_locked", "mm/hugetlb.c (6.1.192)", [held("hugetlb_vma_lock", "any")], { since: "6.1" }),
  ...facts("lockdep_assert_held lockdep_assert_held_once", "include/linux/lockdep.h (6.1.192)", [held("lock", "any")]),
  ...facts("lockdep_assert_held_write", "include/linux/lockdep.h (6.1.192)", [held("lock", "write")]),
  ...facts("lockdep_assert_held_read", "include/linux/lockdep.h (6.1.192)", [held("lock", "read")]),
  ...facts("rwsem_assert_held", "include/linux/lockdep.h (6.1.192)", [held("rwsem", "any")]),
  ...facts("rwsem_assert_held_write", "include/linux/lockdep.h (6.1.192)", [held("rwsem", "write")]),
  ...facts("assert_spin_locked assert_raw_spin_locked", "include/linux/spinlock.h (6.1.192)", [held("spinlock", "exclusive")]),
];

const isLockdep = (name: string): boolean => /^(?:lockdep|rwsem)_assert|^(?:vma|hugetlb_vma|i_mmap)_assert/.test(name);

const bug = (condition: number | null, how: Extract<Effect, { kind: "bugIf" }>["how"]): Effect => ({ kind: "bugIf", condition, how });

/** What stops the kernel, and what warns (and stops it with panic_on_warn); the debugging forms with CONFIG_DEBUG_VM. */
const BUGS: readonly ApiFact[] = [
  ...facts("BUG", "include/asm-generic/bug.h (6.1.192)", [bug(null, "bug"), { kind: "neverReturns" }], { arity: 0 }),
  ...facts("BUG_ON", "include/asm-generic/bug.h (6.1.192)", [bug(0, "bug")], { arity: 1 }),
  ...facts("VM_BUG_ON", "include/linux/mmdebug.h (6.1.192)", [bug(0, "debug-bug")], { arity: 1 }),
  ...facts("WARN_ON WARN_ON_ONCE", "include/asm-generic/bug.h (6.1.192)", [bug(0, "warn")], { arity: 1 }),
  ...facts("VM_WARN_ON VM_WARN_ON_ONCE", "include/linux/mmdebug.h (6.1.192)", [bug(0, "warn")], { arity: 1 }),
];

/** What is declared `__noreturn`. */
const ENDS: readonly ApiFact[] = [
  ...facts("panic", "include/linux/panic.h:12 (6.12.117)", [{ kind: "neverReturns" }]),
  ...facts("do_exit do_group_exit make_task_dead", "kernel/exit.c (6.1.192, 6.12.117)", [{ kind: "neverReturns" }], { arity: 1 }),
  ...facts("kthread_exit", "kernel/kthread.c:312 (6.12.117)", [{ kind: "neverReturns" }], { arity: 1 }),
  ...facts("kthread_complete_and_exit", "kernel/kthread.c:332 (6.12.117)", [{ kind: "neverReturns" }], { arity: 2 }),
];

export const assertFacts: readonly ApiFact[] = [...BUGS, ...ENDS, ...ASSERTIONS].map((fact) => (isLockdep(fact.name) ? { ...fact, needs: { LOCKDEP: true } } : fact));
