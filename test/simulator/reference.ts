// SPDX-License-Identifier: GPL-2.0-only
import type { Expression } from "../../server/simulator/expression.ts";
import type { Alternative, Assignment, Model } from "../../server/simulator/model.ts";

/** A state as plain data. Arrays of bytes: one per global, one per local of each thread. */
interface PlainState {
  readonly pcs: readonly number[];
  readonly globals: readonly (readonly number[])[];
  readonly locals: readonly (readonly (readonly number[])[])[];
}

export interface Move {
  readonly thread: number;
  /** The state it leads to, or the property that it violates. */
  readonly to: PlainState | string;
}

/** The verdict of the reference, and what the packed explorer must agree with. */
export interface ReferenceResult {
  readonly verdict: "fail" | "pass" | "unknown";
  readonly states: number;
  readonly transitions: number;
  readonly property: string | null;
}

const initial = (model: Model): PlainState => ({
  pcs: model.threads.map(() => 0),
  globals: model.globals.map((field) => field.initial),
  locals: model.threads.map((thread) => thread.locals.map((field) => field.initial)),
});

const operators: Record<string, (left: number, right: number) => number> = {
  "==": (left, right) => +(left === right),
  "!=": (left, right) => +(left !== right),
  "<": (left, right) => +(left < right),
  ">": (left, right) => +(left > right),
  "<=": (left, right) => +(left <= right),
  ">=": (left, right) => +(left >= right),
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  and: (left, right) => +(Boolean(left) && Boolean(right)),
  or: (left, right) => +(Boolean(left) || Boolean(right)),
};

const cells = (model: Model, state: PlainState, thread: number, field: Model["globals"][number]): readonly number[] => {
  const global = model.globals.indexOf(field);
  return global >= 0 ? state.globals[global] : state.locals[thread][model.threads[thread].locals.indexOf(field)];
};

const value = (model: Model, state: PlainState, thread: number, of: Expression): number => {
  if (of.kind === "constant") return of.value;
  if (of.kind === "field") return cells(model, state, thread, of.field)[0];
  if (of.kind === "element") return cells(model, state, thread, of.field)[value(model, state, thread, of.index)] ?? 0;
  if (of.kind === "not") return +!value(model, state, thread, of.of);
  return operators[of.operator](value(model, state, thread, of.left), value(model, state, thread, of.right));
};

const assigned = (model: Model, state: PlainState, thread: number, { target, index, value: of }: Assignment): PlainState => {
  const at = index === null ? 0 : value(model, state, thread, index);
  const byte = ((value(model, state, thread, of) % 256) + 256) % 256;
  const old = cells(model, state, thread, target);
  if (at < 0 || at >= old.length) return state;
  const changed = old.map((cell, position) => (position === at ? byte : cell));
  const swap = (all: readonly (readonly number[])[]) => all.map((cell) => (cell === old ? changed : cell));
  const isGlobal = model.globals.includes(target);
  return {
    ...state,
    globals: isGlobal ? swapAt(state.globals, model.globals.indexOf(target), changed) : state.globals,
    locals: isGlobal ? state.locals : state.locals.map((own, owner) => (owner === thread ? swap(own) : own)),
  };
};

const swapAt = (all: readonly (readonly number[])[], at: number, changed: readonly number[]) =>
  all.map((cell, index) => (index === at ? changed : cell));

const moved = (model: Model, state: PlainState, thread: number, alternative: Alternative): PlainState => {
  const { steps, labels } = model.threads[thread];
  const effect = alternative.effect ?? [];
  const after = effect.reduce((sum, assignment) => assigned(model, sum, thread, assignment), state);
  const { to } = alternative;
  const next = to === undefined ? state.pcs[thread] + 1 : to === "END" ? steps.length : labels[to];
  return { ...after, pcs: after.pcs.map((pc, index) => (index === thread ? next : pc)) };
};

const isTrue = (model: Model, state: PlainState, thread: number, of: Expression | undefined): boolean =>
  of === undefined || value(model, state, thread, of) !== 0;

export const moves = (model: Model, state: PlainState): Move[] =>
  model.threads.flatMap(({ steps }, thread) =>
    (steps[state.pcs[thread]]?.alternatives ?? [])
      .filter(({ guard }) => isTrue(model, state, thread, guard))
      .map((alternative) => {
        const failed = (alternative.checks ?? []).find(({ holds }) => !isTrue(model, state, thread, holds));
        return { thread, to: failed?.property ?? moved(model, state, thread, alternative) };
      }),
  );

const isStuck = (model: Model, { pcs }: PlainState): boolean =>
  model.threads.some(({ role, steps }, thread) => role === "review" && pcs[thread] < steps.length);

/** Explores breadth first with objects and string keys; looks for failed checks and deadlocks. */
export const referenceExplore = (model: Model, maxStates: number): ReferenceResult => {
  const queue = [initial(model)];
  const seen = new Set(queue.map((state) => JSON.stringify(state)));
  let transitions = 0;
  const result = (verdict: ReferenceResult["verdict"], property: string | null) => ({
    verdict, states: queue.length, transitions, property,
  });
  for (const state of queue) {
    const possible = moves(model, state);
    if (possible.length === 0 && isStuck(model, state)) return result("fail", "deadlock");
    for (const { to } of possible) {
      if (typeof to === "string") return result("fail", to);
      transitions++;
      const key = JSON.stringify(to);
      if (seen.has(key)) continue;
      if (queue.length === maxStates) return result("unknown", null);
      seen.add(key);
      queue.push(to);
    }
  }
  return result("pass", null);
};

/** Whether thread 0 can get where it can never end although something still moves; by brute force. */
export const referenceLivelock = (model: Model): boolean => {
  const start = initial(model);
  const reachable = (from: PlainState): PlainState[] => {
    const found = new Map([[JSON.stringify(from), from]]);
    for (const state of found.values()) {
      for (const { to } of moves(model, state)) if (typeof to !== "string") found.set(JSON.stringify(to), to);
    }
    return [...found.values()];
  };
  const isOut = (state: PlainState): boolean =>
    state.pcs[0] >= model.threads[0].steps.length || moves(model, state).length === 0;
  return reachable(start).some((state) => !reachable(state).some(isOut));
};

interface Cost {
  readonly switches: number;
  readonly steps: number;
}

const isBetter = (left: Cost, right: Cost | null): boolean =>
  right === null || left.switches < right.switches || (left.switches === right.switches && left.steps < right.steps);

/** Fewest switches, then fewest steps, of a schedule that violates the property; by brute force. */
export const referenceFewest = (model: Model, property: string): Cost | null => {
  const open: ({ state: PlainState; last: number } & Cost)[] = [{ state: initial(model), last: -1, switches: 0, steps: 0 }];
  const done = new Set<string>();
  let best: Cost | null = null;
  while (open.length > 0) {
    const nearest = open.reduce((least, node) => (isBetter(node, least) ? node : least));
    if (best !== null && !isBetter(nearest, best)) break;
    open.splice(open.indexOf(nearest), 1);
    const key = JSON.stringify([nearest.state, nearest.last]);
    if (done.has(key)) continue;
    done.add(key);
    for (const { thread, to } of moves(model, nearest.state)) {
      const switches = nearest.switches + +(nearest.last >= 0 && nearest.last !== thread);
      const cost = { switches, steps: nearest.steps + 1 };
      if (typeof to !== "string") open.push({ state: to, last: thread, ...cost });
      else if (to === property && isBetter(cost, best)) best = cost;
    }
  }
  return best;
};
