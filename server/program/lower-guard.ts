// SPDX-License-Identifier: GPL-2.0-only
import type { Cleanup, Statement, Value } from "./code.ts";
import type { CleanupClasses, CleanupCode } from "./cleanup-classes.ts";
import { both, not } from "./condition.ts";
import type { NodeId } from "./program.ts";
import { render } from "./render.ts";
import { lowerWhen, type ValueContext } from "./lower-value.ts";

/** Something that happens on every way out of the statements that follow it: a lock is given up, a variable is freed. */
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

/** A statement that begins a scope: what is done in its place, and what at the end of the block. */
export interface Opening {
  readonly enter: Statement;
  readonly leaves: readonly { readonly leave: Statement | null; readonly why: string }[];
}

/** What a statement opens, or null. Not what a block inside of it opens. */
export function openingOf(classes: CleanupClasses, statement: Statement): Opening | null {
  if (statement.kind === "declare" && statement.cleanups) return openedBy(classes, statement, statement.cleanups);
  if (statement.kind !== "expression" || statement.value.kind !== "call") return null;
  const { name, args, at, end } = statement.value;
  const named = /^guard\((\w+)\)$/.exec(name)?.[1];
  if (named === undefined) return null;
  const { enter, held, leave } = classes.guard(named, args, at, end);
  // guard() of a class that may fail: whoever writes it takes it to be held.
  return { enter: held ? { kind: "expression", value: held } : enter, leaves: [{ leave, why: "the guard ends" }] };
}

function openedBy(classes: CleanupClasses, declaration: Statement & { kind: "declare" }, cleanups: readonly Cleanup[]): Opening {
  const codes = new Map(cleanups.map((one) => [one.variable, codeOf(one)]));
  function codeOf({ variable, by, class: named, at, end }: Cleanup) {
    const initial = declaration.initializers.find((item) => item.kind === "assign" && item.target.kind === "name" && item.target.name === variable);
    const args = initial?.kind === "assign" && initial.value.kind === "call" ? initial.value.args : [];
    if (by === "call") return { initial: null, leave: callWithAddress(named, variable, at, end) };
    return classes.variable(named, { kind: "name", name: variable, at }, by === "class" ? args : null, end);
  }
  const initializers = declaration.initializers.map((item): Value => {
    const initial = item.kind === "assign" && item.target.kind === "name" ? codes.get(item.target.name)?.initial : null;
    return item.kind === "assign" && initial ? { ...item, value: initial } : item;
  });
  return {
    enter: { kind: "declare", variables: declaration.variables, initializers },
    leaves: [...codes].map(([variable, { leave }]) => ({ leave, why: `${variable} goes out of scope` })),
  };
}

/** `__cleanup(fn)`. */
function callWithAddress(name: string, variable: string, at: number, end: number): Statement {
  const address: Value = { kind: "unary", operator: "&", of: { kind: "name", name: variable, at }, at };
  return { kind: "expression", value: { kind: "call", name, args: [address], at, end } };
}

/** The guard of a `scoped_guard()` or `scoped_cond_guard()`, whose body runs at most once; null for a real loop. */
export function scopedGuard(classes: CleanupClasses, statement: Statement & { kind: "iterate" }): CleanupCode | null {
  const [named, ...args] = statement.args;
  if (!/^scoped_(?:cond_)?guard$/.test(statement.macro) || named?.kind !== "name") return null;
  const { at, macro } = statement;
  const code = classes.guard(named.name, args, at, at + macro.length);
  if (macro === "scoped_guard" || code.held || code.enter.kind !== "expression") return code;
  // Of a class that is not known, how its lock says that it is held is not known either.
  return { ...code, enter: { kind: "list", items: [] }, held: code.enter.value };
}

/** What the openings in the branches of a conditional leave open behind it, each in its configuration. */
export function openedWithin(classes: CleanupClasses, statement: Statement, when: Value | null = null): readonly (Opening & { readonly when: Value })[] {
  if (statement.kind !== "configured") return [];
  const within = (branch: Statement, condition: Value): readonly (Opening & { readonly when: Value })[] => {
    const under = both(when, condition) ?? condition;
    return (branch.kind === "list" ? branch.items : [branch]).flatMap((item) => {
      const opening = openingOf(classes, item);
      return opening ? [{ ...opening, when: under }] : openedWithin(classes, item, under);
    });
  };
  return [...within(statement.on, statement.condition), ...within(statement.off, not(statement.condition))];
}

/** `when`: the configuration that the scope was opened in. */
export function scopeOf(context: ValueContext, leave: Statement | null, why: string, body: Statement, when?: Value): Scope {
  return {
    labels: labelsIn(body),
    release: (next) => (leave ? lowerWhen(context, when, lowerLeaving(context, leave, why, next), next) : next),
  };
}

function lowerLeaving({ graph, lowerStatement }: ValueContext, leave: Statement, why: string, next: NodeId): NodeId {
  const first = graph.nodes.length;
  const entry = lowerStatement(leave, next);
  for (let id = first; id < graph.nodes.length; id++) {
    const node = graph.nodes[id];
    // The text has nothing there: say what it is.
    if (node?.kind === "call") graph.nodes[id] = { ...node, shown: `${node.name}(${node.args.map(render).join(", ")}): ${why}` };
  }
  return entry;
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
