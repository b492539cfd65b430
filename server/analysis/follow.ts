// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { entryFromCall } from "./entry.ts";
import { interpret, type Interpretation } from "./interpret.ts";
import { EMPTY_STATE, type State, stateKey } from "./state.ts";
import type { CallingContext } from "./unit.ts";

/** A place that calls a function. */
export interface CallSite {
  readonly caller: EffectProgram;
  readonly node: NodeId;
  readonly call: CallNode;
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
/** Ways that are followed from one level to the next. */
const MAX_WAYS = 96;

/** An assertion is not believed where the callers can be asked. */
const UNKNOWN_ENTRY: State = { ...EMPTY_STATE, distrusts: true };

export interface Follower {
  /** Goes up from a function, caller by caller, only where `isOpen` says that the answer hangs on callers further up. */
  follow(program: EffectProgram, isOpen: (context: CallingContext) => boolean): Followed;
}

/** Calling contexts over a whole tree, on demand: ways that are decided are not followed further. */
export function follower(callersOf: (program: EffectProgram) => Callers): Follower {
  const runs = new Map<EffectProgram, Map<string, Interpretation>>();
  const run = (program: EffectProgram, entry: State): Interpretation => {
    const known = runs.get(program) ?? new Map<string, Interpretation>();
    runs.set(program, known);
    const key = stateKey(entry);
    const result = known.get(key) ?? interpret(program, entry);
    known.set(key, result);
    return result;
  };

  const follow: Follower["follow"] = (program, isOpen) => {
    const decided: CallingContext[] = [];
    const contextsOf = (sites: readonly CallSite[], entries: readonly State[]): CallingContext[] => {
      const chain = sites.map((site) => ({ name: site.caller.name, program: site.caller, at: site.call.at })).toReversed();
      let current: readonly State[] = entries;
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
    let ways: (readonly CallSite[])[] = [[]];
    const first: CallingContext = { chain: [], interpretation: run(program, UNKNOWN_ENTRY) };
    if (!isOpen(first)) return { decided: [first], hasOpen: false };
    for (let level = 0; level < MAX_CALLERS && ways.length > 0; level++) {
      const further: (readonly CallSite[])[] = [];
      for (const way of ways) {
        const outermost = way[0]?.caller ?? program;
        const callers = callersOf(outermost);
        if (callers.isRoot) {
          decided.push(...contextsOf(way, [{ ...UNKNOWN_ENTRY, callerUnknown: false }]));
          continue;
        }
        if (!callers.complete) hasOpen = true;
        for (const site of callers.sites) {
          // Recursion holds nothing that the first turn does not.
          if (site.caller === program || way.some((one) => one.caller === site.caller)) continue;
          const sites = [site, ...way];
          const contexts = contextsOf(sites, [UNKNOWN_ENTRY]);
          const open = contexts.filter(isOpen);
          decided.push(...contexts.filter((context) => !open.includes(context)));
          if (open.length === 0) continue;
          if (further.length < MAX_WAYS) further.push(sites);
          else hasOpen = true;
        }
      }
      ways = further;
    }
    return { decided, hasOpen: hasOpen || ways.length > 0 };
  };
  return { follow };
}
