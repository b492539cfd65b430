// SPDX-License-Identifier: GPL-2.0-only
import { UNSEEN_CONDITION } from "./unseen.ts";

/** A run of rows of a hunk that belongs together: `from` inclusive, `to` exclusive. */
interface Rows {
  readonly from: number;
  readonly to: number;
}

/**
 * `toplevel`: declarations, or whole functions; `inside`: begins inside a function whose start is not visible;
 * `tail`: begins with a function that does not end here.
 */
export type Segment =
  | ({ readonly kind: "toplevel" } & Rows)
  | ({
      readonly kind: "inside";
      readonly name: string;
      /** A definition's first line, made from the hunk's section. */
      readonly header: string;
      /** True where the rows begin with the brace that opens its body: nothing between is unseen. */
      readonly opensBody: boolean;
      /** Lines that open the blocks which the rows close. */
      readonly openers: readonly string[];
      readonly openAtEnd: number;
    } & Rows)
  | ({ readonly kind: "tail"; readonly name: string; readonly openAtEnd: number } & Rows);

const NOT_A_FUNCTION = new Set(["if", "for", "while", "switch", "do", "else", "return", "sizeof", "struct", "union", "enum", "case"]);

/** Name of the function that a text before `{` declares, or null: at least one word of type, a name, a parameter list. */
function declaredFunction(header: string): string | null {
  const open = header.indexOf("(");
  if (open <= 0 || header.length > MAX_HEADER || header.includes(";") || /[={]/.test(header.slice(0, open))) return null;
  const words = header.slice(0, open).match(/[A-Za-z_]\w*/g) ?? [];
  const name = words.at(-1);
  if (name === undefined || words.some((word) => NOT_A_FUNCTION.has(word) && word !== "struct" && word !== "union" && word !== "enum"))
    return null;
  if (/^SYSCALL_DEFINE\d$/.test(name)) return name;
  return words.length >= 2 && !NOT_A_FUNCTION.has(name) ? name : null;
}

/** What the second part of a hunk header says: the enclosing function, if it names one. */
function sectionFunction(section: string): { name: string; header: string } | null {
  const open = section.indexOf("(");
  const name = declaredFunction(section);
  if (open < 0 || name === null) return null;
  // The section is cut at 80 bytes: keep the whole parameters only.
  const close = section.lastIndexOf(")");
  const parameters = close > open ? section.slice(open + 1, close) : section.slice(open + 1, Math.max(open + 1, section.lastIndexOf(",")));
  return { name, header: `${section.slice(0, open)}(${parameters})` };
}

/** No function's declaration is longer; more text than this before a brace is not C. */
const MAX_HEADER = 2000;

interface Walk {
  /** Rows at which a function definition begins, with its name and the row after its end (or -1). */
  readonly functions: { readonly name: string; readonly from: number; end: number; depth: number }[];
  /** Text behind each unmatched closing brace before the first function, and whether it stands at the line start. */
  readonly unmatched: { readonly row: number; readonly column: number; readonly rest: string }[];
  /** Blocks left open in the part before the first function. */
  openBefore: number;
}

function walk(rows: readonly string[]): Walk {
  const result: Walk = { functions: [], unmatched: [], openBefore: 0 };
  let header = "";
  let headerRow = 0;
  let depth = 0;
  let current: Walk["functions"][number] | null = null;
  for (let row = 0; row < rows.length; row++) {
    const text = rows[row] ?? "";
    for (let column = 0; column < text.length; column++) {
      const character = text[column];
      if (character === "{") {
        const name: string | null = depth === 0 || current === null ? declaredFunction(header.trim()) : null;
        if (name !== null) {
          current = { name, from: headerRow, end: -1, depth: 1 };
          result.functions.push(current);
          depth = 1;
        } else {
          depth++;
          if (current) current.depth = depth;
          else result.openBefore = depth;
        }
        header = "";
      } else if (character === "}") {
        if (depth > 0) depth--;
        else if (result.functions.length === 0) result.unmatched.push({ row, column, rest: text.slice(column + 1) });
        if (current) {
          current.depth = depth;
          if (depth === 0) {
            current.end = row + 1;
            current = null;
          }
        } else if (result.functions.length === 0) result.openBefore = depth;
        header = "";
      } else if (character === ";") header = "";
      else if (character !== " " && character !== "\t") {
        if (header === "") headerRow = row;
        if (header.length <= MAX_HEADER) header += character;
      } else if (header !== "" && header.length <= MAX_HEADER) header += " ";
    }
    if (header !== "" && header.length <= MAX_HEADER) header += " ";
  }
  return result;
}

const TOP_LEVEL = /^(?:static|extern|EXPORT_SYMBOL\w*|struct\s+\w+\s*\{|typedef|MODULE_\w+|DEFINE_\w+|DECLARE_\w+|\w+_initcall|#)/;

/** True where code behind the last visible `}` is outside of any function. */
function leavesFunction(code: readonly string[], last: { row: number; column: number; rest: string }, to: number): boolean {
  const behind = [last.rest, ...code.slice(last.row + 1, to)].join("\n").trim();
  if (behind === "" || TOP_LEVEL.test(behind)) return true;
  // Where white space survived, a brace in the first column ends a function.
  return isIndented(code) && last.column === 0 && !/^[\s}]*(?:while|else)\b/.test(last.rest);
}

/** The functions that begin and end in rows of code whose comments are blanked: their names, first rows, and the rows behind them. */
export const wholeFunctions = (code: readonly string[]): readonly { readonly name: string; readonly from: number; readonly end: number }[] =>
  walk(code).functions.filter(({ end }) => end >= 0);

/** Splits the rows of one side of a hunk, comments blanked, into segments that can be closed one by one. */
export function segmentsOf(code: readonly string[], section: string): Segment[] {
  const { functions, unmatched, openBefore } = walk(code);
  const firstFunction = functions[0]?.from ?? code.length;
  const segments: Segment[] = [...leading(code, firstFunction, section, unmatched, openBefore)];
  let from = firstFunction;
  for (const fn of functions) {
    if (fn.from > from) segments.push({ kind: "toplevel", from, to: fn.from });
    if (fn.end < 0) {
      segments.push({ kind: "tail", name: fn.name, from: fn.from, to: code.length, openAtEnd: fn.depth });
      from = code.length;
      break;
    }
    segments.push({ kind: "toplevel", from: Math.max(fn.from, from), to: Math.max(fn.end, from) });
    from = Math.max(fn.end, from);
  }
  if (from < code.length) segments.push(...trailing(code, from));
  return segments.filter((segment) => segment.to > segment.from);
}

/** Rows behind the last function: declarations, or the first lines of a definition whose body is not visible (dropped). */
function trailing(code: readonly string[], from: number): Segment[] {
  const text = code.slice(from).join("\n");
  const last = Math.max(text.lastIndexOf(";"), text.lastIndexOf("}"));
  const rows = last < 0 ? 0 : text.slice(0, last).split("\n").length;
  return [{ kind: "toplevel", from, to: from + rows }];
}

function leading(
  code: readonly string[],
  to: number,
  section: string,
  unmatched: Walk["unmatched"],
  openBefore: number,
): Segment[] {
  const rows = code.slice(0, to);
  if (to === 0 || rows.every((row) => row.trim() === "")) return to === 0 ? [] : [{ kind: "toplevel", from: 0, to }];
  const enclosing = sectionFunction(section);
  const body = enclosing === null ? null : bodyBehind(rows, enclosing);
  if (body !== null) return body;
  const lastBrace = unmatched.at(-1);
  const inside = unmatched.length > 0 || looksLikeStatements(rows);
  if (!inside || enclosing === null) {
    if (lastBrace === undefined) return to === code.length ? trailing(code, 0) : [{ kind: "toplevel", from: 0, to }];
    // The end of a function of which nothing else is known: only what follows can be read.
    return [{ kind: "toplevel", from: lastBrace.row + 1, to }];
  }
  const ends = lastBrace !== undefined && leavesFunction(code, lastBrace, to);
  const end = ends && lastBrace ? lastBrace.row + 1 : to;
  const closes = ends ? unmatched.slice(0, -1) : unmatched;
  const openers = closes
    .map((brace, index) => (/^\s*while\b/.test(brace.rest) ? "do {" : `if (${UNSEEN_CONDITION}_${index}) {`))
    .toReversed();
  const segment: Segment = {
    kind: "inside",
    name: enclosing.name,
    header: enclosing.header,
    opensBody: false,
    openers,
    openAtEnd: ends ? 0 : 1 + openBefore,
    from: 0,
    to: end,
  };
  return end < to ? [segment, { kind: "toplevel", from: end, to }] : [segment];
}

/** A body whose opening brace is the first row: the line above it, which the section names, is the function's. */
function bodyBehind(rows: readonly string[], { name, header }: { readonly name: string; readonly header: string }): Segment[] | null {
  // Without indentation any block may begin so.
  if (rows[0]?.trimEnd() !== "{" || !isIndented(rows)) return null;
  const close = rows.findIndex((row) => row.startsWith("}"));
  const from = close < 0 ? rows.length : close + 1;
  const openAtEnd = close < 0 ? Math.max(1, depthOf(rows)) : 0;
  const own: Segment = { kind: "inside", name, header, opensBody: true, openers: [], openAtEnd, from: 0, to: from };
  return from < rows.length ? [own, { kind: "toplevel", from, to: rows.length }] : [own];
}

const depthOf = (rows: readonly string[]): number => [...rows.join("\n")].reduce((depth, character) => (character === "{" ? depth + 1 : character === "}" ? Math.max(0, depth - 1) : depth), 0);

/** True where indentation survived. Archive text keeps a single blank behind a diff marker, which says nothing. */
const isIndented = (rows: readonly string[]): boolean => rows.some((row) => /^(?:\t|  +)\s*\S/.test(row));

/** True for rows that can only stand inside a function body. */
function looksLikeStatements(rows: readonly string[]): boolean {
  const indented = isIndented(rows);
  const first = rows.find((row) => row.trim() !== "") ?? "";
  if (TOP_LEVEL.test(first.trim())) return false;
  return indented ? /^\s/.test(first) || /^\w+:/.test(first) : /[;{]|^\s*(?:if|for|while|return|goto)\b/.test(rows.join("\n"));
}
