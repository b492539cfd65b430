// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { COLORED, PLAIN } from "../../server/report/paint.ts";
import { inputText, summaryText } from "../../server/report/text.ts";
import { CLEAN, FINDING, OBLIGATIONS, QUESTION, REVIEW } from "./sample-review.ts";

const OPTIONS = { paint: PLAIN, lineLabel: "mail", brief: false };

test("a proved finding with its schedule", () => {
  expect(inputText("v3-move.txt", REVIEW, OPTIONS)).toBe(`\
== v3-move.txt: [PATCH v3 2/3] example: move pages between mms
   target 6.6 by date (Fri, 15 Sep 2023), x86_64 HIGHPTE=n; 3 functions, 1 seen
   in part; 2 of 41 calls not known

v3-move.txt:140: error: move_one_pte() starts the invalidation without blocking and drops the result: a subscriber that refuses stays mapped [notifier-nonblock-outside-oom] (proved)
v3-move.txt:35: note: pte mapped here
v3-move.txt:161: note: entry moved here

            move_one_pte()                             KVM vCPU
            ----------------------------------------   -------------------------
  mail:35   src = pte_offset_map(src_pmd, src_addr)
              [rcu: 0 -> 1]
                                                       fault: spte := entry(src)
                                                         [spte: none -> X]
  mail:140  mmu_notifier_invalidate_range_start_nonblock(&range)
              [interval subscriber: refused]
  mail:153  entry = ptep_clear_flush(vma, src_addr, src)
              [entry(src): X -> none]
  mail:161  set_pte_at(mm, dst_addr, dst, entry)
              [owner(X): S -> D]
                                                       store through spte
  *** stale secondary mapping: the vCPU writes page X, which belongs to mm D now

  explored   stale-secondary-mapping: the schedule above breaks it (412 states,
             950 transitions; env {interval subscriber, vCPU}, loops <= 2, SC)
  fixed by   blocking start before the first map, end after the last unmap:
             passes, all 388 states explored; the schedule above then stops at
             "KVM vCPU: fault: spte := entry(src)", held by: notifier range in
             progress; undoing the fix fails again
  no remedy  blocking start in place: sleeps under rcu_read_lock() from
             pte_offset_map()
  assumes    double_pt_lock() as of 6.8
             caller holds mmap_lock of both (comment)
  source     Example Reviewer, 2023-09-15: example: move pages between mms

`);
});

test("problems, a finding without evidence, and the checklist", () => {
  const review = {
    ...REVIEW,
    subject: null,
    problems: [{ code: "archive-damage", message: "white space was lost", line: 9 }, { code: "no-date", message: "no date", line: null }],
    findings: [QUESTION],
    obligations: OBLIGATIONS,
  };
  expect(inputText("a.txt", review, OPTIONS)).toBe(`\
== a.txt
   target 6.6 by date (Fri, 15 Sep 2023), x86_64 HIGHPTE=n; 3 functions, 1 seen
   in part; 2 of 41 calls not known

a.txt:9: note: white space was lost [archive-damage]
a.txt: note: no date [no-date]

a.txt:12: warning: does every caller of find_huge() hold hugetlb_vma_lock or i_mmap_rwsem here? [hugetlb-walk-unlocked] (contract)
  origin     incomplete fix: the old code has it too, and this patch changes the
             code concerned

obligations of the mechanism that this patch changes:
  [x] COW-1  read-only GUP of a COW mapping forces the break (line 76)
  [!] COW-2  the forced flag reaches the fault handler of every page that is
             looked up in this call, in each of the two loops (lines 83, 84, 88)
  [ ] COW-9  architectures with their own fast walker follow - not visible here

`);
  const brief = inputText("a.txt", review, { ...OPTIONS, brief: true });
  expect(brief).not.toContain("COW-1");
  expect(brief).not.toContain("archive-damage");
  expect(brief).toContain("hugetlb-walk-unlocked");
});

test("nothing to say is said with no text", () => {
  expect(inputText("a.patch", CLEAN, OPTIONS)).toBe("");
  const unseen = OBLIGATIONS.filter((one) => one.status === "not-visible");
  expect(inputText("a.patch", { ...CLEAN, obligations: unseen }, OPTIONS)).toBe("");
});

test("the finding line suits the $gcc problem matcher", () => {
  const line = inputText("a.txt", REVIEW, OPTIONS).split("\n").find((one) => one.includes("error:")) ?? "";
  expect(/^(.*?):(\d+):(\d*):?\s+(?:fatal\s+)?(warning|error):\s+(.*)$/.exec(line)?.slice(1, 5)).toEqual(["a.txt", "140", "", "error"]);
});

test("nothing of a patch controls the terminal, with and without colors", () => {
  const evil = "\x1b[2Jx\u202ey\u0007\r\nz\u200b";
  const review = {
    ...REVIEW,
    subject: evil,
    target: { ...REVIEW.target, because: evil },
    problems: [{ code: evil, message: evil, line: 1 }],
    obligations: [{ id: evil, ruleId: "r", status: "holds" as const, message: evil, patchLines: [1] }],
    findings: [{
      ...FINDING,
      message: evil,
      function: evil,
      related: [{ message: evil, patchLine: 1, file: evil, newLine: null }],
      sources: [{ thread: evil, who: evil, date: evil, link: evil }],
      evidence: FINDING.evidence && {
        ...FINDING.evidence,
        badState: evil,
        bounds: evil,
        assumptions: [evil],
        wrongFixes: [evil],
        schedule: [{ thread: evil, step: evil, patchLine: 1, state: evil }],
        fixed: FINDING.evidence.fixed && { ...FINDING.evidence.fixed, title: evil, blockedAt: evil, heldBy: evil },
      },
    }],
  };
  const plain = inputText(evil, review, OPTIONS);
  expect(plain).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e]/);
  expect(plain).toContain("<U+001B>[2Jx<U+202E>y<U+0007> z<U+200B>");
  const colored = inputText(evil, review, { ...OPTIONS, paint: COLORED });
  expect(colored.replace(/\x1b\[[0-9;]+m/g, "")).toBe(plain);
});

test("what is suppressed is told on request only, and obeyed by no terminal", () => {
  const place = { in: "mail", path: null, line: 4, column: 2, endColumn: 3 } as const;
  const review = { ...CLEAN, suppressed: [{ finding: FINDING, reason: "looked\u001b[2J at", until: "6.12", place }] };
  expect(inputText("a.patch", review, OPTIONS)).toBe("");
  const told = inputText("a.patch", review, { ...OPTIONS, showsSuppressed: true });
  expect(told).toContain("a.patch:140: suppressed: move_one_pte() starts");
  expect(told).toContain("  reason     looked<U+001B>[2J at\n  said in    a.patch:4, until 6.12\n");
});

test("summary", () => {
  expect(summaryText({ proved: 0, contract: 0, pattern: 0, files: 2, suppressed: 2, baseline: 0 }, 1, PLAIN))
    .toBe("patchwalk: no findings in 1 input in 2 files; 2 suppressed, 0 in the baseline\n");
  expect(summaryText({ proved: 1, contract: 2, pattern: 0, files: 1 }, 3, PLAIN))
    .toBe("patchwalk: 3 findings (1 proved, 2 contract) in 3 inputs in 1 file\n");
  expect(summaryText({ proved: 0, contract: 0, pattern: 0, files: 2 }, 1, PLAIN))
    .toBe("patchwalk: no findings in 1 input in 2 files\n");
});
