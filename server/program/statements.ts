// SPDX-License-Identifier: GPL-2.0-only
import { blankComments } from "../source/blank.ts";
import { parseC, parsePart } from "../syntax/parse.ts";
import { childByField, kindOf, textOf } from "../syntax/query.ts";
import type { SyntaxTree } from "../syntax/tree.ts";
import type { EffectProgram } from "./program.ts";

/*
 * Where the statements of a function stand in the text: for those who change the text. What they mean is the program's.
 */

export type StatementKind =
  | "block" | "simple" | "declaration" | "if" | "loop" | "switch" | "case" | "label" | "goto" | "return" | "break" | "continue" | "directive";

export interface StatementPlace {
  readonly kind: StatementKind;
  readonly at: number;
  /** Offset behind the last character, the semicolon or the brace included. */
  readonly end: number;
  readonly parent: StatementPlace | null;
  readonly children: readonly StatementPlace[];
  /** Name of a label, or of the label that a `goto` goes to. */
  readonly name: string | null;
  /** What an `if` asks, with its parentheses. */
  readonly condition: { readonly at: number; readonly end: number } | null;
  /** True for what stands behind an `else`. */
  readonly isElse: boolean;
}

const KINDS: Readonly<Record<string, StatementKind>> = Object.assign(Object.create(null), {
  compound_statement: "block",
  expression_statement: "simple",
  attributed_statement: "simple",
  declaration: "declaration",
  if_statement: "if",
  while_statement: "loop",
  do_statement: "loop",
  for_statement: "loop",
  switch_statement: "switch",
  case_statement: "case",
  labeled_statement: "label",
  goto_statement: "goto",
  return_statement: "return",
  break_statement: "break",
  continue_statement: "continue",
  preproc_if: "directive",
  preproc_ifdef: "directive",
});

/** The text of a function with its statements. */
export interface FunctionText {
  /** The text of the image. */
  readonly text: string;
  /** The same with comments, strings and directives blanked. */
  readonly code: string;
  readonly start: number;
  readonly end: number;
  readonly block: StatementPlace;
}

/** Longer functions, and those with more statements, are generated: nobody edits them. */
const MAX_LENGTH = 100_000;
const MAX_STATEMENTS = 5000;

/** The statements of a function; null where it does not parse as one. */
export function functionText({ image: { text }, start, end }: Pick<EffectProgram, "image" | "start" | "end">): FunctionText | null {
  const block = end - start > MAX_LENGTH ? null : functionBlock(text, start, end);
  return block && { text, code: blankComments(text).code, start, end, block };
}

/** The block of the function that a stretch of a text defines; null where it does not parse as one. */
export function functionBlock(text: string, start: number, end: number): StatementPlace | null {
  const tree = parsePart(text, start, end);
  if (tree.problem !== undefined) return null;
  for (let node = 0; node < tree.size; node++)
    if (kindOf(tree, node) === "function_definition") return placed(tree, childByField(tree, node, "body"));
  return null;
}

type Draft = StatementPlace & { children: StatementPlace[] };

/** Nodes stand in order of text: a stack of what is open needs no recursion, however deep the text goes. */
function placed(tree: SyntaxTree, body: number): StatementPlace | null {
  if (body < 0 || kindOf(tree, body) !== "compound_statement") return null;
  const places = new Map<number, Draft>();
  const end = tree.end[body] ?? 0;
  for (let node = body; node < tree.size && (tree.start[node] ?? 0) < end; node++) {
    const kind = KINDS[kindOf(tree, node)];
    if (kind === undefined) continue;
    const parent = node === body ? null : enclosing(tree, node, places);
    const draft: Draft = { kind, at: tree.start[node] ?? 0, end: tree.end[node] ?? 0, parent, children: [], name: nameOf(tree, node, kind), condition: conditionOf(tree, node, kind), isElse: isElse(tree, node) };
    if (places.size > MAX_STATEMENTS) return null;
    places.set(node, draft);
    parent?.children.push(draft);
  }
  return places.get(body) ?? null;
}

function enclosing(tree: SyntaxTree, node: number, places: ReadonlyMap<number, Draft>): Draft | null {
  for (let at = tree.parent[node] ?? -1; at >= 0; at = tree.parent[at] ?? -1) {
    const found = places.get(at);
    if (found) return found;
  }
  return null;
}

const nameOf = (tree: SyntaxTree, node: number, kind: StatementKind): string | null =>
  kind === "label" || kind === "goto" ? textOf(tree, childByField(tree, node, "label")) : null;

function conditionOf(tree: SyntaxTree, node: number, kind: StatementKind): StatementPlace["condition"] {
  const condition = kind === "if" ? childByField(tree, node, "condition") : -1;
  return condition < 0 ? null : { at: tree.start[condition] ?? 0, end: tree.end[condition] ?? 0 };
}

const isElse = (tree: SyntaxTree, node: number): boolean => kindOf(tree, tree.parent[node] ?? -1) === "else_clause";

/** How many places of a text the parser does not understand. */
export function syntaxErrors(text: string): number {
  const tree = parseC(text);
  return tree.problem === undefined ? tree.flags.reduce((sum, flags) => sum + ((flags & 6) === 0 ? 0 : 1), 0) : Infinity;
}
