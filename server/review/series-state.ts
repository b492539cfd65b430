// SPDX-License-Identifier: GPL-2.0-only
import { seriesCode, type SeriesCode } from "../source/series-code.ts";
import type { Finding, FixedBy } from "./finding.ts";
import type { Watched } from "./judge.ts";

/** What is known of a series while its patches are reviewed, one after the other. */
export interface SeriesState {
  readonly code: SeriesCode;
  /** Findings of the patches so far: whoever judges a later patch says which of them it removes. */
  watched(): readonly Watched[];
  /** What the review of a patch showed: its findings, and which of the watched ones are gone with it. */
  note(patch: Omit<FixedBy, "total">, total: number, findings: readonly Finding[], gone: readonly Watched[]): void;
  /** The findings of a patch with the later patch that removes them; to be asked when all patches are noted. */
  marked(number: number, findings: readonly Finding[]): readonly Finding[];
}

/** More than any series leaves open. */
const MOST_WATCHED = 2000;

const nameOf = ({ ruleId, function: fn, fingerprint }: Watched): string => `${ruleId} ${fn} ${fingerprint}`;

export function seriesState(): SeriesState {
  /** Each with the patch that removes it, until one brings it back. */
  const open = new Map<string, { readonly watched: Watched; readonly since: Set<number>; fixedBy: FixedBy | null }>();
  return {
    code: seriesCode(),
    watched: () => [...open.values()].flatMap(({ watched, fixedBy }) => (fixedBy === null ? [watched] : [])),
    note(patch, total, findings, gone) {
      for (const one of gone) {
        const known = open.get(nameOf(one));
        if (known) known.fixedBy = { ...patch, total };
      }
      for (const { ruleId, function: fn, fingerprint, messageId } of findings) {
        if (fn === null) continue;
        const watched: Watched = { ruleId, function: fn, fingerprint, messageId };
        const known = open.get(nameOf(watched));
        // What comes back was not removed.
        if (known) {
          known.fixedBy = null;
          known.since.add(patch.number);
        } else if (open.size < MOST_WATCHED) open.set(nameOf(watched), { watched, since: new Set([patch.number]), fixedBy: null });
      }
    },
    marked: (number, findings) => findings.map((finding) => {
      const known = finding.function === null ? undefined : open.get(nameOf({ ...finding, function: finding.function }));
      return known?.fixedBy && known.since.has(number) && known.fixedBy.number > number ? { ...finding, fixedBy: known.fixedBy } : finding;
    }),
  };
}
