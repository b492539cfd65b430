// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { OutlineFunction } from "../program/outline.ts";
import type { CallNode, EffectProgram, ProgramNode } from "../program/program.ts";
import { follower, type Callers, type CallSite } from "./follow.ts";
import type { TreeCaller, TreeIndex } from "./tree-index.ts";
import { lowerFile, type LoweredFile } from "./tree-lower.ts";
import { unitOfPrograms, type Unit } from "./unit.ts";

/** The files of a tree as units whose callers are known; each is lowered when it is first asked for. */
export interface Tree {
  /** The file as a unit that can follow callers into other files, or null where it cannot be read. */
  unit(path: string): Unit | null;
  /** What was asked of the tree since the last call of this function. What was computed for it is forgotten. */
  takeTrace(): Trace;
}

/** What a result rests on besides its own file: as long as all of this is the same, the result is. */
export interface Trace {
  /** Files that were read, ordered. */
  readonly files: readonly string[];
  /** Questions for callers, as path and function, ordered. */
  readonly questions: readonly (readonly [path: string, name: string])[];
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

/** `concerns`: the names of calls that some rule asks about; only functions with such calls, and their callers, are lowered. */
export function treeOf(index: TreeIndex, textOf: (path: string) => string | null, release: Release, concerns: ReadonlySet<string>): Tree {
  const outlines = new Map(index.files.map(({ path, outline }) => [path, outline]));
  const lowered = new Map<string, LoweredFile | null>();
  const units = new Map<string, Unit | null>();
  const files = new Set<string>();
  const questions = new Map<string, readonly [string, string]>();

  const file = (path: string): LoweredFile | null => {
    files.add(path);
    const known = lowered.get(path);
    if (known !== undefined) return known;
    const outline = outlines.get(path);
    const text = outline ? textOf(path) : null;
    const made = outline && text !== null ? lowerFile(path, text, outline, release) : null;
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
    const wanted = concerned(outlines.get(path)?.functions ?? [], concerns);
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

  const sitesIn = ({ path, fn, pointer }: TreeCaller, name: string): CallSite[] =>
    (file(path)?.programsOf([fn]) ?? []).flatMap((caller) =>
      caller.nodes.flatMap((node, id) =>
        callsOf(node)
          .filter((call) => (pointer === null ? call.name === name : /(?:->|\.)(\w+)$/.exec(call.name)?.[1] === pointer))
          .map((call) => ({ caller, node: id, call, pointer, gives: fn.uses })),
      ),
    );

  const following = follower(callersOf);
  return {
    unit,
    takeTrace() {
      const trace = { files: [...files].toSorted(), questions: [...questions].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, question]) => question) };
      files.clear();
      questions.clear();
      units.clear();
      following.forget();
      return trace;
    },
  };
}

/** Functions with a call that is asked about, and their callers in the same file, in order of text. */
function concerned(functions: readonly OutlineFunction[], concerns: ReadonlySet<string>): readonly OutlineFunction[] {
  const found = new Set(functions.filter((fn) => fn.calls.some((call) => !call.isPointer && concerns.has(call.name))));
  for (let level = 0; level < OWN_LEVELS; level++) {
    const names = new Set([...found].map((fn) => fn.name));
    for (const fn of functions) if (fn.calls.some((call) => !call.isPointer && names.has(call.name))) found.add(fn);
  }
  return functions.filter((fn) => found.has(fn));
}
