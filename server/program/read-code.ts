// SPDX-License-Identifier: GPL-2.0-only
import { functionsOf } from "../syntax/functions.ts";
import { parseC, parsePart } from "../syntax/parse.ts";
import { childByField, kindOf, maskAt, masksWithin, namedChildren, textOf } from "../syntax/query.ts";
import type { FunctionSyntax, SyntaxTree } from "../syntax/tree.ts";
import type { FunctionCode, Statement, Value, Variable } from "./code.ts";
import { lostCode, unclosedCode, type LostCode } from "./lost-code.ts";
import { readCases } from "./read-cases.ts";
import { designated } from "./read-designated.ts";
import { withCleanups } from "./read-cleanup.ts";
import { branchesOf } from "./read-configured.ts";
import { readValue } from "./read-value.ts";
import { commaList } from "./value-parts.ts";
import { variantReader } from "./read-variants.ts";

const MAX_DEPTH = 200;

const EMPTY: Statement = { kind: "list", items: [] };

/** Parses a text and reads every function of it. */
export const readFunctions = (text: string): FunctionCode[] => functionsIn(parseC(text));

/** As `readFunctions` for a part of a text, as if nothing stood around it; offsets are those of the text. */
export const readPart = (text: string, { start, end }: { readonly start: number; readonly end: number }): FunctionCode[] => functionsIn(parsePart(text, start, end));

function functionsIn(tree: SyntaxTree): FunctionCode[] {
  const variants = variantReader(tree, (text) => {
    const parsed = parseC(text);
    return functionsOf(parsed).map((fn) => readFunction(parsed, fn));
  });
  return functionsOf(tree).map((fn) => variants(readFunction(tree, fn)));
}

/** As `readFunctions`, with the code of a whole file that did not become functions. */
export function readSource(text: string): { readonly functions: FunctionCode[]; readonly lost: readonly LostCode[] } {
  const tree = parseC(text);
  const lost = lostCode(tree);
  // The parser makes up what is missing at the end of a cut file.
  const open = lost.length === 0 ? unclosedCode(text) : null;
  return { functions: functionsIn(tree), lost: open ? [open] : lost };
}

/** Reads one function of a syntax tree into plain records. */
function readFunction(tree: SyntaxTree, fn: FunctionSyntax): FunctionCode {
  const list = childByField(tree, fn.declarator, "parameters");
  const parameters = (list < 0 ? [] : namedChildren(tree, list)).flatMap((node) =>
    kindOf(tree, node) === "parameter_declaration" ? variablesOf(tree, node, true) : [],
  );
  return {
    name: fn.name,
    isStatic: fn.isStatic,
    parameters,
    body: readStatement(tree, fn.body, 0),
    start: tree.start[fn.node] ?? 0,
    end: tree.end[fn.node] ?? 0,
    hasError: fn.hasError,
  };
}

const value = (tree: SyntaxTree, node: number): Value =>
  readValue(tree, node, (block, depth) => readStatement(tree, block, depth));

const listOf = (items: readonly Statement[]): Statement => (items.length === 1 && items[0] ? items[0] : { kind: "list", items });

function readStatement(tree: SyntaxTree, node: number, depth: number): Statement {
  if (node < 0) return EMPTY;
  const at = tree.start[node] ?? 0;
  const unknown = (): Statement => ({ kind: "unknown", text: textOf(tree, node).replace(/\s+/g, " ").slice(0, 60), at });
  if (depth > MAX_DEPTH) return unknown();
  const field = (name: string): number => childByField(tree, node, name);
  const statement = (child: number): Statement => readStatement(tree, child, depth + 1);
  const all = (nodes: readonly number[]): Statement => listOf(nodes.map(statement));
  switch (kindOf(tree, node)) {
    case "compound_statement":
      return all(namedChildren(tree, node));
    case "expression_statement": {
      const inner = namedChildren(tree, node)[0];
      return inner === undefined ? EMPTY : { kind: "expression", value: value(tree, inner) };
    }
    case "declaration":
      return readDeclaration(tree, node);
    case "if_statement": {
      const alternative = field("alternative");
      const otherwise = alternative >= 0 && kindOf(tree, alternative) === "else_clause" ? (namedChildren(tree, alternative)[0] ?? -1) : alternative;
      return {
        kind: "if",
        condition: value(tree, field("condition")),
        then: statement(field("consequence")),
        otherwise: otherwise < 0 ? null : statement(otherwise),
      };
    }
    case "while_statement":
      return readWhile(tree, node, statement(field("body")));
    case "do_statement":
      return readDo(tree, node, statement(field("body")));
    case "for_statement": {
      const initializer = field("initializer");
      const condition = field("condition");
      const update = field("update");
      return {
        kind: "for",
        initializer:
          initializer < 0
            ? null
            : kindOf(tree, initializer) === "declaration"
              ? statement(initializer)
              : { kind: "expression", value: value(tree, initializer) },
        condition: condition < 0 ? null : value(tree, condition),
        update: update < 0 ? null : value(tree, update),
        body: statement(field("body")),
      };
    }
    case "switch_statement":
      return { kind: "switch", on: value(tree, field("condition")), cases: readCases(tree, field("body"), statement, (child) => value(tree, child)) };
    case "labeled_statement":
      return {
        kind: "label",
        name: textOf(tree, field("label")),
        at,
        body: all(namedChildren(tree, node).filter((child) => child !== field("label"))),
      };
    case "goto_statement":
      return { kind: "goto", label: textOf(tree, field("label")), at };
    case "break_statement":
      return { kind: "break", at };
    case "continue_statement":
      return { kind: "continue", at };
    case "return_statement": {
      const inner = namedChildren(tree, node)[0];
      return { kind: "return", value: inner === undefined ? null : value(tree, inner), at, end: tree.end[node] ?? at };
    }
    case "preproc_ifdef":
    case "preproc_if":
      return readConfigured(tree, node, all);
    case "preproc_def":
    case "preproc_function_def":
    case "preproc_call":
    case "comment":
    case "type_definition":
    case "struct_specifier":
    case "union_specifier":
    case "enum_specifier":
      return EMPTY;
    case "attributed_statement":
      return all(namedChildren(tree, node).filter((child) => kindOf(tree, child) !== "attribute_declaration"));
    default:
      return unknown();
  }
}

/** The overlay turns an iterator macro into `while`; its mask tells which one it was. */
function readWhile(tree: SyntaxTree, node: number, body: Statement): Statement {
  const at = tree.start[node] ?? 0;
  const condition = value(tree, childByField(tree, node, "condition"));
  const mask = maskAt(tree, at);
  if (mask?.kind !== "iterator") return { kind: "while", condition, body };
  const hidden = masksWithin(tree, at, tree.end[node] ?? at).find((one) => one.kind === "statement-argument");
  const otherwise = hidden && hidden.end <= (tree.start[childByField(tree, node, "body")] ?? 0) ? { otherwise: readHidden(tree, { ...hidden, start: hidden.start + 1 }) } : {};
  return { kind: "iterate", macro: mask.name, args: commaList(condition), body, ...otherwise, at };
}

/** As `readWhile`, for the loop whose iterator macro stands behind its body. */
function readDo(tree: SyntaxTree, node: number, body: Statement): Statement {
  const condition = value(tree, childByField(tree, node, "condition"));
  const mask = masksWithin(tree, tree.end[childByField(tree, node, "body")] ?? 0, tree.end[node] ?? 0).find((one) => one.kind === "iterator");
  return mask ? { kind: "iterate", macro: mask.name, args: commaList(condition), body, bodyFirst: true, at: mask.start } : { kind: "do", body, condition };
}

const HEAD = "void f(void){";

/** A statement that the parser does not see, read at its place. */
function readHidden(tree: SyntaxTree, { start, end }: { readonly start: number; readonly end: number }): Statement {
  const parsed = parseC(`${HEAD}${tree.text.slice(start, end)};}`);
  const [fn] = functionsOf(parsed);
  if (!fn || fn.hasError) return { kind: "unknown", text: tree.text.slice(start, end), at: start };
  const shift = (offset: number): number => offset + start - HEAD.length;
  const placed = { ...parsed, text: tree.text, start: parsed.start.map(shift), end: parsed.end.map(shift), masks: parsed.masks.map((mask) => ({ ...mask, start: shift(mask.start), end: shift(mask.end) })) };
  return readStatement(placed, fn.body, 0);
}

/** `#if` and its branches, the later ones inside of the `off` of the earlier. */
function readConfigured(tree: SyntaxTree, node: number, all: (nodes: readonly number[]) => Statement): Statement {
  return branchesOf(tree, node, (head) => value(tree, head)).reduceRight<Statement>(
    (off, { condition, text, at, nodes }) => (condition ? { kind: "configured", condition, text, on: all(nodes), off, at } : all(nodes)),
    EMPTY,
  );
}

function readDeclaration(tree: SyntaxTree, node: number): Statement {
  const initializers = namedChildren(tree, node).flatMap((child): Value[] => {
    if (kindOf(tree, child) !== "init_declarator") return [];
    const name = declaredName(tree, childByField(tree, child, "declarator"));
    const initial = childByField(tree, child, "value");
    if (name === null || initial < 0) return [];
    const { at } = name;
    const target: Value = { kind: "name", name: name.name, at };
    const given = (one: Value): Value => ({ kind: "assign", operator: "=", target, value: one, at, end: tree.end[child] ?? at });
    const members = designated(tree, initial, target, (part) => value(tree, part));
    // What is computed in it is computed for the members.
    return members ? [given({ kind: "opaque", text: "{ ... }", at: tree.start[initial] ?? at }), ...members] : [given(value(tree, initial))];
  });
  const variables = variablesOf(tree, node, false);
  const names = namedChildren(tree, node).flatMap((child) => (/declarator|^identifier$/.test(kindOf(tree, child)) ? (declaredName(tree, child) ?? []) : []));
  return withCleanups(tree, node, names, { kind: "declare", variables, initializers });
}

/** Follows declarators down to the name; counts the stars. */
function declaredName(tree: SyntaxTree, declarator: number): { name: string; pointers: number; at: number } | null {
  let pointers = 0;
  let node = declarator;
  for (let depth = 0; node >= 0 && depth < MAX_DEPTH; depth++) {
    const kind = kindOf(tree, node);
    if (kind === "identifier") return { name: textOf(tree, node), pointers, at: tree.start[node] ?? 0 };
    if (kind === "pointer_declarator" || kind === "array_declarator") pointers++;
    const inner = childByField(tree, node, "declarator");
    node = inner >= 0 ? inner : (namedChildren(tree, node)[0] ?? -1);
  }
  return null;
}

function variablesOf(tree: SyntaxTree, node: number, isParameter: boolean): Variable[] {
  const typeNode = childByField(tree, node, "type");
  if (typeNode < 0) return [];
  const type = textOf(tree, typeNode).replace(/\b(?:struct|union|enum|const|volatile)\s+/g, "").replace(/\s+/g, " ").trim();
  return namedChildren(tree, node).flatMap((child) => {
    if (child === typeNode || !/declarator|identifier/.test(kindOf(tree, child)) || kindOf(tree, child) === "type_identifier") return [];
    const found = declaredName(tree, child);
    return found ? [{ name: found.name, pointers: found.pointers, type, isParameter }] : [];
  });
}
