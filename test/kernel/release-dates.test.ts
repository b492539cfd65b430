// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { releaseAt, releaseBefore, releasesByDate } from "../../server/kernel/release-dates.ts";
import { compareReleases, formatRelease, NEWEST_RELEASE, parseRelease } from "../../server/kernel/release.ts";

const at = (year: number, month: number, day: number): string | null => {
  const release = releaseAt({ year, month, day });
  return release && formatRelease(release);
};

describe("releaseAt", () => {
  const table: readonly [year: number, month: number, day: number, release: string | null][] = [
    [2023, 9, 15, "6.6"],
    [2021, 10, 12, "5.15"],
    [2020, 8, 2, "5.8"],
    [2020, 8, 3, "5.9"],
    [2020, 6, 15, "5.8"],
    [2022, 12, 31, "6.2"],
    [2025, 9, 28, "6.17"],
    [2025, 9, 29, null],
    [2011, 7, 1, "3.0"],
    [2011, 5, 18, null],
    [2023, 13, 1, null],
    [2023, 0, 1, null],
    [2023, 1, 32, null],
    [Number.NaN, 1, 1, null],
    [99999, 1, 1, null],
    [-5, 1, 1, null],
  ];
  it.each(table)("%i-%i-%i is in the making of %s", (year, month, day, release) => {
    expect(at(year, month, day)).toBe(release);
  });
});

describe("the table of releases", () => {
  it("ascends and ends with the newest release", () => {
    const releases = releasesByDate.map(parseRelease);
    for (const [index, release] of releases.entries()) {
      const next = releases[index + 1];
      if (release && next) expect(compareReleases(release, next)).toBeLessThan(0);
    }
    expect(releasesByDate.at(-1)).toBe(NEWEST_RELEASE);
  });

  it("knows the release before another one", () => {
    expect(releaseBefore("5.0")).toBe("4.20");
    expect(releaseBefore("6.0")).toBe("5.19");
    expect(releaseBefore("3.0")).toBeNull();
    expect(releaseBefore("7.3")).toBeNull();
  });
});
