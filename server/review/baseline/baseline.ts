// SPDX-License-Identifier: GPL-2.0-only
import { fileProblems, type FileProblem } from "../configuration/file-problem.ts";
import { jsonTree, type Complaint } from "../configuration/json-tree.ts";
import { choice, listOf, optional, recordOf, required, text, type Shape } from "../configuration/shape.ts";
import type { Finding } from "../finding.ts";

/** A finding that was there when a baseline was written. Its fingerprint counts; the rest is for people. */
export interface BaselineEntry {
  readonly rule: string;
  readonly file: string | null;
  readonly function: string | null;
  readonly fingerprint: string;
}

/** Form of the file. */
export const BASELINE_VERSION = "1";

/** More than a whole kernel would give (UTF-16 units). */
const MAX_LENGTH = 16 * 1024 * 1024;

const matching = (pattern: RegExp, message: string): Shape<string> =>
  text({ pattern: pattern.source }, (value) => (pattern.test(value) ? null : { code: "baseline-value", message }));

const baselineShape = recordOf("Baseline of Patchwalk", {
  version: required(choice([BASELINE_VERSION]), "Form of this file."),
  findings: required(listOf(recordOf("A finding that is known", {
    rule: required(matching(/^[a-z][a-z0-9-]{0,99}$/, "a rule id is expected here"), "Its rule."),
    file: optional(text({}, () => null), "Where it was."),
    function: optional(text({}, () => null), "The function."),
    fingerprint: required(matching(/^[0-9a-f]{16}$/, "16 hex digits are expected here: the fingerprint of a finding"), "Its fingerprint."),
  }, { whole: true })), "One for each finding: two alike stand for two."),
}, { whole: true });

/** Reads a baseline; where anything is wrong with it, only that. Never fails. */
export function readBaseline(source: string): { readonly entries: readonly BaselineEntry[]; readonly problems: readonly FileProblem[] } {
  const { root, complaints } = jsonTree(source, MAX_LENGTH);
  const found: Complaint[] = [...complaints];
  const read = root && baselineShape.read(root, (one) => void found.push(one));
  return found.length > 0 || read === null ? { entries: [], problems: fileProblems(found, source) } : { entries: read.value.findings, problems: [] };
}

export const entryOf = ({ ruleId, location, function: fn, fingerprint }: Finding): BaselineEntry => ({ rule: ruleId, file: location.file, function: fn, fingerprint });

const textOf = ({ file, rule, function: fn, fingerprint }: BaselineEntry): string => JSON.stringify([file, rule, fn, fingerprint]);

/** The order of a file: by code units, so that it is the same everywhere. */
export const sortedEntries = (entries: readonly BaselineEntry[]): readonly BaselineEntry[] =>
  entries.map((entry) => ({ entry, key: textOf(entry) })).toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ entry }) => entry);

/** What is left of a baseline while findings are counted off against it. */
export interface Allowance {
  /** Findings that it does not have; of equal ones, so many are known as it has entries. */
  take(findings: readonly Finding[]): readonly Finding[];
}

export function allowanceOf(entries: readonly BaselineEntry[]): Allowance {
  const isKnown = countingOff(entries.map(({ fingerprint }) => fingerprint));
  return { take: (findings) => findings.filter(({ fingerprint }) => !isKnown(fingerprint)) };
}

/** Counts names off: true as often as the name was there. */
function countingOff(all: readonly string[]): (name: string) => boolean {
  const left = new Map<string, number>();
  for (const name of all) left.set(name, (left.get(name) ?? 0) + 1);
  return (name) => {
    const count = left.get(name) ?? 0;
    if (count > 0) left.set(name, count - 1);
    return count > 0;
  };
}

/**
 * The baseline after a run: what was found in it, and of what was there before all that the run did not look at.
 * `dropped`: how many entries match nothing any more.
 */
export function updatedBaseline(
  before: readonly BaselineEntry[], found: readonly BaselineEntry[], isLookedAt: (entry: BaselineEntry) => boolean,
): { readonly entries: readonly BaselineEntry[]; readonly dropped: number } {
  // The same entry stands for itself; only then may it stand for what has moved to another file.
  const isThere = countingOff(found.map(textOf));
  const others = before.filter((entry) => !isThere(textOf(entry)));
  const isSame = countingOff(before.map(textOf));
  const hasMoved = countingOff(found.filter((entry) => !isSame(textOf(entry))).map(({ fingerprint }) => fingerprint));
  const gone = others.filter(({ fingerprint }) => !hasMoved(fingerprint));
  const kept = gone.filter((entry) => !isLookedAt(entry));
  return { entries: sortedEntries([...found, ...kept]), dropped: gone.length - kept.length };
}
