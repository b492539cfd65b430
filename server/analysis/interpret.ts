// SPDX-License-Identifier: GPL-2.0-only
import type { EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { relevanceOf } from "./relevant.ts";
import { isLasting, liveNames, withoutDead } from "./live.ts";
import { afterAssign, afterCall } from "./transfer.ts";
import { EMPTY_STATE, type State, stateKey } from "./state.ts";
import { assume, normalize, truthOf } from "./truth.ts";

/** States reached before each node, and whether every path was followed. */
export interface Interpretation {
  readonly program: EffectProgram;
  /** States in which control reaches the node, in order of discovery. */
  readonly before: readonly (readonly State[])[];
  /** False where the budget cut paths off. */
  readonly complete: boolean;
}

/** Pairs of node and state that one function may cost; more than any function of mm/ needs. */
const MAX_STATES = 20_000;

/** From this many states on, a node tells apart only what locks, maps and walks do, and what local variables remember of it. */
const MANY_STATES = 48;

/** From this many on, even what local variables remember of the path is forgotten. */
const TOO_MANY_STATES = 144;

/** `asked`: variables whose truth is to be told apart besides those that the program tests. */
export function interpret(program: EffectProgram, entry: State = EMPTY_STATE, asked: readonly string[] = []): Interpretation {
  const relevance = relevanceOf(program, asked);
  const before: State[][] = program.nodes.map(() => []);
  const seen = program.nodes.map(() => new Set<string>());
  const work: { id: NodeId; state: State }[] = [];
  let total = 0;
  let complete = true;

  const live = liveNames(program);
  const marked = new Set([...relevance.results, ...relevance.markers]);
  const merged = (state: State, known: number): State =>
    known < MANY_STATES ? state : withoutConditions(state, known < TOO_MANY_STATES ? marked : relevance.results);
  const reach = (id: NodeId, reached: State): void => {
    const useful = withoutDead(reached, live(id));
    const state = merged(useful, before[id]?.length ?? 0);
    const key = stateKey(state);
    if (seen[id]?.has(key)) return;
    if (total >= MAX_STATES) {
      complete = false;
      return;
    }
    total++;
    seen[id]?.add(key);
    before[id]?.push(state);
    work.push({ id, state });
  };

  const step = (node: ProgramNode, id: NodeId, state: State): void => {
    switch (node.kind) {
      case "call":
        for (const next of afterCall(state, node, id, relevance)) reach(node.next, next);
        break;
      case "assign":
        reach(node.next, afterAssign(state, node, relevance));
        break;
      case "branch": {
        const known = truthOf(state, node.condition);
        const { key } = normalize(state, node.condition);
        const remembered = relevance.conditions.has(key) || isLasting(key);
        const on = (outcome: boolean): State => (remembered ? assume(state, node.condition, outcome) : state);
        if (known !== false) reach(node.then, on(true));
        if (known !== true) reach(node.otherwise, on(false));
        break;
      }
      case "choice":
        for (const out of node.outs) reach(out.next, state);
        break;
      case "unseen":
        reach(node.next, node.where === "end" ? state : afterUnseen(state));
        break;
      case "exit":
        break;
      default:
        reach(node.next, state);
    }
  };

  reach(program.entry, entry);
  // First come, first served: where the budget ends, every part of the function has been seen.
  for (let next = 0; next < work.length; next++) {
    const item = work[next];
    const node = item && program.nodes[item.id];
    if (node) step(node, item.id, item.state);
  }
  return { program, before, complete };
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
