// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { outlineOf, type OutlineFunction } from "../../server/program/outline.ts";

/*
 * Which lines of mm/ the fixture of held locks is about: the first ones in the order of the SHA-256 of `file:line`, of
 * all lines in function bodies that have a letter or a digit and are neither comment nor directive. A second set is
 * taken from functions that call something whose name has to do with locks or maps, for most lines hold nothing.
 */

export interface ChosenLine {
  readonly file: string;
  readonly line: number;
  readonly function: string;
}

const LOCKISH = /lock|offset_map|^(?:down|up)_(?:read|write)/;

const isCode = (text: string): boolean => /[A-Za-z0-9_]/.test(text) && !/^\s*(?:\/?\*|\/\/|#)/.test(text);

const locks = (fn: OutlineFunction): boolean => fn.calls.some((call) => !call.isPointer && LOCKISH.test(call.name));

const hashOf = ({ file, line }: ChosenLine): string => createHash("sha256").update(`${file}:${line}`).digest("hex");

/** Lines of code of one file, and whether their functions lock. */
function linesOf(file: string, text: string): readonly (ChosenLine & { readonly locks: boolean })[] {
  const starts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  const rows = text.split("\n");
  return outlineOf(text).functions.flatMap((fn) => {
    const open = text.indexOf("{", fn.start);
    return rows.flatMap((row, index) => {
      const start = starts[index] ?? 0;
      return start > open && start < fn.end && isCode(row) ? [{ file, line: index + 1, function: fn.name, locks: locks(fn) }] : [];
    });
  });
}

/** Both sets, in order. */
export function chosenLines(tree: string, count: number): { readonly all: readonly ChosenLine[]; readonly locking: readonly ChosenLine[] } {
  const files = readdirSync(join(tree, "mm"), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".c"));
  const lines = files.flatMap((path) => linesOf(`mm/${path}`, readFileSync(join(tree, "mm", path), "utf8"))).map((line) => ({ ...line, hash: hashOf(line) }));
  const ordered = lines.toSorted((a, b) => (a.hash < b.hash ? -1 : 1));
  const plain = ({ file, line, function: fn }: ChosenLine): ChosenLine => ({ file, line, function: fn });
  const all = ordered.slice(0, count);
  return { all: all.map(plain), locking: ordered.filter((line) => line.locks && !all.includes(line)).slice(0, count).map(plain) };
}
