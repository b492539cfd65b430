// SPDX-License-Identifier: GPL-2.0-only
import { rowAt } from "../program/place.ts";
import type { Candidate, Subject } from "../rules/rule.ts";
import type { Origin } from "./finding.ts";

/**
 * What the patch has to do with a candidate of its new side. `hadBefore`: the old side has the same defect in the same
 * function. A C file as it stands has no old side: everything in it counts as introduced.
 */
export function originOf(candidate: Candidate, hadBefore: boolean, subject: Subject): Origin {
  if (subject.old === null) return "introduced";
  if (candidate.origin !== undefined) return candidate.origin;
  const { program, at, end } = candidate.place;
  const { image } = program;
  const rows = image.lines.slice(rowAt(image, at), rowAt(image, Math.max(at, end - 1)) + 1);
  const changed = rows.some((row) => row.changed);
  if (hadBefore) return "pre-existing";
  if (changed) return "introduced";
  return "interaction";
}
