// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import { inlineHelpers } from "../program/inline.ts";
import { lowerFunction } from "../program/lower.ts";
import { readFunctions } from "../program/read-code.ts";
import type { FunctionCode } from "../program/code.ts";
import type { CallNode, EffectProgram, NodeId } from "../program/program.ts";
import type { Image } from "../source/image.ts";
import { documentPlace } from "../program/place.ts";
import { interpret, type Interpretation } from "./interpret.ts";
import { EMPTY_STATE, type State } from "./state.ts";
import { entryFromCall } from "./entry.ts";

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
}

/** One side of one patch (or one C file): all its functions together. */
export interface Unit {
  readonly release: Release;
  readonly images: readonly Image[];
  readonly programs: readonly EffectProgram[];
  /** Functions by name as plain records, for rules about what a helper computes. */
  readonly definitions: ReadonlyMap<string, FunctionCode>;
  /** Runs the interpreter over a function in each calling context that the input shows; memoized. */
  analyze(program: EffectProgram): AnalyzedFunction;
}

/** Callers further away than this are not followed. */
const MAX_DEPTH = 3;
const MAX_CONTEXTS = 8;

/** Reads and lowers every function of the images. */
export function unitOf(images: readonly Image[], release: Release): Unit {
  const codes = images.map((image) => ({ image, functions: readFunctions(image.text) }));
  const definitions = new Map<string, FunctionCode>(codes.flatMap(({ functions }) => functions.map((code) => [code.name, code])));
  const programs = inlineHelpers(codes.flatMap(({ image, functions }) => functions.map((code) => lowerFunction(image, code, release, definitions))));
  const callers = callSites(programs);
  const memo = new Map<EffectProgram, AnalyzedFunction>();

  const analyze = (program: EffectProgram, depth: number, open: ReadonlySet<EffectProgram>): AnalyzedFunction => {
    const known = memo.get(program);
    if (known) return known;
    const analyzed: AnalyzedFunction = { program, contexts: contextsOf(program, depth, open) };
    if (depth === 0) memo.set(program, analyzed);
    return analyzed;
  };

  const contextsOf = (program: EffectProgram, depth: number, open: ReadonlySet<EffectProgram>): CallingContext[] => {
    const unknown = (): CallingContext[] => [{ chain: [], interpretation: interpret(program, EMPTY_STATE) }];
    const sites = callersAreVisible(program) ? (callers.get(program.name) ?? []) : [];
    if (sites.length === 0 || depth >= MAX_DEPTH || open.has(program)) return unknown();
    const inner = new Set([...open, program]);
    const contexts: CallingContext[] = [];
    const seen = new Set<string>();
    for (const { caller, node, call } of sites) {
      for (const above of analyze(caller, depth + 1, inner).contexts) {
        for (const state of above.interpretation.before[node] ?? []) {
          const entry = entryFromCall(state, call, program);
          const key = entry.held.map((held) => `${held.lock}(${held.object})`).join() + String(entry.callerUnknown);
          if (seen.has(key) || contexts.length >= MAX_CONTEXTS) continue;
          seen.add(key);
          contexts.push({
            chain: [{ name: caller.name, program: caller, at: call.at }, ...above.chain],
            interpretation: interpret(program, entry),
          });
        }
      }
    }
    return contexts.length > 0 ? contexts : unknown();
  };

  return { release, images, programs, definitions, analyze: (program) => analyze(program, 0, new Set()) };
}

/**
 * Anyone may call a function with external linkage. A static one is called from its own file only, and a function that
 * the patch adds from nowhere but the patch.
 */
function callersAreVisible(program: EffectProgram): boolean {
  if (program.openStart) return false;
  const isWholeFile = program.image.lines.every((line) => line.changed && line.line !== null);
  const isAdded = !isWholeFile && (documentPlace(program.image, program.start)?.row.changed ?? false);
  return program.isStatic || isAdded;
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
