// SPDX-License-Identifier: GPL-2.0-only
import type { FileDiff, Patch } from "../patch/model.ts";
import { applicableHunks, type ApplicableHunk } from "./applicable.ts";
import { definitionsIn, wordsOf, type Definition } from "./series-definitions.ts";
import type { EarlierLine, MailPlace, ShownHunk } from "./shown.ts";
import { isC } from "./tree-at-hand.ts";

/*
 * What the patches of a series show of the files that they change. The patches of a series apply on each other, so that the line
 * numbers of one are those that the one before it left: no tree is needed to know that the function of which 5/7 shows four lines is
 * the one that 2/7 added.
 */

/** A document of the input, and the line of it at which its text begins. */
export interface DocumentAt {
  readonly path: string;
  readonly firstLine: number;
}

/** What is known around the hunks of one patch. */
export interface SeriesView {
  /** The hunks of a file of the patch with what stands around them in their functions. */
  hunksOf(file: FileDiff): readonly ShownHunk[];
  /** Functions and macros of the series that lines of the patch use and that stand elsewhere. */
  readonly definitions: readonly { readonly name: string; readonly path: string; readonly hunk: ShownHunk }[];
  /** Where an earlier patch wrote a line of a file, by its number before this patch and its text; null: nowhere. */
  writtenAt(path: string, oldLine: number, text: string): MailPlace | null;
  /** True where a definition may be another by now: patches between it and this one are not at hand. */
  readonly isStale: boolean;
}

/** The files of a series, patch by patch. */
export interface SeriesCode {
  /** What is known around a patch; `at`: its document. Changes nothing. */
  before(patch: Patch, at: DocumentAt): SeriesView;
  /** Takes a patch over, on top of those before it. */
  advance(patch: Patch, at: DocumentAt): void;
  /** Patches that come now are not at hand. */
  gap(): void;
}

/** One line of a file, and where a patch wrote it. */
export interface KnownLine {
  readonly text: string;
  readonly from: Required<MailPlace> | null;
}

/** Lines of a file by number. */
export type KnownFile = ReadonlyMap<number, KnownLine>;

/** More than any series shows of its files that people review; a file that would exceed it is forgotten. */
const MAX_LINES = 100_000;

/** Longer functions are not shown around a hunk. */
const MAX_AROUND = 1500;

/** Definitions that one patch is shown, and their lines. */
const MAX_DEFINITIONS = 64;
const MAX_DEFINITION_LINES = 4000;

export function seriesCode(): SeriesCode {
  const files = new Map<string, KnownFile>();
  let stale: readonly Definition[] = [];
  const defined = new WeakMap<KnownFile, readonly Definition[]>();

  const definitionsOf = (path: string, file: KnownFile): readonly Definition[] => {
    const known = defined.get(file) ?? definitionsIn(path, file);
    defined.set(file, known);
    return known;
  };
  const allDefinitions = (): readonly Definition[] => [...files].flatMap(([path, file]) => definitionsOf(path, file));
  const knownOf = (path: string | null, hunks: readonly ApplicableHunk[]): KnownFile => {
    const file = path === null ? undefined : files.get(path);
    return file !== undefined && agrees(file, hunks) ? file : EMPTY;
  };

  return {
    before(patch, at) {
      const shown = new Map<FileDiff, Shown>(patch.files.filter(isC).map((file) => {
        const hunks = applicableHunks(patch, file);
        return [file, hunks === null ? { hunks: file.hunks, ranges: [] } : withAround(file, hunks, knownOf(file.oldPath, hunks), at)] as const;
      }));
      const isShown = ({ path, first, last }: Definition): boolean =>
        [...shown].some(([file, { ranges }]) => file.oldPath === path && ranges.some((range) => range.first <= last && first <= range.last));
      const fresh = allDefinitions();
      const words = [...shown.values()].flatMap(({ hunks }) => hunks.flatMap(({ lines }) => lines.map(({ text }) => text)));
      const paths = new Set(patch.files.map((file) => file.oldPath));
      const used = usedDefinitions(words, paths, [...fresh, ...stale.filter((one) => !fresh.some(({ name }) => name === one.name))].filter((one) => !isShown(one)));
      return {
        hunksOf: (file) => shown.get(file)?.hunks ?? file.hunks,
        definitions: used.map((one) => ({ name: one.name, path: one.path, hunk: asHunk(one, at) })),
        writtenAt(path, oldLine, text) {
          const line = files.get(path)?.get(oldLine);
          return line?.from && line.text === text ? relativeTo(line.from, at) : null;
        },
        isStale: used.some((one) => stale.includes(one)),
      };
    },
    advance(patch, at) {
      for (const file of patch.files.filter(isC)) {
        const hunks = applicableHunks(patch, file);
        const before = hunks === null ? EMPTY : knownOf(file.oldPath, hunks);
        if (file.oldPath !== null && (hunks !== null || file.hunks.length > 0 || file.change === "deleted")) files.delete(file.oldPath);
        if (hunks === null || file.newPath === null) continue;
        const after = applied(before, hunks, at);
        const total = [...files.values()].reduce((sum, one) => sum + one.size, after.size);
        if (total <= MAX_LINES) files.set(file.newPath, after);
      }
    },
    gap() {
      stale = [...stale, ...allDefinitions()].slice(-MAX_DEFINITIONS * 16);
      files.clear();
    },
  };
}

const EMPTY: KnownFile = new Map();

/** The place of a line for who reads `at`. */
const relativeTo = ({ document, line }: Required<MailPlace>, at: DocumentAt): MailPlace =>
  document === at.path ? { line: line - at.firstLine + 1 } : { document, line };

/** False where a hunk says otherwise of a line: patches between are not at hand, or it is another series. */
const agrees = (file: KnownFile, hunks: readonly ApplicableHunk[]): boolean =>
  hunks.every(({ old, oldRow }) => old.every((text, row) => (file.get(oldRow + row + 1)?.text ?? text) === text));

/** Lines of the file before the patch, first and last. */
interface Range {
  readonly first: number;
  readonly last: number;
}

interface Shown {
  readonly hunks: readonly ShownHunk[];
  readonly ranges: readonly Range[];
}

/** A brace in the first column ends a function. */
const endsFunction = (text: string): boolean => text.startsWith("}");

/** The hunks with the rest of the functions in which they stand, as far as it is known. */
function withAround(file: FileDiff, hunks: readonly ApplicableHunk[], known: KnownFile, at: DocumentAt): Shown {
  if (known.size === 0) return { hunks: file.hunks, ranges: hunks.map(rangeOf) };
  const made: { section: string; lines: ShownHunk["lines"][number][]; range: Range }[] = [];
  let delta = 0;
  let done = 0;
  const earlier = (line: number): EarlierLine => {
    const { text, from } = known.get(line) ?? { text: "", from: null };
    return { kind: "context", path: file.newPath ?? file.oldPath ?? "", text, oldLine: line, newLine: line + delta, from: from && relativeTo(from, at) };
  };
  for (const [index, hunk] of hunks.entries()) {
    const { first, last } = rangeOf(hunk);
    const next = hunks[index + 1];
    const limit = next === undefined ? Infinity : rangeOf(next).first;
    let top = first;
    while (top - 1 > done && first - top < MAX_AROUND && known.has(top - 1) && !endsFunction(known.get(top - 1)?.text ?? "")) top--;
    const head = numbers(top, first - 1).map(earlier);
    delta += hunk.new.length - hunk.old.length;
    let bottom = last;
    if (!endsFunction(hunk.old.at(-1) ?? "")) {
      while (bottom + 1 < limit && bottom - last < MAX_AROUND && known.has(bottom + 1)) {
        bottom++;
        if (endsFunction(known.get(bottom)?.text ?? "")) break;
      }
    }
    const lines = [...head, ...hunk.hunk.lines, ...numbers(last + 1, bottom).map(earlier)];
    const before = made.at(-1);
    // Nothing lies between: the two are one run.
    if (before !== undefined && done > 0 && top === done + 1) {
      before.lines.push(...lines);
      before.range = { first: before.range.first, last: bottom };
    } else made.push({ section: hunk.hunk.section, lines, range: { first: top, last: bottom } });
    done = bottom;
  }
  return { hunks: made, ranges: made.map(({ range }) => range) };
}

const rangeOf = ({ oldRow, old }: ApplicableHunk): Range => ({ first: oldRow + 1, last: oldRow + old.length });

const numbers = (first: number, last: number): number[] => Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);

/** What a patch makes of what is known of a file. */
function applied(known: KnownFile, hunks: readonly ApplicableHunk[], at: DocumentAt): KnownFile {
  const made = new Map<number, KnownLine>();
  let index = 0;
  let delta = 0;
  for (const [number, line] of [...known].toSorted(([a], [b]) => a - b)) {
    for (let hunk = hunks[index]; hunk !== undefined && number > rangeOf(hunk).last; hunk = hunks[++index]) delta += hunk.new.length - hunk.old.length;
    const hunk = hunks[index];
    if (hunk === undefined || number < rangeOf(hunk).first) made.set(number + delta, line);
  }
  for (const { hunk } of hunks)
    for (const { kind, text, line, oldLine, newLine } of hunk.lines) {
      if (newLine === null) continue;
      const from = kind === "added" ? { document: at.path, line: at.firstLine - 1 + line } : (known.get(oldLine ?? 0)?.from ?? null);
      made.set(newLine, { text, from });
    }
  return made;
}

/** The definitions that the texts name, and those that these name. `paths`: the files of the patch; what is static stays in its file. */
function usedDefinitions(texts: readonly string[], paths: ReadonlySet<string | null>, all: readonly Definition[]): readonly Definition[] {
  if (all.length === 0) return [];
  const byName = new Map<string, Definition[]>();
  for (const one of all) byName.set(one.name, [...(byName.get(one.name) ?? []), one]);
  const found = new Set<Definition>();
  let lines = 0;
  const work: { readonly texts: readonly string[]; readonly paths: ReadonlySet<string | null> }[] = [{ texts, paths }];
  for (let next = work.shift(); next !== undefined; next = work.shift()) {
    for (const name of wordsOf(next.texts)) {
      const one = visible(byName.get(name) ?? [], next.paths);
      if (one === null || found.has(one) || found.size >= MAX_DEFINITIONS || lines + one.lines.length > MAX_DEFINITION_LINES) continue;
      found.add(one);
      lines += one.lines.length;
      work.push({ texts: one.lines.map(({ text }) => text), paths: new Set([one.path]) });
    }
  }
  return [...found];
}

/** The definition of a name that code in these files means; null where none is seen from there, or more than one. */
function visible(definitions: readonly Definition[], paths: ReadonlySet<string | null>): Definition | null {
  const own = definitions.filter(({ path }) => paths.has(path));
  const seen = own.length > 0 ? own : definitions.filter(({ path, isStatic }) => !isStatic || path.endsWith(".h"));
  return seen.length === 1 ? (seen[0] ?? null) : null;
}

const asHunk = ({ path, first, lines }: Definition, at: DocumentAt): ShownHunk => ({
  section: "",
  lines: lines.map(({ text, from }, row): EarlierLine => ({ kind: "context", path, text, oldLine: first + row, newLine: first + row, from: from && relativeTo(from, at) })),
});
