// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { OutlineFunction } from "../program/outline.ts";
import type { CallNode, EffectProgram, ProgramNode } from "../program/program.ts";
import { imageOfFile, type Image } from "../source/image.ts";
import { follower, type Callers, type CallSite, type Follower, type Runs } from "./follow.ts";
import type { TreeCaller, TreeIndex } from "./tree-index.ts";
import { lowerFile, type LoweredFile } from "./tree-lower.ts";
import { unitOfPrograms, type Unit } from "./unit.ts";

/** The files of a tree as units whose callers are known; each is lowered when it is first asked for. */
export interface Tree {
  /** The file as a unit that can follow callers into other files, or null where it cannot be read. */
  unit(path: string): Unit | null;
  /** Functions of a file as programs; not part of the trace. */
  programs(path: string, functions: readonly OutlineFunction[]): readonly EffectProgram[];
  /** A unit of some functions of a file only, with their callers in the file. */
  unitOfFunctions(path: string, functions: readonly OutlineFunction[]): Unit | null;
  /** Goes up from a function to its callers, for units that are made elsewhere. */
  readonly follow: Follower["follow"];
  /** Forgets what is known of a file, whose text and outline have changed. */
  replace(path: string): void;
  /** What was asked of the tree since the last call of this function. What was computed for it is forgotten, unless `isKept`. */
  takeTrace(isKept?: boolean): Trace;
}

/** What a result rests on besides its own file: as long as all of this is the same, the result is. */
export interface Trace {
  /** Files that were read, ordered. */
  readonly files: readonly string[];
  /** Questions for callers, as path and function, ordered. */
  readonly questions: readonly (readonly [path: string, name: string])[];
  /** Functions that were lowered for it. */
  readonly functions: readonly { readonly path: string; readonly fn: OutlineFunction }[];
}

/** Calls of a node: its own, or those that its value is made of because no effect of them is known. */
function callsOf(node: ProgramNode): readonly CallNode[] {
  if (node.kind === "call") return node.inlined === undefined ? [node, ...node.args.flatMap(callsIn)] : [];
  if (node.kind === "branch") return callsIn(node.condition);
  return node.kind === "assign" || node.kind === "return" ? (node.value ? callsIn(node.value) : []) : [];
}

function callsIn(value: Value): readonly CallNode[] {
  const parts = Object.values(value).flatMap((part: unknown) => (Array.isArray(part) ? (part as unknown[]) : [part]));
  const inner = parts.flatMap((part) => (typeof part === "object" && part !== null && "kind" in part && "at" in part ? callsIn(part as Value) : []));
  if (value.kind !== "call") return inner;
  const { name, args, at, end } = value;
  return [{ kind: "call", name, args, result: null, effects: [], knowledge: "quiet", at, end, next: -1 }, ...inner];
}

/** Units of a file show as many levels of callers in the file itself as the analysis of one file looks at. */
const OWN_LEVELS = 3;

/**
 * `concerns`: the names of calls that some rule asks about; only functions with such calls, and their callers, are lowered.
 * `imageOf`: what ties the text of a file to what the user sees; `runs`: what is known from other trees with the same code.
 */
export function treeOf(
  index: TreeIndex,
  textOf: (path: string) => string | null,
  release: Release,
  concerns: ReadonlySet<string>,
  { imageOf = imageOfFile, runs }: { readonly imageOf?: (path: string, text: string) => Image; readonly runs?: Runs } = {},
): Tree {
  const lowered = new Map<string, LoweredFile | null>();
  const units = new Map<string, Unit | null>();
  const files = new Set<string>();
  const questions = new Map<string, readonly [string, string]>();
  const functions = new Map<string, { readonly path: string; readonly fn: OutlineFunction }>();

  const file = (path: string): LoweredFile | null => {
    files.add(path);
    const known = lowered.get(path);
    if (known !== undefined) return known;
    const outline = index.outlineOf(path);
    const text = outline ? textOf(path) : null;
    const made = outline && text !== null ? lowerFile(imageOf(path, text), outline, release) : null;
    lowered.set(path, made);
    return made;
  };

  const unit = (path: string): Unit | null => {
    const known = units.get(path);
    if (known !== undefined) {
      files.add(path);
      return known;
    }
    const lowering = file(path);
    const wanted = concerned(index.outlineOf(path)?.functions ?? [], concerns);
    const made = lowering && { ...unitOfPrograms([lowering.image], release, lowering.programsOf(wanted), lowering.definitions), follow: following.follow };
    units.set(path, made);
    return made;
  };

  const callersOf = (program: EffectProgram): Callers => {
    const path = program.image.path ?? "";
    questions.set(`${path} ${program.name}`, [path, program.name]);
    const { callers, complete } = index.callersOf(path, program.name);
    const isRoot = /^(?:compat_)?sys_/.test(program.name) && callers.length === 0;
    // One reading for all callers of a file.
    for (const one of new Set(callers.map((caller) => caller.path))) file(one)?.programsOf(callers.flatMap((caller) => (caller.path === one ? [caller.fn] : [])));
    return { sites: callers.flatMap((caller) => sitesIn(caller, program.name)), complete, isRoot };
  };

  const sitesIn = ({ path, fn, pointer }: TreeCaller, name: string): CallSite[] => {
    functions.set(`${path} ${fn.start}`, { path, fn });
    return (file(path)?.programsOf([fn]) ?? []).flatMap((caller) =>
      caller.nodes.flatMap((node, id) =>
        callsOf(node)
          .filter((call) => (pointer === null ? call.name === name : /(?:->|\.)(\w+)$/.exec(call.name)?.[1] === pointer))
          .map((call) => ({ caller, node: id, call, pointer, gives: fn.uses })),
      ),
    );
  };

  const following = follower(callersOf, runs);
  return {
    unit,
    follow: following.follow,
    programs(path, wanted) {
      const isTraced = files.has(path);
      const programs = file(path)?.programsOf(wanted) ?? [];
      if (!isTraced) files.delete(path);
      return programs;
    },
    unitOfFunctions(path, wanted) {
      const lowering = file(path);
      const own = withCallers(index.outlineOf(path)?.functions ?? [], new Set(wanted));
      return lowering && { ...unitOfPrograms([lowering.image], release, lowering.programsOf(own), lowering.definitions), follow: following.follow };
    },
    replace(path) {
      lowered.delete(path);
      units.delete(path);
    },
    takeTrace(isKept = false) {
      const trace = { functions: [...functions.values()], files: [...files].toSorted(), questions: [...questions].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, question]) => question) };
      files.clear();
      questions.clear();
      functions.clear();
      if (isKept) return trace;
      units.clear();
      following.forget();
      return trace;
    },
  };
}

/** True where a function has a call that is asked about. */
export const isConcerned = (fn: OutlineFunction, concerns: ReadonlySet<string>): boolean => fn.calls.some((call) => !call.isPointer && concerns.has(call.name));

const concerned = (functions: readonly OutlineFunction[], concerns: ReadonlySet<string>): readonly OutlineFunction[] =>
  withCallers(functions, new Set(functions.filter((fn) => isConcerned(fn, concerns))));

/** The functions and their callers in the same file, in order of text. */
export function withCallers(functions: readonly OutlineFunction[], found: Set<OutlineFunction>): readonly OutlineFunction[] {
  for (let level = 0; level < OWN_LEVELS; level++) {
    const names = new Set([...found].map((fn) => fn.name));
    for (const fn of functions) if (fn.calls.some((call) => !call.isPointer && names.has(call.name))) found.add(fn);
  }
  return functions.filter((fn) => found.has(fn));
}
