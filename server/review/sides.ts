// SPDX-License-Identifier: GPL-2.0-only
import { rowAt } from "../program/place.ts";
import type { Candidate, Subject } from "../rules/rule.ts";
import { isProved, type Proof } from "../scenarios/prove.ts";
import type { Image } from "../source/image.ts";
import { isOnChangedLine, keyOf } from "./compare.ts";
import type { Origin } from "./finding.ts";

/*
 * Verdicts of both sides of a diff. The old side is explored only for a candidate of the new side that is proved, and only
 * where the rule stops at the same function there: a review that finds nothing explores nothing more.
 */

/** What one rule says of both sides, before anything is proved. */
export interface BothSides {
  readonly candidates: readonly Candidate[];
  /** Candidates of the old side. */
  readonly before: readonly Candidate[];
  /** Candidates of the new side that the old one has, too. */
  readonly old: ReadonlySet<Candidate>;
}

/** Where a candidate of the new side comes from, and what exploring the old side showed; null where it was not explored. */
export interface SidedOrigin {
  readonly origin: Origin;
  readonly oldProof: Proof | null;
}

/**
 * FAIL and PASS is introduced by the patch, also where both sides read the same. FAIL and FAIL is an incomplete fix where a step
 * of the failing schedule stands on a line that the patch writes, else what it was called before.
 */
export function originByVerdicts(origin: Origin, candidate: Candidate, proof: Proof, sides: BothSides, subject: Subject, maxStates: number): SidedOrigin {
  const unknown = { origin, oldProof: null };
  // A rule that says so knows of a twin, or of what the patch claims.
  if (subject.old === null || (candidate.origin !== undefined && origin === candidate.origin)) return unknown;
  const former = counterpartOf(candidate, sides);
  const oldProof = former?.prove?.(maxStates) ?? null;
  if (!oldProof || former?.asks === true) return unknown;
  if (oldProof.verdict === "pass" && origin === "pre-existing") return { origin: isOnChangedLine(candidate) ? "introduced" : "interaction", oldProof };
  if (!isProved(oldProof) || oldProof.property !== proof.property) return unknown;
  return { origin: isOnSchedule(proof, subject) ? "incomplete-fix" : origin, oldProof };
}

/** The candidate of the old side that this one was: the same code of the same function, else one of it that is gone. */
function counterpartOf(candidate: Candidate, { candidates, before }: BothSides): Candidate | null {
  const near = before.filter((one) => isSameFunction(one, candidate));
  const kept = new Set(candidates.map(keyOf));
  return near.find((one) => keyOf(one) === keyOf(candidate)) ?? near.find((one) => !kept.has(keyOf(one))) ?? null;
}

const isSameFunction = (a: Candidate, b: Candidate): boolean => a.place.program.name === b.place.program.name;

/**
 * True where the patch writes a condition or a call with effects anew: without one its part in a failing schedule is none, and
 * nothing need be explored to say so.
 */
export function isReworked({ place: { program } }: Candidate, { old }: Subject): boolean {
  if (old === null) return false;
  const { image } = program;
  const steps = program.nodes.flatMap((node) => (((node.kind === "call" && node.effects.length > 0) || node.kind === "branch") && node.at >= 0 ? [rowAt(image, node.at)] : []));
  const changed = [...new Set(steps)].filter((row) => image.lines[row]?.changed === true);
  if (changed.length === 0) return false;
  const moved = wordsTaken(old.images);
  return changed.some((row) => !moved.has(wordsOf(image, row)));
}

/** True where a step of the failing schedule stands on a line that the patch writes anew. */
function isOnSchedule({ schedule }: Proof, { unit, old }: Subject): boolean {
  const steps = new Set(schedule.map((step) => step.patchLine));
  const moved = wordsTaken(old?.images ?? []);
  return unit.images.some((image) => image.lines.some(({ changed, line }, row) => changed && line !== null && steps.has(line) && !moved.has(wordsOf(image, row))));
}

/** Lines that the patch takes away: one that comes back with the same words was moved or indented, not written. */
const wordsTaken = (images: readonly Image[]): ReadonlySet<string> =>
  new Set(images.flatMap((image) => image.lines.flatMap(({ changed }, row) => (changed ? [wordsOf(image, row)] : []))));

function wordsOf(image: Image, row: number): string {
  const known = rows.get(image) ?? image.text.split("\n");
  rows.set(image, known);
  return (known[row] ?? "").replace(/\s+/g, "");
}

const rows = new WeakMap<Image, readonly string[]>();

/**
 * Candidates of the old side that the patch mends: the old side fails, the function is still there, and whatever the rule
 * stops at in it now passes.
 */
export function fixedBy({ candidates, before, old }: BothSides, { unit }: Subject, maxStates: number): readonly { readonly candidate: Candidate; readonly proof: Proof }[] {
  return before.flatMap((candidate) => {
    const proof = candidate.asks === true || unit.named(candidate.place.program.name).length === 0 ? null : (candidate.prove?.(maxStates) ?? null);
    if (!proof || !isProved(proof)) return [];
    const rivals = candidates.filter((one) => isSameFunction(one, candidate) && (!old.has(one) || keyOf(one) === keyOf(candidate)));
    return rivals.every((one) => one.prove?.(maxStates)?.verdict === "pass") ? [{ candidate, proof }] : [];
  });
}
