// SPDX-License-Identifier: GPL-2.0-only
import type { Candidate } from "../../rules/rule.ts";
import type { Tier, VerifiedFix } from "../finding.ts";
import { verified, type Verification } from "./verify.ts";

/** Edits that a review may try: each costs another one. Code has a few findings, hostile text has hundreds. */
const MOST_TRIED = 64;

/** Verifies the fixes of one finding after the other. */
export type Offer = (candidate: Candidate, tier: Tier) => readonly VerifiedFix[];

export function offering(by: Verification): Offer {
  let left = MOST_TRIED;
  return (candidate, tier) => {
    const offered: VerifiedFix[] = [];
    for (const fix of withoutCrash(() => candidate.fixes?.() ?? []) ?? []) {
      if (left <= 0) break;
      if (fix.isFallback === true && offered.length > 0) continue;
      left--;
      const one = withoutCrash(() => verified(candidate, fix, tier, by));
      if (one !== null && typeof one !== "string") offered.push(one);
    }
    return offered;
  };
}

/** A crash over a fix costs the fix, never the finding. */
function withoutCrash<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}
