// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Effect } from "../effect.ts";
import { dropsMmapLock, excludes, facts, maySleep, requires, returnsReference } from "./make.ts";

const VIA_FAST: readonly Effect[] = [maySleep, excludes("mmap_lock", null)];

/** Calls of mm/ around GUP that take no reference for their caller, and those that hand out what they got. */
const MEMORY: readonly ApiFact[] = [
  ...facts("populate_vma_page_range", "mm/gup.c:1566 (6.1.192)", [maySleep, requires("mmap_lock", "any"), dropsMmapLock(0, "locked-cleared", "released", { tells: 3 })], {
    arity: 4,
  }),
  ...facts("faultin_vma_page_range", "mm/gup.c:1636 (6.1.192)", [maySleep, requires("mmap_lock", "any"), dropsMmapLock(0, "locked-cleared", "released", { tells: 4 })], {
    arity: 5,
    since: "5.14",
    until: "6.10",
    certainty: "plausible",
  }),
  ...facts("faultin_page_range", "mm/gup.c:1962 (6.12.117)", [maySleep, requires("mmap_lock", "read"), dropsMmapLock(0, "locked-cleared", "released", { tells: 4 })], {
    arity: 5,
    since: "6.10",
    certainty: "plausible",
  }),
  ...facts("access_remote_vm __access_remote_vm", "mm/memory.c:5782-5809 (6.1.192)", [maySleep, excludes("mmap_lock", 0)]),
  ...facts("access_process_vm", "mm/memory.c:5809 (6.1.192): the mm of the task", [maySleep, excludes("mmap_lock", null)]),
  ...facts("make_device_exclusive_range", "mm/rmap.c:2339 (6.1.192): pages are locked and referenced, entries may be NULL", [
    maySleep,
    requires("mmap_lock", "any"),
    returnsReference("pages", "negative", { out: 3, locks: "always" }),
  ], { arity: 5, since: "5.14", until: "6.15", certainty: "plausible" }),
  ...facts("make_device_exclusive", "mm/rmap.c (6.15)", [maySleep, requires("mmap_lock", "any"), returnsReference("page", "error-pointer", { locks: "always" })], {
    since: "6.15",
    certainty: "plausible",
  }),
  ...facts("memfd_pin_folios", "mm/gup.c:3700 (6.12.117)", [maySleep, returnsReference("pages", "negative", { reference: "pin", out: 3 })], {
    arity: 6,
    since: "6.11",
    certainty: "plausible",
  }),
  ...facts("follow_pfn", "mm/memory.c:5578 (6.1.192): the pfn has no lifetime", [
    { kind: "requiresHeld", lock: "mmap_lock", object: 0, mode: "any", or: "i_mmap_rwsem" },
    { kind: "returnsError", form: "negative", errors: ["EINVAL"], allocates: false },
  ], { arity: 3, until: "6.10" }),
  ...facts("follow_pfnmap_start", "6da8e9634bb7, mm/memory.c:6435 (6.12.117): 0 leaves the entry locked until follow_pfnmap_end()", [
    { kind: "acquire", lock: "ptl", object: 0, mode: "exclusive", sleeps: false, held: "zero" },
  ], { arity: 1, since: "6.12" }),
  ...facts("follow_pfnmap_end", "mm/memory.c:6530 (6.12.117)", [{ kind: "release", lock: "ptl", object: 0, mode: "exclusive" }], { arity: 1, since: "6.12" }),
];

/** Vectors of user memory: a byte count, get_user_pages_fast() inside. */
const VECTORS: readonly ApiFact[] = [
  ...facts("iov_iter_get_pages iov_iter_get_pages2", "lib/iov_iter.c:1495 (6.1.192)", [...VIA_FAST, returnsReference("pages", "negative", { out: 1 })]),
  ...facts("iov_iter_get_pages_alloc iov_iter_get_pages_alloc2", "lib/iov_iter.c:1507 (6.1.192): the array is allocated too", [
    ...VIA_FAST,
    returnsReference("pages", "negative", { out: 1 }),
  ]),
  ...facts("iov_iter_extract_pages", "7d58fe731028 (6.3): pins where the iterator is of user memory", [
    ...VIA_FAST,
    returnsReference("pages", "negative", { reference: "pin", out: 1 }),
  ], { since: "6.3", certainty: "plausible" }),
  ...facts("bio_iov_iter_get_pages", "block/bio.c:1276 (6.1.192): none for a bvec iterator", [...VIA_FAST, returnsReference("pages", "negative", { out: 0 })], { arity: 2 }),
  ...facts("bio_release_pages", "block/bio.c (6.1.192): `mark_dirty` takes page locks", [{ kind: "sleepsIf", flag: 1, word: "boolean" }], { arity: 2 }),
];

/** Wrappers of drivers: all pin, all or nothing unless said. */
const DRIVERS: readonly ApiFact[] = [
  ...facts("io_pin_pages", "io_uring/rsrc.c:979 (6.1.192): FOLL_WRITE, FOLL_LONGTERM; the array of pages", [
    ...VIA_FAST,
    returnsReference("pages", "error-pointer", { reference: "pin" }),
  ], { since: "5.19", certainty: "plausible" }),
  ...facts("ib_umem_get", "drivers/infiniband/core/umem.c:164 (6.1.192): FOLL_LONGTERM, FOLL_WRITE by access", [
    ...VIA_FAST,
    returnsReference("pages", "error-pointer", { reference: "pin" }),
  ]),
  ...facts("ib_umem_release put_vaddr_frames", "drivers/infiniband/core/umem.c, frame_vector.c (6.1.192): marks pages dirty", [maySleep]),
  ...facts("get_vaddr_frames", "frame_vector.c:39 (6.1.192): FOLL_FORCE, FOLL_WRITE, FOLL_LONGTERM; pins in the vector", [
    ...VIA_FAST,
    returnsReference("pages", "negative", { reference: "pin" }),
  ]),
  ...facts("hfi1_acquire_user_pages", "drivers/infiniband/hw/hfi1 (6.1.192): FOLL_LONGTERM; some may be missing", [
    ...VIA_FAST,
    returnsReference("pages", "negative", { reference: "pin" }),
  ]),
  ...facts("sev_pin_memory", "arch/x86/kvm/svm/sev.c:394 (6.1.192): under kvm->lock", [...VIA_FAST, returnsReference("pages", "error-pointer", { reference: "pin" })]),
  ...facts("rds_pin_pages", "net/rds/rdma.c:154 (6.1.192): FOLL_LONGTERM, FOLL_WRITE by argument", [
    ...VIA_FAST,
    returnsReference("pages", "negative", { reference: "pin", out: 2 }),
  ]),
  ...facts("gntdev_get_page tce_iommu_use_page", "drivers/xen/gntdev.c, drivers/vfio (6.1.192): one page", [
    ...VIA_FAST,
    { kind: "returnsError", form: "negative", errors: ["EFAULT"], allocates: false },
  ]),
  ...facts("dax_lock_page", "drivers/sbus/char/oradax.c (6.1.192): one page", [...VIA_FAST, returnsReference("page", "negative", { reference: "pin", out: 1 })], {
    arity: 2,
    certainty: "plausible",
  }),
  ...facts("dax_lock_page", "fs/dax.c (6.1.192): locks the entry that maps the page, waits for it", [maySleep], { arity: 1 }),
];

/** What the wrappers do was read; the positions of their arguments were not, for the sources are far from mm/. */
export const gupWrapperFacts: readonly ApiFact[] = [...MEMORY, ...VECTORS, ...DRIVERS.map((fact) => ({ ...fact, certainty: "plausible" as const }))];
