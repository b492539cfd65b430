// SPDX-License-Identifier: GPL-2.0-only
import type { VerifiedFix } from "../review/finding.ts";
import { visibleLine } from "./visible.ts";

/** What was shown of a fix: `proved, 61 states; blocked at "vCPU: store", held by f()`. */
export function fixEvidence({ isProved, states, blockedAt, heldBy }: VerifiedFix): string {
  const explored = states === 0 ? "" : `, ${states} state${states === 1 ? "" : "s"}`;
  const blocked = blockedAt === null ? "" : `; blocked at "${visibleLine(blockedAt)}"${heldBy === null ? "" : `, held by ${visibleLine(heldBy)}`}`;
  return `${isProved ? "proved" : "not proved"}${explored}${blocked}`;
}

/** A fix on one line. */
export const fixText = (fix: VerifiedFix): string => `${visibleLine(fix.title)} (${fixEvidence(fix)})`;
