// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { presenceOf } from "../../server/kernel/api/presence.ts";
import { mechanismRows, nameIn } from "../../server/kernel/mechanism.ts";
import { atLeast, covers, parseRelease, type Release } from "../../server/kernel/release.ts";
import type { Finding } from "../../server/review/finding.ts";
import type { ReviewOptions } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { RULES } from "../../server/rules/registry.ts";
import { collectNativeMemory } from "../../server/syntax/parse.ts";
import { expectationsOf, optionsOf } from "../fixture-file.ts";
import { sharedFile } from "../shared.ts";

const ROOT = join(import.meta.dirname, "../fixtures/rules");

/** What the same text is checked as. */
const RELEASES = ["4.4", "5.4", "5.10", "6.1", "6.6", "mainline"];

interface Source {
  readonly name: string;
  readonly text: string;
  readonly kind: "c" | "patch";
}

const sourceOf = (rule: string, name: string): Source => ({ name, text: readFileSync(join(ROOT, rule, name), "utf8"), kind: name.endsWith(".c") ? "c" : "patch" });

const release = (name: string): Release => parseRelease(name) ?? expect.fail(name);

const findingsOf = ({ name, text, kind }: Source, options: Partial<ReviewOptions>): readonly Finding[] =>
  review({ path: kind === "c" ? `mm/${name}` : name, text, kind }, { ...optionsOf(text), minTier: "pattern", ...options }).flatMap(({ findings }) => findings);

/** Everything that a finding says, with the text that its fixes bring. */
const wordsOf = ({ message, related, evidence, fixes = [] }: Finding): readonly string[] =>
  [message, ...related.map((one) => one.message), evidence?.fixed?.title ?? "", evidence?.badState ?? "", ...fixes.flatMap(({ title, edits }) => [title, ...edits.map(({ insert }) => insert)])]
    .flatMap((text) => text.match(/\b[A-Za-z_]\w+/g) ?? []);

/** Names of the text that came and went together with a name: where they are, that is, too. */
const comesWith = (name: string, text: string): boolean => {
  const own = presenceOf(name);
  return (text.match(/\b[A-Za-z_]\w+/g) ?? []).some((word) => {
    const other = presenceOf(word);
    return other !== null && other.since === own?.since && other.until === own?.until;
  });
};

/** Names that a release is known not to have, and that the text does not bring up itself. */
const absentIn = (findings: readonly Finding[], text: string, target: Release): readonly string[] =>
  [...new Set(findings.flatMap((finding) => wordsOf(finding).flatMap((word) => {
    const presence = presenceOf(word);
    return presence === null || covers(presence, target) || comesWith(word, text) || finding.ruleId === "api-not-in-target" ? [] : [`${finding.ruleId} names ${word}`];
  })))];

const outOfRange = (findings: readonly Finding[], target: Release): readonly string[] =>
  findings.flatMap(({ ruleId }) => {
    const meta = RULES.find((one) => one.meta.id === ruleId)?.meta;
    return meta && atLeast(target, meta.since) && (meta.until === null || !atLeast(target, meta.until)) ? [] : [ruleId];
  });

afterEach(() => collectNativeMemory());

describe("whatever a text was written for, a finding speaks of the release that it is checked for", () => {
  test.each(readdirSync(ROOT).toSorted())("%s", (rule) => {
    for (const name of readdirSync(join(ROOT, rule)).toSorted()) {
      const source = sourceOf(rule, name);
      for (const target of RELEASES) {
        const found = findingsOf(source, { release: target, simulate: false });
        expect([name, target, ...absentIn(found, source.text, release(target)), ...outOfRange(found, release(target))]).toEqual([name, target]);
      }
    }
  }, 120_000);

  const SEEDS = ["000_64a40adfd0f19204.txt", "001_15f6051095546a05.txt", "002_9785450a7152e000.txt", "003_311d0cd2e0915af1.txt", "004_f974bc7dda40ba1f.txt"];
  test.each(SEEDS)("the mail %s", (name) => {
    const text = sharedFile(`seeds/${name}`);
    for (const target of text === null ? [] : RELEASES) {
      const found = findingsOf({ name, text: text ?? "", kind: "patch" }, { release: target, simulate: false });
      expect([target, ...absentIn(found, text ?? "", release(target)), ...outOfRange(found, release(target))]).toEqual([target]);
    }
  }, 120_000);

  test.each(readdirSync(ROOT).toSorted())("%s: evidence and edits", (rule) => {
    const hits = readdirSync(join(ROOT, rule)).toSorted().map((name) => sourceOf(rule, name)).filter(({ text }) => expectationsOf(text).length > 0);
    for (const source of hits.slice(0, 2)) {
      for (const target of RELEASES) {
        const found = findingsOf(source, { release: target, fixes: true });
        expect([source.name, target, ...absentIn(found, source.text, release(target))]).toEqual([source.name, target]);
      }
    }
  }, 120_000);
});

describe("what a mechanism is called", () => {
  test("in every release it has one name", () => {
    for (const mechanism of new Set(mechanismRows.map((row) => row.mechanism)))
      for (const name of [...RELEASES, "2.6.12", "5.19", "6.0", "6.11"]) expect(nameIn(mechanism, release(name))).not.toBe("");
  });
});

/** From this release on a source gives this; `-`: nothing. Up to the next entry. */
type Row = readonly [from: string, found: string];

/** A fixture, and what it gives when it is checked for other releases. */
const MATRIX: readonly (readonly [fixture: string, rows: readonly Row[]])[] = [
  // 0d940a9b270b (6.5): pte_offset_map_lock() may return NULL.
  ["pte-map-unchecked/not-tested.c", [["4.4", "-"], ["6.5", "pte-map-unchecked unchecked error"]]],
  // Without a release: pte_alloc_map_lock() never could promise memory.
  ["pte-map-unchecked/alloc-not-tested-5.10.c", [["4.4", "pte-map-unchecked unchecked error"]]],
  // 146b42e07494 (6.6): a mapped entry is an RCU read section; before that only HIGHPTE made it atomic, up to 6.4.
  ["notifier-in-atomic/start-while-mapped.c", [["4.4", "notifier-in-atomic sleeps warning"], ["6.5", "-"], ["6.6", "notifier-in-atomic sleeps error"]]],
  ["notifier-in-atomic/start-while-mapped-highpte.c", [
    ["4.4", "notifier-in-atomic sleeps error"], ["6.5", "pte-map-unchecked unchecked error"], ["6.6", "notifier-in-atomic sleeps error, pte-map-unchecked unchecked error"],
  ]],
  ["notifier-in-atomic/start-under-ptl.c", [["4.4", "notifier-in-atomic sleeps error"]]],
  ["pte-unmap-missing/early-return.c", [["4.4", "pte-unmap-missing highpte warning"], ["6.6", "pte-unmap-missing missing error"]]],
  // E0 | E1 (5.8) forces the break | E2 to E4 do not | E5 (5.19) unshares anonymous pages | E6 (6.2) all of a long-term pin.
  ["gup-readonly-longterm/pin-fast-5.10.c", [
    ["5.6", "gup-readonly-longterm backported warning"], ["5.8", "-"], ["5.9", "gup-readonly-longterm longterm error"],
    ["5.19", "gup-readonly-longterm zeroPage warning"], ["6.2", "-"],
  ]],
  ["gup-force-misuse/force-without-write.c", [["5.6", "gup-force-misuse read warning"], ["5.8", "-"], ["5.9", "gup-force-misuse read warning"], ["6.2", "gup-force-misuse forced error"]]],
  ["gup-force-misuse/force-write-for-reading.c", [["5.6", "-"], ["6.2", "gup-force-misuse write error"]]],
  // a308c71bf1e6 (5.9): the forced break is gone for good.
  ["gup-cow-obsolete/added-6.1.c", [["4.4", "gup-cow-break-misplaced hugetlbWord error"], ["5.9", "gup-cow-obsolete added error"]]],
  // From 6.11 on try_grab_folio() answers 0 where it took the page: the walker leaves with it.
  ["gup-cow-break-missing/walker-fast.c", [["4.4", "-"], ["5.19", "gup-cow-break-missing walker error"], ["6.11", "gup-fast-protocol dropped error"]]],
  ["gup-unshare-unhandled/as-null-6.1.c", [["4.4", "-"], ["5.19", "gup-unshare-unhandled endless error"]]],
  // 57efa1fe5957 (5.11): write_protect_seq.
  ["gup-fast-protocol/no-retry-6.1.c", [["4.4", "-"], ["5.11", "gup-fast-protocol beside error"]]],
  ["fork-pin-protocol/no-section-5.15.c", [["4.4", "-"], ["5.11", "fork-pin-protocol section error"]]],
  // eddb1c228f79 (5.6): the calls; 3faa52c03f44 (5.7): pins that can be told from references.
  ["gup-longterm-missing/stored-without-longterm.c", [["4.4", "-"], ["5.6", "gup-longterm-missing stored warning"]]],
  ["write-protect-ignores-pins/uffd-wp.c", [["4.4", "-"], ["5.7", "write-protect-ignores-pins uffdWp info"]]],
  // f04740f54594 (6.3): the unlocked forms take FOLL_LONGTERM.
  ["gup-flags-invalid/unlocked-longterm-6.1.c", [["6.1", "gup-flags-invalid flags error, gup-flags-invalid flags error"], ["6.3", "-"]]],
  // a79390f5d6a7, d1751118c886 (6.3): change_protection() and uffd_wp_range() can say that they failed.
  ["pgtable-alloc-failure-lost/result-dropped.c", [["4.4", "-"], ["6.3", "pgtable-alloc-failure-lost success error"]]],
  // c0d0381ade79 (5.7) to 3a47c54f09c4 (6.1): i_mmap_rwsem alone; from 6.1 on the hugetlb vma lock, too; hugetlb_walk() from 6.3 on.
  ["hugetlb-walk-unlocked/mmap-read-only.c", [["4.4", "hugetlb-walk-unlocked unlocked error"]]],
  ["hugetlb-walk-unlocked/ok-vma-lock.c", [["6.1", "-"], ["6.3", "hugetlb-walk-bypassed bypassed warning"]]],
  ["hugetlb-walk-bypassed/under-vma-lock.c", [["6.1", "-"], ["6.3", "hugetlb-walk-bypassed bypassed warning"]]],
];

const STEPS = ["4.4", "4.19", "5.4", "5.6", "5.7", "5.8", "5.9", "5.10", "5.11", "5.18", "5.19", "6.0", "6.1", "6.2", "6.3", "6.4", "6.5", "6.6", "6.12", "mainline"];

describe("one source in every release", () => {
  test.each(MATRIX)("%s", (fixture, rows) => {
    const [rule = "", name = ""] = fixture.split("/");
    const source = sourceOf(rule, name);
    for (const step of STEPS.filter((one) => atLeast(release(one), rows[0]?.[0] ?? ""))) {
      const expected = rows.findLast(([from]) => atLeast(release(step), from))?.[1];
      const found = findingsOf(source, { release: step }).map(({ ruleId, messageId, severity }) => `${ruleId} ${messageId} ${severity}`).toSorted().join(", ");
      expect([step, found || "-"]).toEqual([step, expected]);
    }
  }, 60_000);

  const walk = (target: string): string => findingsOf(sourceOf("hugetlb-walk-unlocked", "mmap-read-only.c"), { release: target, simulate: false })[0]?.message ?? "";
  test.each([["5.10", "without i_mmap_rwsem:"], ["6.0", "without i_mmap_rwsem:"], ["6.1", "without the hugetlb vma lock or i_mmap_rwsem:"], ["6.12", "without the hugetlb vma lock or i_mmap_rwsem:"]])("a walk is told the locks of %s", (target, words) => {
    expect(walk(target)).toContain(words);
  });

  const uffd = `static int toy_protect(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long start, unsigned long len)
{
	uffd_wp_range(mm, vma, start, len, true);
	return 0;
}
`;
  test.each([["6.1", []], ["6.2", []], ["6.3", ["pgtable-alloc-failure-lost"]], ["6.6", ["pgtable-alloc-failure-lost"]]])("uffd_wp_range() of %s", (target, rules) => {
    expect(findingsOf({ name: "toy.c", text: uffd, kind: "c" }, { release: target }).map(({ ruleId }) => ruleId)).toEqual(rules);
  });

  test.each([["5.10", "unpin_user_pages"], ["6.1", "unpin_user_pages_lockless"], ["6.12", "gup_fast_unpin_user_pages"]])("what gives pins back beside fork() in %s", (target, name) => {
    expect(nameIn("release-beside-fork", release(target))).toBe(name);
  });

  const dropped = (target: string): string => findingsOf(sourceOf("gup-cow-break-missing", "cow6-write-dropped-4.8.c"), { release: target })[0]?.evidence?.fixed?.title ?? "";
  test.each([["4.4", "FOLL_COW"], ["5.10", "FOLL_COW"], ["6.1", "can_follow_write_pte()"]])("how a forced write knows its page in %s", (target, word) => {
    expect(dropped(target)).toContain(word);
  });
});

describe("a release that nobody has read", () => {
  test("a contract says as of when it is known", () => {
    const source = sourceOf("pte-map-unchecked", "not-tested.c");
    expect(findingsOf(source, { release: "6.19" }).map(({ message }) => message)).toEqual([expect.stringMatching(/ \(as of 6\.17\)$/)]);
    for (const known of ["6.17", "mainline", "next"]) expect(findingsOf(source, { release: known }).map(({ message }) => message)).toEqual([expect.not.stringMatching(/as of/)]);
  });

  test("a proof lists the facts that it took over", () => {
    const [finding] = findingsOf(sourceOf("hugetlb-walk-unlocked", "mmap-read-only.c"), { release: "6.19" });
    expect([finding?.tier, finding?.evidence?.assumptions]).toEqual(["proved", expect.arrayContaining(["huge_pte_offset() as of 6.17 (target 6.19)"])]);
  });
});
