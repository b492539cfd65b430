// SPDX-License-Identifier: GPL-2.0-only
import { functionsOf } from "../syntax/functions.ts";
import { parseC, parsePart } from "../syntax/parse.ts";
import { childByField, kindOf, maskAt, namedChildren, textOf } from "../syntax/query.ts";
import type { FunctionSyntax, SyntaxTree } from "../syntax/tree.ts";
import type { FunctionCode, Statement, SwitchCase, Value, Variable } from "./code.ts";
import { lostCode, unclosedCode, type LostCode } from "./lost-code.ts";
import { readValue } from "./read-value.ts";

const MAX_DEPTH = 200;

const EMPTY: Statement = { kind: "list", items: [] };

/** Parses a text and reads every function of it. */
export const readFunctions = (text: string): FunctionCode[] => functionsIn(parseC(text));

/** As `readFunctions` for a part of a text, as if nothing stood around it; offsets are those of the text. */
export const readPart = (text: string, { start, end }: { readonly start: number; readonly end: number }): FunctionCode[] => functionsIn(parsePart(text, start, end));

const functionsIn = (tree: SyntaxTree): FunctionCode[] => functionsOf(tree).map((fn) => readFunction(tree, fn));

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
      return { kind: "do", body: statement(field("body")), condition: value(tree, field("condition")) };
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
      return { kind: "switch", on: value(tree, field("condition")), cases: readCases(tree, field("body"), statement) };
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
    case "attributed_statement":
      return EMPTY;
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
  return { kind: "iterate", macro: mask.name, args: commaList(condition), body, at };
}

/** `a, b, c` as a list, without recursion over hostile lengths. */
function commaList(list: Value): Value[] {
  const items: Value[] = [];
  let rest = list;
  for (; rest.kind === "comma"; rest = rest.left) items.unshift(rest.right);
  return [rest, ...items];
}

function readCases(tree: SyntaxTree, body: number, statement: (node: number) => Statement): SwitchCase[] {
  const cases: SwitchCase[] = [];
  for (const node of body < 0 ? [] : namedChildren(tree, body)) {
    if (kindOf(tree, node) !== "case_statement") continue;
    const label = childByField(tree, node, "value");
    const rest = namedChildren(tree, node).filter((child) => child !== label);
    cases.push({ value: label < 0 ? null : value(tree, label), body: listOf(rest.map(statement)) });
  }
  return cases;
}

function readConfigured(tree: SyntaxTree, node: number, all: (nodes: readonly number[]) => Statement): Statement {
  const name = childByField(tree, node, "name");
  const head = name >= 0 ? name : childByField(tree, node, "condition");
  const alternative = childByField(tree, node, "alternative");
  const on = namedChildren(tree, node).filter((child) => child !== head && child !== alternative);
  const off =
    alternative < 0
      ? EMPTY
      : kindOf(tree, alternative) === "preproc_else"
        ? all(namedChildren(tree, alternative))
        : readConfigured(tree, alternative, all);
  const text = textOf(tree, node);
  const condition = head < 0 ? "#if" : textOf(tree, head);
  return { kind: "configured", condition: text.startsWith("#ifndef") ? `!${condition}` : condition, on: all(on), off, at: tree.start[node] ?? 0 };
}

function readDeclaration(tree: SyntaxTree, node: number): Statement {
  const initializers = namedChildren(tree, node).flatMap((child): Value[] => {
    if (kindOf(tree, child) !== "init_declarator") return [];
    const name = declaredName(tree, childByField(tree, child, "declarator"));
    const initial = childByField(tree, child, "value");
    if (name === null || initial < 0) return [];
    const { at } = name;
    return [{ kind: "assign", operator: "=", target: { kind: "name", name: name.name, at }, value: value(tree, initial), at, end: tree.end[child] ?? at }];
  });
  return { kind: "declare", variables: variablesOf(tree, node, false), initializers };
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
