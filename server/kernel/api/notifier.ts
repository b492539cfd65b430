// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Effect } from "../effect.ts";
import { facts, maySleep } from "./make.ts";

const start = (blocking: boolean): Effect => ({ kind: "notifierStart", range: 0, blocking });
const end: Effect = { kind: "notifierEnd", range: 0 };

const HEADER = "include/linux/mmu_notifier.h";

/**
 * Before 5.0 there was no range object: (mm, start, end) named the range. The mm stands for it then, and start also
 * initializes it.
 */
const NOTIFIER: readonly ApiFact[] = [
  ...facts(
    "mmu_notifier_range_init",
    "ac46d4f3c432",
    [{ kind: "notifierInit", range: 0, mm: 1, start: 2, end: 3 }],
    { arity: 4, since: "5.0", until: "5.2", certainty: "plausible" },
  ),
  ...facts(
    "mmu_notifier_range_init",
    `${HEADER}; event, flags and vma came in 5.2`,
    [{ kind: "notifierInit", range: 0, mm: 4, start: 5, end: 6, event: 1 }],
    { arity: 7, since: "5.2", until: "6.3", certainty: "plausible" },
  ),
  ...facts(
    "mmu_notifier_range_init",
    "7d4a8be0c4b2 (vma dropped)",
    [{ kind: "notifierInit", range: 0, mm: 3, start: 4, end: 5, event: 1 }],
    { arity: 6, since: "6.3" },
  ),
  ...facts(
    "mmu_notifier_range_init_owner",
    `${HEADER}`,
    [{ kind: "notifierInit", range: 0, mm: 4, start: 5, end: 6, event: 1 }],
    { arity: 8, since: "5.14", until: "6.3", certainty: "plausible" },
  ),
  ...facts(
    "mmu_notifier_range_init_owner",
    "7d4a8be0c4b2 (vma dropped)",
    [{ kind: "notifierInit", range: 0, mm: 3, start: 4, end: 5, event: 1 }],
    { arity: 7, since: "6.3" },
  ),
  ...facts(
    "mmu_notifier_invalidate_range_start",
    "ac46d4f3c432",
    [maySleep, { kind: "notifierInit", range: 0, mm: 0, start: 1, end: 2 }, start(true)],
    { arity: 3, until: "5.0", certainty: "plausible" },
  ),
  ...facts(
    "mmu_notifier_invalidate_range_start",
    `${HEADER}:454 (6.1.192): might_sleep() without condition`,
    [maySleep, start(true)],
    { arity: 1, since: "5.0" },
  ),
  ...facts(
    "mmu_notifier_invalidate_range_start_nonblock",
    "93065ac753e4",
    [{ kind: "notifierInit", range: 0, mm: 0, start: 1, end: 2 }, start(false)],
    { arity: 3, since: "4.19", until: "5.0", certainty: "plausible" },
  ),
  ...facts("mmu_notifier_invalidate_range_start_nonblock", `${HEADER}:464-476 (6.1.192)`, [start(false)], {
    arity: 1,
    since: "5.0",
  }),
  ...facts("mmu_notifier_invalidate_range_end", "ac46d4f3c432", [maySleep, end], { arity: 3, until: "5.0", certainty: "plausible" }),
  ...facts(
    "mmu_notifier_invalidate_range_end",
    `${HEADER}:481 (6.1.192): sleeps when the range is blockable and the mm has subscribers`,
    [{ kind: "maySleep", onlyIf: "blockable" }, end],
    { arity: 1, since: "5.0" },
  ),
  ...facts("mmu_notifier_invalidate_range_only_end", "ec8832d007cb (removed in 6.6)", [maySleep, end], { until: "6.6" }),
  ...facts(
    "mmu_notifier_register mmu_notifier_unregister mmu_interval_notifier_insert mmu_interval_notifier_remove",
    "mm/mmu_notifier.c (6.1.192)",
    [maySleep],
  ),
];

export const notifierFacts: readonly ApiFact[] = [
  ...NOTIFIER.map((fact) => ({ ...fact, needs: { MMU_NOTIFIER: true } })),
  ...facts("adjust_range_if_pmd_sharing_possible", "017b1660df89 (4.19); mm/hugetlb.c:7047 (6.1.192)", [{ kind: "widensRange", start: 1, end: 2 }], { arity: 3 }),
];
