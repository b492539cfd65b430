// SPDX-License-Identifier: GPL-2.0-only
import { guardClass } from "../kernel/guards.ts";
import type { Statement, Value } from "./code.ts";
import type { NodeId } from "./program.ts";
import { render } from "./render.ts";
import type { ValueContext } from "./lower-value.ts";

/** A lock that is given up on every way out of the statements that follow it. */
export interface Scope {
  /** Labels inside of it: a goto to another one leaves it. */
  readonly labels: ReadonlySet<string>;
  /** Puts what happens at its end in front of a node. */
  readonly release: (next: NodeId) => NodeId;
}

/** Where `break` and `continue` lead (null where that loop is not visible), and the scopes around, the innermost first. */
export interface Loop {
  readonly breakTo: NodeId | null;
  readonly continueTo: NodeId | null;
  readonly scopes: readonly Scope[];
}

/** `guard(class)(object)` or the head of `scoped_guard(class, object)`. */
export interface Guard {
  /** What takes the lock, with the place of the guard. */
  readonly lock: Value & { kind: "call" };
  /** null where the class is not known. */
  readonly unlock: (Value & { kind: "call" }) | null;
}

/** The guard that a statement declares, or null. */
export function declaredGuard(statement: Statement): Guard | null {
  if (statement.kind !== "expression" || statement.value.kind !== "call") return null;
  const { name, args, at, end } = statement.value;
  const named = /^guard\((\w+)\)$/.exec(name)?.[1];
  return named === undefined ? null : guardOf(named, args, at, end);
}

/** The guard of a `scoped_guard()`, whose body runs once; null for a real loop. */
export function scopedGuard(statement: Statement & { kind: "iterate" }): Guard | null {
  const [named, ...args] = statement.args;
  if (statement.macro !== "scoped_guard" || named?.kind !== "name") return null;
  return guardOf(named.name, args, statement.at, statement.at + statement.macro.length);
}

function guardOf(named: string, args: readonly Value[], at: number, end: number): Guard {
  const known = guardClass(named);
  const call = (name: string): Value & { kind: "call" } => ({ kind: "call", name, args, at, end });
  return { lock: call(known?.lock ?? `guard(${named})`), unlock: known && call(known.unlock) };
}

export function scopeOf(context: ValueContext, guard: Guard, body: Statement): Scope {
  const { unlock } = guard;
  return {
    labels: labelsIn(body),
    release: (next) => {
      if (!unlock) return next;
      const { effects, knowledge } = context.callee(unlock.name, unlock.args, unlock.at) ?? { effects: [], knowledge: "quiet" as const };
      const { name, args, at, end } = unlock;
      return context.graph.add({ kind: "call", name, args, result: null, effects, knowledge, shown: `${render(unlock)}: the guard ends`, at, end, next });
    },
  };
}

/** The same loop seen from inside a scope. What nothing jumps to is not built. */
export function inside(loop: Loop, scope: Scope): Loop {
  const once = (target: () => NodeId | null): (() => NodeId | null) => {
    let made: NodeId | null = null;
    return () => {
      const to = target();
      return to === null ? null : (made ??= scope.release(to));
    };
  };
  const breakTo = once(() => loop.breakTo);
  const continueTo = once(() => loop.continueTo);
  return {
    get breakTo() {
      return breakTo();
    },
    get continueTo() {
      return continueTo();
    },
    scopes: [scope, ...loop.scopes],
  };
}

/** Ends the scopes that a jump leaves, from the inside out, before it gets to the node. */
export const leaving = (scopes: readonly Scope[], to: NodeId): NodeId => scopes.reduceRight((next, scope) => scope.release(next), to);

function labelsIn(statement: Statement, found = new Set<string>()): Set<string> {
  switch (statement.kind) {
    case "list":
      for (const item of statement.items) labelsIn(item, found);
      break;
    case "label":
      found.add(statement.name);
      labelsIn(statement.body, found);
      break;
    case "if":
      labelsIn(statement.then, found);
      if (statement.otherwise) labelsIn(statement.otherwise, found);
      break;
    case "while":
    case "do":
    case "for":
    case "iterate":
      labelsIn(statement.body, found);
      break;
    case "switch":
      for (const one of statement.cases) labelsIn(one.body, found);
      break;
    case "configured":
      labelsIn(statement.on, found);
      labelsIn(statement.off, found);
      break;
    default:
      break;
  }
  return found;
}
