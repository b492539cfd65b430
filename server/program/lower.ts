// SPDX-License-Identifier: GPL-2.0-only
import { factFor, isQuiet, namesWithEffect } from "../kernel/facts.ts";
import { formatRelease, type Release } from "../kernel/release.ts";
import type { Image } from "../source/image.ts";
import { graphBuilder, type GraphBuilder, type Joint } from "./builder.ts";
import { callMacro } from "./call-macros.ts";
import type { Definitions, FunctionCode, Statement, Value, Variable } from "./code.ts";
import { cleanupClassesOf } from "./cleanup-classes.ts";
import { bindEffect, isForbidden } from "./effects.ts";
import { flagMacrosOf } from "./flag-macros.ts";
import { bareMacro, macroStatement } from "./statement-macros.ts";
import type { Loop } from "./lower-guard.ts";
import { lowerStatement, OUTSIDE, type StatementContext } from "./lower-statement.ts";
import { returnedValue } from "./helper-body.ts";
import type { ValueContext } from "./lower-value.ts";
import type { Assumption, EffectProgram } from "./program.ts";

export interface LowerOptions {
  /** Gives jumps and calls without effect nodes of their own. */
  readonly marksStatements?: boolean;
}

/**
 * Lowers one function to an effect program: all of C's control flow, one node per atomic step. Built backwards
 * (`statement, next -> entry`), so that no edge is ever patched but those of labels and loops.
 */
export function lowerFunction(
  image: Image,
  code: FunctionCode,
  release: Release,
  definitions: Definitions,
  { marksStatements = false }: LowerOptions = {},
): EffectProgram {
  const graph = graphBuilder(marksStatements);
  const variables = collectVariables(code);
  const macros = flagMacrosOf(image);
  const exit = graph.add({ kind: "exit" });
  const opened = returnOnly(definitions);
  const labels = new Map<string, Joint>();
  const assumptions = assumptionList();
  const open = { start: false, end: false };
  const macroUses = new WeakMap<Value, ReturnType<typeof macroStatement>>();
  let uses = 0;
  /** Macros without parameters that are being lowered: a macro that names itself ends. */
  const within = new Set<string>();
  const isKnown = (call: Value & { kind: "call" }): boolean => factFor(call.name, call.args.length, release) !== null || isQuiet(call.name);
  const values: Omit<ValueContext, "lowerStatement"> = {
    graph,
    callee: calleeKnowledge(release, definitions, pageTableLocks(variables), assumptions.assume),
    // What the kernel's tables say of a function is more than its body shows: `__folio_lock()` only waits, as it seems.
    helper: (call) => ((factFor(call.name, call.args.length, release)?.fact.effects.length ?? 0) > 0 ? null : (opened.get(call.name) ?? null)),
    budget: { helpers: MAX_HELPERS },
    callMacro: (call) => (isKnown(call) ? null : callMacro(image, call.name, call.args.length)),
    macroStatement: (call) => {
      const known = macroUses.get(call);
      if (known !== undefined) return known;
      const made = isKnown(call) || uses >= MAX_HELPERS ? null : macroStatement(image, call, uses + 1);
      if (made) uses++;
      macroUses.set(call, made);
      return made;
    },
    bareMacro: (value, lower) => {
      if (variables.has(value.name) || within.has(value.name)) return null;
      const body = bareMacro(image, value, uses + 1);
      if (body === undefined) return null;
      if (body === null || uses >= MAX_HELPERS) {
        assumptions.assume("not-lowered", `the macro ${value.name} is not understood, skipped`, value.at);
        return null;
      }
      uses++;
      within.add(value.name);
      const entry = lower(body);
      within.delete(value.name);
      return entry;
    },
    flagMacro: (name, at) => (variables.has(name) ? null : macros(name, at)),
    isEntryPointer: (pointer) => pointsToEntry(pointer, variables),
    isQuestion: (call) => isQuestion(call, release),
    isBoolean: (value) => value.kind === "name" && isBoolean(variables.get(value.name)),
    isNumber: (value) => value.kind === "name" && variables.get(value.name)?.pointers === 0,
  };
  const context: StatementContext = {
    functionName: code.name,
    graph,
    exit,
    values: (loop: Loop) => ({ ...values, lowerStatement: (statement, next) => lowerStatement(context, statement, next, loop) }),
    label: (name, at) => {
      const known = labels.get(name) ?? graph.joint(name, at);
      labels.set(name, known);
      return known;
    },
    classes: cleanupClassesOf(image),
    variable: (name) => variables.get(name),
    assume: assumptions.assume,
    leaveOpen: (side) => void (open[side] = true),
  };
  const entry = lowerStatement(context, code.body, exit, OUTSIDE);
  closeLabels(graph, labels, context);
  if (code.hasError) assumptions.assume("not-lowered", `parts of ${code.name}() did not parse`, code.start);
  for (const one of code.unread ?? []) assumptions.assume("not-lowered", `of ${one} the first branch only is read`, code.start);
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
    assumptions: assumptions.list,
    openStart: open.start,
    openEnd: open.end,
  };
}

const isQuestion = (call: Value & { kind: "call" }, release: Release): boolean => {
  const meaning = factFor(call.name, call.args.length, release)?.fact.pure?.meaning;
  return QUESTIONS.test(call.name) || (meaning !== undefined && meaning !== "identity");
};

/** Told apart by what is read again: who asks, asks at that place. */
const QUESTIONS = /^(?:__)?read_seqcount_retry$/;

const isBoolean = (variable: Variable | undefined): boolean => variable?.type === "bool" && variable.pointers === 0;

/** Assumptions in order of discovery, each said once. */
function assumptionList(): { readonly list: readonly Assumption[]; readonly assume: StatementContext["assume"] } {
  const list: Assumption[] = [];
  return {
    list,
    assume: (kind, text, at) => {
      if (!list.some((known) => known.text === text)) list.push({ kind, text, at });
    },
  };
}

/** What a call does: the kernel's facts first, then what the input defines. */
const calleeKnowledge =
  (
    release: Release,
    definitions: Definitions,
    isPageTableLock: (lock: Value) => boolean,
    assume: StatementContext["assume"],
  ): ValueContext["callee"] =>
  (name, args, at) => {
    const known = factFor(name, args.length, release);
    if (known) {
      if (known.asOf !== null) assume("fact-of-other-release", `${name}() as of ${known.asOf} (target ${formatRelease(release)})`, at);
      if (known.fact.effects.length === 0) return null;
      return { effects: known.fact.effects.map((effect) => bindEffect(effect, args, isPageTableLock)).filter((effect) => !isForbidden(effect)), knowledge: "effects" };
    }
    if (isQuiet(name)) return null;
    return { effects: [], knowledge: definitions.has(name) ? "defined-here" : "unknown" };
  };

/** A goto to a label that the text does not show leaves what is visible. */
function closeLabels(graph: GraphBuilder, labels: ReadonlyMap<string, Joint>, context: StatementContext): void {
  for (const [name, target] of labels) {
    const node = graph.nodes[target.id];
    if (node?.kind !== "label" || node.next >= 0) continue;
    context.assume("unseen-code", `label ${name} is not visible`, node.at);
    target.to(graph.add({ kind: "unseen", where: "end", next: context.exit }));
  }
}

/** Calls of helpers, and uses of macros, that one function opens at most; more than any function of mm/ has. */
const MAX_HELPERS = 300;

const opening = new WeakMap<FunctionCode, boolean>();

/** Helpers that only return a value: conditions see through them. */
const returnOnly = (definitions: Definitions): Pick<Definitions, "get"> => ({
  get: (name) => {
    const code = definitions.get(name);
    if (!code) return undefined;
    const opens = opening.get(code) ?? opensInPlace(code);
    opening.set(code, opens);
    return opens ? code : undefined;
  },
});

/** A helper that pins stays a call: its calling contexts say which flags it pins with. */
function opensInPlace(code: FunctionCode): boolean {
  const value = returnedValue(code.body);
  return value !== null && !pins(value);
}

const PINS: ReadonlySet<string> = new Set(namesWithEffect("gup"));

function pins(value: Value): boolean {
  if (value.kind === "call" && PINS.has(value.name)) return true;
  return Object.values(value).flat().some((part: unknown) => typeof part === "object" && part !== null && "kind" in part && "at" in part && pins(part as Value));
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

/** True for `spinlock_t *` variables whose name says page-table lock: mm code calls them `ptl`, `src_ptl`, `pml`. */
const pageTableLocks = (variables: ReadonlyMap<string, Variable>) => (lock: Value): boolean => {
  const variable = lock.kind === "name" ? variables.get(lock.name) : undefined;
  return variable?.type === "spinlock_t" && variable.pointers > 0 && /ptl|pml|pgl|pt_lock/.test(variable.name);
};
