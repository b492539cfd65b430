// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Effect } from "../effect.ts";
import { acquire, facts, inField, release } from "./make.ts";

export const irqOff: Effect = { kind: "enterAtomic", reason: "irq" };
export const irqOn: Effect = { kind: "leaveAtomic", reason: "irq" };
export const preemptOff: Effect = { kind: "enterAtomic", reason: "preempt" };
export const preemptOn: Effect = { kind: "leaveAtomic", reason: "preempt" };

const push: Effect = { kind: "localMap", step: "push" };
const pop: Effect = { kind: "localMap", step: "pop" };

const SECTIONS: readonly ApiFact[] = [
  ...facts("rcu_read_lock rcu_read_lock_sched", "include/linux/rcupdate.h (6.1.192)", [{ kind: "enterAtomic", reason: "rcu" }]),
  ...facts("rcu_read_unlock rcu_read_unlock_sched", "include/linux/rcupdate.h (6.1.192)", [{ kind: "leaveAtomic", reason: "rcu" }]),
  ...facts("folio_memcg_lock lock_page_memcg", "mm/memcontrol.c:2091-2138 (6.1.192): at least the RCU read side", [{ kind: "enterAtomic", reason: "rcu" }], { until: "6.13" }),
  ...facts("folio_memcg_unlock unlock_page_memcg", "mm/memcontrol.c:2140-2171 (6.1.192)", [{ kind: "leaveAtomic", reason: "rcu" }], { until: "6.13" }),
  ...facts("local_irq_save local_irq_disable", "include/linux/irqflags.h (6.1.192)", [irqOff]),
  ...facts("local_irq_restore local_irq_enable", "include/linux/irqflags.h (6.1.192)", [irqOn]),
  ...facts("preempt_disable get_cpu local_bh_disable", "include/linux/preempt.h (6.1.192)", [preemptOff]),
  ...facts("kmap_atomic", "include/linux/highmem-internal.h (6.1.192)", [preemptOff, { kind: "addressOfPage", page: 0, form: "virtual" }]),
  ...facts("preempt_enable preempt_enable_no_resched sched_preempt_enable_no_resched put_cpu local_bh_enable kunmap_atomic", "include/linux/preempt.h, include/linux/highmem-internal.h (6.1.192)", [preemptOn]),
  ...facts("get_cpu_ptr get_cpu_var slub_get_cpu_ptr", "include/linux/percpu-defs.h, mm/slub.c (6.1.192)", [preemptOff]),
  ...facts("put_cpu_ptr put_cpu_var slub_put_cpu_ptr", "include/linux/percpu-defs.h, mm/slub.c (6.1.192)", [preemptOn]),
  ...facts("preempt_disable_nested", "include/linux/preempt.h (6.1.192): only with PREEMPT_RT", [], {
    since: "6.1",
    underConfig: [{ config: { PREEMPT_RT: true }, adds: [preemptOff] }],
  }),
  ...facts("preempt_enable_nested", "include/linux/preempt.h (6.1.192): only with PREEMPT_RT", [], {
    since: "6.1",
    underConfig: [{ config: { PREEMPT_RT: true }, adds: [preemptOn] }],
  }),
  ...facts("non_block_start", "include/linux/kernel.h (6.1.192): sleeping is as forbidden as with preemption off", [preemptOff], { since: "5.4" }),
  ...facts("non_block_end", "include/linux/kernel.h (6.1.192)", [preemptOn], { since: "5.4" }),
  ...facts("arch_enter_lazy_mmu_mode", "include/linux/pgtable.h (6.1.192); some architectures disable preemption", [
    { kind: "enterAtomic", reason: "lazy_mmu" },
  ]),
  ...facts("arch_leave_lazy_mmu_mode", "include/linux/pgtable.h (6.1.192)", [{ kind: "leaveAtomic", reason: "lazy_mmu" }]),
];

const LOCAL = "include/linux/local_lock.h (6.1.192): without PREEMPT_RT";

/** Locks of a CPU: preemption or interrupts are off while one is held. */
const LOCAL_LOCKS: readonly ApiFact[] = [
  ...facts("local_lock", LOCAL, [preemptOff, acquire("spinlock", "exclusive")], { since: "5.8" }),
  ...facts("local_unlock", LOCAL, [release("spinlock", "exclusive"), preemptOn], { since: "5.8" }),
  ...facts("local_lock_irq local_lock_irqsave", LOCAL, [irqOff, acquire("spinlock", "exclusive")], { since: "5.8" }),
  ...facts("local_unlock_irq local_unlock_irqrestore", LOCAL, [release("spinlock", "exclusive"), irqOn], { since: "5.8" }),
];

const PCP = "mm/page_alloc.c:150-230 (6.1.192): per-CPU page lists, the CPU pinned";

/** The value of the try is the lists, locked, or NULL. */
const PAGE_LISTS: readonly ApiFact[] = [
  ...facts("pcp_spin_trylock", PCP, [
    { ...preemptOff, held: "nonzero" },
    { kind: "acquire", lock: "spinlock", object: null, mode: "exclusive", sleeps: false, held: "nonzero", objectIsValue: true, field: "lock" },
  ], { since: "6.1", arity: 1 }),
  ...facts("pcp_spin_lock", PCP, [
    preemptOff,
    { kind: "acquire", lock: "spinlock", object: null, mode: "exclusive", sleeps: false, held: "always", objectIsValue: true, field: "lock" },
  ], { since: "6.1", arity: 1 }),
  ...facts("pcp_spin_unlock", PCP, [inField("lock", release("spinlock", "exclusive")), preemptOn], { since: "6.1", arity: 1 }),
];

/** The value is the vector, locked: a class of its own that rules need not tell from other spin locks. */
const vector: Effect = { kind: "acquire", field: "lru_lock", lock: "spinlock", object: null, mode: "exclusive", sleeps: false, held: "always", objectIsValue: true };

const unlocked: Effect = inField("lru_lock", release("spinlock", "exclusive"));

const LRUVEC = "mm/memcontrol.c:1296-1343 (6.1.192)";
const UNLOCK = "include/linux/memcontrol.h:1598-1608 (6.1.192)";

const LRU_VECTORS: readonly ApiFact[] = [
  ...facts("folio_lruvec_lock", LRUVEC, [vector], { arity: 1, since: "5.11" }),
  ...facts("folio_lruvec_lock_irq folio_lruvec_lock_irqsave", LRUVEC, [irqOff, vector], { since: "5.11" }),
  ...facts("folio_lruvec_relock_irq folio_lruvec_relock_irqsave", "include/linux/memcontrol.h (6.1.192): lets another vector go first", [vector], { since: "5.11" }),
  ...facts("unlock_page_lruvec", UNLOCK, [unlocked], { arity: 1, since: "5.11" }),
  ...facts("unlock_page_lruvec_irq unlock_page_lruvec_irqrestore", UNLOCK, [unlocked, irqOn], { since: "5.11" }),
];

const HIGHMEM = "include/linux/highmem-internal.h (6.1.192)";

const LOCAL_MAPS: readonly ApiFact[] = [
  ...facts("kmap_local_page", HIGHMEM, [push, { kind: "addressOfPage", page: 0, form: "virtual" }], { since: "5.11", needs: { HIGHMEM: true } }),
  ...facts("kmap_local_folio kmap_local_pfn", HIGHMEM, [push], { since: "5.11", needs: { HIGHMEM: true } }),
  ...facts("kunmap_local", HIGHMEM, [pop], { since: "5.11", needs: { HIGHMEM: true } }),
];

export const atomicFacts: readonly ApiFact[] = [...SECTIONS, ...LOCAL_LOCKS, ...PAGE_LISTS, ...LRU_VECTORS, ...LOCAL_MAPS];
