// SPDX-License-Identifier: GPL-2.0-only
import type { Outline, OutlineFunction } from "../program/outline.ts";

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
  readonly files: readonly TreeFile[];
  readonly functions: number;
  readonly calls: number;
  callersOf(path: string, name: string): TreeCallers;
}

/** The answer to a question for callers as one text: equal texts, equal answers. */
export const answerText = ({ callers, complete }: TreeCallers): string =>
  `${complete ? "all" : "some"} ${callers.map(({ path, fn, pointer }) => `${path} ${fn.name} ${pointer ?? ""}`).join(",")}`;

/** Links the outlines of all files. The order of the result is that of the files, and in a file that of the text. */
export function indexOf(files: readonly TreeFile[]): TreeIndex {
  const byCallee = new Map<string, TreeFunction[]>();
  const byField = new Map<string, TreeFunction[]>();
  const statics = new Map<string, Set<string>>();
  const defined = new Set<string>();
  let functions = 0;
  let calls = 0;
  for (const { path, outline } of files)
    for (const fn of outline.functions) {
      functions++;
      calls += fn.calls.length;
      defined.add(fn.name);
      if (fn.isStatic) into(statics, fn.name, () => new Set<string>()).add(path);
      const seen = new Set<string>();
      for (const call of fn.calls) {
        const key = `${call.isPointer ? "." : ""}${call.name}`;
        if (seen.has(key)) continue;
        seen.add(key);
        into(call.isPointer ? byField : byCallee, call.name, () => []).push({ path, fn });
      }
    }
  const tables = usesOf(files, defined);

  const callersOf = (path: string, name: string): TreeCallers => {
    const isOwn = statics.get(name)?.has(path) ?? false;
    const isHeader = path.endsWith(".h");
    const direct = (byCallee.get(name) ?? []).filter((caller) =>
      isOwn && !isHeader ? caller.path === path : caller.path === path || !(statics.get(name)?.has(caller.path) ?? false),
    );
    const given = (tables.get(name) ?? []).filter((use) => !isOwn || isHeader || use.path === path);
    const fields = [...new Set(given.flatMap((use) => (use.field === null ? [] : [use.field])))];
    const through = fields.flatMap((field) => (byField.get(field) ?? []).map((caller): TreeCaller => ({ ...caller, pointer: field })));
    const callers: TreeCaller[] = [...direct.map((caller) => ({ ...caller, pointer: null })), ...through];
    // A pointer that is handed on as an argument, or whose field nobody in the tree calls, leads out of sight.
    const complete = callers.length > 0 && given.every((use) => use.field !== null && byField.has(use.field)) && (isOwn || given.length === 0);
    return { callers, complete };
  };
  return { files, functions, calls, callersOf };
}

interface Given {
  readonly path: string;
  readonly field: string | null;
}

/** Functions whose address is taken: by name, with where and for which field. */
function usesOf(files: readonly TreeFile[], defined: ReadonlySet<string>): ReadonlyMap<string, readonly Given[]> {
  const found = new Map<string, Given[]>();
  for (const { path, outline } of files)
    for (const use of [...outline.uses, ...outline.functions.flatMap((fn) => fn.uses)])
      if (defined.has(use.name)) into(found, use.name, () => []).push({ path, field: use.field });
  return found;
}

function into<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
