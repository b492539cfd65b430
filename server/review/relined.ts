// SPDX-License-Identifier: GPL-2.0-only
import { carryModels } from "./evidence.ts";
import type { Finding, FixedSchedule, ScheduleStep } from "./finding.ts";

/** A function and the lines on which it stands; `ordinal`: among those of its name in its file. */
export interface StandingFunction {
  readonly path: string;
  readonly name: string;
  readonly ordinal: number;
  readonly first: number;
  readonly last: number;
  /** Column of its first character: other columns are told from it. */
  readonly column: number;
}

/** The line of a file that a line has become; null where that is not known. */
export type LineMove = (path: string, line: number) => number | null;

/** Lines move with the functions in which they stand. `now` has the same functions as `then`, in the same order. */
export const moveBetween = (then: readonly StandingFunction[], now: readonly (StandingFunction | null)[]): LineMove => (path, line) => {
  const at = then.findIndex((one) => one.path === path && one.first <= line && line <= one.last);
  const [was, is] = [then[at], now[at]];
  return was && is && was.column === is.column ? line - was.first + is.first : null;
};

/** A finding of a file whose lines have moved; null where it is not known whither. */
export function relined(finding: Finding, path: string, move: LineMove): Finding | null {
  let isKnown = true;
  const to = <L extends number | null>(line: L, file = path): L => {
    if (line === null) return line;
    const moved = move(file, line);
    if (moved === null) isKnown = false;
    return (moved ?? line) as L;
  };
  const moved = <S extends ScheduleStep>(step: S): S => ({ ...step, patchLine: to(step.patchLine) });
  const replayed = (replay: FixedSchedule): FixedSchedule => (
    { ...replay, steps: replay.steps.map(moved), blocked: replay.blocked && moved(replay.blocked) });
  const { location, related, evidence } = finding;
  const made: Finding = {
    ...finding,
    location: { ...location, patchLine: to(location.patchLine), newLine: to(location.newLine) },
    related: related.map((one) => ({ ...one, patchLine: to(one.patchLine, one.path), newLine: to(one.newLine, one.path) })),
    evidence: evidence && { ...evidence, schedule: evidence.schedule.map(moved), fixed: evidence.fixed && { ...evidence.fixed, replay: replayed(evidence.fixed.replay) } },
  };
  if (!isKnown) return null;
  if (evidence && made.evidence) carryModels(evidence, made.evidence, (source) => (source.line === null ? source : { ...source, line: move(path, source.line) ?? source.line }));
  return made;
}
