// SPDX-License-Identifier: GPL-2.0-only
import { closeBrace, closeParen, closeSquare, colon, comma, equals, openBrace, openParen, openSquare, semicolon } from "./code.ts";
import { directiveToken, wordToken } from "./tokens.ts";
import type { Tokens } from "./tokens.ts";

/** A stretch of text that is hidden so that one branch of a conditional remains. */
export interface HiddenRange {
  readonly start: number;
  readonly end: number;
  /** The directive that opens the stretch, as `ifdef` or `endif`. */
  readonly directive: string;
}

/**
 * Finds the `#if` groups that cut a statement or an expression into pieces, which no C grammar can read, and hides
 * all but their first branch. Groups of whole statements or declarations stay: the grammar reads those. Of an
 * `#if 0`, whatever it holds, the second branch is kept, if there is one.
 */
export function splittingConditionals(text: string, tokens: Tokens): readonly HiddenRange[] {
  const ranges = findGroups(text, tokens)
    .filter((group) => group.isSplitting)
    .flatMap((group) => rangesToHide(text, tokens, group));
  ranges.sort((left, right) => left.start - right.start || right.end - left.end);
  const hidden: HiddenRange[] = [];
  let hiddenUpTo = 0;
  for (const range of ranges) {
    if (range.start < hiddenUpTo) continue;
    hidden.push(range);
    hiddenUpTo = range.end;
  }
  return hidden;
}

/** A conditional that cuts a statement, by its directives from `#if` to `#endif`. */
export interface SplittingGroup {
  readonly directives: readonly { readonly start: number; readonly end: number }[];
}

/** The conditionals of which `splittingConditionals` hides all branches but one, by rising offset; `#if 0` is none. */
export function splittingGroups(text: string, tokens: Tokens): readonly SplittingGroup[] {
  return findGroups(text, tokens)
    .filter((group) => group.isSplitting && group.kept === 0)
    .map(({ directives }) => ({ directives: directives.map((token) => ({ start: tokens.start[token] ?? 0, end: tokens.end[token] ?? 0 })) }))
    .toSorted((left, right) => (left.directives[0]?.start ?? 0) - (right.directives[0]?.start ?? 0));
}

interface Group {
  /** Token of the `#if`. */
  readonly first: number;
  /** Tokens of the directives, from `#if` to `#endif`. */
  readonly directives: number[];
  /** Index of the branch that is kept. */
  readonly kept: number;
  /** Bracket depth within the present branch, relative to its start. */
  depth: number;
  /** Depth at the end of the kept branch. */
  keptDepth: number;
  /** True inside braces of a block, where a statement must not be cut. */
  readonly inBlock: boolean;
  isSplitting: boolean;
}

const directiveName = /#[ \t]*([a-z]{1,8})/y;
const neverTrue = /#[ \t]*if[ \t]+0\s*$/;

function nameOf(text: string, tokens: Tokens, token: number): string {
  directiveName.lastIndex = tokens.start[token] ?? 0;
  return directiveName.exec(text)?.[1] ?? "";
}

/** What brackets enclose the place, along the kept branches only. */
type Enclosure = "expression" | "initializer" | "block";

interface Walk {
  readonly open: Group[];
  readonly done: Group[];
  readonly enclosures: Enclosure[];
  /** Number of open groups whose present branch is not the kept one. */
  hiddenDepth: number;
  /** Type of the last token that is not a directive, in whatever branch. */
  last: number;
}

function findGroups(text: string, tokens: Tokens): Group[] {
  const walk: Walk = { open: [], done: [], enclosures: [], hiddenDepth: 0, last: 0 };
  for (let at = 0; at < tokens.count; at++) {
    const type = tokens.type[at] ?? 0;
    if (type !== directiveToken) {
      stepToken(walk, type);
      continue;
    }
    const name = nameOf(text, tokens, at);
    if (name === "if" || name === "ifdef" || name === "ifndef") openGroup(walk, text, tokens, at);
    else if (name === "else" || name.startsWith("elif")) nextBranch(walk, text, tokens, at);
    else if (name === "endif") closeGroup(walk, text, tokens, at);
  }
  return walk.done;
}

function stepToken(walk: Walk, type: number): void {
  const change = depthChange(type);
  const group = walk.open.at(-1);
  if (group !== undefined && change !== 0) {
    group.depth += change;
    if (group.depth < 0) group.isSplitting = true;
  }
  if (walk.hiddenDepth === 0) {
    if (change > 0) walk.enclosures.push(enclosureOf(type, walk));
    else if (change < 0) walk.enclosures.pop();
  }
  walk.last = type;
}

function depthChange(type: number): number {
  if (type === openParen || type === openSquare || type === openBrace) return 1;
  return type === closeParen || type === closeSquare || type === closeBrace ? -1 : 0;
}

function enclosureOf(type: number, walk: Walk): Enclosure {
  if (type !== openBrace) return "expression";
  if (walk.last === equals) return "initializer";
  const within = walk.enclosures.at(-1);
  if (within === "initializer") return "initializer";
  return within === "expression" && walk.last !== openParen ? "initializer" : "block";
}

function openGroup(walk: Walk, text: string, tokens: Tokens, at: number): void {
  const enclosure = walk.enclosures.at(-1);
  const inBlock = enclosure === "block";
  const isZero = neverTrue.test(text.slice(tokens.start[at], Math.min(tokens.end[at] ?? 0, (tokens.start[at] ?? 0) + 40)));
  const group: Group = {
    first: at,
    directives: [at],
    kept: isZero ? 1 : 0,
    depth: 0,
    keptDepth: 0,
    inBlock,
    isSplitting:
      isZero ||
      enclosure === "expression" ||
      enclosure === "initializer" ||
      !mayEndBefore(walk.last, inBlock) ||
      startsWithElse(text, tokens, at + 1),
  };
  if (isZero) walk.hiddenDepth++;
  walk.open.push(group);
}

function nextBranch(walk: Walk, text: string, tokens: Tokens, at: number): void {
  const group = walk.open.at(-1);
  if (group === undefined) return;
  endBranch(walk, group, tokens, at);
  const finished = group.directives.length - 1;
  group.directives.push(at);
  if (finished === group.kept) walk.hiddenDepth++;
  else if (finished + 1 === group.kept) walk.hiddenDepth--;
  if (startsWithElse(text, tokens, at + 1)) group.isSplitting = true;
}

function closeGroup(walk: Walk, text: string, tokens: Tokens, at: number): void {
  const group = walk.open.pop();
  if (group === undefined) return;
  endBranch(walk, group, tokens, at);
  const finished = group.directives.length - 1;
  group.directives.push(at);
  if (finished !== group.kept) walk.hiddenDepth--;
  if (startsWithElse(text, tokens, at + 1)) group.isSplitting = true;
  walk.done.push(group);
  const outer = walk.open.at(-1);
  if (outer !== undefined) {
    outer.depth += group.keptDepth;
    if (outer.depth < 0) outer.isSplitting = true;
  }
}

function endBranch(walk: Walk, group: Group, tokens: Tokens, at: number): void {
  if (group.depth !== 0) group.isSplitting = true;
  if (group.directives.length - 1 === group.kept) group.keptDepth = group.depth;
  group.depth = 0;
  const isEmpty = tokens.type[at - 1] === directiveToken;
  if (!isEmpty && !mayEndBefore(walk.last, group.inBlock)) group.isSplitting = true;
}

/** Whether a statement, a declaration or an enumerator may end with this token. */
function mayEndBefore(last: number, inBlock: boolean): boolean {
  if (last === closeParen || last === colon) return !inBlock;
  return last === 0 || last === semicolon || last === openBrace || last === closeBrace || last === comma;
}

function startsWithElse(text: string, tokens: Tokens, token: number): boolean {
  return tokens.type[token] === wordToken && text.slice(tokens.start[token], tokens.end[token]) === "else";
}

function rangesToHide(text: string, tokens: Tokens, group: Group): readonly HiddenRange[] {
  const ranges: HiddenRange[] = [];
  const { directives, kept } = group;
  for (let branch = 0; branch < directives.length; branch++) {
    const from = directives[branch] ?? 0;
    const isLast = branch === directives.length - 1;
    const to = isLast || branch === kept ? from : (directives[branch + 1] ?? from);
    const end = to === from ? (tokens.end[from] ?? 0) : (tokens.start[to] ?? 0);
    ranges.push({ start: tokens.start[from] ?? 0, end, directive: nameOf(text, tokens, from) });
  }
  return ranges;
}
