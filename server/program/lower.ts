// SPDX-License-Identifier: GPL-2.0-only
import { factFor, isQuiet } from "../kernel/facts.ts";
import { formatRelease, type Release } from "../kernel/release.ts";
import type { Image } from "../source/image.ts";
import { UNSEEN_CONDITION, UNSEEN_END, UNSEEN_MIDDLE, UNSEEN_START } from "../source/unseen.ts";
import { graphBuilder } from "./builder.ts";
import type { FunctionCode, Statement, Value, Variable } from "./code.ts";
import { bindEffect } from "./effects.ts";
import { flagMacrosOf } from "./flag-macros.ts";
import { lowerAssign, lowerCondition, lowerEffects, extent, returnedValue, type ValueContext } from "./lower-value.ts";
import type { Assumption, EffectProgram, NodeId } from "./program.ts";
import { namesIn } from "./render.ts";

/** Where `break` and `continue` lead. */
interface Loop {
  readonly breakTo: NodeId | null;
  readonly continueTo: NodeId | null;
}

/**
 * Lowers one function to an effect program: all of C's control flow, one node per atomic step. Built backwards
 * (`statement, next -> entry`), so that no edge is ever patched but those of labels and loops.
 */
export function lowerFunction(
  image: Image,
  code: FunctionCode,
  release: Release,
  definitions: ReadonlyMap<string, FunctionCode>,
): EffectProgram {
  const graph = graphBuilder();
  const assumptions: Assumption[] = [];
  const variables = collectVariables(code);
  const exit = graph.add({ kind: "exit" });
  const labels = new Map<string, ReturnType<typeof graph.joint>>();
  const unseen = { start: false, end: false };
  const assume = (kind: Assumption["kind"], text: string, at: number): void => {
    if (!assumptions.some((known) => known.text === text)) assumptions.push({ kind, text, at });
  };
  const label = (name: string, at: number): ReturnType<typeof graph.joint> => {
    const known = labels.get(name) ?? graph.joint(name, at);
    labels.set(name, known);
    return known;
  };
  const isPageTableLock = pageTableLocks(variables, code);

  const callee: ValueContext["callee"] = (name, args, at) => {
    const known = factFor(name, args.length, release);
    if (known) {
      if (known.asOf !== null)
        assume("fact-of-other-release", `${name}() as of ${known.asOf} (target ${formatRelease(release)})`, at);
      if (known.fact.effects.length === 0) return null;
      return { effects: known.fact.effects.map((effect) => bindEffect(effect, args, isPageTableLock)), knowledge: "effects" };
    }
    if (isQuiet(name)) return null;
    return { effects: [], knowledge: definitions.has(name) ? "defined-here" : "unknown" };
  };
  let loop: Loop = { breakTo: null, continueTo: null };
  const context: ValueContext = {
    graph,
    callee,
    helpers: returnOnly(definitions),
    budget: { helpers: MAX_HELPERS },
    flagMacro: flagMacrosOf(image),
    lowerStatement: (statement, next) => lower(statement, next),
    isEntryPointer: (pointer) => pointsToEntry(pointer, variables),
  };
  const inLoop = <T>(inner: Loop, build: () => T): T => {
    const outer = loop;
    loop = inner;
    const built = build();
    loop = outer;
    return built;
  };
  const jump = (to: NodeId | null, word: string, at: number): NodeId => {
    if (to !== null) return to;
    assume("unseen-code", `${word} leaves a loop whose head is not visible: the run ends there`, at);
    unseen.end = true;
    return graph.add({ kind: "unseen", where: "end", next: exit });
  };

  function lower(statement: Statement, next: NodeId): NodeId {
    switch (statement.kind) {
      case "list":
        return statement.items.reduceRight((entry, item) => lower(item, entry), next);
      case "expression":
        return lowerExpression(statement.value, next);
      case "declare":
        return statement.initializers.reduceRight(
          (entry, item) => (item.kind === "assign" ? lowerAssign(context, item, entry) : entry),
          next,
        );
      case "if": {
        const hole = unseenCondition(statement.condition);
        const then = lower(statement.then, next);
        const otherwise = statement.otherwise ? lower(statement.otherwise, next) : next;
        if (hole)
          return graph.add({
            kind: "choice", reason: "unseen", text: "a condition that is not visible", at: -1,
            outs: [{ label: "entered", next: then }, { label: "not entered", next: otherwise }],
          });
        return lowerCondition(context, statement.condition, then, otherwise);
      }
      case "while": {
        const head = graph.joint(null, extent(statement.condition).at);
        const body = inLoop({ breakTo: next, continueTo: head.id }, () => lower(statement.body, head.id));
        head.to(lowerCondition(context, statement.condition, body, next));
        return head.id;
      }
      case "do": {
        const head = graph.joint(null, extent(statement.condition).at);
        const test = graph.joint(null, extent(statement.condition).at);
        head.to(inLoop({ breakTo: next, continueTo: test.id }, () => lower(statement.body, test.id)));
        test.to(lowerCondition(context, statement.condition, head.id, next));
        return head.id;
      }
      case "for": {
        const head = graph.joint(null, -1);
        const step = graph.joint(null, -1);
        step.to(statement.update ? lowerEffects(context, statement.update, head.id) : head.id);
        const body = inLoop({ breakTo: next, continueTo: step.id }, () => lower(statement.body, step.id));
        head.to(statement.condition ? lowerCondition(context, statement.condition, body, next) : body);
        return statement.initializer ? lower(statement.initializer, head.id) : head.id;
      }
      case "iterate":
        return lowerIterator(statement, next);
      case "switch":
        return lowerSwitch(statement, next);
      case "label": {
        const target = label(statement.name, statement.at);
        target.standAt(statement.at);
        target.to(lower(statement.body, next));
        return target.id;
      }
      case "goto":
        return label(statement.label, statement.at).id;
      case "break":
        return jump(loop.breakTo, "break", statement.at);
      case "continue":
        return jump(loop.continueTo, "continue", statement.at);
      case "return": {
        if (!statement.value) return graph.add({ kind: "return", value: null, at: statement.at, end: statement.end, next: exit });
        return lowerReturn(statement.value, statement.at, statement.end);
      }
      case "configured":
        return graph.add({
          kind: "choice", reason: "configuration", text: statement.condition, at: statement.at,
          outs: [
            { label: "configured", next: lower(statement.on, next) },
            { label: "not configured", next: lower(statement.off, next) },
          ],
        });
      case "unknown":
        assume("not-lowered", `not understood, skipped: ${statement.text}`, statement.at);
        return next;
    }
  }

  function lowerExpression(value: Value, next: NodeId): NodeId {
    if (value.kind === "call" && value.name === UNSEEN_START) {
      unseen.start = true;
      return graph.add({ kind: "unseen", where: "start", next });
    }
    if (value.kind === "call" && value.name === UNSEEN_MIDDLE) {
      assume("unseen-code", `lines of ${code.name}() between two hunks are not visible: taken to go on`, -1);
      return graph.add({ kind: "unseen", where: "middle", next });
    }
    if (value.kind === "call" && value.name === UNSEEN_END) {
      unseen.end = true;
      return graph.add({ kind: "unseen", where: "end", next: exit });
    }
    return lowerEffects(context, value, next);
  }

  function lowerReturn(value: Value, at: number, end: number): NodeId {
    const temporary: Value = { kind: "name", name: graph.temporary(), at };
    const last = graph.add({ kind: "return", value: temporary, at, end, next: exit });
    return lowerAssign(context, { kind: "assign", operator: "=", target: temporary, value, at, end }, last);
  }

  function lowerIterator(statement: Statement & { kind: "iterate" }, next: NodeId): NodeId {
    const head = graph.joint(null, statement.at);
    const body = inLoop({ breakTo: next, continueTo: head.id }, () => lower(statement.body, head.id));
    const cursor = statement.args.find((arg) => arg.kind === "name" && variables.has(arg.name));
    const turn = cursor ? graph.add({ kind: "assign", target: cursor, operator: "=", value: null, at: statement.at, end: statement.at, next: body }) : body;
    head.to(
      graph.add({
        kind: "choice", reason: "iterate", text: statement.macro, at: statement.at,
        outs: [{ label: "next element", next: turn }, { label: "done", next }],
      }),
    );
    return statement.args.reduceRight((entry, arg) => lowerEffects(context, arg, entry), head.id);
  }

  function lowerSwitch(statement: Statement & { kind: "switch" }, next: NodeId): NodeId {
    const outs: { label: string; next: NodeId }[] = [];
    inLoop({ breakTo: next, continueTo: loop.continueTo }, () =>
      statement.cases.reduceRight((following, one) => {
        const entry = lower(one.body, following);
        outs.unshift({ label: one.value ? (namesIn(one.value)[0] ?? "case") : "default", next: entry });
        return entry;
      }, next),
    );
    if (!statement.cases.some((one) => one.value === null)) outs.push({ label: "no case", next });
    const choice = graph.add({ kind: "choice", reason: "switch", text: "switch", at: extent(statement.on).at, outs });
    return lowerEffects(context, statement.on, choice);
  }

  const entry = lower(code.body, exit);
  for (const [name, target] of labels) {
    const node = graph.nodes[target.id];
    if (node?.kind === "label" && node.next < 0) {
      assume("unseen-code", `label ${name} is not visible`, node.at);
      target.to(graph.add({ kind: "unseen", where: "end", next: exit }));
    }
  }
  if (code.hasError) assume("not-lowered", `parts of ${code.name}() did not parse`, code.start);
  return {
    name: code.name,
    isStatic: code.isStatic,
    image,
    start: code.start,
    end: code.end,
    variables,
    nodes: graph.nodes,
    entry,
    exit,
    assumptions,
    openStart: unseen.start,
    openEnd: unseen.end,
  };
}

const unseenCondition = (value: Value): boolean => value.kind === "name" && value.name.startsWith(UNSEEN_CONDITION);

/** Calls of helpers that one function opens at most; more than any function of mm/ has. */
const MAX_HELPERS = 300;

const returnOnlyOf = new WeakMap<ReadonlyMap<string, FunctionCode>, ReadonlyMap<string, FunctionCode>>();

/** Helpers that only return a value: conditions see through them. */
function returnOnly(definitions: ReadonlyMap<string, FunctionCode>): ReadonlyMap<string, FunctionCode> {
  const known = returnOnlyOf.get(definitions) ?? new Map([...definitions].filter(([, code]) => returnedValue(code.body) !== null));
  returnOnlyOf.set(definitions, known);
  return known;
}

function collectVariables(code: FunctionCode): ReadonlyMap<string, Variable> {
  const found = new Map(code.parameters.map((parameter) => [parameter.name, parameter]));
  const visit = (statement: Statement): void => {
    switch (statement.kind) {
      case "list":
        statement.items.forEach(visit);
        break;
      case "declare":
        for (const variable of statement.variables) if (!found.has(variable.name)) found.set(variable.name, variable);
        break;
      case "if":
        visit(statement.then);
        if (statement.otherwise) visit(statement.otherwise);
        break;
      case "for":
        if (statement.initializer) visit(statement.initializer);
        visit(statement.body);
        break;
      case "while":
      case "do":
      case "iterate":
      case "label":
        visit(statement.body);
        break;
      case "switch":
        for (const one of statement.cases) visit(one.body);
        break;
      case "configured":
        visit(statement.on);
        visit(statement.off);
        break;
      default:
        break;
    }
  };
  visit(code.body);
  return found;
}

/** True for `pte_t *` variables, and for fields that mm code names so (`pvmw->pte`). */
function pointsToEntry(pointer: Value, variables: ReadonlyMap<string, Variable>): boolean {
  if (pointer.kind === "member") return pointer.field === "ptep" || pointer.field === "pte";
  const variable = pointer.kind === "name" ? variables.get(pointer.name) : undefined;
  return variable?.type === "pte_t" && variable.pointers === 1;
}

/** True for `spinlock_t *` variables whose name or origin says page-table lock: mm code calls them `ptl`. */
function pageTableLocks(variables: ReadonlyMap<string, Variable>, _code: FunctionCode): (lock: Value) => boolean {
  return (lock) => lock.kind === "name" && variables.get(lock.name)?.type === "spinlock_t" && (variables.get(lock.name)?.pointers ?? 0) > 0;
}
