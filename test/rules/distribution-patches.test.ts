// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { WITHOUT_SHARED } from "../shared.ts";

const folder = join(import.meta.dirname, "../../../shared/patches");
const names = existsSync(folder) ? readdirSync(folder).toSorted() : [];

describe.skipIf(names.length === 0)(names.length === 0 ? WITHOUT_SHARED : "patches as distributions carry them", () => {
  // 046 is 550a7d60bd5e: the flush after i_mmap_rwsem was dropped is what 13e4ad2ce8df mended.
  test("only those of UFFDIO_REMAP, the first of UFFDIO_MOVE and the first mremap() of hugetlb have a finding, and all C is read", () => {
    const reviews = names.flatMap((name) =>
      review({ path: name, text: readFileSync(join(folder, name), "utf8"), kind: "patch" }, DEFAULT_OPTIONS).map((one) => ({ name, one })));
    const found = reviews.flatMap(({ name, one }) => one.findings.map(({ ruleId, tier }) => [name.slice(0, 3), ruleId, tier] as const));
    const isMapped = (rule: string): boolean => rule.startsWith("pte-") || rule.startsWith("bug-on-");
    expect(found.filter(([, rule]) => !isMapped(rule))).toEqual([
      // lookup_node() gives mmap_lock up no more, and keeps its mm to this day.
      ["006", "parameter-left-dead", "contract"],
      ["046", "hugetlb-unshare-locking", "proved"],
      // UFFDIO_REMAP before it asked for pins.
      ["097", "anon-move-unexclusive", "proved"], ["097", "lock-order", "proved"], ["098", "anon-move-unexclusive", "proved"], ["098", "lock-order", "proved"],
      // UFFDIO_MOVE split folios with both entries mapped until 982ae058b2f0.
      ["099", "sleep-in-atomic", "proved"], ["100", "sleep-in-atomic", "proved"],
      ["103", "notifier-nonblock-outside-oom", "proved"], ["103", "notifier-nonblock-unchecked", "proved"], ["103", "notifier-range-unbalanced", "proved"], ["103", "reference-imbalance", "proved"],
      ["104", "notifier-nonblock-outside-oom", "proved"], ["104", "notifier-nonblock-unchecked", "proved"], ["104", "notifier-range-unbalanced", "proved"], ["104", "reference-imbalance", "proved"],
      ["106", "anon-move-unexclusive", "proved"], ["106", "anon-move-unexclusive", "proved"], ["106", "reference-imbalance", "proved"],
      ["108", "anon-move-unexclusive", "proved"], ["108", "anon-move-unexclusive", "proved"], ["108", "reference-imbalance", "proved"], ["108", "lock-order", "proved"],
    ]);
    // UFFDIO_REMAP and UFFDIO_MOVE again: how often each patch of them breaks which rule about mapped entries.
    const mapped = new Map<string, number>();
    for (const [name, rule, tier] of found) if (isMapped(rule)) mapped.set(`${name} ${rule} ${tier}`, (mapped.get(`${name} ${rule} ${tier}`) ?? 0) + 1);
    expect([...mapped].map(([key, times]) => `${key} ${times}`).toSorted()).toEqual([
      // Bits that the MMU sets.
      ...["103", "104", "106"].map((name) => `${name} bug-on-racy-state proved 1`),
      // Of pmds no schedule shows it: both VMAs are anonymous, and khugepaged takes tables of files away only.
      ...["097", "098", "099", "100", "101", "102", "106", "108"].map((name) => `${name} bug-on-racy-state contract 4`),
      ...["103", "104", "106", "108"].map((name) => `${name} pte-recheck-missing proved 2`),
      // None is compared with none: once for the destination.
      ...["097", "098", "099", "100", "101", "102", "106", "108"].map((name) => `${name} pte-recheck-missing contract 1`),
      ...["097", "098", "099", "100", "101", "102", "103", "104", "106", "108"].map((name) => `${name} pte-unmap-foreign-pointer proved 6`),
      ...["097", "098", "106", "108"].map((name) => `${name} pte-map-unchecked contract 2`),
      // CVE-2025-39899.
      ...["097", "098", "099", "100", "101", "102", "106", "108"].map((name) => `${name} pte-unmap-order contract 1`),
    ].toSorted());
    expect(reviews.flatMap(({ name, one }) => one.problems.map(({ code, line }) => [name, code, line]))).toEqual([]);
  });
});
