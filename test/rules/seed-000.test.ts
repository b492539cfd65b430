// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { sharedFile, WITHOUT_SHARED } from "../shared.ts";

const seed = sharedFile("seeds/000_64a40adfd0f19204.txt");

describe.skipIf(seed === null)(seed === null ? WITHOUT_SHARED : "UFFDIO_REMAP, as it was sent", () => {
  const findings = seed === null ? [] : review({ path: "000.txt", text: seed, kind: "patch" }, DEFAULT_OPTIONS).flatMap((one) => one.findings);

  test("everything that is reported: no more, and no less", () => {
    expect(findings.map(({ location, ruleId, tier, severity }) => `${location.patchLine} ${ruleId} ${tier} ${severity}`)).toEqual([
      // A table that went away is taken for a fault of the address.
      "39 pte-map-unchecked contract warning",
      "52 pte-map-unchecked contract warning",
      // No schedule in 6.6: khugepaged leaves tables of anonymous memory alone.
      "56 bug-on-racy-state contract warning",
      "57 bug-on-racy-state contract warning",
      "58 bug-on-racy-state contract warning",
      "59 bug-on-racy-state contract warning",
      // Mapped once is taken for exclusive.
      "97 anon-move-unexclusive proved error",
      "109 pte-unmap-foreign-pointer proved warning",
      "110 pte-unmap-foreign-pointer proved warning",
      // Both retries keep a folio that the entry may not map any more.
      "113 pte-recheck-missing proved error",
      "130 pte-unmap-foreign-pointer proved warning",
      "131 pte-unmap-foreign-pointer proved warning",
      "134 pte-recheck-missing proved error",
      // A start that does not block only because of where it stands.
      "140 notifier-in-atomic contract warning",
      "140 notifier-nonblock-outside-oom proved error",
      "140 notifier-nonblock-unchecked proved error",
      // None is compared with none.
      "186 pte-recheck-missing contract warning",
      // What is looked at again leaves pins out.
      "187 anon-move-unexclusive proved error",
      "190 notifier-range-unbalanced proved error",
      // Bits that the MMU sets.
      "205 bug-on-racy-state proved error",
      "221 notifier-in-atomic contract warning",
      "226 reference-imbalance proved error",
      "236 pte-unmap-foreign-pointer proved warning",
      "237 pte-unmap-foreign-pointer proved warning",
      // The entry that was mapped first is unmapped first.
      "298 pte-unmap-order contract warning",
    ]);
  });

  test.each([
    ["notifier-in-atomic", 140, [35, 43]],
    ["notifier-in-atomic", 221, [140]],
    ["anon-move-unexclusive", 97, [187, 211]],
    ["anon-move-unexclusive", 187, [211]],
    ["pte-recheck-missing", 186, [35, 211]],
    ["reference-imbalance", 226, [195]],
  ])("%s at %i shows %j, too", (rule, line, related) => {
    const finding = findings.find(({ ruleId, location }) => ruleId === rule && location.patchLine === line);
    expect(finding?.related.map(({ patchLine }) => patchLine)).toEqual(related);
  });
});
