// SPDX-License-Identifier: GPL-2.0-only

/** What a guard class calls where it is declared and where its scope ends; both get the guard's arguments. */
export interface GuardClass {
  readonly lock: string;
  readonly unlock: string;
}

/** include/linux/{mutex,rwsem,spinlock,rcupdate,preempt,irqflags}.h (6.6), include/linux/mmap_lock.h (6.13, plausible). */
const GUARDS: Readonly<Record<string, GuardClass>> = {
  mmap_read_lock: { lock: "mmap_read_lock", unlock: "mmap_read_unlock" },
  mmap_write_lock: { lock: "mmap_write_lock", unlock: "mmap_write_unlock" },
  rwsem_read: { lock: "down_read", unlock: "up_read" },
  rwsem_write: { lock: "down_write", unlock: "up_write" },
  mutex: { lock: "mutex_lock", unlock: "mutex_unlock" },
  spinlock: { lock: "spin_lock", unlock: "spin_unlock" },
  spinlock_bh: { lock: "spin_lock_bh", unlock: "spin_unlock_bh" },
  spinlock_irq: { lock: "spin_lock_irq", unlock: "spin_unlock_irq" },
  // The saved flags live in the guard: what is locked is the same.
  spinlock_irqsave: { lock: "spin_lock_irq", unlock: "spin_unlock_irq" },
  raw_spinlock: { lock: "raw_spin_lock", unlock: "raw_spin_unlock" },
  raw_spinlock_irq: { lock: "raw_spin_lock_irq", unlock: "raw_spin_unlock_irq" },
  raw_spinlock_irqsave: { lock: "raw_spin_lock_irq", unlock: "raw_spin_unlock_irq" },
  read_lock: { lock: "read_lock", unlock: "read_unlock" },
  write_lock: { lock: "write_lock", unlock: "write_unlock" },
  rcu: { lock: "rcu_read_lock", unlock: "rcu_read_unlock" },
  preempt: { lock: "preempt_disable", unlock: "preempt_enable" },
  irq: { lock: "local_irq_disable", unlock: "local_irq_enable" },
  irqsave: { lock: "local_irq_disable", unlock: "local_irq_enable" },
};

/** A guard that may fail to get its lock: the class of `scoped_cond_guard()`. */
export interface ConditionalGuard extends GuardClass {
  /** The value of `lock` that says that it is held. */
  readonly held: "zero" | "nonzero";
}

const tried = (lock: string, unlock: string): ConditionalGuard => ({ lock, unlock, held: "nonzero" });
const asked = (lock: string, unlock: string): ConditionalGuard => ({ lock, unlock, held: "zero" });

/** DEFINE_GUARD_COND() and DEFINE_LOCK_GUARD_1_COND() in include/linux/{mutex,rwsem,spinlock}.h (6.12.117). */
const CONDITIONAL: Readonly<Record<string, ConditionalGuard>> = {
  mutex_try: tried("mutex_trylock", "mutex_unlock"),
  mutex_intr: asked("mutex_lock_interruptible", "mutex_unlock"),
  rwsem_read_try: tried("down_read_trylock", "up_read"),
  rwsem_read_intr: asked("down_read_interruptible", "up_read"),
  rwsem_write_try: tried("down_write_trylock", "up_write"),
  spinlock_try: tried("spin_trylock", "spin_unlock"),
};

/** Classes of `__free()`, and whether an error pointer is let alone, too: include/linux/{slab,bitmap,file}.h, sched/task.h (6.12.117). */
const FREES: Readonly<Record<string, { readonly call: string; readonly unlessError: boolean }>> = {
  kfree: { call: "kfree", unlessError: true },
  kvfree: { call: "kvfree", unlessError: true },
  bitmap: { call: "bitmap_free", unlessError: false },
  put_task: { call: "put_task_struct", unlessError: false },
  fput: { call: "fput", unlessError: true },
};

/** What `CLASS(class, variable)(arguments)` calls with the arguments, and with the variable at the end: include/linux/file.h (6.12.117). */
const CLASSES: Readonly<Record<string, { readonly enter: string; readonly leave: string }>> = {
  fd: { enter: "fdget", leave: "fdput" },
  fd_raw: { enter: "fdget_raw", leave: "fdput" },
};

/** include/linux/cleanup.h: macros whose value is that of a variable that they set to NULL, so that nothing frees it; and one that returns it. */
export const TAKES_POINTER: ReadonlySet<string> = new Set(["no_free_ptr", "retain_and_null_ptr"]);
export const RETURNS_POINTER = "return_ptr";

const own = <T>(table: Readonly<Record<string, T>>, name: string): T | null => (Object.hasOwn(table, name) ? (table[name] ?? null) : null);

export const conditionalGuard = (name: string): ConditionalGuard | null => own(CONDITIONAL, name);
export const freeClass = (name: string): { readonly call: string; readonly unlessError: boolean } | null => own(FREES, name);
export const variableClass = (name: string): { readonly enter: string; readonly leave: string } | null => own(CLASSES, name);

export const guardClass = (name: string): GuardClass | null => own(GUARDS, name);

/** Every function that a guard calls. */
export const guardCalls = (): readonly string[] => [...Object.values(GUARDS), ...Object.values(CONDITIONAL)].flatMap(({ lock, unlock }) => [lock, unlock]);
