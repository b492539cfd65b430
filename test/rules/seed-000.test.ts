// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { sharedFile, WITHOUT_SHARED } from "../shared.ts";

const seed = sharedFile("seeds/000_64a40adfd0f19204.txt");

describe.skipIf(seed === null)(seed === null ? WITHOUT_SHARED : "UFFDIO_REMAP, as it was sent", () => {
  const findings = seed === null ? [] : review({ path: "000.txt", text: seed, kind: "patch" }, DEFAULT_OPTIONS).flatMap((one) => one.findings);
  const lines = (rule: string) => findings.filter(({ ruleId }) => ruleId === rule).map(({ location, tier, severity }) => [location.patchLine, tier, severity]);

  test("copies are unmapped, at three places", () => {
    expect(lines("pte-unmap-foreign-pointer")).toEqual([109, 110, 130, 131, 236, 237].map((line) => [line, "proved", "warning"]));
    // The sections balance, and who is to blame for the mappings is said.
    expect(lines("pte-unmap-missing")).toEqual([]);
  });
  test("a table that went away is taken for a fault of the address, at both maps", () => {
    expect(lines("pte-map-unchecked")).toEqual([39, 52].map((line) => [line, "contract", "warning"]));
  });
  test("the entry that was mapped first is unmapped first", () => {
    expect(lines("pte-unmap-order")).toEqual([[298, "contract", "warning"]]);
  });
  test("both retries keep a folio that the entry may not map any more", () => {
    expect(lines("pte-recheck-missing")).toEqual([113, 134].map((line) => [line, "proved", "error"]));
  });
  test("one assertion on bits that the MMU sets; none on a swap entry, and none on pmds of anonymous memory, whose tables nobody takes away", () => {
    expect(lines("bug-on-racy-state")).toEqual([[205, "proved", "error"]]);
  });
});
