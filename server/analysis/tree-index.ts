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
  /** Functions of a file that call a name. */
  callersIn(path: string, name: string): readonly OutlineFunction[];
  /** The answer of `callersOf` as one text, without places: equal texts, equal answers. */
  answerOf(path: string, name: string): string;
  /** Takes over the new outline of a file, or a new file. */
  replace(file: TreeFile): void;
}

/** The answer to a question for callers as one text: equal texts, equal answers. */
const answerText = ({ callers, complete }: TreeCallers): string =>
  `${complete ? "all" : "some"} ${callers.map(({ path, fn, pointer }) => `${path} ${fn.name} ${pointer ?? ""}`).join(",")}`;

/** What one file calls: for each name the functions of its outline that call it, by number, ordered. */
interface FileLinks {
  readonly outline: Outline;
  readonly named: ReadonlyMap<string, readonly number[]>;
  readonly pointed: ReadonlyMap<string, readonly number[]>;
}

/** Links the outlines of all files. The order of the answers is that of paths, and in a file that of the text. */
export function indexOf(files: readonly TreeFile[]): TreeIndex {
  const links = new Map<string, FileLinks>();
  /** Files that call a name, or a field of that name. */
  const byCallee = new Map<string, Set<string>>();
  const byField = new Map<string, Set<string>>();
  const statics = new Map<string, Set<string>>();
  const defined = new Map<string, number>();
  const tables = new Map<string, Given[]>();
  const count = { functions: 0, calls: 0 };
  const answers = new Map<string, Map<string, string>>();

  const link = (path: string, outline: Outline): void => {
    const named = callsBy(outline.functions, false);
    const pointed = callsBy(outline.functions, true);
    links.set(path, { outline, named, pointed });
    for (const name of named.keys()) into(byCallee, name, () => new Set()).add(path);
    for (const name of pointed.keys()) into(byField, name, () => new Set()).add(path);
    for (const fn of outline.functions) {
      count.functions++;
      count.calls += fn.calls.length;
      defined.set(fn.name, (defined.get(fn.name) ?? 0) + 1);
      if (fn.isStatic) into(statics, fn.name, () => new Set<string>()).add(path);
    }
    for (const use of usesOf(outline)) into(tables, use.name, () => []).push({ path, field: use.field });
  };

  const unlink = (path: string): void => {
    const known = links.get(path);
    if (!known) return;
    for (const name of known.named.keys()) byCallee.get(name)?.delete(path);
    for (const name of known.pointed.keys()) byField.get(name)?.delete(path);
    for (const fn of known.outline.functions) {
      count.functions--;
      count.calls -= fn.calls.length;
      defined.set(fn.name, (defined.get(fn.name) ?? 1) - 1);
      statics.get(fn.name)?.delete(path);
    }
    for (const use of usesOf(known.outline)) {
      const list = tables.get(use.name);
      if (list) tables.set(use.name, list.filter((one) => one.path !== path));
    }
  };

  /** The same where the functions only stand elsewhere or call other functions by their names: true where that is so. */
  const relink = (path: string, outline: Outline): boolean => {
    const known = links.get(path);
    if (!known || known.outline.functions.length !== outline.functions.length || !isUsedAlike(known.outline.uses, outline.uses)) return false;
    const pairs = outline.functions.map((fn, number) => ({ fn, number, was: known.outline.functions[number] ?? fn }));
    if (!pairs.every(({ fn, was }) => isLinkedAlike(fn, was))) return false;
    const named = new Map(known.named);
    for (const { fn, number, was } of pairs) {
      if (fn.calls === was.calls) continue;
      count.calls += fn.calls.length - was.calls.length;
      const [before, now] = [calledBy(was, false), calledBy(fn, false)];
      for (const name of before) if (!now.has(name)) named.set(name, (named.get(name) ?? []).filter((one) => one !== number));
      for (const name of now) if (!before.has(name)) named.set(name, [...(named.get(name) ?? []), number].toSorted((a, b) => a - b));
      for (const name of new Set([...before, ...now])) {
        if (before.has(name) && now.has(name)) continue;
        answers.delete(name);
        if ((named.get(name)?.length ?? 0) > 0) into(byCallee, name, () => new Set()).add(path);
        else if (named.delete(name)) byCallee.get(name)?.delete(path);
      }
    }
    links.set(path, { outline, named, pointed: known.pointed });
    return true;
  };

  for (const { path, outline } of files.toSorted((x, y) => (x.path < y.path ? -1 : 1))) link(path, outline);

  const callingIn = (path: string, name: string, list: "named" | "pointed"): readonly OutlineFunction[] => {
    const known = links.get(path);
    return known?.[list].get(name)?.flatMap((number) => known.outline.functions[number] ?? []) ?? [];
  };
  const calling = (map: ReadonlyMap<string, ReadonlySet<string>>, name: string, list: "named" | "pointed"): readonly TreeFunction[] =>
    [...(map.get(name) ?? [])].toSorted().flatMap((path) => callingIn(path, name, list).map((fn) => ({ path, fn })));

  const callersOf = (path: string, name: string): TreeCallers => {
    const isOwn = statics.get(name)?.has(path) ?? false;
    const isHeader = path.endsWith(".h");
    const direct = calling(byCallee, name, "named").filter((caller) =>
      isOwn && !isHeader ? caller.path === path : caller.path === path || !(statics.get(name)?.has(caller.path) ?? false),
    );
    // A file that was replaced stands at the end of the list.
    const uses = (defined.get(name) ?? 0) > 0 ? (tables.get(name) ?? []).toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)) : [];
    const given = uses.filter((use) => !isOwn || isHeader || use.path === path);
    const fields = [...new Set(given.flatMap((use) => (use.field === null ? [] : [use.field])))];
    const through = fields.flatMap((field) => calling(byField, field, "pointed").map((caller): TreeCaller => ({ ...caller, pointer: field })));
    const callers: TreeCaller[] = [...direct.map((caller) => ({ ...caller, pointer: null })), ...through];
    // A pointer that is handed on as an argument, or whose field nobody in the tree calls, leads out of sight.
    const complete = callers.length > 0 && given.every((use) => use.field !== null && (byField.get(use.field)?.size ?? 0) > 0) && (isOwn || given.length === 0);
    return { callers, complete };
  };
  return {
    outlineOf: (path) => links.get(path)?.outline ?? null,
    get functions() {
      return count.functions;
    },
    get calls() {
      return count.calls;
    },
    callersOf,
    callersIn: (path, name) => callingIn(path, name, "named"),
    answerOf(path, name) {
      const known = into(answers, name, () => new Map<string, string>());
      return into(known, path, () => answerText(callersOf(path, name)));
    },
    replace({ path, outline }) {
      if (relink(path, outline)) return;
      answers.clear();
      unlink(path);
      link(path, outline);
    },
  };
}

/** True where two functions differ in nothing that links files except the functions that they call by name. */
const isLinkedAlike = (fn: OutlineFunction, was: OutlineFunction): boolean =>
  fn.name === was.name && fn.isStatic === was.isStatic &&
  isUsedAlike(fn.uses, was.uses) &&
  (fn.calls === was.calls || isSame([...calledBy(fn, true)], [...calledBy(was, true)]));

const isUsedAlike = (a: readonly OutlineUse[], b: readonly OutlineUse[]): boolean =>
  a === b || isSame(a.map((use) => `${use.name} ${use.field}`), b.map((use) => `${use.name} ${use.field}`));

const isSame = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((one, at) => one === b[at]);

/** Names, or fields, that a function calls. */
const calledBy = (fn: OutlineFunction, isPointer: boolean): ReadonlySet<string> => new Set(fn.calls.flatMap((call) => (call.isPointer === isPointer ? [call.name] : [])));

function callsBy(functions: readonly OutlineFunction[], isPointer: boolean): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  functions.forEach((fn, number) => {
    for (const name of calledBy(fn, isPointer)) into(found, name, () => []).push(number);
  });
  return found;
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
