// SPDX-License-Identifier: GPL-2.0-only
import type { Outline, OutlineFunction, OutlineUse } from "../program/outline.ts";

/** A file of the tree, by its path from the tree's root, with `/`. */
export interface TreeFile {
  readonly path: string;
  readonly outline: Outline;
}

/** A function of the tree. */
export interface TreeFunction {
  readonly path: string;
  readonly fn: OutlineFunction;
}

/** A function that contains calls of another one. `pointer`: the field of a table through which it calls, or null. */
export interface TreeCaller extends TreeFunction {
  readonly pointer: string | null;
}

export interface TreeCallers {
  readonly callers: readonly TreeCaller[];
  /** False where the function may also be entered in ways that the tree does not show. */
  readonly complete: boolean;
}

/** Who calls whom in the files of a tree. */
export interface TreeIndex {
  readonly functions: number;
  readonly calls: number;
  outlineOf(path: string): Outline | null;
  callersOf(path: string, name: string): TreeCallers;
  /** Takes over the new outline of a file, or a new file. */
  replace(file: TreeFile): void;
}

/** The answer to a question for callers as one text: equal texts, equal answers. */
export const answerText = ({ callers, complete }: TreeCallers): string =>
  `${complete ? "all" : "some"} ${callers.map(({ path, fn, pointer }) => `${path} ${fn.name} ${pointer ?? ""}`).join(",")}`;

/** Links the outlines of all files. The order of the answers is that of paths, and in a file that of the text. */
export function indexOf(files: readonly TreeFile[]): TreeIndex {
  const outlines = new Map<string, Outline>();
  const byCallee = new Map<string, TreeFunction[]>();
  const byField = new Map<string, TreeFunction[]>();
  const statics = new Map<string, Set<string>>();
  const defined = new Map<string, number>();
  const tables = new Map<string, Given[]>();
  const count = { functions: 0, calls: 0 };

  const link = (path: string, outline: Outline): void => {
    outlines.set(path, outline);
    for (const fn of outline.functions) {
      count.functions++;
      count.calls += fn.calls.length;
      defined.set(fn.name, (defined.get(fn.name) ?? 0) + 1);
      if (fn.isStatic) into(statics, fn.name, () => new Set<string>()).add(path);
      for (const { list, name } of calledBy(fn)) into(list === "field" ? byField : byCallee, name, () => []).push({ path, fn });
    }
    for (const use of usesOf(outline)) into(tables, use.name, () => []).push({ path, field: use.field });
  };

  const unlink = (path: string): void => {
    const outline = outlines.get(path);
    if (!outline) return;
    const without = <T extends { readonly path: string }>(map: Map<string, T[]>, name: string): void => {
      const list = map.get(name);
      if (list) map.set(name, list.filter((one) => one.path !== path));
    };
    for (const fn of outline.functions) {
      count.functions--;
      count.calls -= fn.calls.length;
      defined.set(fn.name, (defined.get(fn.name) ?? 1) - 1);
      statics.get(fn.name)?.delete(path);
      for (const { list, name } of calledBy(fn)) without(list === "field" ? byField : byCallee, name);
    }
    for (const use of usesOf(outline)) without(tables, use.name);
  };

  for (const { path, outline } of files.toSorted((x, y) => (x.path < y.path ? -1 : 1))) link(path, outline);

  const callersOf = (path: string, name: string): TreeCallers => {
    const isOwn = statics.get(name)?.has(path) ?? false;
    const isHeader = path.endsWith(".h");
    const direct = inOrder(byCallee.get(name)).filter((caller) =>
      isOwn && !isHeader ? caller.path === path : caller.path === path || !(statics.get(name)?.has(caller.path) ?? false),
    );
    const given = ((defined.get(name) ?? 0) > 0 ? (tables.get(name) ?? []) : []).filter((use) => !isOwn || isHeader || use.path === path);
    const fields = [...new Set(given.flatMap((use) => (use.field === null ? [] : [use.field])))];
    const through = fields.flatMap((field) => inOrder(byField.get(field)).map((caller): TreeCaller => ({ ...caller, pointer: field })));
    const callers: TreeCaller[] = [...direct.map((caller) => ({ ...caller, pointer: null })), ...through];
    // A pointer that is handed on as an argument, or whose field nobody in the tree calls, leads out of sight.
    const complete = callers.length > 0 && given.every((use) => use.field !== null && (byField.get(use.field)?.length ?? 0) > 0) && (isOwn || given.length === 0);
    return { callers, complete };
  };
  return {
    outlineOf: (path) => outlines.get(path) ?? null,
    get functions() {
      return count.functions;
    },
    get calls() {
      return count.calls;
    },
    callersOf,
    replace({ path, outline }) {
      unlink(path);
      link(path, outline);
    },
  };
}

/** A file that was replaced stands at the end of the lists. */
const inOrder = (list: readonly TreeFunction[] | undefined): readonly TreeFunction[] =>
  (list ?? []).toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.fn.start - b.fn.start));

/** What a function calls, each once. */
function calledBy(fn: OutlineFunction): readonly { readonly list: "name" | "field"; readonly name: string }[] {
  const direct = new Set(fn.calls.flatMap((call) => (call.isPointer ? [] : [call.name])));
  const fields = new Set(fn.calls.flatMap((call) => (call.isPointer ? [call.name] : [])));
  return [...[...direct].map((name) => ({ list: "name" as const, name })), ...[...fields].map((name) => ({ list: "field" as const, name }))];
}

interface Given {
  readonly path: string;
  readonly field: string | null;
}

/** Names whose address a file may take; those that are no function are left over and cost nothing. */
const usesOf = (outline: Outline): readonly OutlineUse[] => [...outline.uses, ...outline.functions.flatMap((fn) => fn.uses)];

function into<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
