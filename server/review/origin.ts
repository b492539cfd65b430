// SPDX-License-Identifier: GPL-2.0-only
import type { Candidate, Subject } from "../rules/rule.ts";
import { isOnChangedLine } from "./compare.ts";
import type { Origin } from "./finding.ts";

/**
 * What the patch has to do with a candidate of its new side. `hadBefore`: the old side has the same defect in the same
 * function. A C file as it stands has no old side: everything in it counts as introduced.
 */
export function originOf(candidate: Candidate, hadBefore: boolean, subject: Subject): Origin {
  if (subject.old === null) return "introduced";
  // Of a file that is seen as a whole, the old side shows all that the rule goes by.
  const isWhole = candidate.place.program.image.missing !== undefined;
  if (candidate.origin !== undefined && !(isWhole && hadBefore)) return candidate.origin;
  if (hadBefore) return "pre-existing";
  return isOnChangedLine(candidate) ? "introduced" : "interaction";
}
