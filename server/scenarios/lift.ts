// SPDX-License-Identifier: GPL-2.0-only
import { liveNames } from "../analysis/live.ts";
import type { Release } from "../kernel/release.ts";
import { stepPlace, textAt } from "../program/place.ts";
import type { AssignNode, BranchNode, CallNode, ChoiceNode, EffectProgram, NodeId, ProgramNode, ReturnNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import type { ModelBuilder, ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { eq, minus, ne, not, or, plus, type Expression, type Field } from "../simulator/expression.ts";
import type { Alternative, Assignment, StepSource } from "../simulator/model.ts";
import { outcomeWords } from "./outcome.ts";
import { isFollowed } from "./counting.ts";
import { asValue, doubtOf, isUnknown, taintOf, type Doubt } from "./doubt.ts";
import { pointersLocked } from "./locked-pointers.ts";
import { OpenQuestions } from "./open-questions.ts";
import { bitAfter } from "./flag-bit.ts";
import { inOneRow } from "./one-row.ts";
import { outputsOf } from "./outputs.ts";
import { shownCondition } from "./shown-condition.ts";
import { slice, type Slice } from "./slice.ts";
import { isPointer, translator, type Translator } from "./translate.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/** A function turned into a thread of a model. */
export interface LiftedThread {
  readonly thread: ThreadBuilder;
  /** Steps made from each program node, by node. */
  readonly stepsOf: ReadonlyMap<NodeId, readonly number[]>;
  /** What the thread rests on beyond the text. */
  readonly assumptions: readonly string[];
}

/** Lifts a program into a thread under review: slice, then one step per atomic effect, with the text and line of the code. */
export function lift(
  model: ModelBuilder,
  program: EffectProgram,
  release: Release,
  makeWorld: (thread: ThreadBuilder) => World,
  options: { readonly next?: string } = {},
): LiftedThread {
  const thread = model.thread(`${program.name}()`, "review");
  const world = makeWorld(thread);
  const cut = slice(program, world, release);
  const emitter = new Emitter(program, world, release, thread, cut, options.next ?? "END");
  return emitter.run();
}

/** State of one lifting; lives as long as the call of `lift`. */
class Emitter implements Lifting {
  readonly program: EffectProgram;
  readonly thread: ThreadBuilder;
  readonly #world: World;
  readonly #cut: Slice;
  readonly #end: string;
  readonly #fields = new Map<string, Field>();
  readonly #questions: OpenQuestions;
  readonly #doubt: Doubt;
  readonly #taint: (call: CallNode) => string | null;
  readonly #translator: Translator;
  readonly #assumptions = new Set<string>();
  #node: NodeId = 0;

  constructor(program: EffectProgram, world: World, release: Release, thread: ThreadBuilder, cut: Slice, end: string) {
    this.program = program;
    this.thread = thread;
    this.#world = world;
    this.#cut = cut;
    this.#end = end;
    this.#doubt = doubtOf(program, world);
    this.#taint = taintOf(program, world);
    for (const key of cut.tracked) this.#fields.set(key, thread.local(key, this.#initial(key), { hidden: true }));
    this.#questions = new OpenQuestions(cut.open, program.variables, cut.kept, thread, (key) => this.#fields.get(key));
    const read = (key: string): Expression | null => {
      const field = this.#fields.get(key);
      return field ? { kind: "field", field } : null;
    };
    this.#translator = translator(program, world, release, read, () => this.#node);
  }

  #initial(key: string): number {
    const slash = key.indexOf("/");
    return this.#world.parameter?.(slash < 0 ? key : key.slice(0, slash), slash < 0 ? null : key.slice(slash + 1)) ?? 0;
  }

  translate: Lifting["translate"] = (value) => this.#translator.value(value);
  number: Lifting["number"] = (value) => this.#translator.number(value);
  flag: Lifting["flag"] = (word, bit) => this.#translator.flag(word, bit);
  label: Lifting["label"] = (name) => `n${this.#node}.${name}`;
  set: Lifting["set"] = (key, value) => {
    const field = key === null ? undefined : this.#fields.get(key);
    return key === null ? [] : [...(field ? [assign(field, value)] : []), ...this.#questions.reset(key)];
  };

  run(): LiftedThread {
    const stepsOf = new Map<NodeId, readonly number[]>();
    this.#parameters();
    this.#keptValues();
    this.thread.goto(`n${this.#cut.entry}`);
    for (const [id, next] of this.#cut.kept) {
      const node = this.program.nodes[id];
      if (!node) continue;
      this.#node = id;
      this.thread.label(`n${id}`);
      stepsOf.set(id, this.#emit(node, next));
    }
    return { thread: this.thread, stepsOf, assumptions: [...this.#assumptions] };
  }

  /** Parameters that matter and that the scenario does not fix may have any value. */
  #parameters(): void {
    for (const [name, variable] of this.program.variables) {
      if (!variable.isParameter || this.program.openStart) continue;
      for (const key of [name, ...[...this.#fields.keys()].filter((one) => one.startsWith(`${name}/`))]) {
        const field = this.#fields.get(key);
        if (!field || this.#isFixed(key)) continue;
        this.thread.step({
          text: `argument ${key}`,
          hidden: true,
          alternatives: [{ effect: [assign(field, 1)], note: "given" }, { effect: [assign(field, 0)], note: "zero" }],
        });
      }
    }
  }

  /** What an object or a global keeps may have any value before the function gives it one. */
  #keptValues(): void {
    for (const [key, field] of this.#fields) {
      const name = key.split("/", 1)[0] ?? key;
      const isLocal = this.program.variables.has(name) || name.startsWith("$");
      if (isLocal || this.#isFixed(key)) continue;
      this.thread.step({ text: key, hidden: true, alternatives: [{ effect: [assign(field, 1)], note: "set" }, { effect: [assign(field, 0)], note: "not set" }] });
    }
  }

  #isFixed(key: string): boolean {
    const slash = key.indexOf("/");
    const fixed = this.#world.parameter?.(slash < 0 ? key : key.slice(0, slash), slash < 0 ? null : key.slice(slash + 1));
    return fixed !== null && fixed !== undefined;
  }

  #emit(node: ProgramNode, next: readonly NodeId[]): number[] {
    switch (node.kind) {
      case "call":
        return this.#steps(node, this.#callSteps(node), next);
      case "assign":
        return this.#steps(node, [this.#assignment(node)], next);
      case "branch":
        return [this.#branch(node, next)];
      case "choice":
        return [this.#choice(node, next)];
      case "return":
        return this.#steps(node, [this.#leaving(node)], next);
      case "unseen":
        return this.#steps(node, [...(this.#world.unseen?.(node.where, this) ?? []), ...(node.where === "end" ? [] : this.#fromUnseen())], next);
      case "exit":
        return [this.#exit()];
      case "stop":
        return [this.thread.step({ text: "stop", hidden: true, alternatives: [{ to: this.#end }] })];
      default:
        return this.#steps(node, [{ alternatives: [{}], hidden: true }], next);
    }
  }

  /** What must hold wherever the function is left: checked once, at the return statement or at the closing brace. */
  #leaving(node: ReturnNode | null): LiftedStep {
    const checks = this.#world.leaving?.(node, this) ?? [];
    // Past a return there is no closing brace to come to.
    if (checks.length === 0) return { alternatives: [this.#world.leaving && node ? { to: this.#end } : {}], hidden: true };
    return { alternatives: [{ checks, to: this.#end }] };
  }

  #exit(): number {
    const { alternatives, hidden = false } = this.#leaving(null);
    const source = hidden ? null : stepPlace(this.program.image, Math.max(this.program.start, this.program.end - 1));
    return this.thread.step({ text: "return", source, hidden, alternatives: alternatives.map((way) => ({ ...way, to: this.#end })) });
  }

  /** Variables that are read before any visible code gives them a value got it where nothing is visible: any value. */
  #fromUnseen(): LiftedStep[] {
    // Of a function that is too large, every name may be read.
    const read = liveNames(this.program)?.(this.program.entry) ?? null;
    const reset = this.#questions.resetAll();
    return [...this.#fields].flatMap(([key, field]): LiftedStep[] => {
      const name = key.split("/")[0] ?? key;
      if (read?.has(name) === false || this.#isFixed(key) || (this.program.variables.get(name)?.isParameter && !this.program.openStart)) return [];
      return [{ text: key, hidden: true, alternatives: [1, 0].map((value) => ({ effect: [assign(field, value)] })) }];
    }).concat(reset.length === 0 ? [] : [{ text: "not visible", hidden: true, alternatives: [{ effect: reset }] }]);
  }

  #source(node: ProgramNode): { text: string; source: StepSource | null } {
    if (!("at" in node) || node.at < 0) return { text: node.kind === "call" ? (node.shown ?? node.name) : node.kind, source: null };
    const text = node.kind === "call" && node.shown !== undefined ? node.shown : "end" in node && node.end !== undefined ? textAt(this.program.image, node.at, node.end) : "";
    return { text: text === "" ? node.kind : text, source: stepPlace(this.program.image, node.at) };
  }

  #steps(node: ProgramNode, steps: readonly LiftedStep[], next: readonly NodeId[]): number[] {
    const shown = this.#source(node);
    const list = steps.length > 0 ? steps : [{ alternatives: [{}], hidden: true }];
    return list.map((step, index) => {
      if (step.label !== undefined) this.thread.label(step.label);
      const { text = shown.text, label: _, ...part } = step;
      const last = index === list.length - 1;
      const alternatives = part.alternatives.map((one) => (one.to === undefined && last ? { ...one, to: `n${next[0]}` } : one));
      return this.thread.step({ ...part, text, source: shown.source, hidden: step.hidden ?? false, alternatives });
    });
  }

  #callSteps(node: CallNode): LiftedStep[] {
    const steps = node.effects.flatMap((effect) => (this.#world.sees(effect, node) ? this.#world.refine(effect, node, this) : []));
    if (steps.length > 0) return [...this.#lockIsThere(node), ...inOneRow(steps)];
    const unknown = node.knowledge === "unknown" ? this.#world.unknownCall?.(node, this) : null;
    if (unknown) {
      this.#assumptions.add(`${node.name}() is not known: assumed to use what it is handed`);
      return [...unknown];
    }
    return [this.#withHanded(node, this.#withOutputs(node, this.#freeResult(node)))];
  }

  /** Whose lock is taken is not NULL: there is no such way through the function. */
  #lockIsThere(node: CallNode): LiftedStep[] {
    const found = pointersLocked(this.program, node).flatMap((name) => this.#fields.get(name) ?? []);
    return found.map((field) => ({ hidden: true, alternatives: [{ guard: ne(field, 0) }, { guard: eq(field, 0), to: "END" }] }));
  }

  /** What the call is handed the address of has any value afterwards. */
  #withOutputs(node: CallNode, step: LiftedStep): LiftedStep {
    const written = outputsOf(node).flatMap((key) => [...this.#fields].filter(([name]) => name === key || name.startsWith(`${key}/`)));
    const reset = outputsOf(node).flatMap((key) => this.#questions.reset(key));
    const open: LiftedStep = reset.length === 0 ? step : { ...step, alternatives: step.alternatives.map((way) => ({ ...way, effect: [...(way.effect ?? []), ...reset] })) };
    return written.reduce<LiftedStep>((one, [key, field]) => {
      const why = isUnknown(node) ? { assumed: `${node.name}() may set ${key} to anything` } : {};
      const set = (way: Alternative, value: number): Alternative => ({ ...way, ...why, effect: [...(way.effect ?? []), assign(field, value), ...this.#questions.reset(key)], note: `${key} is ${value === 0 ? "0" : "not 0"}` });
      return { ...one, hidden: false, alternatives: one.alternatives.flatMap((way) => [set(way, 1), set(way, 0)]) };
    }, open);
  }

  /** A callee may lock or change what the scenario follows: a run past it rests on that it does not. */
  #withHanded(node: CallNode, step: LiftedStep): LiftedStep {
    const assumed = this.#taint(node);
    if (assumed === null) return step;
    return { ...step, alternatives: step.alternatives.map((one) => ({ ...one, assumed: one.assumed === undefined ? assumed : `${one.assumed}; ${assumed}` })) };
  }

  /** A call whose value matters but is not known: zero or not. */
  #freeResult(node: CallNode): LiftedStep {
    if (node.result === null || !this.#fields.has(node.result)) return { alternatives: [{ effect: node.result === null ? [] : this.#questions.reset(node.result) }], hidden: true };
    const found = this.#world.origin?.(node, this) ?? null;
    if (found) return found;
    const known = this.#translator.value(asValue(node));
    if (known !== null) return { alternatives: [{ effect: this.set(node.result, known) }], hidden: true };
    const why = this.#doubt.ofResult(node);
    const doubt = why === null ? {} : { assumed: why };
    if (this.#world.counts?.(node.result)) return { alternatives: this.#unknownNumbers(node.result).map(({ value, assumed }) => ({ effect: this.set(node.result, value), ...doubt, ...(assumed === undefined ? {} : { assumed }) })) };
    const words = outcomeWords(node, this.program);
    return {
      alternatives: [
        { effect: this.set(node.result, 1), note: words.nonzero, ...doubt },
        { effect: this.set(node.result, 0), note: words.zero, ...doubt },
      ],
    };
  }

  #unknownNumbers(key: string): readonly { readonly value: number; readonly assumed?: string }[] {
    const assumed = `${key} is a number that the text does not tell`;
    return this.#world.unknownNumbers?.(key) ?? [{ value: 0, assumed }, { value: 255, assumed }];
  }

  #assignment(node: AssignNode): LiftedStep {
    const key = render(node.target);
    const found = this.#fields.has(key) ? (this.#world.origin?.(node, this) ?? null) : null;
    if (found) return found;
    if (this.#world.counts?.(key) && this.#fields.has(key)) return this.#counted(node, key);
    const effects: Assignment[] = [];
    const open: Field[] = [];
    const give = (field: Field, value: Expression | null): void => {
      if (value === null) open.push(field);
      else effects.push(assign(field, value));
    };
    const field = this.#fields.get(key);
    const value = field ? this.#valueAfter(node, field) : null;
    if (field && value !== null) effects.push(assign(field, value));
    for (const [name, bit] of this.#fields) {
      if (!name.startsWith(`${key}/`)) continue;
      const flag = name.slice(key.length + 1);
      give(bit, node.operator === "=" && node.value ? this.#translator.flag(node.value, flag) : bitAfter(node, { bit: flag, before: bit }, (one) => this.#fields.get(one), (one) => this.#translator.condition(one)));
    }
    const isOpen = open.length > 0 || (field !== undefined && value === null);
    const why = isOpen && node.value ? this.#doubt.of(node.value) : null;
    const first = field && value === null ? this.#openValue(node, field) : [{}];
    const reset = this.#questions.reset(key);
    const alternatives = open
      .reduce<Alternative[]>((all, one) => all.flatMap((way) => [1, 0].map((bit) => ({ ...way, effect: [...(way.effect ?? []), assign(one, bit)] }))), first)
      .map((way) => ({ ...way, effect: [...effects, ...(way.effect ?? []), ...reset], ...(why === null ? {} : { assumed: why }) }));
    return { alternatives, hidden: key.startsWith("$") || (!isOpen && ![...this.#fields.keys()].some((name) => name.startsWith(`${key}/`))) };
  }

  /** A value that the model does not decide is a question: the variable has the answer, and whoever asks again gets it. */
  #openValue(node: AssignNode, field: Field): Alternative[] {
    return [true, false].map((outcome) => {
      const { guard, effect = [] } = node.operator === "=" && node.value ? this.#questions.outcome(node.value, outcome, this.#node) : {};
      return { ...(guard ? { guard } : {}), effect: [assign(field, outcome ? 1 : 0), ...effect] };
    });
  }

  #valueAfter(node: AssignNode, before: Field): Expression | null {
    // What a pointer points into stays the same object.
    if (MOVES.has(node.operator) && isPointer(this.program, node.target)) return this.#world.moved?.(node, { kind: "field", field: before }) ?? { kind: "field", field: before };
    const value = node.value && this.#translator.value(node.value);
    if (value === null || node.operator === "=") return value;
    // `ret |= f()` is not 0 once one of the two is not.
    return node.operator === "|=" ? or(ne(before, 0), ne(value, 0)) : null;
  }

  #counted(node: AssignNode, key: string): LiftedStep {
    const field = this.#fields.get(key);
    const number = field ? this.#numberAfter(node, field) : null;
    const reset = this.#questions.reset(key);
    if (!field || number === null) return { alternatives: this.#unknownNumbers(key).map(({ value, assumed }) => ({ effect: [...(field ? [assign(field, value)] : []), ...reset], ...(assumed === undefined ? {} : { assumed }) })), hidden: true };
    const effect = [assign(field, number), ...reset];
    if (number.kind !== "binary") return { alternatives: [{ effect }], hidden: true };
    const followed = isFollowed(number);
    return { alternatives: [{ guard: followed, effect }, { guard: not(followed), effect, assumed: `${key} gets larger than numbers that are followed` }], hidden: true };
  }

  #numberAfter(node: AssignNode, before: Field): Expression | null {
    // `++` stands for both.
    if (node.operator === "++") return node.down ? minus(before, 1) : plus(before, 1);
    const number = node.value && this.#translator.number(node.value);
    if (number === null || node.operator === "=") return number;
    return node.operator === "+=" ? plus(before, number) : node.operator === "-=" ? minus(before, number) : null;
  }

  #branch(node: BranchNode, next: readonly NodeId[]): number {
    const condition = this.#translator.condition(node.condition);
    const shown = this.#source(node);
    const text = node.shown ?? `if (${shownCondition(shown.text, node.negated)})`;
    const said = (outcome: boolean): string => (outcome === node.negated ? "false" : "true");
    const then = `n${next[0]}`;
    const otherwise = `n${next[1]}`;
    if (condition !== null) {
      return this.thread.step({
        text,
        source: shown.source,
        alternatives: [
          { guard: condition, to: then, note: said(true) },
          { guard: not(condition), to: otherwise, note: said(false) },
        ],
        // What the rows above decide needs no row of its own; a flag that the caller passed does.
        hidden: !ASKS_FLAG.test(render(node.condition)) && this.#world.shows?.(node.condition) !== true,
      });
    }
    return this.thread.step({ text, source: shown.source, alternatives: this.#open(node, then, otherwise, said), hidden: node.at < 0 });
  }

  /** A condition that the model does not decide: free, but for what was asked before; see `OpenQuestions`. */
  #open(node: BranchNode, then: string, otherwise: string, said: (outcome: boolean) => string): Alternative[] {
    const doubt = this.#doubt.of(node.condition);
    const why = doubt === null ? {} : { assumed: doubt };
    const way = (outcome: boolean): Alternative => ({
      ...this.#questions.outcome(node.condition, outcome, this.#node),
      to: outcome ? then : otherwise,
      note: said(outcome),
      ...why,
    });
    return [way(true), way(false)];
  }

  #choice(node: ChoiceNode, next: readonly NodeId[]): number {
    const shown = this.#source(node);
    const doubt = node.on ? this.#doubt.of(node.on) : null;
    const why = doubt === null ? {} : { assumed: doubt };
    return this.thread.step({
      text: node.text,
      source: shown.source,
      // A block of which only the end is visible is entered on some paths and not on others: nothing is assumed.
      hidden: node.reason === "unseen",
      alternatives: node.outs.map((out, index) => ({ to: `n${next[index]}`, note: out.label, ...why })),
    });
  }
}

const MOVES: ReadonlySet<string> = new Set(["++", "+=", "-="]);

/** A test of a flag word. */
const ASKS_FLAG = /& [A-Z][A-Z0-9]*_[A-Z0-9_]+/;
