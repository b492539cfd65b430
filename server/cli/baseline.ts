// SPDX-License-Identifier: GPL-2.0-only
import { readRegularFile } from "../node/regular-file.ts";
import { replaceFile } from "../node/replace-file.ts";
import { baselineText } from "../report/baseline.ts";
import { visibleLine, visiblePath } from "../report/visible.ts";
import { allowanceOf, entryOf, readBaseline, updatedBaseline, type BaselineEntry } from "../review/baseline/baseline.ts";
import type { Review } from "../review/finding.ts";
import type { ReportArguments } from "./arguments.ts";
import type { CliIo } from "./io.ts";

/** More is not read; the reader refuses it with a sentence. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The baseline of one run. */
export interface RunBaseline {
  /** A review without the findings that are known. Each finding is to come once, in the order of the report. */
  filter(review: Review): Review;
  /** How many were known. */
  known(): number;
  /** Writes what was found, where that was asked for; false where it could not. `isLookedAt`: what the run would have found again. */
  finish(isComplete: boolean, isLookedAt: (entry: BaselineEntry) => boolean): boolean;
}

/** Reads the baseline; what is wrong with it was told where there is none. A file that is to be written need not exist. */
export function openBaseline({ baseline: path, updateBaseline: isUpdated, quiet }: Pick<ReportArguments, "updateBaseline" | "quiet"> & { readonly baseline: string }, io: Pick<CliIo, "stderr">): RunBaseline | null {
  const tell = (text: string): void => void io.stderr.write(`${visiblePath(path)}${text}\n`);
  const entries = entriesOf(path, isUpdated, tell);
  if (entries === null) return null;
  const allowance = allowanceOf(entries);
  const found: BaselineEntry[] = [];
  let known = 0;
  return {
    filter(review) {
      const findings = isUpdated ? [] : allowance.take(review.findings);
      if (isUpdated) found.push(...review.findings.map(entryOf));
      known += review.findings.length - findings.length;
      return { ...review, findings };
    },
    known: () => known,
    finish(isComplete, isLookedAt) {
      if (!isUpdated) return true;
      if (!isComplete) return tell(": not written, because part of the input, or of a configuration, could not be used"), false;
      const { entries: all, dropped } = updatedBaseline(entries, found, isLookedAt);
      const failure = replaceFile(path, baselineText(all));
      if (failure !== null) return tell(`: ${visibleLine(failure)}`), false;
      if (!quiet) tell(`: ${all.length} finding${all.length === 1 ? "" : "s"} written, ${dropped} dropped that nothing matches`);
      return true;
    },
  };
}

function entriesOf(path: string, mayBeMissing: boolean, tell: (text: string) => void): readonly BaselineEntry[] | null {
  const read = readRegularFile(path, { maxBytes: MAX_BYTES, followsLinks: true });
  if ("reason" in read) {
    if (mayBeMissing && read.isMissing) return [];
    tell(`: ${read.reason}`);
    return null;
  }
  const { entries, problems } = readBaseline(read.text);
  for (const { line, column, message, code } of problems) tell(`:${line}:${column}: error: ${visibleLine(message)} [${code}]`);
  return problems.length === 0 ? entries : null;
}
