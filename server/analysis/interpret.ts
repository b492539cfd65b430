// SPDX-License-Identifier: GPL-2.0-only
import type { EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { forgetObjects } from "./lock-names.ts";
import { relevanceOf, type Relevance } from "./relevant.ts";
import { isLasting, liveNames, withoutDead, type Live } from "./live.ts";
import { afterAssign, afterCall } from "./transfer.ts";
import { statePool, withFacts, type KnownFacts, type StatePool } from "./pool.ts";
import { EMPTY_STATE, type State } from "./state.ts";
import { assume, normalize, truthOf } from "./truth.ts";

/** States reached before each node, and whether every path was followed. */
export interface Interpretation {
  readonly program: EffectProgram;
  /** States in which control reaches the node, in order of discovery. */
  readonly before: readonly (readonly State[])[];
  /** False where the budget cut paths off, or where the function is too large to begin with. */
  readonly complete: boolean;
}

/** Pairs of node and state that one function may cost; more than any function of mm/ needs. */
const MAX_STATES = 40_000;

/** From this many states on, a node tells apart only what locks, maps and walks do, and what local variables remember of it. */
const MANY_STATES = 48;

const NONE_ASKED: readonly string[] = [];

/** From this many on, even what local variables remember of the path is forgotten. */
const TOO_MANY_STATES = 144;

/**
 * Runs a program over abstract states, path by path, merging states that nothing later can tell apart. `asked`:
 * variables whose truth is followed besides those that the program tests.
 */
export function interpret(program: EffectProgram, entry: State = EMPTY_STATE, asked: readonly string[] = NONE_ASKED): Interpretation {
  if (asked.length > 0 || entry !== EMPTY_STATE) return runFrom(program, entry, asked.length === 0 ? prepared(program) : preparedFor(program, asked));
  const own = prepared(program);
  return (own.unentered ??= runFrom(program, entry, own));
}

function runFrom(program: EffectProgram, entry: State, { relevance, live, pool, steps }: Prepared): Interpretation {
  if (live === null) return { program, before: program.nodes.map(() => []), complete: false };
  const marked = new Set([...relevance.results, ...relevance.markers]);
  const before: State[][] = program.nodes.map(() => []);
  const seen = program.nodes.map(() => new Set<number>());
  const work: { readonly id: NodeId; readonly state: State; readonly facts: number; readonly held: number }[] = [];
  let total = 0;
  let complete = true;

  /** `useful`: what is held there, `known`: what is known there. */
  const arrive = (id: NodeId, useful: State, known: KnownFacts, heldNumber: number): void => {
    const reached = before[id];
    if (!reached) return;
    let facts = known;
    let held = heldNumber;
    let vague: State | null = null;
    if (reached.length >= MANY_STATES) {
      vague = withoutConditions({ ...useful, ...known.facts }, reached.length < TOO_MANY_STATES ? marked : relevance.results);
      facts = pool.factsOf(vague);
      held = pool.heldOf(vague);
    }
    const key = facts.kind * MOST_NUMBERS + held;
    if (seen[id]?.has(key)) return;
    if (total >= MAX_STATES) {
      complete = false;
      return;
    }
    total++;
    seen[id]?.add(key);
    const state = withFacts(vague ?? useful, facts.facts);
    reached.push(state);
    work.push({ id, state, facts: facts.number, held });
  };

  const reach = (id: NodeId, state: State): void => arrive(id, state, pool.factsOf(withoutDead(state, live(id))), pool.heldOf(state));

  const stepsOf = (node: ProgramNode, id: NodeId, state: State, facts: number): readonly Step[] => {
    const known = steps[id]?.get(facts);
    if (known) return known;
    const made = after(node, id, state, relevance).map(([next, one]): Step => ({ next, known: pool.factsOf(withoutDead(one, live(next))) }));
    steps[id]?.set(facts, made);
    return made;
  };

  reach(program.entry, entry);
  // First come, first served: where the budget ends, every part of the function has been seen.
  for (let next = 0; next < work.length; next++) {
    const item = work[next];
    const node = item && program.nodes[item.id];
    if (!node) continue;
    const { id, state, facts, held } = item;
    if (changesFactsOnly(node)) {
      const useful = withObjects(node, state);
      const number = useful === state ? held : pool.heldOf(useful);
      for (const one of stepsOf(node, id, state, facts)) arrive(one.next, useful, one.known, number);
    } else for (const [to, one] of after(node, id, state, relevance)) reach(to, one);
  }
  return { program, before, complete };
}

/** Held parts have lower numbers than this. */
const MOST_NUMBERS = 2 ** 24;

interface Step {
  readonly next: NodeId;
  readonly known: KnownFacts;
}

/** What is found out about a program once, whatever states it is entered in. */
interface Prepared {
  readonly relevance: Relevance;
  /** Null where the program is too large to be run. */
  readonly live: Live | null;
  readonly pool: StatePool;
  /** By node and number of facts: where control goes from there and what is known then, where only facts decide. */
  readonly steps: readonly Map<number, readonly Step[]>[];
  /** The run of which nothing is known at the entry: its summary and its contexts ask for the same. */
  unentered: Interpretation | null;
}

/** Programs for which that is kept: a function and its callers are run in turns. */
const MOST_PREPARED = 24;

const preparations = new Map<EffectProgram, Prepared>();

/** Drops that. */
export const forgetPrepared = (): void => preparations.clear();

const preparedFor = (program: EffectProgram, asked: readonly string[]): Prepared => ({
  relevance: relevanceOf(program, asked), live: liveNames(program), pool: statePool(), steps: program.nodes.map(() => new Map<number, readonly Step[]>()), unentered: null,
});

function prepared(program: EffectProgram): Prepared {
  const made = preparations.get(program) ?? preparedFor(program, NONE_ASKED);
  // Those that were asked for longest ago go first.
  preparations.delete(program);
  preparations.set(program, made);
  const [oldest] = preparations.keys();
  if (oldest && preparations.size > MOST_PREPARED) preparations.delete(oldest);
  return made;
}

/** The names of what is held, after the node gave a variable or place another value. */
function withObjects(node: ProgramNode, state: State): State {
  if (state.held.length === 0) return state;
  if (node.kind === "call") return node.result === null ? state : forgetObjects(state, node.result);
  if (node.kind !== "assign" || (node.value !== null && render(node.value) === render(node.target))) return state;
  return forgetObjects(state, render(node.target));
}

/** True where a node neither reads nor changes what is held, but for its names. */
const changesFactsOnly = (node: ProgramNode): boolean => node.kind !== "unseen" && (node.kind !== "call" || node.effects.length === 0);

/** Where control goes from a node, and the states there. */
function after(node: ProgramNode, id: NodeId, state: State, relevance: Relevance): readonly (readonly [next: NodeId, state: State])[] {
  switch (node.kind) {
    case "call":
      return afterCall(state, node, id, relevance).map((next) => [node.next, next] as const);
    case "assign":
      return [[node.next, afterAssign(state, node, relevance)]];
    case "branch": {
      const known = truthOf(state, node.condition);
      const { key } = normalize(state, node.condition);
      const remembered = relevance.conditions.has(key) || isLasting(key);
      const on = (outcome: boolean): State => (remembered ? assume(state, node.condition, outcome) : state);
      return [...(known !== false ? [[node.then, on(true)] as const] : []), ...(known !== true ? [[node.otherwise, on(false)] as const] : [])];
    }
    case "choice":
      return node.outs.map((out) => [out.next, state] as const);
    case "unseen":
      return [[node.next, node.where === "end" ? state : afterUnseen(state)]];
    case "exit":
    case "stop":
      return [];
    default:
      return [[node.next, state]];
  }
}

/** The state with nothing known about conditions but `kept`: stands for more paths than there are, never for fewer. */
const withoutConditions = (state: State, kept: ReadonlySet<string>): State => ({
  ...state,
  // Once more of the same makes no difference to anyone, but every number and order of them is a state of its own.
  held: distinct(state.held, (one) => `${one.lock}(${one.object})${one.mode}`),
  atomic: distinct(state.atomic, (one) => `${one.reason}(${one.of})`),
  truths: new Map([...state.truths].filter(([key]) => isLasting(key) || kept.has(key))),
  definitions: new Map(),
  doubtful: new Set(),
});

function distinct<T>(list: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const found = new Map(list.toReversed().map((item) => [keyOf(item), item]));
  return found.size === list.length ? list : list.filter((item) => found.get(keyOf(item)) === item);
}

const NOTHING: ReadonlySet<string> = new Set();

/** Code that is not visible may take locks and change every variable. */
const afterUnseen = (state: State): State => ({
  ...withoutConditions(state, NOTHING),
  bits: new Map(),
  callerUnknown: true,
  // A lock taken above says nothing about what may be taken inside it there; a pointer may be looked up again.
  held: state.held.map((held) => ({ ...held, taken: false })),
  walks: new Map([...state.walks].map(([name, walk]) => [name, { ...walk, hasGap: true }] as const)),
});
