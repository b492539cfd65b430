// SPDX-License-Identifier: GPL-2.0-only
import { childByField, masksWithin, textOf } from "../syntax/query.ts";
import type { SyntaxTree } from "../syntax/tree.ts";
import type { Cleanup, Statement, Value } from "./code.ts";
import { commaList } from "./value-parts.ts";

type Declaration = Statement & { kind: "declare" };
interface DeclaredName {
  readonly name: string;
  readonly at: number;
}

/** The declaration with what happens to its variables where their scope ends; the parser sees none of the macros that say it. */
export function withCleanups(tree: SyntaxTree, node: number, names: readonly DeclaredName[], declaration: Declaration): Declaration {
  const [start, end] = [tree.start[node] ?? 0, tree.end[node] ?? 0];
  if (/\bCLASS\s*\(\s*$/.test(tree.text.slice(Math.max(0, start - 40), start))) return ofClass(tree, node, names, declaration);
  const cleanups = masksWithin(tree, start, end).flatMap((mask): Cleanup[] => {
    if (mask.kind !== "attribute-call" || !/^__(?:free|cleanup)$/.test(mask.name)) return [];
    const variable = names.findLast((one) => one.at < mask.start);
    const named = /\(\s*(\w+)/.exec(tree.text.slice(mask.start, mask.end))?.[1];
    if (!variable || named === undefined) return [];
    return [{ variable: variable.name, by: mask.name === "__free" ? "free" : "call", class: named, at: mask.start, end: mask.end }];
  });
  return cleanups.length > 0 ? { ...declaration, cleanups } : declaration;
}

/** `CLASS(class, variable)(arguments)` is a variable of the class's type with the arguments as its initializer. */
function ofClass(tree: SyntaxTree, node: number, [variable]: readonly DeclaredName[], declaration: Declaration): Declaration {
  if (!variable) return declaration;
  const { name, at } = variable;
  const end = tree.end[node] ?? at;
  const named = textOf(tree, childByField(tree, node, "type")).trim();
  const [initial] = declaration.initializers;
  const args = initial?.kind === "assign" ? commaList(initial.value) : [];
  const value: Value = { kind: "call", name: `CLASS(${named})`, args, at, end };
  const initializers: Value[] = [{ kind: "assign", operator: "=", target: { kind: "name", name, at }, value, at, end }];
  return { ...declaration, initializers, cleanups: [{ variable: name, by: "class", class: named, at, end }] };
}
