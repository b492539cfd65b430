// SPDX-License-Identifier: GPL-2.0-only

/** A statement of a fixed fixture that keeps a defect away: `protects: rule`, or `protects: rule by its place`. */
export interface Protection {
  /** 1-based line of the comment, which is the last line of the statement. */
  readonly line: number;
  readonly rule: string;
  /** `place`: the statement protects by standing before the next one. */
  readonly how: "presence" | "place";
}

const COMMENT = /\s*\/\* protects: ([\w-]+)( by its place)? \*\//;

export const protectionsOf = (text: string): Protection[] =>
  text.split("\n").flatMap((line, index): Protection[] => {
    const match = COMMENT.exec(line);
    return match ? [{ line: index + 1, rule: match[1] ?? "", how: match[2] === undefined ? "presence" : "place" }] : [];
  });

/** A line that the next one goes on with. */
const GOES_ON = /[,(|&+=?-]\s*$/;

/** First line of the statement that ends on a line; both count from 0. */
function firstLine(lines: readonly string[], last: number): number {
  let first = last;
  while (first > 0 && GOES_ON.test(lines[first - 1] ?? "")) first--;
  return first;
}

/** Last line of the statement that starts on a line. */
function lastLine(lines: readonly string[], first: number): number {
  let last = first;
  while (last + 1 < lines.length && GOES_ON.test(lines[last] ?? "")) last++;
  return last;
}

/** The text with the statement gone, or moved behind the next one. Lines keep their number, so that hunks keep their counts. */
export function without(text: string, { line, how }: Protection): string {
  const lines = text.split("\n").map((one) => one.replace(COMMENT, ""));
  const last = line - 1;
  const first = firstLine(lines, last);
  const statement = lines.slice(first, last + 1);
  const indent = /^[+ ]?\s*/.exec(statement[0] ?? "")?.[0] ?? "";
  const rest = how === "place" ? lines.slice(last + 1, lastLine(lines, last + 1) + 1) : [];
  const changed = how === "place" ? [...rest, ...statement] : statement.map((_, index) => (index === 0 ? `${indent};` : indent.trimEnd()));
  return [...lines.slice(0, first), ...changed, ...lines.slice(last + 1 + rest.length)].join("\n");
}
