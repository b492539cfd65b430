// SPDX-License-Identifier: GPL-2.0-only
import type { ReleaseRange } from "./effect.ts";
import { covers, type Release } from "./release.ts";

/** What messages and fixes ask for that was called otherwise, or done otherwise, in other releases. */
export type Mechanism = "release-beside-fork" | "write-after-cow-break";

interface Named extends ReleaseRange {
  readonly name: string;
  /** Commit, or the files that were read. */
  readonly source: string;
}

/** What a mechanism is called, release by release, the oldest first; every release is covered. */
const NAMES: Readonly<Record<Mechanism, readonly Named[]>> = {
  // Gives back pins without a look at whether the pages are exclusive: beside fork() they may be shared by now.
  "release-beside-fork": [
    { until: "5.19", name: "unpin_user_pages", source: "mm/gup.c: before 6c287605fd56 no release looks at the pages" },
    { since: "5.19", until: "6.11", name: "unpin_user_pages_lockless", source: "b6a2619c60b4; mm/gup.c:408 (6.1.192)" },
    { since: "6.11", name: "gup_fast_unpin_user_pages", source: "mm/gup.c:375 (6.12.117)" },
  ],
  // By what a forced write knows the page that COW made for it, where the entry is read-only.
  "write-after-cow-break": [
    { until: "6.0", name: "FOLL_COW says that COW was broken (19be0eaffa3a)", source: "19be0eaffa3a" },
    { since: "6.0", name: "can_follow_write_pte() takes a page that is exclusive (5535be309971)", source: "5535be309971; mm/gup.c:506 (6.1.192)" },
  ],
};

/** What the mechanism is called in a release. */
export function nameIn(mechanism: Mechanism, release: Release): string {
  const found = NAMES[mechanism].find((one) => covers(one, release));
  if (!found) throw new Error(`no name of ${mechanism} covers the release`);
  return found.name;
}

/** Every row, for the tests. */
export const mechanismRows: readonly (Named & { readonly mechanism: Mechanism })[] =
  (Object.keys(NAMES) as Mechanism[]).flatMap((mechanism) => NAMES[mechanism].map((row) => ({ ...row, mechanism })));
