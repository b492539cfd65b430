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
  /** Goes up from a function to its callers, for units that are made elsewhere. */
  readonly follow: Follower["follow"];
  /** Equal keys of functions of one file: equal programs, up to places in the text. Not part of the trace. */
  keyOf(path: string, fn: OutlineFunction): string;
  /** The file as `unit` has it, for one function of it: what of the rest is asked for is made then, and part of the trace. */
  part(path: string, fn: OutlineFunction | null): Part | null;
  /** Functions whose places a program has: its own, and those of helpers in their places. Not part of the trace. */
  placesOf(path: string, fn: OutlineFunction): readonly OutlineFunction[];
  /** What `unit` and `named` of a part say: equal texts, equal answers, up to places. Not part of the trace. */
  wholeKey(path: string): string;
  wanted(path: string): readonly OutlineFunction[];
  namedKey(path: string, name: string): string;
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
  /** Names that parts were asked for, and files that were asked for as a whole. */
  readonly named: readonly (readonly [path: string, name: string])[];
  readonly wholes: readonly string[];
}

/** One function of a file with what surrounds it. */
export interface Part {
  readonly unit: Unit;
  readonly programs: readonly EffectProgram[];
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
  const stale = new Set<string>();
  const units = new Map<string, Unit | null>();
  const files = new Set<string>();
  const questions = new Map<string, readonly [string, string]>();
  const functions = new Map<string, { readonly path: string; readonly fn: OutlineFunction }>();
  const named = new Map<string, readonly [string, string]>();
  const wholes = new Set<string>();
  const wanted = new Map<string, readonly OutlineFunction[]>();

  const file = (path: string): LoweredFile | null => {
    files.add(path);
    const known = lowered.get(path);
    if (known !== undefined && !stale.has(path)) return known;
    const outline = index.outlineOf(path);
    const text = outline ? textOf(path) : null;
    const made = outline && text !== null ? (known?.edited(text, outline) ?? lowerFile(imageOf(path, text), outline, release)) : null;
    stale.delete(path);
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
    const made = lowering && { ...unitOfPrograms([lowering.image], release, lowering.programsOf(wantedIn(path)), lowering.definitions), follow: following.follow };
    units.set(path, made);
    return made;
  };

  const callersOf = (program: EffectProgram): Callers => {
    const path = program.image.path ?? "";
    questions.set(`${path} ${program.name}`, [path, program.name]);
    const { callers, complete } = index.callersOf(path, program.name);
    const isRoot = /^(?:compat_)?sys_/.test(program.name) && callers.length === 0;
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

  /** The concerned functions of a file with their callers, until the file changes. */
  const wantedIn = (path: string): readonly OutlineFunction[] => {
    const known = wanted.get(path);
    if (known) return known;
    const concerning = new Set((index.outlineOf(path)?.functions ?? []).filter((fn) => isConcerned(fn, concerns)));
    const made = withCallers(index, path, concerning);
    wanted.set(path, made);
    return made;
  };

  const part = (path: string, fn: OutlineFunction | null): Part | null => {
    const lowering = file(path);
    if (!lowering) return null;
    let alone: Unit | null = null;
    const withOwnCallers = (): Unit => {
      if (alone) return alone;
      const own = fn ? withCallers(index, path, new Set([fn])) : [];
      for (const one of own) {
        functions.set(`${path} ${one.start}`, { path, fn: one });
        questions.set(`${path} ${one.name}`, [path, one.name]);
      }
      alone = unitOfPrograms([lowering.image], release, lowering.programsOf(own), lowering.definitions);
      return alone;
    };
    const ask = (name: string): void => void named.set(`${path} ${name}`, [path, name]);
    const around: Unit = {
      release,
      images: [lowering.image],
      get programs() {
        wholes.add(path);
        return lowering.programsOf(wantedIn(path));
      },
      named(name) {
        ask(name);
        return lowering.programsOf(wantedIn(path).filter((one) => one.name === name));
      },
      definitions: {
        has: (name) => (ask(name), lowering.definitions.has(name)),
        get: (name) => (ask(name), lowering.definitions.get(name)),
      },
      analyze: (program) => withOwnCallers().analyze(program),
      follow: following.follow,
    };
    return { unit: around, programs: fn ? lowering.programsOf([fn]) : [] };
  };

  const untraced = <T>(path: string, ask: (lowering: LoweredFile) => T): T | null => {
    const isTraced = files.has(path);
    const lowering = file(path);
    const answer = lowering && ask(lowering);
    if (!isTraced) files.delete(path);
    return answer;
  };
  return {
    unit,
    follow: following.follow,
    programs: (path, functionsOfFile) => untraced(path, (lowering) => lowering.programsOf(functionsOfFile)) ?? [],
    keyOf: (path, fn) => untraced(path, (lowering) => lowering.keyOf(fn)) ?? "",
    part,
    placesOf: (path, fn) => untraced(path, (lowering) => lowering.placesOf(fn)) ?? [],
    wanted: wantedIn,
    wholeKey: (path) => untraced(path, (lowering) => wantedIn(path).map((fn) => `${fn.name} ${lowering.keyOf(fn)}`).join("\n")) ?? "",
    namedKey: (path, name) =>
      untraced(path, (lowering) => {
        const all = (index.outlineOf(path)?.functions ?? []).filter((fn) => fn.name === name);
        return all.map((fn) => `${wantedIn(path).includes(fn)} ${lowering.keyOf(fn)}`).join("\n");
      }) ?? "",
    replace(path) {
      stale.add(path);
      wanted.delete(path);
      units.delete(path);
    },
    takeTrace(isKept = false) {
      const byKey = <T>(map: ReadonlyMap<string, T>): T[] => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
      const trace = { functions: [...functions.values()], files: [...files].toSorted(), questions: byKey(questions), named: byKey(named), wholes: [...wholes].toSorted() };
      files.clear();
      questions.clear();
      functions.clear();
      named.clear();
      wholes.clear();
      if (isKept) return trace;
      units.clear();
      following.forget();
      return trace;
    },
  };
}

/** True where a function has a call that is asked about. */
const isConcerned = (fn: OutlineFunction, concerns: ReadonlySet<string>): boolean => fn.calls.some((call) => !call.isPointer && concerns.has(call.name));

/** The functions and their callers in the same file, in order of text. */
export function withCallers(index: TreeIndex, path: string, found: Set<OutlineFunction>): readonly OutlineFunction[] {
  let last: Iterable<OutlineFunction> = [...found];
  for (let level = 0; level < OWN_LEVELS; level++) {
    const further = new Set<OutlineFunction>();
    for (const name of new Set([...last].map((fn) => fn.name))) for (const fn of index.callersIn(path, name)) if (!found.has(fn)) further.add(fn);
    for (const fn of further) found.add(fn);
    last = further;
  }
  return [...found].toSorted((a, b) => a.start - b.start);
}
