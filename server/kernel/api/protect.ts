// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Argument, Effect } from "../effect.ts";
import { excludes, facts, maySleep, type Bounds } from "./make.ts";

/** The same of functions that take a boolean: whether protection is switched on. */
const lostTableIf = (enable: Argument, errors: readonly string[] = ["ENOMEM"]): Effect => ({ kind: "returnsError", form: "negative", errors, allocates: true, flags: enable });

/** Page tables for uffd-wp markers may be missing: only then does anything fail. */
const lostTable = (flags: Argument, errors: readonly string[] = ["ENOMEM"]): Effect => ({
  kind: "returnsError",
  form: "negative",
  errors,
  allocates: true,
  flags,
  onlyWith: "MM_CP_UFFD_WP",
});

const WALKERS = "change_pmd_range change_pud_range change_p4d_range";
const CHANGE = "d1751118c886, a79390f5d6a7";

const inEras = (names: string, flags: Argument, bounds: Bounds = {}): ApiFact[] => [
  ...facts(names, "mm/mprotect.c, mm/hugetlb.c (6.1.192): a page count, errors are lost", [maySleep], { ...bounds, until: "6.3" }),
  ...facts(names, CHANGE, [maySleep, lostTable(flags)], { ...bounds, since: "6.3" }),
];

/**
 * Changing protection: counts of pages up to 6.2, negative on errors from 6.3 on. 6.1.192 has the types of 6.3 and not
 * the errors. `mprotect_fixup()` and `change_prot_numa()` never ask for MM_CP_UFFD_WP and may drop the value.
 */
export const protectFacts: readonly ApiFact[] = [
  ...facts("change_pte_range", "mm/mprotect.c (6.2)", [maySleep], { until: "6.3" }),
  ...facts("change_pte_range", CHANGE, [maySleep, lostTable(6)], { since: "6.3", until: "6.5" }),
  ...facts("change_pte_range", "mm/mprotect.c (6.12.117): -EAGAIN where the table went away", [maySleep, lostTable(6, ["ENOMEM", "EAGAIN"])], { since: "6.5" }),
  ...inEras(WALKERS, 6),
  ...inEras("change_protection_range", 5),
  ...inEras("hugetlb_change_protection", 4),
  ...facts("change_protection", "mm/mprotect.c (6.2): a page count", [maySleep], { until: "6.3" }),
  ...facts("change_protection", "mm/mprotect.c:541 (6.12.117): the protection comes from the VMA", [maySleep, lostTable(4)], {
    arity: 5,
    since: "6.3",
    certainty: "plausible",
  }),
  ...facts("uffd_wp_range", "mm/userfaultfd.c:738 (6.1.192): void", [maySleep], { until: "6.3" }),
  ...facts("uffd_wp_range", `${CHANGE}; only where write protection is switched on`, [maySleep, lostTableIf(3)], { arity: 4, since: "6.3" }),
  // The mm went with 6.4: what is still handed one reports all the same.
  ...facts("uffd_wp_range", `${CHANGE}; with the mm of 6.3`, [maySleep, lostTableIf(4)], { arity: 5, since: "6.3", until: "6.4", certainty: "plausible" }),
  ...facts("mwriteprotect_range", "mm/userfaultfd.c:755 (6.1.192)", [
    maySleep,
    excludes("mmap_lock", 0),
    { kind: "returnsError", form: "negative", errors: ["ENOENT", "EAGAIN", "EINVAL"], allocates: false },
  ], { until: "6.3", certainty: "plausible" }),
  ...facts("mwriteprotect_range", CHANGE, [maySleep, lostTableIf(3, ["ENOENT", "EAGAIN", "EINVAL", "ENOMEM"])], { since: "6.3" }),
  ...facts("mprotect_fixup change_prot_numa", "mm/mprotect.c:547, mm/mempolicy.c:627 (6.1.192)", [maySleep]),
];
