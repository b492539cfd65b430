// SPDX-License-Identifier: GPL-2.0-only
import { splittingGroups, type SplittingGroup } from "../syntax/conditionals.ts";
import { parseC } from "../syntax/parse.ts";
import { masksWithin } from "../syntax/query.ts";
import { scanTokens } from "../syntax/tokens.ts";
import type { SyntaxTree } from "../syntax/tree.ts";
import type { FunctionCode, Statement, Value } from "./code.ts";
import { branchesOf, isConditional } from "./read-configured.ts";
import { readValue } from "./read-value.ts";
import { relocate } from "./render.ts";

/*
 * Conditionals that cut a statement (`#ifdef ... if (a) f(); else #endif g();`) have no place in a syntax tree: the parser
 * sees one branch. A function that has some is read once for each way through them, and the ways become one `#if` around
 * its body.
 */

/** Ways through the conditionals of one function that are read, and functions of one text that are read in ways. */
const MAX_WAYS = 8;
const MAX_FUNCTIONS = 64;

interface Ways {
  left: number;
}

/** Completes functions of a text by what the parser did not see. `readAll` reads the functions of another text. */
export function variantReader(tree: SyntaxTree, readAll: (text: string) => FunctionCode[]): (code: FunctionCode) => FunctionCode {
  let left = MAX_FUNCTIONS;
  let groups: readonly SplittingGroup[] | null = null;
  return (code) => {
    if (!masksWithin(tree, code.start, code.end).some((mask) => mask.kind === "conditional")) return code;
    const all = (groups ??= splittingGroups(tree.text, scanTokens(tree.text)));
    const own = outermost(all.filter((group) => startOf(group) >= code.start && endOf(group) <= code.end));
    const [first] = own;
    if (!first) return code;
    const body = left-- > 0 ? readWays(tree.text, code, own, { left: MAX_WAYS }, readAll) : null;
    return body ? { ...code, body } : { ...code, unread: [...new Set(own.map((group) => directiveAt(tree.text, group, 0)))] };
  };
}

/** The body in every way through the first of the conditionals and through those that ask the same; null where one cannot be read. */
function readWays(text: string, code: FunctionCode, groups: readonly SplittingGroup[], ways: Ways, readAll: (text: string) => FunctionCode[]): Statement | null {
  const [first] = groups;
  if (!first) return null;
  const key = keyOf(text, first);
  const alike = groups.filter((group) => keyOf(text, group) === key);
  const branches = conditionsOf(text, first);
  let off: Statement | null = null;
  for (let branch = branches.length - (branches.at(-1)?.condition ? 0 : 1); branch >= 0; branch--) {
    const body = readWay(withBranch(text, code, alike, branch), code, ways, readAll);
    const one = branches[branch];
    if (!body) return null;
    off = off && one?.condition ? { kind: "configured", condition: one.condition, text: one.text, on: body, off, at: one.at } : body;
  }
  return off;
}

function readWay(text: string, code: FunctionCode, ways: Ways, readAll: (text: string) => FunctionCode[]): Statement | null {
  const rest = outermost(splittingGroups(text, scanTokens(text)));
  if (rest.length > 0) return readWays(text, code, rest, ways, readAll);
  if (ways.left-- <= 0) return null;
  const read = readAll(text).find((one) => one.name === code.name);
  return read && (code.hasError || !read.hasError) ? read.body : null;
}

/** The text of the function alone, at its place, with one branch of some conditionals; past the last branch: with none. */
function withBranch(text: string, code: FunctionCode, groups: readonly SplittingGroup[], kept: number): string {
  let made = " ".repeat(code.start);
  let at = code.start;
  const blank = (to: number): void => {
    made += text.slice(at, to).replace(/[^\n]/g, " ");
    at = to;
  };
  for (const { directives } of groups) {
    made += text.slice(at, directives[0]?.start);
    at = directives[0]?.start ?? at;
    const open = directives[kept];
    const close = directives[kept + 1];
    if (open && close) {
      blank(open.end);
      made += text.slice(at, close.start);
      at = close.start;
    }
    blank(directives.at(-1)?.end ?? at);
  }
  return made + text.slice(at, code.end);
}

/** What the branches of a conditional are read under, by a text that has nothing but its directives. */
function conditionsOf(text: string, group: SplittingGroup): readonly { readonly condition: Value | null; readonly text: string; readonly at: number }[] {
  const skeleton = parseC(group.directives.map(({ start, end }) => `${text.slice(start, end)}\n`).join(";\n"));
  for (let node = 0; node < skeleton.size; node++) {
    if (!isConditional(skeleton, node)) continue;
    const value = (child: number): Value => readValue(skeleton, child, () => ({ kind: "list", items: [] }));
    return branchesOf(skeleton, node, value).map(({ condition, text: directive }, index) => {
      const { start = 0, end = 0 } = group.directives[index] ?? {};
      return { condition: condition && relocate(condition, start, end), text: directive, at: start };
    });
  }
  return [];
}

const startOf = (group: SplittingGroup): number => group.directives[0]?.start ?? 0;
const endOf = (group: SplittingGroup): number => group.directives.at(-1)?.end ?? 0;

const outermost = (groups: readonly SplittingGroup[]): readonly SplittingGroup[] =>
  groups.filter((group) => !groups.some((other) => startOf(other) < startOf(group) && endOf(group) < endOf(other)));

const directiveAt = (text: string, group: SplittingGroup, index: number): string =>
  text.slice(group.directives[index]?.start, group.directives[index]?.end).replace(/\/\*[^]*?\*\//g, " ").replace(/\\\n|\s+/g, " ").trim();

/** Conditionals with one key have the same branches under the same conditions. */
const keyOf = (text: string, group: SplittingGroup): string => group.directives.slice(0, -1).map((_, index) => directiveAt(text, group, index)).join("\n");
