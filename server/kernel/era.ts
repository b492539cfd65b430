// SPDX-License-Identifier: GPL-2.0-only
import { atLeast, type Release } from "./release.ts";

/** Eras of GUP and copy-on-write, oldest first. */
export type GupEra = "E0" | "E1" | "E2" | "E3" | "E3b" | "E4" | "E5" | "E6" | "E7";

/** What the memory manager does about references of GUP in one era. */
export interface EraBehavior {
  /** First mainline release of the era as it was released; E2 was never in a final release. */
  readonly releases: string;
  /**
   * When a write fault on a present, read-only anonymous entry reuses the page instead of copying it.
   * `mapcount`: mapcount and swap count together at most 1, references of GUP do not count; `refcount`: refcount is 1;
   * `refcount-drop-caches`: as refcount, after the swap cache and LRU caches let go (huge pages too);
   * `exclusive`: PageAnonExclusive, else as refcount-drop-caches.
   */
  readonly anonReuse: "mapcount" | "refcount" | "refcount-drop-caches" | "exclusive";
  /**
   * What a read-only GUP of a copy-on-write mapping returns. `as-mapped`: whatever is mapped; `forced-write`: it
   * faults for write first; `unshare-pin`: FOLL_PIN unshares anonymous pages that are not exclusive;
   * `unshare-pin-and-longterm`: FOLL_PIN with FOLL_LONGTERM unshares any other page as well.
   */
  readonly readOnlyGup: "as-mapped" | "forced-write" | "unshare-pin" | "unshare-pin-and-longterm";
  /**
   * What fork does about pinned anonymous pages. `early-copy`: the child gets a copy, racing with GUP-fast;
   * `early-copy-seqcount`: without the race; `exclusive`: decided by PageAnonExclusive and the pin.
   */
  readonly forkProtection: "none" | "early-copy" | "early-copy-seqcount" | "exclusive";
  /** The same test for a huge page that a PMD maps: it followed later. */
  readonly thpReuse: EraBehavior["anonReuse"];
  /** hugetlb pages kept the mapcount test in all eras (to 6.12 at least). */
  readonly hugetlbReuse: "mapcount";
  /** What fork does about pinned hugetlb pages: nothing before 5.12, and the seqcount protects them since 5.19 only. */
  readonly hugetlbForkProtection: EraBehavior["forkProtection"];
  readonly source: string;
}

export const ERAS: Readonly<Record<GupEra, EraBehavior>> = {
  E0: {
    releases: "up to 5.7",
    anonReuse: "mapcount",
    readOnlyGup: "as-mapped",
    forkProtection: "none",
    thpReuse: "mapcount",
    hugetlbReuse: "mapcount",
    hugetlbForkProtection: "none",
    source: "mm/memory.c (5.7): reuse_swap_page()",
  },
  E1: {
    releases: "5.8, and stable releases with the backport",
    anonReuse: "mapcount",
    readOnlyGup: "forced-write",
    forkProtection: "none",
    thpReuse: "mapcount",
    hugetlbReuse: "mapcount",
    hugetlbForkProtection: "none",
    source: "17839856fd58",
  },
  E2: {
    releases: "5.9-rc4 to 5.9-rc7",
    anonReuse: "refcount",
    readOnlyGup: "as-mapped",
    forkProtection: "none",
    thpReuse: "mapcount",
    hugetlbReuse: "mapcount",
    hugetlbForkProtection: "none",
    source: "09854ba94c6a, a308c71bf1e6",
  },
  E3: {
    releases: "5.9 and 5.10",
    anonReuse: "refcount",
    readOnlyGup: "as-mapped",
    forkProtection: "early-copy",
    thpReuse: "mapcount",
    hugetlbReuse: "mapcount",
    hugetlbForkProtection: "none",
    source: "70e806e4e645, d042035eaf5f",
  },
  E3b: {
    releases: "5.11 to 5.17",
    anonReuse: "refcount",
    readOnlyGup: "as-mapped",
    forkProtection: "early-copy-seqcount",
    thpReuse: "mapcount",
    hugetlbReuse: "mapcount",
    hugetlbForkProtection: "early-copy",
    source: "57efa1fe5957; 4eae4efa2c29 (5.12): hugetlb",
  },
  E4: {
    releases: "5.18",
    anonReuse: "refcount-drop-caches",
    readOnlyGup: "as-mapped",
    forkProtection: "early-copy-seqcount",
    thpReuse: "refcount-drop-caches",
    hugetlbReuse: "mapcount",
    hugetlbForkProtection: "early-copy",
    source: "3bff7e3f1f16, c145e0b47c77",
  },
  E5: {
    releases: "5.19 to 6.1",
    anonReuse: "exclusive",
    readOnlyGup: "unshare-pin",
    forkProtection: "exclusive",
    thpReuse: "exclusive",
    hugetlbReuse: "mapcount",
    hugetlbForkProtection: "exclusive",
    source: "6c287605fd56, a7f226604170, fb3d824d1a46, 623a1ddfeb23; mm/memory.c:3456-3510, mm/hugetlb.c:5592 (6.1.192)",
  },
  E6: {
    releases: "6.2 to 6.4",
    anonReuse: "exclusive",
    readOnlyGup: "unshare-pin-and-longterm",
    forkProtection: "exclusive",
    thpReuse: "exclusive",
    hugetlbReuse: "mapcount",
    hugetlbForkProtection: "exclusive",
    source: "84209e87c696",
  },
  E7: {
    releases: "6.5 and later",
    anonReuse: "exclusive",
    readOnlyGup: "unshare-pin-and-longterm",
    forkProtection: "exclusive",
    thpReuse: "exclusive",
    hugetlbReuse: "mapcount",
    hugetlbForkProtection: "exclusive",
    source: "c8070b787519, 8ac268436e6d, a6e79df92e4a; mm/hugetlb.c:5880 (6.12.117)",
  },
};

/** A release that stands for an era: its last one up to the long-term release that people run. 5.9 came out as E3. */
export const RELEASE_OF_ERA: Readonly<Record<GupEra, string>> = {
  E0: "5.7",
  E1: "5.8",
  E2: "5.9",
  E3: "5.10",
  E3b: "5.15",
  E4: "5.18",
  E5: "6.1",
  E6: "6.2",
  E7: "6.6",
};

/** Mainline releases that open an era, newest first. 5.9 held E2 only in release candidates, so it is E3. */
const OPENS: readonly (readonly [since: string, era: GupEra])[] = [
  ["6.5", "E7"],
  ["6.2", "E6"],
  ["5.19", "E5"],
  ["5.18", "E4"],
  ["5.11", "E3b"],
  ["5.9", "E3"],
  ["5.8", "E1"],
];

/**
 * Stable branches that carry 17839856fd58, and their first release with it. 5.7.3 is the number that CVE-2020-29374
 * names; the others follow from the dates on which the patch was queued (unverified).
 */
const FORCED_WRITE_BACKPORTS: ReadonlyMap<string, number> = new Map([
  ["5.7", 3],
  ["5.6", 19],
  ["5.4", 47],
  ["4.19", 189],
  ["4.14", 232],
  ["4.9", 287],
  ["4.4", 289],
]);

/** True for a release of which it is not said whether its stable branch has got the forced COW break by now: a bare `5.4`. */
export const mayForceWrite = ({ major, minor, sublevel }: Release): boolean => sublevel === null && FORCED_WRITE_BACKPORTS.has(`${major}.${minor}`);

/**
 * The era of a release. Without a sublevel a release means itself as it came out, so a bare `5.4` is E0 and only a
 * known sublevel (`5.4.200`) can be E1. 5.10.y got the seqcount of E3b early, at a sublevel that is not known: E3.
 */
export function gupEra(release: Release): GupEra {
  const opened = OPENS.find(([since]) => atLeast(release, since));
  if (opened) return opened[1];
  const backported = FORCED_WRITE_BACKPORTS.get(`${release.major}.${release.minor}`);
  return backported !== undefined && release.sublevel !== null && release.sublevel >= backported ? "E1" : "E0";
}
