// SPDX-License-Identifier: GPL-2.0-only
import type { ApplicableHunk } from "./applicable.ts";

/** Where a hunk stands in a file. */
export interface PlacedHunk {
  readonly hunk: ApplicableHunk;
  /** Row (from 0) of the file at which the lines of the hunk that count begin. */
  readonly at: number;
  /** Context lines at its edges that are others in the file. */
  readonly before: number;
  readonly behind: number;
}

/** All hunks of a file at their places. */
export interface Placement {
  readonly hunks: readonly PlacedHunk[];
  /** The largest distance of a hunk from the place that its header names. */
  readonly offset: number;
  /** The largest number of context lines of one edge that were left out. */
  readonly fuzz: number;
}

/** Why hunks have no place: their lines are not in the file, or they are in it more than once. */
export type Misplaced = { readonly reason: "absent" | "ambiguous" | "too-long"; readonly line: number };

/** Which side of the hunks the file has. */
type Side = "old" | "new";

/** Context lines that may differ at each edge, as `patch` has it. */
const MOST_FUZZ = 2;

/** What looking for hunks may still cost, in comparisons of lines. */
export interface PlaceBudget {
  left: number;
}

/** For one document: ten thousand lines of C take a few comparisons each for each hunk. */
export const placeBudget = (): PlaceBudget => ({ left: 20_000_000 });

/** What is looked for, and where. */
interface Search {
  readonly lines: readonly string[];
  readonly side: Side;
  readonly budget: PlaceBudget;
}

/** Finds the hunks exactly where their headers say. */
export function placeExactly(lines: readonly string[], hunks: readonly ApplicableHunk[], side: Side, budget: PlaceBudget): Placement | Misplaced {
  const search: Search = { lines, side, budget };
  const placed: PlacedHunk[] = [];
  for (const hunk of hunks) {
    const at = rowOf(hunk, side);
    if (!matches(search, hunk, at, 0)) return { reason: "absent", line: hunk.hunk.line };
    placed.push({ hunk, at, before: 0, behind: 0 });
  }
  return { hunks: placed, offset: 0, fuzz: 0 };
}

/**
 * Finds the hunks, in order, where their lines are. A hunk stands as far from the line of its header as the one before it, or
 * else at the one place that has its lines. Up to `mostFuzz` lines of context may differ at each edge; such a place must be
 * the only one in any case.
 */
export function placeNearby(lines: readonly string[], hunks: readonly ApplicableHunk[], side: Side, mostFuzz: 0 | typeof MOST_FUZZ, budget: PlaceBudget): Placement | Misplaced {
  const search: Search = { lines, side, budget };
  const placed: PlacedHunk[] = [];
  let from = 0;
  let offset = 0;
  for (const hunk of hunks) {
    const one = placeOne(search, hunk, from, offset, mostFuzz);
    if ("reason" in one) return one;
    placed.push(one);
    from = one.at + hunk[side].length - one.before - one.behind;
    offset = one.at - one.before - rowOf(hunk, side);
  }
  return {
    hunks: placed,
    offset: Math.max(0, ...placed.map(({ hunk, at, before }) => Math.abs(at - before - rowOf(hunk, side)))),
    fuzz: Math.max(0, ...placed.map(({ before, behind }) => Math.max(before, behind))),
  };
}

const rowOf = (hunk: ApplicableHunk, side: Side): number => (side === "old" ? hunk.oldRow : hunk.newRow);

function placeOne(search: Search, hunk: ApplicableHunk, from: number, offset: number, mostFuzz: number): PlacedHunk | Misplaced {
  const expected = rowOf(hunk, search.side) + offset;
  // No lines at all are everywhere.
  if (!hunk[search.side].some((line) => /\S/.test(line))) return { reason: "ambiguous", line: hunk.hunk.line };
  if (expected >= from && standsAtEdges(search, hunk, expected) && matches(search, hunk, expected, 0)) return { hunk, at: expected, before: 0, behind: 0 };
  for (let fuzz = 0; fuzz <= mostFuzz; fuzz++) {
    const [before, behind] = [Math.min(fuzz, hunk.leading), Math.min(fuzz, hunk.trailing)];
    // With less than that to go by, any place would do.
    if (hunk[search.side].slice(before, hunk[search.side].length - behind).filter((line) => /\w/.test(line)).length < 2) break;
    const found = placesOf(search, hunk, from, fuzz);
    if (search.budget.left < 0) return { reason: "too-long", line: hunk.hunk.line };
    if (found.length > 1) return { reason: "ambiguous", line: hunk.hunk.line };
    if (found[0] !== undefined) return { hunk, at: found[0], before, behind };
    if (fuzz >= hunk.leading && fuzz >= hunk.trailing) break;
  }
  return { reason: "absent", line: hunk.hunk.line };
}

/** The first two rows at which the hunk's lines stand, those at its edges left out. */
function placesOf(search: Search, hunk: ApplicableHunk, from: number, fuzz: number): number[] {
  const before = Math.min(fuzz, hunk.leading);
  const length = hunk[search.side].length - before - Math.min(fuzz, hunk.trailing);
  const found: number[] = [];
  for (let at = from; at + length <= search.lines.length && found.length < 2 && search.budget.left >= 0; at++) {
    if (fuzz === 0 && !standsAtEdges(search, hunk, at)) continue;
    if (matches(search, hunk, at, fuzz)) found.push(at);
  }
  return found;
}

/** A hunk without context behind its last change (or before the first) ends where the file ends (or begins). */
function standsAtEdges({ lines, side }: Search, hunk: ApplicableHunk, at: number): boolean {
  // Who asks for no context at all gets none anywhere.
  if (hunk.leading === 0 && hunk.trailing === 0) return true;
  if (hunk.trailing === 0 && hunk.leading > 0 && at + hunk[side].length !== lines.length) return false;
  return hunk.leading > 0 || rowOf(hunk, side) > 0 || at === 0;
}

function matches(search: Search, hunk: ApplicableHunk, at: number, fuzz: number): boolean {
  const wanted = hunk[search.side];
  const before = Math.min(fuzz, hunk.leading);
  const end = wanted.length - Math.min(fuzz, hunk.trailing);
  search.budget.left--;
  if (at < 0 || at + end - before > search.lines.length) return false;
  for (let index = before; index < end; index++) {
    const line = wanted[index] ?? "";
    if (search.lines[at + index - before] !== line) return false;
    // Equal lines are compared to their ends.
    search.budget.left -= 1 + line.length / 64;
  }
  return true;
}
