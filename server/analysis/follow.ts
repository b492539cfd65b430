// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { entryFromCall } from "./entry.ts";
import { forgetPrepared, interpret, type Interpretation } from "./interpret.ts";
import { shapeOf } from "./shape.ts";
import { EMPTY_STATE, type State, stateKey } from "./state.ts";
import type { CallingContext } from "./unit.ts";

/** A place that calls a function. */
export interface CallSite {
  readonly caller: EffectProgram;
  readonly node: NodeId;
  readonly call: CallNode;
  /** Field of a table of functions through which the call goes, or null. */
  readonly pointer: string | null;
  /** Functions that the caller itself puts into such fields. */
  readonly gives: readonly { readonly field: string | null; readonly name: string }[];
}

/** Who calls a function; not `complete` where others do, too, that are not visible. */
export interface Callers {
  readonly sites: readonly CallSite[];
  readonly complete: boolean;
  /** True where the function is entered from user space: nothing is held. */
  readonly isRoot: boolean;
}

/** The ways in which a function is entered that were followed far enough, and those that were not. */
export interface Followed {
  readonly decided: readonly CallingContext[];
  /** True where some way could not be followed to a decision: out of sight, too far away, or too many. */
  readonly hasOpen: boolean;
}

/** Callers further away are not asked. */
const MAX_CALLERS = 8;
/** States that are kept: those of programs that were run longest ago go first. */
const MAX_KEPT_STATES = 400_000;
/** Ways that are followed from one level to the next. */
const MAX_WAYS = 96;

/** An assertion is not believed where the callers can be asked. */
const UNKNOWN_ENTRY: State = { ...EMPTY_STATE, distrusts: true };

/** What one way to enter a function means: it hangs on callers further up, it is all right, or it breaks a rule. */
export type Verdict = "open" | "safe" | "broken";

export interface Follower {
  /** Goes up from a function, caller by caller, where the answer hangs on callers further up, until one way is broken. */
  follow(program: EffectProgram, verdictOf: (context: CallingContext) => Verdict): Followed;
  /** Drops the states of callers that are kept to be used again. */
  forget(): void;
}

/** What programs do, by shape and way to enter them, so that it outlives edits; the largest part of what a scan holds. */
export interface Runs {
  readonly byShape: Map<string, { readonly byEntry: Map<string, Interpretation>; states: number }>;
  states: number;
  /** So many states are kept at most, those used last. */
  readonly maxStates: number;
  /** Called after each run that was not known. */
  readonly onRun: () => void;
}

export const newRuns = ({ maxStates = MAX_KEPT_STATES, onRun = (): void => undefined } = {}): Runs => ({ byShape: new Map(), states: 0, maxStates, onRun });

/** Calling contexts over a whole tree, on demand: ways that are decided are not followed further. `kept` may be shared. */
export function follower(callersOf: (program: EffectProgram) => Callers, kept: Runs = newRuns()): Follower {
  const runs = kept.byShape;
  let ways = knownWays();
  const run = (program: EffectProgram, entry: State): Interpretation => {
    const shape = shapeOf(program);
    const known = runs.get(shape) ?? { byEntry: new Map<string, Interpretation>(), states: 0 };
    runs.delete(shape);
    runs.set(shape, known);
    const key = stateKey(entry);
    const before = known.byEntry.get(key);
    if (before) return before;
    const result = interpret(program, entry);
    known.byEntry.set(key, result);
    kept.onRun();
    const size = result.before.reduce((sum, list) => sum + list.length, 0);
    known.states += size;
    kept.states += size;
    for (const [oldest, { states: freed }] of runs) {
      if (kept.states <= kept.maxStates || oldest === shape) break;
      runs.delete(oldest);
      kept.states -= freed;
    }
    return result;
  };

  const follow: Follower["follow"] = (program, verdictOf) => {
    const decided: CallingContext[] = [];
    const contextsOf = (sites: readonly CallSite[], entry: State): readonly CallingContext[] => {
      const known = ways.of(program);
      const key = `${entry.callerUnknown} ${sites.map((site) => `${ways.numberOf(site.caller)}:${site.node}`).join(" ")}`;
      const contexts = known.get(key) ?? contextsThrough(sites, entry);
      known.set(key, contexts);
      return contexts;
    };
    const contextsThrough = (sites: readonly CallSite[], first: State): readonly CallingContext[] => {
      const chain = sites.map((site) => ({ name: site.caller.name, program: site.caller, at: site.call.at })).toReversed();
      let current: readonly State[] = [first];
      sites.forEach((site, index) => {
        const callee = sites[index + 1]?.caller ?? program;
        const next = new Map<string, State>();
        for (const entry of current)
          for (const state of run(site.caller, entry).before[site.node] ?? []) {
            const made = entryFromCall(state, site.call, site.caller, callee);
            next.set(stateKey(made), made);
          }
        current = [...next.values()];
      });
      return current.map((entry) => ({ chain, interpretation: run(program, entry) }));
    };

    let hasOpen = false;
    const found = { broken: false };
    /** Sorts a context; true where it hangs on callers further up. */
    const isOpen = (context: CallingContext): boolean => {
      const verdict = verdictOf(context);
      if (verdict === "open") return true;
      found.broken ||= verdict === "broken";
      decided.push(context);
      return false;
    };
    let open: (readonly CallSite[])[] = [[]];
    const first: CallingContext = { chain: [], interpretation: run(program, UNKNOWN_ENTRY) };
    if (!isOpen(first)) return { decided, hasOpen: false };
    for (let level = 0; level < MAX_CALLERS && open.length > 0 && !found.broken; level++) {
      const further: (readonly CallSite[])[] = [];
      for (const way of open) {
        const outermost = way[0]?.caller ?? program;
        const callers = callersOf(outermost);
        if (callers.isRoot) {
          for (const context of contextsOf(way, { ...UNKNOWN_ENTRY, callerUnknown: false })) if (isOpen(context)) hasOpen = true;
          continue;
        }
        if (!callers.complete || callers.sites.length === 0) hasOpen = true;
        for (const site of callers.sites) {
          // Recursion holds nothing that the first turn does not.
          if (site.caller === program || way.some((one) => one.caller === site.caller)) continue;
          const sites = [site, ...way];
          if (givesAnother(sites, program)) continue;
          if (contextsOf(sites, UNKNOWN_ENTRY).filter(isOpen).length === 0) continue;
          if (further.length < MAX_WAYS) further.push(sites);
          else hasOpen = true;
        }
      }
      open = further;
    }
    return { decided, hasOpen: hasOpen || open.length > 0 };
  };
  return {
    follow,
    forget() {
      runs.clear();
      kept.states = 0;
      ways = knownWays();
      forgetPrepared();
    },
  };
}

/** Ways into one function that are kept: those of callers that were edited since are of no use any more. */
const MOST_WAYS = 128;

/** What came of each way into a function: rules ask about every call of it, and there are many. */
function knownWays() {
  const numbers = new WeakMap<EffectProgram, number>();
  const byProgram = new WeakMap<EffectProgram, Map<string, readonly CallingContext[]>>();
  let programs = 0;
  return {
    numberOf(program: EffectProgram): number {
      const number = numbers.get(program) ?? programs++;
      numbers.set(program, number);
      return number;
    },
    of(program: EffectProgram): Map<string, readonly CallingContext[]> {
      const known = byProgram.get(program);
      const ways = known && known.size < MOST_WAYS ? known : new Map<string, readonly CallingContext[]>();
      byProgram.set(program, ways);
      return ways;
    },
  };
}

/**
 * True where a call through a table leads to a function of the way, although a caller further up fills that very field
 * with another one: `rwc.rmap_one = a; walk(&rwc)` does not call b.
 */
function givesAnother(sites: readonly CallSite[], program: EffectProgram): boolean {
  return sites.some((site, index) => {
    if (site.pointer === null) return false;
    const callee = sites[index + 1]?.caller ?? program;
    // The nearest caller that fills the field decides.
    for (const above of sites.slice(0, index + 1).toReversed()) {
      const given = above.gives.filter((one) => one.field === site.pointer);
      if (given.length > 0) return !given.some((one) => one.name === callee.name);
    }
    return false;
  });
}
