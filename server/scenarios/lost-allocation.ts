// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { BoundEffect, BranchNode, CallNode, EffectProgram } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { modelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { eq, FALSE, ne, not, or, TRUE, type Expression } from "../simulator/expression.ts";
import type { Alternative, Assignment, Check } from "../simulator/model.ts";
import { someIn } from "./doubt.ts";
import type { Experiment } from "./experiment.ts";
import { lift } from "./lift.ts";
import { guessedNames, unseenNames } from "./obligation/guessed.ts";
import { isSite, type Site } from "./obligation/obligation.ts";
import { returnedValue } from "./obligation/returned.ts";
import { asInText, insertBefore, synthetic } from "./rewrite.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * Write protection of what is not mapped needs page tables to leave markers in. One allocation of one function fails: what
 * does whoever called it hear of it? d1751118c886 (6.3) made every level of change_protection() hand the error on.
 */

/** Values of integers: 0, above 0, a negative error. */
const POSITIVE = 1;
const ERROR = 3;

export type Failing = BoundEffect & { readonly kind: "returnsError" };

/** How a function can tell its caller: not at all, or by a number. null: in a way that is not read here. */
export type Tells = "nothing" | "number" | null;

/** By the return type, as the text has it. */
export function tellsBy(program: EffectProgram): Tells {
  const head = program.image.text.slice(program.start, program.end);
  const type = head.slice(0, Math.max(0, head.search(new RegExp(`\\b${program.name}\\s*\\(`))));
  if (type.includes("*") || /\bbool\b/.test(type)) return null;
  if (/\bvoid\b/.test(type)) return "nothing";
  return /\b(?:int|long|unsigned|ssize_t|u64|s64)\b/.test(type) ? "number" : null;
}

/** Variables that only ever count: given numbers and counts, stepped and added to. */
function counters(program: EffectProgram): ReadonlySet<string> {
  const stepped = new Set(program.nodes.flatMap((node) => (node.kind === "assign" && node.operator !== "=" ? [render(node.target)] : [])));
  const others = new Set([...program.variables.values()].flatMap((one) => (one.isParameter ? [one.name] : [])));
  for (const node of program.nodes) if (node.kind === "call" && node.result !== null) others.add(node.result);
  const given = program.nodes.flatMap((node) => (node.kind === "assign" && node.operator === "=" ? [{ name: render(node.target), value: node.value }] : []));
  const isKnown = (value: Value | null, counted: ReadonlySet<string>): boolean => value !== null && (value.kind === "number" || isCount(value, counted));
  let counted: ReadonlySet<string> = new Set([...stepped, ...given.flatMap(({ name, value }) => (value?.kind === "number" ? [] : [name]))].filter((name) => !others.has(name)));
  // What is given anything but a number or a count is none.
  for (let size = -1; size !== counted.size; ) {
    size = counted.size;
    const before = counted;
    const lost = new Set(given.flatMap(({ name, value }) => (isKnown(value, before) ? [] : [name])));
    counted = new Set([...before].filter((name) => !lost.has(name)));
  }
  return counted;
}

/** A count, or a number made of counts. */
const isCount = (value: Value, counted: ReadonlySet<string>): boolean =>
  (value.kind === "binary" && /^(?:<<|>>|[-+*/])$/.test(value.operator) && isCount(value.left, counted)) || counted.has(render(value));

const isErrno = (value: Value): boolean => value.kind === "unary" && value.operator === "-" && (value.of.kind === "number" || (value.of.kind === "name" && /^E[A-Z0-9]+$/.test(value.of.name)));

/** True where the error may leave the function by another way than its value: it is kept somewhere. */
export function isKeptElsewhere(program: EffectProgram, call: CallNode): boolean {
  const carriers = new Set(call.result === null ? [] : [call.result]);
  const isOne = (value: Value): boolean => isErrno(value) || namesIn(value).some((name) => carriers.has(name));
  for (let size = -1; size !== carriers.size; ) {
    size = carriers.size;
    for (const node of program.nodes) if (node.kind === "assign" && node.operator === "=" && node.target.kind === "name" && node.value && !isErrno(node.value) && isOne(node.value)) carriers.add(node.target.name);
  }
  return program.nodes.some((node) => node.kind === "assign" && node.target.kind !== "name" && node.value !== null && isOne(node.value));
}

/** True where a function is about protection: only then is a table that is missing one that must be there. */
export function protects(program: EffectProgram): boolean {
  if (/change_(?:pte|pmd|pud|p4d|prot|huge)|wp_range|write_?protect/.test(program.name)) return true;
  const asks = (value: Value | null): boolean => value !== null && namesIn(value).includes("MM_CP_UFFD_WP");
  return program.nodes.some((node) => (node.kind === "branch" && asks(node.condition)) || (node.kind === "assign" && asks(node.value)));
}

/**
 * Addresses: what is compared with the end of a range, and what is given to that. The part that fails may be the last one of
 * its range or not, so that they need not be followed.
 */
function addresses(program: EffectProgram): ReadonlySet<string> {
  const found = new Set(program.nodes.flatMap((node) => (node.kind === "branch" ? endOfRange(node.condition) : [])));
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const node of program.nodes) if (node.kind === "assign" && node.operator === "=" && node.value?.kind === "name" && found.has(render(node.target))) found.add(node.value.name);
  }
  return found;
}

/** Names in a comparison like `addr != end`. */
const endOfRange = (value: Value): readonly string[] =>
  value.kind === "binary" && /^(?:[<>]=?|!=)$/.test(value.operator) && value.left.kind === "name" && value.right.kind === "name" && /^_?end$|_end$/.test(value.right.name) ? [value.left.name, value.right.name] : [];

/** How the error is lost, with what is said of it. */
export const LOST = {
  void: "the function has no value to tell it with",
  count: "a number of pages is returned",
  success: "the function returns success",
} as const;

const WARNING = "the warning";

/** What is asked of one allocation: whether its failure arrives, or whether it is worth a warning. */
export type Question = "arrives" | "warns";

export function lostAllocation(site: Site, effect: Failing, question: Question): Experiment {
  const isFixed = (program: EffectProgram): boolean => program.nodes.some((node) => node.kind === "call" && isSite(site, node) && node.shown !== undefined);
  return {
    name: "pgtable-alloc-failure-lost",
    primary: [question === "arrives" ? "lost-error" : "warning-on-allocation-failure"],
    secondary: [],
    bounds: "one thread, one allocation that fails, loops unbounded",
    build(program, release) {
      const model = modelBuilder("pgtable-alloc-failure-lost");
      const watched = question === "warns" && !isFixed(program) ? withWarning(program, site) : program;
      const lifted = lift(model, watched, release, (thread) => world(watched, site, effect, question, thread));
      const calls = [...lifted.stepsOf].flatMap(([id, steps]) => {
        const node = watched.nodes[id];
        return node?.kind === "call" && isSite(site, node) && steps[0] !== undefined ? [steps[0]] : [];
      });
      if (calls.length === 0) return null;
      for (const step of calls) model.reach(lifted.thread, step, "the allocation");
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix: (program) => ({
      title: question === "warns" ? "no warning: the error is returned, that is all" : `the error of ${site.call.name}() is returned, and by every function above`,
      program: { ...program, nodes: program.nodes.map((node) => (node.kind === "call" && isSite(site, node) ? { ...node, shown: shownFixed(node) } : node)) },
    }),
    mutate: (fixed) => ({ ...fixed, nodes: fixed.nodes.map((node) => (node.kind === "call" && isSite(site, node) ? asInText(node) : node)) }),
    wrongFixes: [],
  };
}

const shownFixed = (call: CallNode): string => `${call.name}(${call.args.map(render).join(", ")})`;

const WARNS = /\b(?:VM_)?WARN(?:_ON)?(?:_ONCE)?\s*\(\s*!?\s*(?:(?:un)?likely\s*\(\s*)?!?\s*$/;

/** True where the text at an offset stands in a warning. */
export const isWarnedOf = (program: EffectProgram, at: number): boolean => at >= 0 && WARNS.test(program.image.text.slice(Math.max(0, at - 60), at));

/** The condition of a warning about the value of the call. */
function warningOn(program: EffectProgram, { call }: Site): BranchNode | null {
  const isAbout = (node: BranchNode): boolean => call.result !== null && namesIn(node.condition).includes(call.result);
  return program.nodes.find((node): node is BranchNode => node.kind === "branch" && isAbout(node) && (isWarnedOf(program, node.at) || isWarnedOf(program, call.at))) ?? null;
}

/** True where a failure of the call fires a warning. */
export const isWarned = (program: EffectProgram, site: Site): boolean => warningOn(program, site) !== null;

function withWarning(program: EffectProgram, site: Site): EffectProgram {
  const on = warningOn(program, site);
  return insertBefore(program, (node) => (node === on ? [{ ...synthetic(WARNING, { kind: "maySleep" }), name: WARNING, args: [on.condition], at: on.at, end: on.end }] : []));
}

function world(program: EffectProgram, site: Site, effect: Failing, question: Question, thread: ThreadBuilder): World {
  const failed = thread.local("a page table is missing", 0, { labels: { 0: "no", 1: "yes" } });
  const tells = tellsBy(program);
  const counted = counters(program);
  const guessed = guessedNames(program);
  const hides = unseenNames(program);
  const addressed = addresses(program);
  const what = `${site.call.name}() found no memory for a page table`;
  const lost = (message: string, holds: Expression): Check[] => [{ holds, property: "lost-error", message: `${message}: part of the range is not protected, and nobody is told` }];
  const noFailure = ne(failed, 1);
  const isUnsigned = (value: Value): boolean => {
    const variable = value.kind === "name" ? program.variables.get(value.name) : undefined;
    return variable !== undefined && variable.pointers === 0 && /^(?:unsigned|size_t|u\d)/.test(variable.type) && !/\)\s*$/.test(program.image.text.slice(Math.max(0, value.at - 4), value.at));
  };
  return {
    sees: (one, call) => (one.kind === "returnsError" && isSite(site, call)) || call.name === WARNING,
    reads: (_, call) => (call.name === WARNING ? call.args : effect.flags !== undefined && effect.onlyWith === undefined ? [effect.flags] : []),
    readsFlags: (_, call) => (isSite(site, call) && effect.flags !== undefined && effect.onlyWith !== undefined ? [{ word: effect.flags, bit: effect.onlyWith }] : []),
    refine(_, call, lifting) {
      if (call.name === WARNING) return [warning(call, lifting, failed)];
      return [allocating(effect, call, lifting, assign(failed, 1))];
    },
    place: (value) => (isErrno(value) || (value.kind === "call" && value.name === "ERR_PTR") || (value.kind === "name" && /^VM_FAULT_(?:OOM|SIGBUS|ERROR)$/.test(value.name)) ? ERROR : null),
    meaning: () => null,
    compare({ operator, left, right }, translate) {
      const isZero = right.kind === "number" && right.value === 0;
      if (!isZero && !isErrno(right)) return null;
      const value = translate(left);
      if (value === null) return null;
      if (!isZero) {
        if (operator !== "==" && operator !== "!=") return null;
        const same = render(right) === "-ENOMEM" ? eq(value, ERROR) : FALSE;
        return operator === "==" ? same : same === FALSE ? TRUE : not(same);
      }
      switch (operator) {
        case "<":
          return isUnsigned(left) ? FALSE : eq(value, ERROR);
        case ">=":
          return isUnsigned(left) ? TRUE : ne(value, ERROR);
        case ">":
          return isUnsigned(left) ? ne(value, 0) : eq(value, POSITIVE);
        case "<=":
          return isUnsigned(left) ? eq(value, 0) : ne(value, POSITIVE);
        default:
          return null;
      }
    },
    unseen: () => [{ text: "the rest", hidden: true, alternatives: [{ effect: [assign(failed, 0)] }] }],
    decidedBy: (value) => someIn(value, (part) => (guessed.has(render(part)) && !addressed.has(render(part))) || hides(render(part))),
    // A count says nothing of the error, whatever it is.
    hides: (key) => addressed.has(key) || counted.has(key) || hides(key),
    readsReturns: true,
    leaving(at, lifting) {
      if (question === "warns") return [];
      if (at === null || at.value === null) return tells === "nothing" ? lost(`${what}, and ${LOST.void}`, noFailure) : [];
      if (tells !== "number") return [];
      const value = returnedValue(program, at.value);
      if (isErrno(value)) return [];
      if (isCount(value, counted) || isCount(at.value, counted)) return lost(`${what}, and ${LOST.count}`, noFailure);
      const told = lifting.translate(at.value);
      return told === null ? [] : lost(`${what}, and ${LOST.success}`, or(noFailure, eq(told, ERROR)));
    },
  };
}

/** The allocation: it may fail where the flags ask for page tables at all. */
function allocating(effect: Failing, call: CallNode, lifting: Lifting, fails: Assignment): LiftedStep {
  const asks = effect.flags === undefined ? TRUE : effect.onlyWith === undefined ? lifting.translate(effect.flags) : lifting.flag(effect.flags, effect.onlyWith);
  const isNull = effect.form === "null";
  const isCounting = effect.flags !== undefined;
  const found: readonly number[] = isNull ? [1] : isCounting ? [0, POSITIVE] : [0];
  const failing: Alternative = {
    ...(asks === null ? { assumed: `the flags of ${call.name}() are not known` } : asks === TRUE ? {} : { guard: ne(asks, 0) }),
    effect: [...(call.shown === undefined ? [fails] : []), ...lifting.set(call.result, isNull ? 0 : ERROR)],
    ...(call.shown === undefined ? { note: "no memory for a page table" } : { to: "END", note: "no memory: -ENOMEM is returned" }),
  };
  return { alternatives: [...(asks === FALSE ? [] : [failing]), ...found.map((value) => ({ effect: lifting.set(call.result, value), note: "done" }))] };
}

function warning(call: CallNode, lifting: Lifting, failed: Parameters<typeof assign>[0]): LiftedStep {
  const value = call.args[0] ? lifting.translate(call.args[0]) : null;
  if (value === null) return { alternatives: [{}], hidden: true };
  const fires: Check = { holds: FALSE, property: "warning-on-allocation-failure", message: "that memory is short fires a kernel warning, which users can bring about" };
  const isIt = eq(failed, 1);
  return { text: "WARN", alternatives: [{ guard: isIt, checks: [fires], note: "fires" }, { guard: not(isIt), note: "silent" }] };
}
