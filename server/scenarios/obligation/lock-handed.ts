// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import { successors, type CallNode, type EffectProgram, type NodeId } from "../../program/program.ts";
import { namesIn, render, substitute } from "../../program/render.ts";
import { isUnknown } from "../doubt.ts";
import { outputsOf } from "../outputs.ts";
import { pointee } from "./obligation.ts";

/*
 * A callee of which nothing is known may lock or unlock what it is handed. Where the function goes on as if it had not
 * (`fill(d); spin_unlock(&d->lock)`), one of the ways past the call is wrong whatever the callee does: nothing is assumed.
 */

/** What a call does to the lock; `tries`, `may-release`: or not. */
export type LockEvent = "takes" | "tries" | "releases" | "may-release";

const HELD = 1;
const GIVEN_UP = 2;

/** A callee that says that it locks or unlocks, whatever it is handed. */
const SAYS_SO = /(?:^|_)(?:un|re)?lock(?:_|$)/;

/**
 * True for calls that may change who holds a lock. `locks`: what is locked, as calls are given it; `eventsOf`: what the calls
 * of the function do to it.
 */
export function mayChangeLock(program: EffectProgram, locks: readonly Value[], eventsOf: (call: CallNode) => readonly LockEvent[]): (call: CallNode) => boolean {
  const holders = new Set(locks.flatMap((lock) => holdersOf(pointee(lock))));
  const isHanded = (call: CallNode): boolean => call.args.some((arg) => holders.has(render(pointee(substitute(arg, program.aliases ?? new Map())))) || holders.has(render(pointee(arg))));
  const known = new Map<CallNode, boolean>();
  let before: readonly number[] | null = null;
  const changes = (call: CallNode): boolean => {
    before ??= statesBefore(program, eventsOf);
    const states = before[program.nodes.indexOf(call)] ?? 0;
    const next = (from: NodeId): Ahead => ahead(program, from, eventsOf);
    const { events, nodes } = next(call.next);
    if ((states & GIVEN_UP) !== 0 && !events.has("takes") && !events.has("leaves")) return true;
    return (states & HELD) !== 0 && (!events.has("releases") || answersOf(program, call, nodes).some((way) => !next(way).events.has("releases")));
  };
  return (call) => {
    if (!isUnknown(call) || call.keeps === true || (!SAYS_SO.test(call.name) && !isHanded(call))) return false;
    const answer = known.get(call) ?? changes(call);
    known.set(call, answer);
    return answer;
  };
}

/** Texts of the lock itself and of everything on the way to it: `c->dev->lock`, `c->dev`, `c`. */
function holdersOf(lock: Value): readonly string[] {
  const deeper = lock.kind === "member" || lock.kind === "index" || lock.kind === "unary" ? holdersOf(lock.of) : lock.kind === "call" ? lock.args.flatMap((arg) => holdersOf(pointee(arg))) : [];
  return lock.kind === "number" || lock.kind === "string" ? [] : [render(lock), ...deeper];
}

/** Whether the lock may be held, or given up by the function, where control comes to each node. */
function statesBefore(program: EffectProgram, eventsOf: (call: CallNode) => readonly LockEvent[]): readonly number[] {
  const before = program.nodes.map(() => -1);
  before[program.entry] = 0;
  const work = [program.entry];
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = program.nodes[id];
    if (!node) continue;
    const states = node.kind === "call" ? eventsOf(node).reduce(afterEvent, before[id] ?? 0) : (before[id] ?? 0);
    for (const next of successors(node)) {
      const known = before[next] ?? -1;
      if (known >= 0 && (known | states) === known) continue;
      before[next] = known < 0 ? states : known | states;
      work.push(next);
    }
  }
  return before.map((states) => Math.max(states, 0));
}

/** Who tried in vain has no lock either. */
function afterEvent(states: number, event: LockEvent): number {
  if (event === "takes") return HELD;
  return event === "releases" ? GIVEN_UP : states | GIVEN_UP | (event === "tries" ? HELD : 0);
}

/** What may come first from a node on, something that is done to the lock or the end of the function, and the nodes before it. */
interface Ahead {
  readonly events: ReadonlySet<"takes" | "releases" | "leaves">;
  readonly nodes: ReadonlySet<NodeId>;
}

function ahead(program: EffectProgram, from: NodeId, eventsOf: (call: CallNode) => readonly LockEvent[]): Ahead {
  const events = new Set<"takes" | "releases" | "leaves">();
  const nodes = new Set<NodeId>([from]);
  const work = [from];
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = program.nodes[id];
    const [event] = node?.kind === "call" ? eventsOf(node) : [];
    if (event) events.add(event === "takes" || event === "tries" ? "takes" : "releases");
    else if (!node || node.kind === "return" || node.kind === "exit") events.add("leaves");
    else {
      for (const next of successors(node)) {
        if (nodes.has(next)) continue;
        nodes.add(next);
        work.push(next);
      }
    }
  }
  return { events, nodes };
}

/** The ways on which the function goes by what the callee answered: what it did may be told by that. */
function answersOf(program: EffectProgram, call: CallNode, before: ReadonlySet<NodeId>): readonly NodeId[] {
  const names = new Set([...(call.result === null ? [] : [call.result]), ...outputsOf(call)]);
  for (let size = -1; size !== names.size; ) {
    size = names.size;
    for (const node of program.nodes) if (node.kind === "assign" && node.value && isAbout(node.value, names)) names.add(render(node.target));
  }
  return program.nodes.flatMap((node, id) => (!before.has(id) ? [] : (node.kind === "branch" && isAbout(node.condition, names)) || (node.kind === "choice" && node.on && isAbout(node.on, names)) ? successors(node) : []));
}

const isAbout = (value: Value, names: ReadonlySet<string>): boolean => names.has(render(value)) || namesIn(value).some((name) => names.has(name));
