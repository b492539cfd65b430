// SPDX-License-Identifier: GPL-2.0-only
import { TAKES_POINTER } from "../kernel/guards.ts";
import { acts, reaches } from "./acts.ts";
import type { FunctionCode, Statement, Value } from "./code.ts";
import type { GraphBuilder } from "./builder.ts";
import { isEntryTest, withoutNots } from "./entry-test.ts";
import { extent } from "./extent.ts";
import { DEREFERENCE, type BoundEffect, type Knowledge, type NodeId } from "./program.ts";
import { comparedTruth, isDecision, TRANSPARENT, type Truths } from "./decision.ts";
import type { FlagMacros } from "./flag-macros.ts";
import { isLarge, opened, returnedValue } from "./helper-body.ts";
import { RANGE } from "./read-cases.ts";
import { namesIn, relocate, render, substitute } from "./render.ts";

/** What the lowering of expressions needs from its surroundings. */
export interface ValueContext extends Truths {
  readonly graph: GraphBuilder;
  /** What is known of a call: null means that it is a plain value without effects. */
  readonly callee: (name: string, args: readonly Value[], at: number) => { effects: readonly BoundEffect[]; knowledge: Knowledge } | null;
  /** `static inline` helpers of the same input that are a single `return <expression>;`. */
  readonly helper: (call: Value & { kind: "call" }) => FunctionCode | null;
  /** Macros of the input that are calls, read as helpers. */
  readonly callMacro: (call: Value & { kind: "call" }) => FunctionCode | null;
  /** Macros of the input that are statements. */
  readonly macroStatement: (call: Value & { kind: "call" }) => { readonly body: Statement; readonly hasValue: boolean } | null;
  /** Lowers what a macro of the input without parameters stands for (`UNLOCK;`); null where the name is none, or not understood. */
  readonly bareMacro: (name: Value & { kind: "name" }, lower: (body: Statement) => NodeId) => NodeId | null;
  /** Macros of the input that stand for flags of GUP. */
  readonly flagMacro: FlagMacros;
  readonly lowerStatement: (statement: Statement, next: NodeId) => NodeId;
  /** How many more helpers may be opened in this function: hostile text has helpers that multiply. */
  readonly budget: { helpers: number };
  /** True where reading through the pointer reads a page table entry. */
  readonly isEntryPointer: (pointer: Value) => boolean;
  /** True for a variable that is known to be no pointer. */
  readonly isNumber: (value: Value) => boolean;
}

/** Something that happens before a value is there: builds its nodes in front of `next`. */
type Step = (next: NodeId) => NodeId;

const name = (text: string, at: number): Value => ({ kind: "name", name: text, at });
const before = (steps: readonly Step[], next: NodeId): NodeId => steps.reduceRight((entry, step) => step(entry), next);

/** Lowers an expression for what it does; its value is dropped. */
export function lowerEffects(context: ValueContext, value: Value, next: NodeId): NodeId {
  if (value.kind === "comma") return lowerEffects(context, value.left, lowerEffects(context, value.right, next));
  if (value.kind === "name") return context.bareMacro(value, (body) => context.lowerStatement(body, next)) ?? next;
  if (value.kind === "conditional")
    return lowerCondition(
      context,
      value.condition,
      value.then ? lowerEffects(context, value.then, next) : next,
      lowerEffects(context, value.otherwise, next),
    );
  // A warning whose value nobody asks for is a statement of its own.
  if (value.kind === "call" && (!TRANSPARENT.has(value.name) || hasEffects(context, value)) && !TAKES_POINTER.has(value.name)) {
    const expanded = context.callMacro(value) && inlineHelper(context, value);
    if (expanded) return lowerEffects(context, expanded, next);
    const macro = context.macroStatement(value);
    if (macro) return context.lowerStatement(macro.body, next);
    const known = context.callee(value.name, value.args, value.at);
    if (known) {
      const steps: Step[] = [];
      if (value.through) hoist(context, value.through, steps);
      const args = value.args.map((arg) => hoist(context, arg, steps));
      return before(steps, call(context, { ...value, args }, null, next));
    }
  }
  const steps: Step[] = [];
  hoist(context, value, steps);
  return before(steps, next);
}

const hasEffects = (context: ValueContext, call: Value & { kind: "call" }): boolean => (context.callee(call.name, call.args, call.at)?.effects.length ?? 0) > 0;

/** Where a node says that it stands, where its value does not tell. */
interface Span {
  readonly at: number;
  readonly end: number;
  /** What to show in the place of the source text. */
  readonly shown?: string;
}

/** True for a helper of another text. */
const isForeign = (context: ValueContext, value: Value & { kind: "call" }): boolean => helperOf(context, value)?.isForeign === true;

const helperOf = (context: ValueContext, value: Value & { kind: "call" }): FunctionCode | null => context.helper(value) ?? context.callMacro(value);

/** Lowers a condition to branches: `&&`, `||`, `!`, `?:`, the comma and inlined helpers are control flow. */
export function lowerCondition(context: ValueContext, value: Value, then: NodeId, otherwise: NodeId, negated = false, span?: Span): NodeId {
  switch (value.kind) {
    case "number":
      return value.value !== 0 ? then : otherwise;
    case "unary":
      if (value.operator === "!") return lowerCondition(context, value.of, otherwise, then, !negated, span);
      break;
    case "binary": {
      if (value.operator === "&&")
        return lowerCondition(context, value.left, lowerCondition(context, value.right, then, otherwise, negated, span), otherwise, negated, span);
      if (value.operator === "||")
        return lowerCondition(context, value.left, then, lowerCondition(context, value.right, then, otherwise, negated, span), negated, span);
      const same = comparedTruth(context, value);
      if (!same) break;
      return same.inverts ? lowerCondition(context, same.of, otherwise, then, !negated, span) : lowerCondition(context, same.of, then, otherwise, negated, span);
    }
    case "comma":
      return lowerEffects(context, value.left, lowerCondition(context, value.right, then, otherwise, negated, span));
    case "conditional":
      if (value.then)
        return lowerCondition(
          context,
          value.condition,
          lowerCondition(context, value.then, then, otherwise, negated, span),
          lowerCondition(context, value.otherwise, then, otherwise, negated, span),
          negated,
          span,
        );
      return lowerCondition(context, value.condition, then, lowerCondition(context, value.otherwise, then, otherwise, negated, span), negated, span);
    case "call": {
      const inner = value.args[0];
      if (TRANSPARENT.has(value.name) && inner) return asserted(context, value, inner, then, otherwise, negated, span) ?? lowerCondition(context, inner, then, otherwise, negated, span);
      const macro = macroValue(context, value);
      if (macro) return lowerCondition(context, macro, then, otherwise, negated, span);
      const inlined = inlineHelper(context, value);
      if (inlined) return lowerCondition(context, inlined, then, otherwise, negated, span ?? (isForeign(context, value) ? { at: value.at, end: value.end } : undefined));
      break;
    }
    default:
      break;
  }
  const steps: Step[] = [];
  const condition = hoist(context, value, steps);
  const place = span ?? extent(value);
  return before(steps, context.graph.add({ kind: "branch", condition, negated, ...place, then, otherwise }));
}

/**
 * `if (WARN_ON_ONCE(pmd_none(*pmd)))` asserts, and asks: a call that asserts in front of the branch, for the same value. Other
 * warnings in conditions are what they ask; null for those.
 */
function asserted(context: ValueContext, warning: Value & { kind: "call" }, asked: Value, then: NodeId, otherwise: NodeId, negated: boolean, span?: Span): NodeId | null {
  if (!isEntryTest(asked) || !hasEffects(context, warning)) return null;
  const { of, inverts } = withoutNots(asked);
  const steps: Step[] = [];
  const condition = hoist(context, of, steps);
  const ways = inverts ? { then: otherwise, otherwise: then } : { then, otherwise };
  const branch = context.graph.add({ kind: "branch", condition, negated: negated !== inverts, ...(span ?? extent(of)), ...ways });
  const claim: Value = inverts ? { kind: "unary", operator: "!", of: condition, at: asked.at } : condition;
  return before(steps, call(context, { ...warning, args: [claim] }, null, branch));
}

/** A case of a switch whose label a value can be compared with. */
interface MatchedCase {
  readonly label: Value;
  readonly entry: NodeId;
  /** The configurations that it exists in; missing: all. */
  readonly when?: Value | undefined;
}

/** Goes on with what exists in some configurations only, or past it. */
export function lowerWhen(context: ValueContext, when: Value | undefined, there: NodeId, past: NodeId): NodeId {
  return when ? lowerCondition(context, when, there, past, false, { ...extent(when), shown: `#if ${render(when)}` }) : there;
}

/** Compares a value with the labels of a switch, one after the other. */
export function lowerMatched(context: ValueContext, value: Value, cases: readonly MatchedCase[], otherwise: NodeId): NodeId {
  const steps: Step[] = [];
  const on = hoist(context, value, steps);
  const first = cases.reduceRight(
    (next, { label, entry, when }) => {
      const shown = `switch (${render(on)}): case ${render(label)}`;
      const compared = lowerCondition(context, matches(on, label), entry, next, false, { ...extent(label), shown });
      return lowerWhen(context, when, compared, next);
    },
    otherwise,
  );
  return before(steps, first);
}

function matches(on: Value, label: Value): Value {
  const compared = (operator: string, right: Value): Value => ({ kind: "binary", operator, left: on, right, at: label.at });
  if (label.kind !== "binary" || label.operator !== RANGE) return compared("==", label);
  return { kind: "binary", operator: "&&", left: compared(">=", label.left), right: compared("<=", label.right), at: label.at };
}

/** Lowers `target = value` so that the value lands in the target. */
export function lowerAssign(context: ValueContext, assign: Value & { kind: "assign" }, next: NodeId): NodeId {
  const steps: Step[] = [];
  hoist(context, assign, steps);
  return before(steps, next);
}

/** `f(a)` as the expression that `f` returns, with the arguments in place; null where `f` is not such a helper. */
function inlineHelper(context: ValueContext, value: Value & { kind: "call" }): Value | null {
  const helper = helperOf(context, value);
  const depth = value.depth ?? 0;
  if (!helper || depth >= MAX_INLINE_DEPTH || context.budget.helpers <= 0) return null;
  const result = returnedValue(helper.body);
  if (!result || isLarge(result)) return null;
  // What the tables say about a call says more than what another file of the patch does inside it.
  if (helper.isForeign === true && (context.callee(value.name, value.args, value.at)?.effects.length ?? 0) > 0) return null;
  context.budget.helpers--;
  const bindings = new Map(helper.parameters.map((parameter, index) => [parameter.name, value.args[index] ?? value]));
  const text = helper.isForeign === true ? relocate(result, value.at, value.end) : result;
  return substitute(opened(text, depth + 1), bindings);
}

const MAX_INLINE_DEPTH = 4;

/** A macro that is a statement expression, in the place of its use. */
function macroValue(context: ValueContext, value: Value & { kind: "call" }): Value | null {
  const macro = context.macroStatement(value);
  return macro?.hasValue === true ? { kind: "block", body: macro.body, at: value.at } : null;
}

function call(context: ValueContext, value: Value & { kind: "call" }, result: string | null, next: NodeId): NodeId {
  const known = context.callee(value.name, value.args, value.at);
  const { effects, knowledge } = known ?? { effects: [], knowledge: "quiet" as const };
  const behind = effects.some(({ kind }) => kind === "neverReturns") ? context.graph.add({ kind: "stop" }) : next;
  return context.graph.add({ kind: "call", name: value.name, args: value.args, result, effects, knowledge, at: value.at, end: value.end, next: behind });
}

const choosesFlags = (context: ValueContext, value: Value): boolean =>
  namesIn(value).some((one) => one.startsWith("FOLL_") || context.flagMacro(one, value.at) !== null);

/** `write * FOLL_WRITE` is `write ? FOLL_WRITE : 0`: what else the factor may be than 0 or 1, it was not meant to be. */
function timesFlag(context: ValueContext, value: Value & { kind: "binary" }, steps: Step[]): Value | null {
  if (value.operator !== "*") return null;
  const isFlag = (part: Value): boolean => part.kind === "name" && part.name.startsWith("FOLL_");
  if (isFlag(value.left) === isFlag(value.right)) return null;
  const [flag, condition] = isFlag(value.left) ? [value.left, value.right] : [value.right, value.left];
  return hoist(context, { kind: "conditional", condition, then: flag, otherwise: { kind: "number", value: 0, at: value.at }, at: value.at }, steps);
}

/** Takes everything that acts out of a value, in order of evaluation; what is left is pure. */
function hoist(context: ValueContext, value: Value, steps: Step[]): Value {
  const inner = (part: Value): Value => hoist(context, part, steps);
  switch (value.kind) {
    case "unary":
      // `&*p` computes an address and reads nothing.
      if (value.operator === "&") return { ...value, of: withoutAccess(value.of, inner) };
      return accessed(context, { ...value, of: inner(value.of) }, steps);
    case "member":
      return accessed(context, { ...value, of: inner(value.of) }, steps);
    case "index":
      return accessed(context, { ...value, of: inner(value.of), index: inner(value.index) }, steps);
    case "comma":
      steps.push((next) => lowerEffects(context, value.left, next));
      return inner(value.right);
    case "binary":
      if ((value.operator === "&&" || value.operator === "||") && acts(context, value.right)) return decided(context, value, steps);
      return timesFlag(context, value, steps) ?? { ...value, left: inner(value.left), right: inner(value.right) };
    case "conditional":
      // Which flags a call gets is followed path by path, however the choice is written.
      if (acts(context, value) || choosesFlags(context, value)) return chosen(context, value, steps);
      return value;
    case "name":
      return context.flagMacro(value.name, value.at) ?? value;
    case "update":
      steps.push((next) =>
        context.graph.add({ kind: "assign", target: value.target, operator: "++", value: null, ...(value.down ? { down: true as const } : {}), at: value.at, end: value.end, next }),
      );
      // `while (n--)` and `pages[n++]` ask for what n was. Pointers into tables are not counted down, and other pointers keep their names.
      if (value.at !== extent(value.target).at || !(value.down || context.isNumber(value.target))) return value.target;
      return { kind: "binary", operator: value.down ? "+" : "-", left: value.target, right: { kind: "number", value: 1, at: value.at }, at: value.at };
    case "block":
      return blockValue(context, value, steps);
    case "assign":
      return assigned(context, value, steps);
    case "call":
      return called(context, value, steps, null);
    case "opaque":
      return value.parts ? { ...value, parts: value.parts.map(inner) } : value;
    default:
      return value;
  }
}

/** Hoists the parts of a place without reading the place itself. */
function withoutAccess(place: Value, inner: (part: Value) => Value): Value {
  if (place.kind === "index") return { ...place, of: inner(place.of), index: inner(place.index) };
  return place.kind === "unary" || place.kind === "member" ? { ...place, of: inner(place.of) } : inner(place);
}

/** Adds the access that reading (or writing) the value is; the value itself stays as it is. */
function accessed<V extends Value>(context: ValueContext, value: V, steps: Step[], write = false): V {
  const pte = reaches(context, value);
  if (pte)
    steps.push((next) =>
      context.graph.add({
        kind: "call", name: DEREFERENCE, args: [pte], result: null, effects: [{ kind: "accessEntry", pte, write }], knowledge: "effects", ...extent(value), next,
      }),
    );
  return value;
}

function called(context: ValueContext, value: Value & { kind: "call" }, steps: Step[], result: string | null): Value {
  const first = value.args[0];
  if (TRANSPARENT.has(value.name) && first) return hoist(context, first, steps);
  if (TAKES_POINTER.has(value.name) && first) return takenPointer(context, value, first, steps);
  const inlined = macroValue(context, value) ?? inlineHelper(context, value);
  if (inlined) return hoist(context, inlined, steps);
  const through = value.through ? { through: hoist(context, value.through, steps) } : {};
  const args = value.args.map((arg) => hoist(context, arg, steps));
  const pure = { ...value, ...through, args };
  if (!context.callee(value.name, value.args, value.at)) return pure;
  const into = result ?? context.graph.temporary();
  steps.push((next) => call(context, pure, into, next));
  return name(into, value.at);
}

/** `no_free_ptr(p)`: the value of p, which is NULL from here on. */
function takenPointer(context: ValueContext, { at, end }: Value & { kind: "call" }, pointer: Value, steps: Step[]): Value {
  const target = withoutAccess(pointer, (part) => hoist(context, part, steps));
  const taken = name(context.graph.temporary(), at);
  const assign = (to: Value, value: Value): Step => (next) => context.graph.add({ kind: "assign", target: to, operator: "=", value, at, end, next });
  steps.push(assign(taken, target), assign(target, name("NULL", at)));
  return taken;
}

function assigned(context: ValueContext, value: Value & { kind: "assign" }, steps: Step[]): Value {
  const target = withoutAccess(value.target, (part) => hoist(context, part, steps));
  const source = value.value;
  if (value.operator === "=" && source.kind === "call" && !TRANSPARENT.has(source.name) && !TAKES_POINTER.has(source.name) && !context.macroStatement(source) && !helperOf(context, source) && context.callee(source.name, source.args, source.at)) {
    called(context, { ...source, at: value.at, end: value.end }, steps, render(target));
    return target;
  }
  if (value.operator === "=" && (source.kind === "conditional" || (isDecision(context, source, target) && target.kind === "name" && !target.name.startsWith("$")))) {
    const { condition, then, otherwise } = evaluatedOnce(context, source, steps);
    const set = (part: Value, next: NodeId): NodeId => lowerAssign(context, { ...value, target, value: part }, next);
    steps.push((next) => lowerCondition(context, condition, set(then, next), set(otherwise, next)));
    return target;
  }
  const right = hoist(context, source, steps);
  accessed(context, target, steps, true);
  steps.push((next) =>
    context.graph.add({ kind: "assign", target, operator: value.operator, value: right, at: value.at, end: value.end, next }),
  );
  return target;
}

/** A choice between two values: `a ?: b` computes a once, and `a && b` chooses between 1 and 0. */
function evaluatedOnce(context: ValueContext, value: Value, steps: Step[]): { readonly condition: Value; readonly then: Value; readonly otherwise: Value } {
  if (value.kind !== "conditional") {
    const bit = (one: number): Value => ({ kind: "number", value: one, at: value.at });
    return { condition: value, then: bit(1), otherwise: bit(0) };
  }
  if (value.then) return { condition: value.condition, then: value.then, otherwise: value.otherwise };
  const condition = hoist(context, value.condition, steps);
  return { condition, then: condition, otherwise: value.otherwise };
}

/** `a && f()` as a value: 1 or 0 by branches. */
function decided(context: ValueContext, value: Value & { kind: "binary" }, steps: Step[]): Value {
  const target = name(context.graph.temporary(), value.at);
  const set = (bit: number, next: NodeId): NodeId =>
    context.graph.add({
      kind: "assign", target, operator: "=", value: { kind: "number", value: bit, at: value.at }, ...extent(value), next,
    });
  steps.push((next) => lowerCondition(context, value, set(1, next), set(0, next)));
  return target;
}

function chosen(context: ValueContext, value: Value & { kind: "conditional" }, steps: Step[]): Value {
  const target = name(context.graph.temporary(), value.at);
  const set = (part: Value, next: NodeId): NodeId =>
    lowerAssign(context, { kind: "assign", operator: "=", target, value: part, ...extent(value) }, next);
  const { condition, then, otherwise } = evaluatedOnce(context, value, steps);
  steps.push((next) => lowerCondition(context, condition, set(then, next), set(otherwise, next)));
  return target;
}

/** A statement expression: its statements run, the value is that of the last one. */
function blockValue(context: ValueContext, value: Value & { kind: "block" }, steps: Step[]): Value {
  const items = value.body.kind === "list" ? value.body.items : [value.body];
  const last = items.at(-1);
  steps.push((next) => context.lowerStatement({ kind: "list", items: items.slice(0, -1) }, next));
  if (last?.kind === "expression") return hoist(context, last.value, steps);
  if (last) steps.push((next) => context.lowerStatement(last, next));
  return { kind: "opaque", text: "({ ... })", at: value.at };
}
