// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Finding, Review } from "../../server/review/finding.ts";
import { review, type ReviewInput } from "../../server/review/review.ts";
import { RULES } from "../../server/rules/registry.ts";
import { applied } from "../document-edits.ts";
import { optionsOf } from "../fixture-file.ts";
import { stripWhiteSpace } from "../patch/sample.ts";

const ROOT = join(import.meta.dirname, "../fixtures/rules");

/** Rules that offer no edit yet. */
const WITHOUT_EDITS: ReadonlySet<string> = new Set(RULES.filter(({ meta }) => !meta.offersEdits).map(({ meta }) => meta.id));

/** Findings without an edit, and why: `fixture`, or `fixture rule` where others of the file have one. What is not listed is offered at least one. */
const NOT_OFFERED: ReadonlyMap<string, string> = new Map([
  ["lock-imbalance/held-where-tests-differ.c", "which ways out hold the lock hangs on a test"],
  ["hugetlb-walk-unlocked/conditions-on-fields.c", "no VMA is at hand whose lock could be taken"],
  ["hugetlb-walk-unlocked/irq-off-arm64.c", "no VMA is at hand"],
  ["hugetlb-walk-unlocked/irq-off-foreign-mm.c", "no VMA is at hand"],
  ["hugetlb-walk-unlocked/macro-walk.c", "no VMA is at hand"],
  ["hugetlb-walk-unlocked/rcu-deref-arm64.c", "no VMA is at hand"],
  ["hugetlb-walk-unlocked/rcu-deref-no-paravirt.c", "no VMA is at hand"],
  ["hugetlb-walk-unlocked/set-through-address.c", "no VMA is at hand"],
  ["hugetlb-walk-unlocked/helper-alone.c", "a question: a caller may hold the lock"],
  ["hugetlb-walk-unlocked/lock-taken-on-request.c", "a question"],
  ["hugetlb-walk-unlocked/partial-gap.patch", "a question"],
  ["hugetlb-walk-unlocked/partial-hunk.patch", "a question"],
  ["hugetlb-walk-unlocked/partial-second-walk.patch", "a question"],
  ["hugetlb-walk-unlocked/walk-callback.c", "a question"],
  ["hugetlb-walk-unlocked/unknown-lock-helper.c", "a helper that is not known may hold the lock"],
  ["hugetlb-walk-unlocked/lock-in-wrapper.c", "the lookup stands in another function than the use"],
  ["hugetlb-walk-unlocked/partial-released.patch", "the lock was taken above the hunk"],
  ["hugetlb-walk-unlocked/partial-moved-inside.patch", "the lock would come first in its hunk, which then has no context to begin with"],
  ["lock-imbalance/released-after-callee.c", "the end is too many on some values of the callee only"],
  ["lock-imbalance/released-after-gup.c", "the end is too many where `locked` says so"],
  ["pgtable-alloc-failure-lost/break-from-macro.c", "the allocation stands in a macro"],
  ["gup-flags-invalid/get-longterm.c", "a pin, or no FOLL_LONGTERM: what is meant is for the author to say"],
  ["gup-flags-invalid/get-with-pin.c", "a pin is meant, and it is to be given back otherwise"],
  ["gup-flags-invalid/get-with-pin-6.1.c", "a pin is meant, and it is to be given back otherwise"],
  ["gup-flags-invalid/others-6.12.c", "another form, or none of the flags: what is meant is for the author to say"],
  ["gup-flags-invalid/fast-nowait.c", "another form, or no FOLL_NOWAIT"],
  ["gup-flags-invalid/unlocked-longterm-6.1.c", "another form that the lock is taken for"],
  ["gup-flags-invalid/null-pages-5.10.c", "an array, or another form"],
  ["gup-flags-invalid/null-pages.c", "an array, or another form"],
  ["gup-result-misread/unsigned-count.c", "where the error is to go is for the author to say"],
  ["gup-result-misread/loop-after-error.c", "the count or the error may be what changes"],
  ["gup-result-misread/endless.c", "how long to try is for the author to say"],
  ["gup-result-misread/one-page.c", "which error it is to be is for the author to say"],
  ["pte-map-unchecked/alloc-not-tested-5.10.c", "what to do instead is for the author to say"],
  ["pte-map-unchecked/bug-on.c", "what to do instead is for the author to say"],
  ["pte-map-unchecked/warn-on.c", "a test in the place of the warning, or none: what to do instead is for the author to say"],
  ["pte-unmap-missing/walk-left.c", "the function ends the walk nowhere: there is no call to repeat"],
  ["pte-map-unchecked/not-tested.c", "what to do instead is for the author to say"],
  ["pte-map-unchecked/test-dropped.patch", "what to do instead is for the author to say"],
  ["pte-map-unchecked/hard-prepared.c", "the code is prepared for other ways out too"],
  ["pte-unmap-foreign-pointer/saved-in-fault.c", "what was mapped, and by whom, is not visible"],
  ["pte-unmap-missing/one-before.c", "the end is given another pointer"],
  ["pte-unmap-missing/one-past.c", "the end is given another pointer"],
  ["pte-unmap-missing/unlock-only.c", "the function ends the mapping nowhere: there is no call to repeat"],
  ["pte-unmap-missing/wrong-of-two.c", "the end is given another pointer"],
  ["notifier-range-unbalanced/conditions-differ.c", "start and end hang on conditions in other words"],
  ["notifier-range-unbalanced/initialized-while-started.c", "the end belongs in front of the second initialization, which is no way out"],
  ["gup-fast-protocol/bail-out-forgets-6.1.c", "a statement that becomes a block: no edit makes these lines yet"],
  ["pinned-check-before-clear/counted-6.12.c", "the test leads to the clear: what is to be undone behind it is for the author to say"],
  ["gup-cow-break-misplaced/cow3-not-forced.patch", "the flags of the call and the forcing in front of it are two edits that no rule joins"],
  ["gup-cow-break-misplaced/cow4-dropped.patch", "the hunk would begin with six lines of context and end with three: patch would take its end for that of the file"],
  ["hugetlb-walk-unlocked/walker-section.c", "whether the section is one in which a lock may sleep is not known"],
  ["hugetlb-walk-unlocked/wrong-vma.c", "two locks of one class would be held"],
  ["gup-partial-leak/single-page-leaked.c gup-longterm-missing", "the call that is changed is found again for the page that it leaks"],
  ["cow-reuse-unsafe/refcount-4.19.c", "the page lock has to be waited for, without the entry, which has to be looked at again: more than an edit"],
  ["cow-reuse-unsafe/refcount-5.4.c", "the page lock has to be waited for"],
  ["cow-reuse-unsafe/trylock-copies-5.4.c", "the page lock has to be waited for"],
  ["cow-reuse-unsafe/cleared-unflushed-6.12.c", "the order of four calls of wp_page_copy() would have to change: no edit does that yet"],
  ["cow-reuse-unsafe/flushed-before-clear-6.1.c", "the order of the calls of wp_page_copy()"],
  ["cow-reuse-unsafe/set-before-flush-6.1.c", "the order of the calls of wp_page_copy()"],
  ["cow-reuse-unsafe/set-then-cleared-6.1.c", "the order of the calls of wp_page_copy()"],
  ["cow-reuse-unsafe/unmapped-early-5.8.c", "the order of the calls of wp_page_copy()"],
  ["cow-reuse-unsafe/pending-flush-5.10.c", "a test and a flush that the function has not: no edit makes these lines yet"],
  ["cow-reuse-unsafe/pending-flush-late-5.15.c", "the flush and its test stand below the copy: no edit moves both yet"],
  ["cow-reuse-unsafe/unlocked-too-late-5.10.c", "the lock is given up in other words than it was taken in: nothing in the function says that it is the same page"],
  ["cow-reuse-unsafe/unshare-drops-soft-dirty-6.1.c", "a test and a bit of the old entry that the function has not: no edit makes these lines yet"],
  ["cow-reuse-unsafe/unshare-drops-uffd-wp-6.1.c", "a test and a bit of the old entry that the function has not: no edit makes these lines yet"],
  ["cow-reuse-unsafe/unshare-writable-6.1.c", "the line belongs into an else of the test above it: no edit makes one yet"],
  ["gup-fast-protocol/head-asked-first-6.1.c", "the head is looked up again from a label, which the function has not"],
  ["gup-fast-protocol/head-not-rechecked-5.13.c", "the head is looked up again from a label, which the function has not"],
  ["gup-fast-protocol/head-not-rechecked-6.12.c", "the head is looked up again from a label, which the function has not"],
  ["sleep-in-atomic/alloc-under-ptl.c", "what is allocated before the section has to be freed on the way out that does not come to it"],
  ["sleep-in-atomic/locks-compared.c", "the call stands between two locks and two maps: no edit moves it over all their ends"],
  ["sleep-in-atomic/mutex-under-rcu.c", "under the mutex the function works with what the section found"],
  ["sleep-in-atomic/sleeper-while-not-running.c", "whether the wait is still meant behind the call is nothing that the text says"],
  ["sleep-in-atomic/vma-lock-while-not-running.c", "whether the wait is still meant behind the call is nothing that the text says"],
  ["sleep-in-atomic/with-irqs-off.c", "a loop that waits belongs behind the section, or needs no section: that is the author's to say"],
  ["notifier-in-atomic/nonblocking-while-mapped.c", "the way out where the start is refused would have to go, too"],
  ["notifier-in-atomic/nonblocking-end-in-section.c", "the end would have to move out of the section with it"],
  ["pte-recheck-missing/detached-anonymous-table.c", "the lock is taken in helpers, which have no pmd"],
  ["notifier-nonblock-outside-oom/partial-hunk.patch", "the maps are above the hunk"],
  ["notifier-nonblock-outside-oom/result-returned.c", "its caller would ask for a failure that there is no more"],
  ["notifier-nonblock-outside-oom/result-switched.c", "a switch goes by the result"],
  ["gup-cow-break-missing/cow6-write-dropped-4.8.c", "FOLL_COW, and the test that reads it, stand in other functions"],
]);

const inputOf = (rule: string, name: string): ReviewInput => {
  const kind = name.endsWith(".c") ? "c" : "patch";
  return { path: kind === "c" ? `mm/${name}` : name, text: readFileSync(join(ROOT, rule, name), "utf8"), kind };
};

const findingsOf = (reviews: readonly Review[]): Finding[] => reviews.flatMap((one) => one.findings);
const keyOf = ({ ruleId, function: fn, messageId }: Finding): string => `${ruleId} ${fn} ${messageId}`;

describe.each(readdirSync(ROOT).toSorted())("%s", (rule) => {
  test.each(readdirSync(join(ROOT, rule)).filter((name) => !name.startsWith("ok-")).toSorted())("%s", (name) => {
    const input = inputOf(rule, name);
    const options = { ...optionsOf(input.text), fixes: true };
    const before = findingsOf(review(input, options));
    expect(before.length).toBeGreaterThan(0);
    for (const finding of before) {
      const fixes = finding.fixes ?? [];
      if (WITHOUT_EDITS.has(finding.ruleId)) {
        expect(fixes).toEqual([]);
        continue;
      }
      expect(fixes.length > 0, `${finding.location.patchLine}: ${finding.message}`).toBe(![`${rule}/${name}`, `${rule}/${name} ${finding.ruleId}`].some((key) => NOT_OFFERED.has(key)));
      for (const fix of fixes) {
        expect(fix.isProved).toBe(finding.tier === "proved");
        expect(fix.states > 0 || finding.tier !== "proved").toBe(true);
        // The finding is gone, and all the others are what they were.
        const after = findingsOf(review({ ...input, text: applied(input.text, fix.edits) }, { ...options, fixes: false })).map(keyOf);
        const left = before.filter((one) => one !== finding).map(keyOf);
        for (const one of after) {
          expect(left).toContain(one);
          left.splice(left.indexOf(one), 1);
        }
      }
    }
  });
});

test("nothing is offered that nobody asked for", () => {
  const input = inputOf("notifier-nonblock-outside-oom", "drop-page.c");
  expect(findingsOf(review(input, optionsOf(input.text))).flatMap((one) => one.fixes ?? [])).toEqual([]);
});

test.each([["quoted", (text: string) => text.replace(/^/gm, "> ")], ["archive", stripWhiteSpace]])("a patch that is %s is not edited", (_, spoil) => {
  const input = inputOf("hugetlb-walk-unlocked", "new-function.patch");
  const [head = "", body = ""] = [input.text.slice(0, input.text.indexOf("---\n")), input.text.slice(input.text.indexOf("---\n"))];
  const found = findingsOf(review({ ...input, text: head + spoil(body) }, { ...optionsOf(input.text), release: "6.1", fixes: true }));
  expect(found.length).toBeGreaterThan(0);
  expect(found.flatMap((one) => one.fixes)).toEqual([]);
});
