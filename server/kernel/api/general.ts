// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Effect } from "../effect.ts";
import { irqOff, irqOn } from "./atomic.ts";
import { sleepsIf } from "./flag-sleep.ts";
import { acquire, facts, inField, maySleep, release, returnsReference } from "./make.ts";

const put: Effect = { kind: "putReference", object: 0 };
const lastPut: readonly Effect[] = [{ kind: "maySleep", onlyIf: "last-reference" }, put];

const FS = "include/linux/fs.h (6.1.192)";

/** Locks of other parts of the kernel, under the names that mm/ calls them by. */
const LOCKS: readonly ApiFact[] = [
  ...facts("task_lock", "include/linux/sched/task.h (6.1.192)", [inField("alloc_lock", acquire("spinlock", "exclusive"))], { arity: 1 }),
  ...facts("task_unlock", "include/linux/sched/task.h (6.1.192)", [inField("alloc_lock", release("spinlock", "exclusive"))], { arity: 1 }),
  ...facts("inode_lock inode_lock_nested", FS, [inField("i_rwsem", acquire("rwsem", "write"))]),
  ...facts("inode_trylock", FS, [inField("i_rwsem", acquire("rwsem", "write", "nonzero"))]),
  ...facts("inode_lock_shared", FS, [inField("i_rwsem", acquire("rwsem", "read"))]),
  ...facts("inode_unlock", FS, [inField("i_rwsem", release("rwsem", "write"))]),
  ...facts("inode_unlock_shared", FS, [inField("i_rwsem", release("rwsem", "read"))]),
  ...facts("filemap_invalidate_lock", FS, [inField("invalidate_lock", acquire("rwsem", "write"))]),
  ...facts("filemap_invalidate_trylock", FS, [inField("invalidate_lock", acquire("rwsem", "write", "nonzero"))]),
  ...facts("filemap_invalidate_lock_shared", FS, [inField("invalidate_lock", acquire("rwsem", "read"))]),
  ...facts("filemap_invalidate_trylock_shared", FS, [inField("invalidate_lock", acquire("rwsem", "read", "nonzero"))]),
  ...facts("filemap_invalidate_unlock", FS, [inField("invalidate_lock", release("rwsem", "write"))]),
  ...facts("filemap_invalidate_unlock_shared", FS, [inField("invalidate_lock", release("rwsem", "read"))]),
  ...facts("cpus_read_lock get_online_cpus", "kernel/cpu.c (6.1.192)", [acquire("rwsem", "read", "always", null)]),
  ...facts("cpus_read_unlock put_online_cpus", "kernel/cpu.c (6.1.192)", [release("rwsem", "read", null)]),
  ...facts("lock_device_hotplug", "drivers/base/core.c (6.1.192)", [acquire("mutex", "exclusive", "always", null)], { arity: 0, certainty: "plausible" }),
  ...facts("unlock_device_hotplug", "drivers/base/core.c (6.1.192)", [release("mutex", "exclusive", null)], { arity: 0, certainty: "plausible" }),
  ...facts("pgdat_resize_lock", "include/linux/memory_hotplug.h (6.1.192)", [irqOff, inField("node_size_lock", acquire("spinlock", "exclusive"))], { arity: 2, needs: { MEMORY_HOTPLUG: true } }),
  ...facts("pgdat_resize_unlock", "include/linux/memory_hotplug.h (6.1.192)", [inField("node_size_lock", release("spinlock", "exclusive")), irqOn], {
    arity: 2,
    needs: { MEMORY_HOTPLUG: true },
  }),
  ...facts("pgdat_kswapd_lock", "include/linux/memory_hotplug.h:181 (6.12.117)", [inField("kswapd_lock", acquire("mutex", "exclusive"))], {
    arity: 1,
    needs: { MEMORY_HOTPLUG: true },
  }),
  ...facts("pgdat_kswapd_unlock", "include/linux/memory_hotplug.h:186 (6.12.117)", [inField("kswapd_lock", release("mutex", "exclusive"))], {
    arity: 1,
    needs: { MEMORY_HOTPLUG: true },
  }),
];

const REFERENCES: readonly ApiFact[] = [
  ...facts("fdget", "include/linux/file.h (6.1.192)", [returnsReference("file", "null")], { arity: 1 }),
  ...facts("fdput filp_close", "include/linux/file.h (6.1.192)", [maySleep, put]),
  ...facts("put_dev_pagemap", "include/linux/memremap.h (6.1.192)", [put], { arity: 1 }),
  ...facts("kobject_put put_device", "lib/kobject.c, drivers/base/core.c (6.1.192)", lastPut, { arity: 1, certainty: "plausible" }),
  ...facts("folio_put_testzero put_page_testzero", "include/linux/mm.h (6.1.192): true is the last one", [put], { arity: 1 }),
  ...facts("folio_ref_sub page_ref_sub", "include/linux/page_ref.h (6.1.192)", [put], { arity: 2 }),
  ...facts("folio_batch_release pagevec_release", "include/linux/pagevec.h (6.1.192)", [{ kind: "unpin", reference: "get", pages: 0 }], { arity: 1 }),
];

const sleepers = (source: string, names: string): ApiFact[] => facts(names, source, [maySleep]);

/** Of parts of the kernel whose sources were not read again for these facts. */
const believedSleepers = (source: string, names: string): ApiFact[] => facts(names, source, [maySleep], { certainty: "plausible" });

const SLEEPERS: readonly ApiFact[] = [
  ...sleepers("kernel/jump_label.c (6.1.192): cpus_read_lock()", "static_branch_enable static_branch_disable static_branch_inc static_branch_dec"),
  ...sleepers("include/linux/sched.h, kernel/time (6.1.192)", "try_to_freeze set_freezable"),
  ...sleepers("kernel/kthread.c, kernel/workqueue.c (6.1.192)", "kthread_run kthread_create alloc_workqueue destroy_workqueue cancel_delayed_work_sync flush_delayed_work drain_workqueue set_cpus_allowed_ptr"),
  ...sleepers("kernel/cpu.c (6.1.192)", "cpuhp_setup_state cpuhp_setup_state_nocalls cpuhp_remove_state"),
  ...sleepers("include/linux/slab.h, mm/slab_common.c (6.1.192)", "kmem_cache_create kmem_cache_destroy kmem_cache_shrink KMEM_CACHE alloc_percpu __alloc_percpu NODEMASK_SCRATCH"),
  ...sleepers("include/linux/blkdev.h, block/ (6.1.192)", "blk_finish_plug blkdev_issue_discard submit_bio_wait"),
  ...sleepers("kernel/events, kernel/events/uprobes.c (6.1.192): GFP_KERNEL", "perf_event_mmap uprobe_mmap"),
  ...believedSleepers("fs/userfaultfd.c (6.1.192): waits for the monitor", "userfaultfd_unmap_complete mremap_userfaultfd_complete dup_userfaultfd_complete"),
  ...believedSleepers("fs/debugfs, fs/sysfs, fs/proc (6.1.192): GFP_KERNEL and directory locks", "debugfs_create_file debugfs_create_dir debugfs_create_u64 debugfs_create_u32 debugfs_create_bool debugfs_create_atomic_t debugfs_create_file_unsafe debugfs_remove debugfs_remove_recursive sysfs_create_group sysfs_remove_group sysfs_create_file sysfs_remove_file sysfs_create_link sysfs_remove_link proc_create proc_create_seq kobject_create_and_add kobject_init_and_add register_sysctl_init seq_open"),
  ...sleepers("kernel/sysctl.c (6.1.192): user memory", "proc_dointvec proc_dointvec_minmax proc_doulongvec_minmax proc_dostring"),
  ...believedSleepers("fs/ (6.1.192)", "file_permission file_update_time file_accessed kern_mount file_open_name path_put"),
  ...believedSleepers("lib/iov_iter.c (6.1.192): user memory", "copy_page_to_iter copy_page_from_iter copy_folio_to_iter copy_to_iter copy_from_iter"),
  ...sleepers("include/linux/wait.h, include/linux/freezer.h (6.1.192)", "wait_event_freezable wait_event_freezable_timeout wait_event_interruptible_timeout folio_wait_locked_killable"),
  ...sleepers("kernel/notifier.c (6.1.192)", "blocking_notifier_call_chain blocking_notifier_chain_register blocking_notifier_chain_unregister"),
  ...sleepers("mm/mempolicy.c (6.1.192): GFP_KERNEL", "mpol_dup"),
  ...believedSleepers("drivers/base/memory.c (6.1.192)", "memory_notify walk_memory_blocks hotplug_memory_notifier register_hotmemory_notifier"),
  ...sleepers("mm/memblock.c (6.1.192): reclaims once the slab allocators are up", "memblock_alloc memblock_alloc_node memblock_alloc_from memblock_alloc_raw"),
  ...believedSleepers("lib/percpu-refcount.c (6.1.192)", "percpu_ref_switch_to_atomic_sync"),
  ...facts("percpu_ref_init", "include/linux/percpu-refcount.h (6.1.192)", [sleepsIf(3, "gfp")], { arity: 4 }),
  ...facts("percpu_counter_init", "include/linux/percpu_counter.h (6.1.192)", [sleepsIf(2, "gfp")], { arity: 3 }),
  ...facts("mas_preallocate", "include/linux/maple_tree.h (6.1.192, 6.12.117)", [sleepsIf(2, "gfp")], { arity: 3, since: "6.1" }),
  ...facts("xas_split_alloc", "include/linux/xarray.h (6.1.192)", [sleepsIf(3, "gfp")], { arity: 4 }),
  ...facts("stack_depot_save", "include/linux/stackdepot.h (6.1.192)", [sleepsIf(2, "gfp")], { arity: 3 }),
  ...facts("kmemleak_alloc", "include/linux/kmemleak.h (6.1.192)", [sleepsIf(3, "gfp")], { arity: 4, needs: { DEBUG_KMEMLEAK: true } }),
  ...facts("kmemleak_alloc_recursive", "include/linux/kmemleak.h (6.1.192)", [sleepsIf(4, "gfp")], { arity: 5, needs: { DEBUG_KMEMLEAK: true } }),
  ...facts("cond_resched_rcu", "include/linux/rcupdate_wait.h (6.1.192): leaves the section in between", [
    { kind: "leaveAtomic", reason: "rcu" },
    maySleep,
    { kind: "enterAtomic", reason: "rcu" },
  ], { arity: 0 }),
];

/** Calls of other parts of the kernel that mm/ makes often. */
const BITS: readonly ApiFact[] = [
  ...facts("set_bit __set_bit test_and_set_bit", "include/linux/bitops.h (6.1.192)", [{ kind: "changesBit", bit: 0, word: 1, to: "set" }], { arity: 2 }),
  ...facts("clear_bit __clear_bit test_and_clear_bit", "include/linux/bitops.h (6.1.192)", [{ kind: "changesBit", bit: 0, word: 1, to: "clear" }], { arity: 2 }),
];

export const generalFacts: readonly ApiFact[] = [...LOCKS, ...REFERENCES, ...SLEEPERS, ...BITS];
