// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import { withAliases } from "../program/alias.ts";
import type { LostCode } from "../program/lost-code.ts";
import { inlineHelpers } from "../program/inline.ts";
import { lowerFunction, type LowerOptions } from "../program/lower.ts";
import type { Definitions, FunctionCode } from "../program/code.ts";
import type { CallNode, EffectProgram, NodeId } from "../program/program.ts";
import type { Image } from "../source/image.ts";
import { documentPlace, rowAt } from "../program/place.ts";
import { summarizer } from "./summarizer.ts";
import { interpret, type Interpretation } from "./interpret.ts";
import { EMPTY_STATE, type State, stateKey } from "./state.ts";
import { entryFromCall } from "./entry.ts";
import type { Follower } from "./follow.ts";
import { walkEntries } from "./walk-entry.ts";
import { readingOf } from "./reading.ts";

/** One way in which a function is entered. */
export interface CallingContext {
  /** Callers from the innermost outwards, `name` and document line of the call; empty where the caller is not visible. */
  readonly chain: readonly { readonly name: string; readonly program: EffectProgram; readonly at: number }[];
  readonly interpretation: Interpretation;
}

/** A function of the input with everything that the analysis found out about it. */
export interface AnalyzedFunction {
  readonly program: EffectProgram;
  readonly contexts: readonly CallingContext[];
  /** False where paths through it, or through its callers, were cut off: it may be reached in other states, too. */
  readonly complete: boolean;
}

/** One side of one patch (or one C file): all its functions together. */
export interface Unit {
  readonly release: Release;
  readonly images: readonly Image[];
  readonly programs: readonly EffectProgram[];
  /** Programs of a name: who asks for one needs not wait for all. */
  named(name: string): readonly EffectProgram[];
  /** Functions by name as plain records, for rules about what a helper computes. */
  readonly definitions: Definitions;
  /** Runs the interpreter over a function in each calling context that the input shows; memoized. */
  analyze(program: EffectProgram): AnalyzedFunction;
  /** Code of files whose whole text is here that did not become functions. */
  readonly lost?: readonly (LostCode & { readonly image: Image })[];
  /** The functions that are judged, where the others are there for these only; absent: all. */
  readonly judged?: readonly EffectProgram[];
  /** Goes up to callers outside of the input, where a whole tree is at hand. */
  readonly follow?: Follower["follow"];
}

/** Callers further away than this are not followed. */
const MAX_DEPTH = 3;
const MAX_CONTEXTS = 16;

/**
 * Reads and lowers every function of the images; of whole files that a patch changes only the functions called `touched`, which
 * are judged, and what these call and are called by.
 */
export function unitOf(images: readonly Image[], release: Release, touched: ReadonlySet<string> = NONE, options: LowerOptions = {}): Unit {
  const codes = images.map((image) => readingOf(image, touched));
  const definitions = definitionsOf(codes.flatMap(({ functions, unread }) => [...functions, ...unread]));
  const programs = inlineHelpers(
    codes.flatMap(({ image, functions }) => {
      const here = new Set(functions);
      const seen = new Map([...definitions].map(([name, code]) => [name, here.has(code) ? code : { ...code, isForeign: true }] as const));
      return functions.map((code) => lowerFunction(image, code, release, seen, options));
    }),
  ).map(withAliases);
  const lost = codes.flatMap((code) => (isWholeFile(code.image) ? code.lost.map((one) => ({ ...one, image: code.image })) : []));
  const judged = programs.filter((program) => (program.image.missing === undefined ? isShown(program) : touched.has(program.name)));
  return { ...unitOfPrograms(images, release, programs, definitions), lost, ...(judged.length < programs.length ? { judged } : {}) };
}

const NONE: ReadonlySet<string> = new Set();

/** False for a function of which the document shows no line: an earlier patch of the series has it. */
function isShown({ image, start, end }: EffectProgram): boolean {
  const rows = image.lines.slice(rowAt(image, start), rowAt(image, Math.max(start, end - 1)) + 1);
  return rows.some(({ line }) => line !== null) || rows.every(({ newLine, oldLine }) => newLine === null && oldLine === null);
}

/** A unit of programs that are lowered already. */
export function unitOfPrograms(
  images: readonly Image[],
  release: Release,
  programs: readonly EffectProgram[],
  definitions: Definitions,
): Unit {
  const callers = callSites(programs);
  const { withCallees } = summarizer(byName(programs));
  const runs = new Map<EffectProgram, Map<string, Interpretation>>();
  const memo = new Map<string, AnalyzedFunction>();
  const numbers = new Map(programs.map((program, index) => [program, index] as const));

  /** One run for each way to enter that differs in anything an effect can see. */
  const run = (program: EffectProgram, entry: State): Interpretation => {
    const known = runs.get(program) ?? new Map<string, Interpretation>();
    runs.set(program, known);
    const key = stateKey(entry);
    const result = known.get(key) ?? interpret(withCallees(program), entry);
    known.set(key, result);
    return result;
  };

  const analyze = (program: EffectProgram, depth: number): AnalyzedFunction => {
    const key = `${numbers.get(program) ?? program.name} ${depth}`;
    const analyzed = memo.get(key) ?? analyzedAt(program, depth);
    memo.set(key, analyzed);
    return analyzed;
  };

  const analyzedAt = (program: EffectProgram, depth: number): AnalyzedFunction => {
    const calls = callers.get(program.name) ?? [];
    const sites = callersAreVisible(program) && depth < MAX_DEPTH ? calls.filter(({ caller }) => caller !== program && mayCall(caller, program)) : [];
    const contexts = withTurns(program, contextsOf(program, sites, depth), calls.filter(({ caller }) => caller === program));
    const complete = contexts.every((one) => one.interpretation.complete) && sites.every(({ caller }) => analyze(caller, depth + 1).complete);
    return { program, contexts, complete };
  };

  /** A function that calls itself is entered as it stands at those calls, too. */
  const withTurns = (program: EffectProgram, found: readonly CallingContext[], own: readonly CallSite[]): readonly CallingContext[] => {
    if (own.length === 0 || found.some((one) => one.interpretation === run(program, EMPTY_STATE))) return found;
    const byRun = new Map(found.map((one) => [one.interpretation, one]));
    for (const context of byRun.values())
      for (const { node, call } of own)
        for (const state of context.interpretation.before[node] ?? []) {
          const interpretation = run(program, entryFromCall(state, call, program, program));
          if (byRun.has(interpretation)) continue;
          if (byRun.size >= MAX_CONTEXTS) return [...byRun.values(), { chain: [], interpretation: run(program, EMPTY_STATE) }];
          byRun.set(interpretation, { chain: [{ name: program.name, program, at: call.at }, ...context.chain], interpretation });
        }
    return [...byRun.values()];
  };

  const contextsOf = (program: EffectProgram, sites: readonly CallSite[], depth: number): CallingContext[] => {
    const unknown: CallingContext = { chain: [], interpretation: run(program, EMPTY_STATE) };
    const contexts = new Map<string, CallingContext>();
    for (const entry of walkEntries(program, programs, release, (one) => run(one, EMPTY_STATE))) contexts.set(stateKey(entry), { chain: [], interpretation: run(program, entry) });
    for (const { caller, node, call } of sites) {
      for (const above of analyze(caller, depth + 1).contexts) {
        for (const state of above.interpretation.before[node] ?? []) {
          const entry = entryFromCall(state, call, caller, program);
          const key = stateKey(entry);
          if (contexts.has(key)) continue;
          // Too many to follow: what the others hold is not known.
          if (contexts.size >= MAX_CONTEXTS) return [...contexts.values(), unknown];
          contexts.set(key, {
            chain: [{ name: caller.name, program: caller, at: call.at }, ...above.chain],
            interpretation: run(program, entry),
          });
        }
      }
    }
    return contexts.size > 0 ? [...contexts.values()] : [unknown];
  };

  return { release, images, programs, named: (name) => programs.filter((program) => program.name === name), definitions, analyze: (program) => analyze(program, 0) };
}

/** Whole functions by name, the longest first. */
function byName(programs: readonly EffectProgram[]): (name: string) => readonly EffectProgram[] {
  const whole = programs.filter((program) => !program.openStart && !program.openEnd);
  const found = new Map<string, EffectProgram[]>();
  for (const program of whole.toSorted((a, b) => b.end - b.start - (a.end - a.start))) found.set(program.name, [...(found.get(program.name) ?? []), program]);
  return (name) => found.get(name) ?? [];
}

/** Functions by name. Of two (`#ifdef` and the stub of `#else`) the longer one says what the function does. */
function definitionsOf(functions: readonly FunctionCode[]): ReadonlyMap<string, FunctionCode> {
  const found = new Map<string, FunctionCode>();
  for (const code of functions) {
    const known = found.get(code.name);
    if (!known || known.end - known.start < code.end - code.start) found.set(code.name, code);
  }
  return found;
}

/**
 * Anyone may call a function with external linkage. A static one is called from its own file only, which is visible where it
 * is seen as a whole, and a function that the patch adds from nowhere but the patch. One of a header is called from wherever
 * the header is included.
 */
function callersAreVisible(program: EffectProgram): boolean {
  if (program.openStart) return false;
  const isAdded = !isWholeFile(program.image) && (documentPlace(program.image, program.start)?.row.changed ?? false);
  return isAdded || (program.isStatic && !isHeader(program.image));
}

/** A static function of a whole file is not the one that another file calls by that name. */
const mayCall = (caller: EffectProgram, program: EffectProgram): boolean =>
  caller.image === program.image || program.image.missing === undefined || !program.isStatic || isHeader(program.image);

const isHeader = (image: Image): boolean => image.path?.endsWith(".h") ?? false;

const wholeFiles = new WeakMap<Image, boolean>();

/** True for a C file as it stands, and for a file that a patch adds; what a patch changes is told line by line. */
function isWholeFile(image: Image): boolean {
  const known = wholeFiles.get(image) ?? image.lines.every((line) => line.changed && line.line !== null);
  wholeFiles.set(image, known);
  return known;
}

interface CallSite {
  readonly caller: EffectProgram;
  readonly node: NodeId;
  readonly call: CallNode;
}

function callSites(programs: readonly EffectProgram[]): ReadonlyMap<string, readonly CallSite[]> {
  const sites = new Map<string, CallSite[]>();
  const defined = new Set(programs.map((program) => program.name));
  for (const caller of programs)
    caller.nodes.forEach((call, node) => {
      // A call that was copied with its helper is a call of the helper's, which is in the list itself.
      if (call.kind !== "call" || call.inlined !== undefined || !defined.has(call.name)) return;
      const list = sites.get(call.name) ?? [];
      list.push({ caller, node, call });
      sites.set(call.name, list);
    });
  return sites;
}

/** States in which control reaches a node, in every context. */
export const statesAt = (fn: AnalyzedFunction, node: NodeId): readonly { readonly context: CallingContext; readonly state: State }[] =>
  fn.contexts.flatMap((context) => (context.interpretation.before[node] ?? []).map((state) => ({ context, state })));
