// SPDX-License-Identifier: GPL-2.0-only
import { codeOf, openBrace, openParen, typeAt, startOf } from "../syntax/code.ts";
import { splittingConditionals } from "../syntax/conditionals.ts";
import { visibleTokens } from "../syntax/overlay.ts";
import { childByField, kindOf } from "../syntax/query.ts";
import { scanTokens } from "../syntax/tokens.ts";
import type { SyntaxTree } from "../syntax/tree.ts";

/** Code that the parser could not make functions of, or that one broken function swallowed. Offsets of the text. */
export interface LostCode {
  readonly kind: "not-parsed" | "never-closes";
  readonly start: number;
  readonly end: number;
}

const ERROR = 2;
const MISSING = 4;

/** Regions of at most this many lines outside of any body are a declaration that nobody misses. */
const FEW_LINES = 3;

/** What a whole file lost on the way to its functions, in order of text; at most one for each place. */
export function lostCode(tree: SyntaxTree): readonly LostCode[] {
  if (tree.problem !== undefined) return [{ kind: "not-parsed", start: 0, end: tree.text.length }];
  const found: LostCode[] = [];
  const definition = tree.kindNames.indexOf("function_definition");
  for (let node = 0; node < tree.size; node++) {
    const flags = tree.flags[node] ?? 0;
    const [start, end] = [tree.start[node] ?? 0, tree.end[node] ?? 0];
    if ((flags & (ERROR | MISSING)) !== 0) {
      const owner = definitionAround(tree, node, definition);
      if ((flags & MISSING) !== 0) {
        if (kindOf(tree, node) === "}" && owner >= 0) found.push({ kind: "never-closes", start: tree.start[owner] ?? 0, end });
      } else if (owner >= 0) {
        if (swallows(tree, owner)) found.push({ kind: "never-closes", start: tree.start[owner] ?? 0, end: tree.end[owner] ?? 0 });
      } else if (isOutside(tree, node) && holdsCode(tree.text, start, end)) found.push({ kind: "not-parsed", start, end });
    }
  }
  return apart(found);
}

/** The outermost function around a node, or -1. */
function definitionAround(tree: SyntaxTree, node: number, definition: number): number {
  let owner = -1;
  for (let up = tree.parent[node] ?? -1; up >= 0; up = tree.parent[up] ?? -1) if (tree.kind[up] === definition) owner = up;
  return owner;
}

/** True where nothing but the file and its conditionals is around the node: a table that does not parse hides no function. */
function isOutside(tree: SyntaxTree, node: number): boolean {
  for (let up = tree.parent[node] ?? -1; up >= 0; up = tree.parent[up] ?? -1)
    if (!/^(?:translation_unit|ERROR|preproc_(?:if|ifdef|else|elif|elifdef))$/.test(kindOf(tree, up))) return false;
  return true;
}

const BODY = /\)[^;={}]*\{/;

function holdsCode(text: string, start: number, end: number): boolean {
  const part = text.slice(start, end);
  return BODY.test(part) || part.split("\n", FEW_LINES + 1).length > FEW_LINES;
}

/** Kernel style has a brace alone in the first column at the start of each function, and nowhere within one. */
function swallows(tree: SyntaxTree, owner: number): boolean {
  const body = childByField(tree, owner, "body");
  if (body < 0) return false;
  return /\n\{[ \t\r]*\n/.test(tree.text.slice((tree.start[body] ?? 0) + 1, tree.end[owner]));
}

function apart(found: readonly LostCode[]): LostCode[] {
  const kept: LostCode[] = [];
  for (const one of found.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = kept.at(-1);
    if (!last || one.start >= last.end) kept.push(one);
  }
  return kept;
}

/** The first brace or parenthesis at file level that nothing closes: as `lostCode`, for a text that is not worth a parse. */
export function unclosedCode(text: string): LostCode | null {
  const tokens = scanTokens(text);
  const code = codeOf(text, visibleTokens(tokens, splittingConditionals(text, tokens)));
  for (let at = 0; at < code.tokens.count; at++) {
    const type = typeAt(code, at);
    if (type !== openBrace && type !== openParen) continue;
    const close = code.closing[at] ?? -1;
    if (close < 0) return { kind: "never-closes", start: startOf(code, at), end: text.length };
    if (close > at) at = close;
  }
  return null;
}
