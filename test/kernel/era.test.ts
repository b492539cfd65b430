// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { ERAS, gupEra, RELEASE_OF_ERA } from "../../server/kernel/era.ts";
import { releasesByDate } from "../../server/kernel/release-dates.ts";
import { parseRelease, type Release } from "../../server/kernel/release.ts";

const release = (text: string): Release => {
  const parsed = parseRelease(text);
  if (!parsed) throw new Error(`not a release: ${text}`);
  return parsed;
};

describe("the release that stands for an era", () => {
  it("is of that era, E2 apart, which was never released", () => {
    const others = Object.entries(RELEASE_OF_ERA).filter(([era, text]) => gupEra(release(text)) !== era);
    expect(others).toEqual([["E2", "5.9"]]);
  });
});

describe("gupEra", () => {
  const table: readonly [release: string, era: string][] = [
    ["3.10", "E0"],
    ["4.4", "E0"],
    ["5.7", "E0"],
    ["5.8", "E1"],
    ["5.9", "E3"],
    ["5.10", "E3"],
    ["5.10.200", "E3"],
    ["5.11", "E3b"],
    ["5.17", "E3b"],
    ["5.18", "E4"],
    ["5.19", "E5"],
    ["6.1", "E5"],
    ["6.1.192", "E5"],
    ["6.2", "E6"],
    ["6.4", "E6"],
    ["6.5", "E7"],
    ["6.17", "E7"],
    ["mainline", "E7"],
    ["5.4", "E0"],
    ["5.4.y", "E0"],
    ["5.4.46", "E0"],
    ["5.4.47", "E1"],
    ["5.7.2", "E0"],
    ["5.7.3", "E1"],
    ["4.19.300", "E1"],
    ["4.4.302", "E1"],
    ["5.5.19", "E0"],
  ];
  it.each(table)("puts %s into %s", (name, era) => {
    expect(gupEra(release(name))).toBe(era);
  });

  it("never goes back in time", () => {
    const order = Object.keys(ERAS);
    const eras = releasesByDate.map((name) => order.indexOf(gupEra(release(name))));
    expect(eras.filter((era, at) => at > 0 && era < (eras[at - 1] ?? 0))).toEqual([]);
  });
});

describe("ERAS", () => {
  const rows = [
    ["E0", "mapcount", "as-mapped", "none"],
    ["E1", "mapcount", "forced-write", "none"],
    ["E2", "refcount", "as-mapped", "none"],
    ["E3", "refcount", "as-mapped", "early-copy"],
    ["E3b", "refcount", "as-mapped", "early-copy-seqcount"],
    ["E4", "refcount-drop-caches", "as-mapped", "early-copy-seqcount"],
    ["E5", "exclusive", "unshare-pin", "exclusive"],
    ["E6", "exclusive", "unshare-pin-and-longterm", "exclusive"],
    ["E7", "exclusive", "unshare-pin-and-longterm", "exclusive"],
  ];
  it("say how each era treats reuse, read-only GUP and fork", () => {
    const table = Object.entries(ERAS).map(([era, { anonReuse, readOnlyGup, forkProtection }]) => [era, anonReuse, readOnlyGup, forkProtection]);
    expect(table).toEqual(rows);
    expect(Object.values(ERAS).filter(({ source, hugetlbReuse }) => source === "" || hugetlbReuse !== "mapcount")).toEqual([]);
  });
});
