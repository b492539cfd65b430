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

export const guardClass = (name: string): GuardClass | null => (Object.hasOwn(GUARDS, name) ? (GUARDS[name] ?? null) : null);

/** Every function that a guard calls. */
export const guardCalls = (): readonly string[] => Object.values(GUARDS).flatMap(({ lock, unlock }) => [lock, unlock]);
