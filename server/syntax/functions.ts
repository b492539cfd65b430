// SPDX-License-Identifier: GPL-2.0-only
import { syscallPrefix } from "./declaration-macros.ts";
import { childByField, kindId, kindOf, maskAt, namedChildren, textOf } from "./query.ts";
import type { FunctionSyntax, SyntaxTree } from "./tree.ts";

/** The functions that a text defines, in order of text. A definition whose name cannot be read is left out. */
export function functionsOf(tree: SyntaxTree): readonly FunctionSyntax[] {
  const wanted = kindId(tree, "function_definition");
  const found: FunctionSyntax[] = [];
  const ends = subtreeEnds(tree);
  const errors = errorsBefore(tree);
  for (let node = 0; node < tree.size; node++) {
    if (tree.kind[node] !== wanted) continue;
    const hasError = errors[ends[node] ?? tree.size] !== errors[node];
    const definition = functionAt(tree, node, hasError);
    if (definition !== null) found.push(definition);
  }
  return found;
}

function functionAt(tree: SyntaxTree, node: number, hasError: boolean): FunctionSyntax | null {
  const body = childByField(tree, node, "body");
  const declarator = ownDeclarator(tree, node);
  if (declarator < 0 || kindOf(tree, body) !== "compound_statement") return null;
  const name = nameOf(tree, childByField(tree, declarator, "declarator"));
  if (name === "") return null;
  // By text: behind some macros the parser takes the word for their end, and the definition begins with its type.
  const start = tree.start[node] ?? 0;
  const isStatic = /\bstatic\b/.test(tree.text.slice(start, tree.start[declarator])) || /(?:^|\s)static\s+$/.test(tree.text.slice(Math.max(0, start - 40), start));
  return { name, node, declarator, body, isStatic, hasError };
}

/** The innermost function declarator is the function's own: `int (*f(int x))(void)` has two of them. */
function ownDeclarator(tree: SyntaxTree, definition: number): number {
  let own = -1;
  let at = childByField(tree, definition, "declarator");
  while (at >= 0) {
    const kind = kindOf(tree, at);
    if (kind === "function_declarator") own = at;
    else if (!kind.endsWith("declarator")) break;
    at = declaratorWithin(tree, at);
  }
  return own;
}

/** A parenthesized or attributed declarator holds its inner one without a field. */
function declaratorWithin(tree: SyntaxTree, node: number): number {
  const byField = childByField(tree, node, "declarator");
  if (byField >= 0) return byField;
  return namedChildren(tree, node).find((child) => kindOf(tree, child).endsWith("declarator")) ?? -1;
}

function nameOf(tree: SyntaxTree, declared: number): string {
  if (declared < 0) return "";
  const unwrapped = kindOf(tree, declared) === "parenthesized_declarator" ? innermost(tree, declared) : declared;
  if (kindOf(tree, unwrapped) !== "identifier") return "";
  return syscallName(tree, tree.start[unwrapped] ?? 0) ?? textOf(tree, unwrapped);
}

/** `void (f)(int)`: the parentheses keep a macro of the same name from being expanded. */
function innermost(tree: SyntaxTree, node: number): number {
  let at = node;
  while (at >= 0 && kindOf(tree, at) === "parenthesized_declarator") at = namedChildren(tree, at)[0] ?? -1;
  return at;
}

/** `SYSCALL_DEFINE3(mlock, ...)` defines `sys_mlock`; the identifier of its overlay stands five behind the mask. */
function syscallName(tree: SyntaxTree, identifier: number): string | null {
  const mask = maskAt(tree, identifier - syscallPrefix.length);
  if (mask?.kind !== "syscall") return null;
  const first = /\(\s*(\w{1,80})/y;
  first.lastIndex = mask.start + mask.name.length;
  const name = first.exec(tree.text)?.[1];
  if (name === undefined) return null;
  return mask.name.startsWith("COMPAT_") ? `compat_sys_${name}` : `sys_${name}`;
}

/** For each node the number behind the last one of its subtree. */
function subtreeEnds(tree: SyntaxTree): Int32Array {
  const ends = new Int32Array(tree.size);
  for (let node = 0; node < tree.size; node++) {
    const next = tree.nextSibling[node] ?? -1;
    const parent = tree.parent[node] ?? -1;
    ends[node] = next >= 0 ? next : parent >= 0 ? (ends[parent] ?? tree.size) : tree.size;
  }
  return ends;
}

/** For each node the count of ERROR and MISSING nodes before it; one entry more than there are nodes. */
function errorsBefore(tree: SyntaxTree): Int32Array {
  const before = new Int32Array(tree.size + 1);
  for (let node = 0; node < tree.size; node++) {
    before[node + 1] = (before[node] ?? 0) + (((tree.flags[node] ?? 0) & 6) === 0 ? 0 : 1);
  }
  return before;
}
