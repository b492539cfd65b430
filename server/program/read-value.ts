// SPDX-License-Identifier: GPL-2.0-only
import { childByField, kindOf, namedChildren, textOf } from "../syntax/query.ts";
import type { SyntaxTree } from "../syntax/tree.ts";
import type { Statement, Value } from "./code.ts";
import { partsOf } from "./value-parts.ts";

/** Deeper expressions than this are not read: no kernel code has them, hostile input has. */
const MAX_DEPTH = 200;

/** Reads an expression of the syntax tree. `readBlock` reads the statements of a GNU statement expression. */
export function readValue(
  tree: SyntaxTree,
  node: number,
  readBlock: (node: number, depth: number) => Statement,
  depth = 0,
): Value {
  const at = node < 0 ? 0 : tree.start[node] ?? 0;
  if (node < 0 || depth > MAX_DEPTH) return { kind: "opaque", text: "", at };
  const read = (child: number): Value => readValue(tree, child, readBlock, depth + 1);
  const field = (name: string): Value => read(childByField(tree, node, name));
  switch (kindOf(tree, node)) {
    case "parenthesized_expression": {
      const inner = namedChildren(tree, node)[0] ?? -1;
      if (inner >= 0 && kindOf(tree, inner) === "compound_statement")
        return { kind: "block", body: readBlock(inner, depth + 1), at };
      return read(inner);
    }
    case "cast_expression":
      return field("value");
    case "identifier":
    case "type_identifier":
    case "field_identifier":
      return { kind: "name", name: textOf(tree, node), at };
    case "number_literal":
      return literal(Number.parseInt(textOf(tree, node).replace(/'/g, "")) || 0, tree, node);
    case "null":
      return { kind: "name", name: "NULL", at };
    case "true":
      return literal(1, tree, node);
    case "false":
      return literal(0, tree, node);
    case "string_literal":
    case "concatenated_string":
    case "char_literal":
      return { kind: "string", at };
    case "unary_expression": {
      const operator = textOf(tree, childByField(tree, node, "operator"));
      if (operator !== "!" && operator !== "-" && operator !== "~" && operator !== "+") break;
      return { kind: "unary", operator, of: field("argument"), at };
    }
    case "pointer_expression":
      return { kind: "unary", operator: tree.text[at] === "&" ? "&" : "*", of: field("argument"), at };
    case "binary_expression":
      return {
        kind: "binary",
        operator: textOf(tree, childByField(tree, node, "operator")),
        left: field("left"),
        right: field("right"),
        at,
      };
    case "field_expression":
      return {
        kind: "member",
        of: field("argument"),
        field: textOf(tree, childByField(tree, node, "field")),
        arrow: textOf(tree, childByField(tree, node, "operator")) === "->",
        at,
      };
    case "subscript_expression":
      return { kind: "index", of: field("argument"), index: field("index"), at };
    case "call_expression":
      return readCall(tree, node, read);
    case "conditional_expression": {
      const then = childByField(tree, node, "consequence");
      return { kind: "conditional", condition: field("condition"), then: then < 0 ? null : read(then), otherwise: field("alternative"), at };
    }
    case "assignment_expression":
      return {
        kind: "assign",
        operator: textOf(tree, childByField(tree, node, "operator")),
        target: field("left"),
        value: field("right"),
        at,
        end: tree.end[node] ?? at,
      };
    case "update_expression":
      return { kind: "update", target: field("argument"), down: textOf(tree, childByField(tree, node, "operator")) === "--", at, end: tree.end[node] ?? at };
    case "comma_expression":
      return { kind: "comma", left: field("left"), right: field("right"), at };
    case "preproc_defined":
      return isDefined(tree, namedChildren(tree, node)[0] ?? -1);
    default:
      break;
  }
  const parts = UNEVALUATED.has(kindOf(tree, node)) ? [] : computedIn(tree, node, read);
  return { kind: "opaque", text: textOf(tree, node).replace(/\s+/g, " ").slice(0, 60), ...(parts.length > 0 ? { parts } : {}), at };
}

function literal(value: number, tree: SyntaxTree, node: number): Value {
  const [at, end] = [tree.start[node] ?? 0, tree.end[node] ?? 0];
  return { kind: "number", value, at, ...(end - at === String(value).length ? {} : { end }) };
}

/** `#ifdef CONFIG_X` asks what `IS_ENABLED(CONFIG_X)` asks: the two go the same way. */
export function isDefined(tree: SyntaxTree, name: number): Value {
  const at = tree.start[name] ?? 0;
  const symbol = textOf(tree, name);
  return { kind: "call", name: symbol.startsWith("CONFIG_") ? "IS_ENABLED" : "defined", args: [{ kind: "name", name: symbol, at }], at, end: tree.end[name] ?? at };
}

/** Their operands are types, or are never computed. */
const UNEVALUATED: ReadonlySet<string> = new Set(["sizeof_expression", "alignof_expression", "offsetof_expression", "type_descriptor"]);

/** Values inside of something that is not read itself, in order of text; those that only name something are left out. */
function computedIn(tree: SyntaxTree, node: number, read: (child: number) => Value): Value[] {
  return namedChildren(tree, node)
    .map(read)
    .flatMap((part) => (part.kind === "opaque" ? (part.parts ?? []) : [part]))
    .filter(computes);
}

const computes = (value: Value): boolean => /^(?:call|assign|update|block)$/.test(value.kind) || partsOf(value).some(computes);

/** A call by name; a call through a pointer keeps the pointer as text (`ops->hugetlb_entry`). */
function readCall(tree: SyntaxTree, node: number, read: (child: number) => Value): Value {
  const callee = childByField(tree, node, "function");
  const list = childByField(tree, node, "arguments");
  const args = (list < 0 ? [] : namedChildren(tree, list)).map(read);
  const at = tree.start[node] ?? 0;
  // `guard(class)(object)` is one call.
  const pointer = kindOf(tree, callee) === "identifier" || kindOf(tree, callee) === "call_expression" ? null : read(callee);
  const through = pointer && computes(pointer) ? { through: pointer } : {};
  return { kind: "call", name: textOf(tree, callee).replace(/\s+/g, ""), args, ...through, at, end: tree.end[node] ?? at };
}
