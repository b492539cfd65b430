// SPDX-License-Identifier: GPL-2.0-only
import { RETURNS_POINTER } from "../kernel/guards.ts";
import { UNSEEN_CONDITION, UNSEEN_END, UNSEEN_MIDDLE, UNSEEN_START } from "../source/unseen.ts";
import type { GraphBuilder, Joint } from "./builder.ts";
import type { CleanupClasses, CleanupCode } from "./cleanup-classes.ts";
import type { Statement, Value, Variable } from "./code.ts";
import { both, not } from "./condition.ts";
import { extent } from "./extent.ts";
import { inside, leaving, openedWithin, openingOf, scopedGuard, scopeOf, type Loop, type Opening } from "./lower-guard.ts";
import { lowerAssign, lowerCondition, lowerEffects, lowerMatched, lowerWhen, type ValueContext } from "./lower-value.ts";
import type { Assumption, NodeId } from "./program.ts";
import { RANGE } from "./read-cases.ts";
import { namesIn, render } from "./render.ts";

/** No loop around: the body of a function. */
export const OUTSIDE: Loop = { breakTo: null, continueTo: null, scopes: [] };

/** What the lowering of statements needs of the function around them. */
export interface StatementContext {
  readonly functionName: string;
  readonly graph: GraphBuilder;
  readonly exit: NodeId;
  /** Expressions are lowered with these; statements inside of them belong to the same loop. */
  readonly values: (loop: Loop) => ValueContext;
  readonly label: (name: string, at: number) => Joint;
  readonly variable: (name: string) => Variable | undefined;
  readonly assume: (kind: Assumption["kind"], text: string, at: number) => void;
  /** Guards and cleanups that the text can use. */
  readonly classes: CleanupClasses;
  /** The configuration that the statement exists in; missing: any. */
  readonly configuration?: Value;
  /** Notes that the start or the end of the function is not visible. */
  readonly leaveOpen: (side: "start" | "end") => void;
}

/** Builds the nodes of a statement in front of `next`, and returns the first of them. */
export function lowerStatement(context: StatementContext, statement: Statement, next: NodeId, loop: Loop): NodeId {
  const values = context.values(loop);
  const lower = (inner: Statement, following: NodeId): NodeId => lowerStatement(context, inner, following, loop);
  switch (statement.kind) {
    case "list":
      return lowerList(context, statement.items, next, loop);
    case "expression": {
      if (openingOf(context.classes, statement)) return lowerList(context, [statement], next, loop);
      const returned = returnedPointer(statement.value);
      return returned ? lowerReturn(context, values, returned, loop) : lowerExpression(context, values, statement.value, next);
    }
    case "declare":
      if (statement.cleanups) return lowerList(context, [statement], next, loop);
      return statement.initializers.reduceRight((entry, item) => (item.kind === "assign" ? lowerAssign(values, item, entry) : entry), next);
    case "if":
      return lowerIf(context, statement, next, loop);
    case "while":
    case "do":
    case "for":
    case "iterate": {
      const guard = statement.kind === "iterate" ? scopedGuard(context.classes, statement) : null;
      if (guard && statement.kind === "iterate") return lowerScoped(context, guard, statement, next, loop);
      return lowerLoop(context, statement, next, loop);
    }
    case "switch":
      return lowerSwitch(context, statement, next, loop);
    case "label": {
      const target = context.label(statement.name, statement.at);
      target.standAt(statement.at);
      const body = lower(statement.body, next);
      // Of two labels with one name the configuration decides.
      target.to(lowerWhen(values, target.next() < 0 ? undefined : context.configuration, body, target.next()));
      return target.id;
    }
    case "goto":
      return context.graph.mark(statement.at, statement.at + 1, leaving(loop.scopes.filter((scope) => !scope.labels.has(statement.label)), context.label(statement.label, statement.at).id));
    case "break":
      return jump(context, loop.breakTo, "break", statement.at);
    case "continue":
      return jump(context, loop.continueTo, "continue", statement.at);
    case "return":
      return lowerReturn(context, values, statement, loop);
    case "configured":
      return lowerConfigured(context, statement, next, loop);
    case "unknown":
      context.assume("not-lowered", `not understood, skipped: ${statement.text}`, statement.at);
      return next;
  }
}

/** `#if`: a condition that the configuration decides, so that the same symbol decides the same way everywhere. */
function lowerConfigured(context: StatementContext, statement: Statement & { kind: "configured" }, next: NodeId, loop: Loop, stays = false): NodeId {
  const { condition, text, at } = statement;
  const under = (one: Value): StatementContext => ({ ...context, configuration: both(context.configuration ?? null, one) ?? one });
  const branch = (inner: Statement, when: Value): NodeId => lowerList(under(when), inner.kind === "list" ? inner.items : [inner], next, loop, stays);
  const on = branch(statement.on, condition);
  const off = branch(statement.off, not(condition));
  return lowerCondition(context.values(loop), condition, on, off, false, { at, end: at + text.length, shown: text });
}

/**
 * Statements in a row. What one of them opens (a guard, a variable that is freed) is closed at the end of the row; in a
 * branch of `#if` it `stays` open behind the row.
 */
function lowerList(context: StatementContext, items: readonly Statement[], next: NodeId, loop: Loop, stays = false): NodeId {
  const { classes } = context;
  const index = items.findIndex((item) => openingOf(classes, item) !== null || openedWithin(classes, item).length > 0);
  const opener = items[index];
  if (!opener) return items.reduceRight((entry, item) => lowerStatement(context, item, entry, loop), next);
  const own = openingOf(classes, opener);
  const rest: Statement = { kind: "list", items: items.slice(index + 1) };
  const scopes = (own ? [own] : openedWithin(classes, opener)).flatMap((opening: Opening & { readonly when?: Value }) =>
    opening.leaves.map(({ leave, why }) => scopeOf(context.values(loop), leave, why, rest, opening.when)),
  );
  if (own?.leaves.some(({ leave }) => leave === null)) context.assume("not-lowered", `the class of ${textOf(opener)} is not known: what it takes is not given back`, atOf(opener));
  const end = stays ? next : scopes.reduce((after, scope) => scope.release(after), next);
  const behind = lowerList(context, rest.items, end, scopes.reduce(inside, loop), stays);
  const entered = own ? lowerEntered(context, own.enter, behind, loop) : opener.kind === "configured" ? lowerConfigured(context, opener, behind, loop, true) : behind;
  return items.slice(0, index).reduceRight((entry, item) => lowerStatement(context, item, entry, loop), entered);
}

const textOf = (opener: Statement): string => (opener.kind === "expression" ? render(opener.value) : opener.kind === "declare" ? opener.variables.map(({ name }) => name).join(", ") : "a guard");
const atOf = (opener: Statement): number => (opener.kind === "expression" ? opener.value.at : opener.kind === "declare" ? (opener.initializers[0]?.at ?? -1) : -1);

/** What stands in the place of a guard; one of an unknown class is still written as a guard. */
const lowerEntered = (context: StatementContext, enter: Statement, next: NodeId, loop: Loop): NodeId =>
  enter.kind === "expression" ? lowerEffects(context.values(loop), enter.value, next) : lowerStatement(context, enter, next, loop);

/** The body of a `scoped_guard()` is a loop that runs once: `break` and `continue` leave it. */
function lowerScoped(context: StatementContext, { enter, held, leave }: CleanupCode, { body, otherwise }: Statement & { kind: "iterate" }, next: NodeId, loop: Loop): NodeId {
  const values = context.values(loop);
  const scope = scopeOf(values, leave, "the guard ends", body);
  const inner = lowerStatement(context, body, scope.release(next), inside({ breakTo: next, continueTo: next, scopes: loop.scopes }, scope));
  if (!held) return lowerEntered(context, enter, inner, loop);
  return lowerCondition(values, held, inner, otherwise ? lowerStatement(context, otherwise, next, loop) : next);
}

function jump(context: StatementContext, to: NodeId | null, word: string, at: number): NodeId {
  if (to !== null) return context.graph.mark(at, at + 1, to);
  context.assume("unseen-code", `${word} leaves a loop whose head is not visible: the run ends there`, at);
  context.leaveOpen("end");
  return context.graph.add({ kind: "unseen", where: "end", next: context.exit });
}

/** An expression statement; calls of the marks of `source/unseen.ts` are not code. */
function lowerExpression(context: StatementContext, values: ValueContext, value: Value, next: NodeId): NodeId {
  const { graph } = context;
  const mark = value.kind === "call" ? value.name : "";
  switch (mark) {
    case UNSEEN_START:
      context.leaveOpen("start");
      return graph.add({ kind: "unseen", where: "start", next });
    case UNSEEN_MIDDLE:
      context.assume("unseen-code", `lines of ${context.functionName}() between two hunks are not visible: taken to go on`, -1);
      return graph.add({ kind: "unseen", where: "middle", next });
    case UNSEEN_END:
      context.leaveOpen("end");
      return graph.add({ kind: "unseen", where: "end", next: context.exit });
    default: {
      const entry = lowerEffects(values, value, next);
      const { at, end } = extent(value);
      return entry === next ? graph.mark(at, end, next) : entry;
    }
  }
}

const isUnseen = (condition: Value): boolean => condition.kind === "name" && condition.name.startsWith(UNSEEN_CONDITION);

function lowerIf(context: StatementContext, statement: Statement & { kind: "if" }, next: NodeId, loop: Loop): NodeId {
  const then = lowerStatement(context, statement.then, next, loop);
  const otherwise = statement.otherwise ? lowerStatement(context, statement.otherwise, next, loop) : next;
  if (!isUnseen(statement.condition)) {
    // The test may be one of a helper that was opened in its place: the mark stands where the text has it.
    const { at, end } = extent(statement.condition);
    return context.graph.mark(at, end, lowerCondition(context.values(loop), statement.condition, then, otherwise));
  }
  return context.graph.add({
    kind: "choice", reason: "unseen", text: "a condition that is not visible", at: -1,
    outs: [{ label: "entered", next: then }, { label: "not entered", next: otherwise }],
  });
}

type LoopStatement = Statement & { kind: "while" | "do" | "for" | "iterate" };

function lowerLoop(context: StatementContext, statement: LoopStatement, next: NodeId, loop: Loop): NodeId {
  const { graph } = context;
  const values = context.values(loop);
  const body = (continueTo: NodeId): NodeId => lowerStatement(context, statement.body, continueTo, { breakTo: next, continueTo, scopes: loop.scopes });
  switch (statement.kind) {
    case "while": {
      const head = graph.joint(null, extent(statement.condition).at);
      head.to(lowerCondition(values, statement.condition, body(head.id), next));
      return head.id;
    }
    case "do": {
      const { at } = extent(statement.condition);
      const head = graph.joint(null, at);
      const test = graph.joint(null, at);
      head.to(body(test.id));
      test.to(lowerCondition(values, statement.condition, head.id, next));
      return head.id;
    }
    case "for": {
      const head = graph.joint(null, -1);
      const step = graph.joint(null, -1);
      step.to(statement.update ? lowerEffects(values, statement.update, head.id) : head.id);
      const turn = body(step.id);
      head.to(statement.condition ? lowerCondition(values, statement.condition, turn, next) : turn);
      return statement.initializer ? lowerStatement(context, statement.initializer, head.id, loop) : head.id;
    }
    case "iterate": {
      const head = graph.joint(null, statement.at);
      const first = body(head.id);
      const turn = nextElement(context, statement, first);
      head.to(
        graph.add({
          kind: "choice", reason: "iterate", text: statement.macro, at: statement.at,
          outs: [{ label: "next element", next: turn }, { label: "done", next }],
        }),
      );
      return statement.args.reduceRight((entry, arg) => lowerEffects(values, arg, entry), statement.bodyFirst ? first : head.id);
    }
  }
}

/** Each turn of an iterator macro gives its cursors other values. */
function nextElement(context: StatementContext, { args, at }: Statement & { kind: "iterate" }, body: NodeId): NodeId {
  return cursorsOf(context, args).reduceRight((next, target) => context.graph.add({ kind: "assign", target, operator: "=", value: null, at, end: at, next }), body);
}

/** The first variable that is no parameter, and pointers behind it: `for_each_vma(vmi, vma)` finds the one with the other. */
function cursorsOf(context: StatementContext, args: readonly Value[]): readonly Value[] {
  const named = args.flatMap((arg) => (arg.kind === "name" ? { arg, variable: context.variable(arg.name) } : [])).filter(({ variable }) => variable !== undefined);
  const own = named.filter(({ variable }) => !variable?.isParameter);
  return (own.length > 0 ? own.filter(({ variable }, place) => place === 0 || variable?.pointers === 1) : named.slice(0, 1)).map(({ arg }) => arg);
}

/** More cases than this are one choice. */
const MAX_COMPARED = 16;

/** `case 0:`, `case VM_SHARED:`, `case -EAGAIN:`, `case 1 ... 3:`: what a comparison can be made with. */
const isSimple = (value: Value): boolean =>
  value.kind === "number" || value.kind === "name" || (value.kind === "binary" && value.operator === RANGE && isSimple(value.left) && isSimple(value.right)) || (value.kind === "unary" && value.operator === "-" && isSimple(value.of));

function lowerSwitch(context: StatementContext, statement: Statement & { kind: "switch" }, next: NodeId, loop: Loop): NodeId {
  const inner: Loop = {
    breakTo: next,
    get continueTo() {
      return loop.continueTo;
    },
    scopes: loop.scopes,
  };
  const values = context.values(loop);
  const entries: { readonly label: Value | null; readonly when: Value | undefined; readonly entry: NodeId }[] = [];
  // Back to front: a case without break falls into the one behind it.
  statement.cases.reduceRight((following, { value: label, when, body }) => {
    const entry = lowerStatement(context, body, following, inner);
    entries.unshift({ label, when, entry });
    return lowerWhen(values, when, entry, following);
  }, next);
  const missed = entries.reduceRight((past, { label, when, entry }) => (label ? past : lowerWhen(values, when, entry, past)), next);
  const labelled = entries.flatMap(({ label, when, entry }) => (label ? [{ label, when, entry }] : []));
  if (entries.length <= MAX_COMPARED && labelled.every(({ label }) => isSimple(label))) return lowerMatched(values, statement.on, labelled, missed);
  const outs = [
    ...labelled.map(({ label, when, entry }) => ({ label: namesIn(label)[0] ?? "case", next: lowerWhen(values, when, entry, missed) })),
    { label: missed === next ? "no case" : "default", next: missed },
  ];
  const choice = context.graph.add({ kind: "choice", reason: "switch", text: "switch", on: statement.on, at: extent(statement.on).at, outs });
  return lowerEffects(values, statement.on, choice);
}

/** `return_ptr(p)` returns p, and nothing frees it. */
function returnedPointer(value: Value): (Statement & { kind: "return" }) | null {
  if (value.kind !== "call" || value.name !== RETURNS_POINTER) return null;
  return { kind: "return", value: { ...value, name: "no_free_ptr" }, at: value.at, end: value.end };
}

/** The value is computed first, then control leaves: a call in a return statement is a node of its own. */
function lowerReturn(context: StatementContext, values: ValueContext, statement: Statement & { kind: "return" }, loop: Loop): NodeId {
  const { graph, exit } = context;
  const { value, at, end } = statement;
  if (!value) return leaving(loop.scopes, graph.add({ kind: "return", value: null, at, end, next: exit }));
  const temporary: Value = { kind: "name", name: graph.temporary(), at };
  const last = graph.add({ kind: "return", value: temporary, at, end, next: exit });
  return lowerAssign(values, { kind: "assign", operator: "=", target: temporary, value, at, end }, leaving(loop.scopes, last));
}
