// SPDX-License-Identifier: GPL-2.0-only
import { blankComments } from "./blank.ts";
import { wholeFunctions } from "./segment.ts";
import type { KnownFile, KnownLine } from "./series-code.ts";

/** A function or a macro of which patches of a series show everything, and wrote something. */
export interface Definition {
  readonly name: string;
  readonly path: string;
  /** True where other files do not see it: a static function, a macro of a C file. */
  readonly isStatic: boolean;
  /** Numbers of its first and last line in the file. */
  readonly first: number;
  readonly last: number;
  readonly lines: readonly KnownLine[];
}

/** Names in texts, each once, in order. */
export const wordsOf = (texts: readonly string[]): readonly string[] => [...new Set(texts.flatMap((text) => text.match(/\b[A-Za-z_]\w*/g) ?? []))];

/** The definitions in what is known of a file. */
export const definitionsIn = (path: string, file: KnownFile): readonly Definition[] =>
  runsOf(file).flatMap(({ first, lines }) => [...functionsIn(lines), ...macrosIn(lines)].flatMap(({ name, from, end, isStatic }) => {
    const own = lines.slice(from, end);
    // What the series only shows is code as the kernel has it: of that, the table knows more than a line of context.
    return own.some((line) => line.from !== null) ? [{ name, path, isStatic, first: first + from, last: first + end - 1, lines: own }] : [];
  }));

interface Run {
  readonly first: number;
  readonly lines: readonly KnownLine[];
}

/** Lines that stand one below the other. */
function runsOf(file: KnownFile): readonly Run[] {
  const runs: { first: number; lines: KnownLine[] }[] = [];
  for (const [number, line] of [...file].toSorted(([a], [b]) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && last.first + last.lines.length === number) last.lines.push(line);
    else runs.push({ first: number, lines: [line] });
  }
  return runs;
}

interface Found {
  readonly name: string;
  /** Rows: the first, and the one behind the last. */
  readonly from: number;
  readonly end: number;
  readonly isStatic: boolean;
}

function functionsIn(lines: readonly KnownLine[]): readonly Found[] {
  const { code } = blankComments(lines.map(({ text }) => text).join("\n"));
  const rows = code.split("\n");
  return wholeFunctions(rows)
    // A run may begin in the middle of a function: what is a definition stands in the first column.
    .filter(({ from }) => /^[A-Za-z_]/.test(rows[from] ?? ""))
    .map(({ name, from, end }) => ({ name, from, end, isStatic: /\bstatic\b/.test(rows.slice(from, end).join("\n").split("{")[0] ?? "") }));
}

const DEFINE = /^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)/;

function macrosIn(lines: readonly KnownLine[]): readonly Found[] {
  return lines.flatMap(({ text }, from): Found[] => {
    const name = DEFINE.exec(text)?.[1];
    if (name === undefined) return [];
    let end = from + 1;
    while (end < lines.length && (lines[end - 1]?.text ?? "").endsWith("\\")) end++;
    return (lines[end - 1]?.text ?? "").endsWith("\\") ? [] : [{ name, from, end, isStatic: true }];
  });
}
