// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence, Finding, Obligation, Review, ScheduleStep } from "../../server/review/finding.ts";

/** Hand-made results, shaped as the engine gives them, about code that exists nowhere. */

export const step = (thread: string, text: string, patchLine: number | null, state = ""): ScheduleStep =>
  ({ thread, step: text, patchLine, state });

export const SCHEDULE: readonly ScheduleStep[] = [
  step("move_one_pte()", "src = pte_offset_map(src_pmd, src_addr)", 35, "rcu: 0 -> 1"),
  step("KVM vCPU", "fault: spte := entry(src)", null, "spte: none -> X"),
  step("move_one_pte()", "mmu_notifier_invalidate_range_start_nonblock(&range)", 140, "interval subscriber: refused"),
  step("move_one_pte()", "entry = ptep_clear_flush(vma, src_addr, src)", 153, "entry(src): X -> none"),
  step("move_one_pte()", "set_pte_at(mm, dst_addr, dst, entry)", 161, "owner(X): S -> D"),
  step("KVM vCPU", "store through spte", null),
];

export const EVIDENCE: Evidence = {
  scenario: "refused-invalidation",
  verdict: "fail",
  property: "stale-secondary-mapping",
  badState: "stale secondary mapping: the vCPU writes page X, which belongs to mm D now",
  states: 412,
  transitions: 950,
  bounds: "env {interval subscriber, vCPU}, loops <= 2, SC",
  assumptions: ["double_pt_lock() as of 6.8", "caller holds mmap_lock of both (comment)"],
  schedule: SCHEDULE,
  held: [
    { thread: "move_one_pte()", kind: "atomic", name: "atomic", from: 0, to: null },
    { thread: "move_one_pte()", kind: "lock", name: "ptl", from: 3, to: 4 },
  ],
  fixed: {
    title: "blocking start before the first map, end after the last unmap",
    verdict: "pass",
    states: 388,
    counted: "all",
    blockedAt: "KVM vCPU: fault: spte := entry(src)",
    heldBy: "notifier range in progress",
    replay: {
      steps: [
        { ...step("move_one_pte()", "mmu_notifier_invalidate_range_start(&range)", null, "spte: X -> none"), added: true },
        { ...step("move_one_pte()", "src = pte_offset_map(src_pmd, src_addr)", 35, "rcu: 0 -> 1"), added: false },
      ],
      held: [{ thread: "move_one_pte()", kind: "lock", name: "the started invalidation", from: 0, to: null }],
      blocked: step("KVM vCPU", "fault: spte := entry(src)", null),
      waitsFor: ["the started invalidation"],
    },
    mutationFails: true,
  },
  wrongFixes: ["blocking start in place: sleeps under rcu_read_lock() from pte_offset_map()"],
};

export const FINDING: Finding = {
  ruleId: "notifier-nonblock-outside-oom",
  type: "MM_NOTIFIER_NONBLOCK_OUTSIDE_OOM",
  severity: "error",
  tier: "proved",
  origin: "introduced",
  messageId: "resultDropped",
  message: "move_one_pte() starts the invalidation without blocking and drops the result: a subscriber that refuses stays mapped",
  function: "move_one_pte",
  fingerprint: "0123456789abcdef",
  location: { patchLine: 140, column: 7, endColumn: 51, file: null, newLine: null, oldLine: null },
  related: [
    { message: "pte mapped here", patchLine: 35, file: null, newLine: null },
    { message: "entry moved here", patchLine: 161, file: null, newLine: null },
  ],
  evidence: EVIDENCE,
  sources: [{ thread: "example: move pages between mms", who: "Example Reviewer", date: "2023-09-15", link: "https://example.org/r/1" }],
};

export const QUESTION: Finding = {
  ...FINDING,
  ruleId: "hugetlb-walk-unlocked",
  type: "MM_HUGETLB_WALK_UNLOCKED",
  severity: "warning",
  tier: "contract",
  origin: "incomplete-fix",
  messageId: "callerUnknown",
  message: "does every caller of find_huge() hold hugetlb_vma_lock or i_mmap_rwsem here?",
  function: "find_huge",
  fingerprint: "fedcba9876543210",
  location: { patchLine: 12, column: 3, endColumn: 18, file: "mm/example.c", newLine: 101, oldLine: null },
  related: [],
  evidence: null,
  sources: [],
};

export const OBLIGATIONS: readonly Obligation[] = [
  { id: "COW-1", ruleId: "gup-cow-break-missing", status: "holds", message: "read-only GUP of a COW mapping forces the break", patchLines: [76] },
  { id: "COW-2", ruleId: "gup-cow-break-missing", status: "broken", message: "the forced flag reaches the fault handler of every page that is looked up in this call, in each of the two loops", patchLines: [83, 84, 88] },
  { id: "COW-9", ruleId: "gup-cow-break-missing", status: "not-visible", message: "architectures with their own fast walker follow", patchLines: [] },
];

export const REVIEW: Review = {
  messageId: "1@example.org",
  subject: "[PATCH v3 2/3] example: move pages between mms",
  series: { version: 3, index: 2, total: 3, title: null },
  cover: null,
  target: { release: "6.6", decidedBy: "date", because: "Fri, 15 Sep 2023", arch: "x86_64", config: ["HIGHPTE=n"] },
  problems: [],
  coverage: { functions: 3, analyzed: 3, partial: 1, calls: 41, unknownCalls: 2 },
  obligations: [],
  findings: [FINDING],
};

export const CLEAN: Review = {
  messageId: null,
  subject: null,
  series: null,
  cover: null,
  target: { release: "6.17", decidedBy: "default", because: "", arch: "x86_64", config: [] },
  problems: [],
  coverage: { functions: 0, analyzed: 0, partial: 0, calls: 0, unknownCalls: 0 },
  obligations: [],
  findings: [],
};
