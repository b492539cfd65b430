// SPDX-License-Identifier: GPL-2.0-only
import type { ReleaseRange } from "./effect.ts";

/** A kernel release `major.minor`, with the stable sublevel where it is known. */
export interface Release {
  readonly major: number;
  readonly minor: number;
  readonly sublevel: number | null;
}

/** The newest release whose sources the facts were checked against. */
export const NEWEST_RELEASE = "6.17";

/** Names of moving trees; facts hold for them as of `NEWEST_RELEASE`. */
const MOVING_TREES: ReadonlySet<string> = new Set(["mainline", "next", "linux-next", "mm-unstable", "mm-stable", "mm-new"]);

/** Reads `6.1`, `v6.1.192`, `6.1.y`, `mainline`; null for anything else. */
export function parseRelease(text: string): Release | null {
  if (MOVING_TREES.has(text)) return parseRelease(NEWEST_RELEASE);
  const match = /^v?(\d{1,2})\.(\d{1,3})(?:\.(\d{1,4}|y|x))?(?:-rc\d+)?$/.exec(text.trim());
  if (!match) return null;
  const sublevel = match[3] === undefined || /\D/.test(match[3]) ? null : Number(match[3]);
  return { major: Number(match[1]), minor: Number(match[2]), sublevel };
}

/** Order of two releases by major and minor; sublevels do not count. Negative: `a` is older. */
export const compareReleases = (a: Release, b: Release): number => a.major - b.major || a.minor - b.minor;

export const formatRelease = (release: Release): string =>
  `${release.major}.${release.minor}${release.sublevel === null ? "" : `.${release.sublevel}`}`;

/** Parses a release that the program itself wrote; a typo there is a bug. */
function literal(text: string): Release {
  const release = parseRelease(text);
  if (!release) throw new Error(`not a release: ${text}`);
  return release;
}

/** True when `release` is not older than `since`. */
export const atLeast = (release: Release, since: string): boolean => compareReleases(release, literal(since)) >= 0;

/** True when the range covers the release; `until` is the first release that is out. */
export const covers = (range: ReleaseRange, release: Release): boolean =>
  (range.since === undefined || atLeast(release, range.since)) &&
  (range.until === undefined || !atLeast(release, range.until));

/** True for a release that is newer than any whose sources were read. */
export const isNewerThanChecked = (release: Release): boolean => compareReleases(release, literal(NEWEST_RELEASE)) > 0;
