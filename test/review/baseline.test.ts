// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { baselineText } from "../../server/report/baseline.ts";
import { allowanceOf, entryOf, readBaseline, sortedEntries, updatedBaseline, type BaselineEntry } from "../../server/review/baseline/baseline.ts";
import { QUESTION } from "../report/sample-review.ts";

const entry = fc.record({
  rule: fc.constantFrom("lock-order", "sleep-in-atomic"), file: fc.constantFrom("mm/a.c", "mm/b.c", null), function: fc.oneof(fc.constantFrom("f", "g", null), fc.string({ unit: "binary" })),
  fingerprint: fc.constantFrom("0000000000000000", "0000000000000001", "0000000000000002"),
});
const entries = fc.array(entry, { maxLength: 12 });

const prints = (all: readonly { readonly fingerprint: string }[]): string[] => all.map(({ fingerprint }) => fingerprint).toSorted();

describe("a baseline", () => {
  test("has a line for each finding, in an order of its own", () => {
    expect(baselineText(sortedEntries([entryOf({ ...QUESTION, function: null }), entryOf(QUESTION), entryOf({ ...QUESTION, location: { ...QUESTION.location, file: null } })]))).toBe(`\
{
  "version": "1",
  "findings": [
    {"rule":"hugetlb-walk-unlocked","file":"mm/example.c","function":"find_huge","fingerprint":"fedcba9876543210"},
    {"rule":"hugetlb-walk-unlocked","file":"mm/example.c","fingerprint":"fedcba9876543210"},
    {"rule":"hugetlb-walk-unlocked","function":"find_huge","fingerprint":"fedcba9876543210"}
  ]
}
`);
  });

  test("is read as it was written, and written alike in whatever order it was found", () => {
    fc.assert(fc.property(entries, fc.infiniteStream(fc.nat()), (all, order) => {
      const text = baselineText(sortedEntries(all));
      expect(readBaseline(text)).toEqual({ entries: sortedEntries(all), problems: [] });
      const shuffled = all.map((one) => ({ one, at: order.next().value })).toSorted((a, b) => a.at - b.at).map(({ one }) => one);
      expect(baselineText(sortedEntries(shuffled))).toBe(text);
    }), { numRuns: 500 });
  });

  test.each([
    ["", "1:1 the file is empty; it should be {}"],
    ["{}", '1:1 "version" is missing here'],
    ['{"version": "2", "findings": []}', '1:13 one of "1" is expected here'],
    ['{"version": "1",\n "findings": [{"rule": "lock-order"}]}', '2:15 "fingerprint" is missing here'],
    ['{"version": "1",\n "findings": [{"rule": "lock-order", "fingerprint": "x"}]}', "2:53 16 hex digits are expected here: the fingerprint of a finding"],
    ['{"version": "1", "findings": [', "1:31 a closing bracket is missing here"],
    ['{"version":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[', "1:1 nested too deep: not read"],
  ])("%s: %s", (text, says) => {
    const { entries: read, problems } = readBaseline(text);
    expect(read).toEqual([]);
    expect(problems.map(({ line, column, message }) => `${line}:${column} ${message}`)).toContain(says);
  });

  test("allows as many equal findings as it has", () => {
    const finding = (fingerprint: string, line: number) => ({ ...QUESTION, fingerprint, location: { ...QUESTION.location, patchLine: line } });
    const allowance = allowanceOf([entryOf(QUESTION), entryOf(QUESTION)]);
    const found = [1, 2, 3].map((line) => finding(QUESTION.fingerprint, line));
    expect(allowance.take(found.slice(0, 1))).toEqual([]);
    expect(allowance.take([...found.slice(1), finding("0000000000000000", 4)]).map(({ location }) => location.patchLine)).toEqual([3, 4]);
  });

  test("leaves what is new, and no more than that", () => {
    fc.assert(fc.property(entries, entries, (before, now) => {
      const findings = now.map(({ fingerprint }) => ({ ...QUESTION, fingerprint }));
      const left = prints(allowanceOf(before).take(findings));
      for (const print of new Set(prints(findings))) {
        const count = (all: readonly string[]): number => all.filter((one) => one === print).length;
        expect(count(left)).toBe(Math.max(0, count(prints(findings)) - count(prints(before))));
      }
    }), { numRuns: 500 });
  });

  test("has after an update what was found, and what was not looked at", () => {
    const isLookedAt = ({ file }: BaselineEntry): boolean => file !== "mm/b.c";
    fc.assert(fc.property(entries, entries, (before, now) => {
      const { entries: after, dropped } = updatedBaseline(before, now, isLookedAt);
      expect(allowanceOf(after).take(now.map(({ fingerprint }) => ({ ...QUESTION, fingerprint })))).toEqual([]);
      expect(after.length).toBeGreaterThanOrEqual(now.length);
      expect(dropped).toBeLessThanOrEqual(before.filter(isLookedAt).length);
      // Again, with the same findings: nothing changes any more.
      const again = updatedBaseline(after, now, isLookedAt);
      expect([baselineText(again.entries), again.dropped]).toEqual([baselineText(after), 0]);
    }), { numRuns: 500 });
  });
});
