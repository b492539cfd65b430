// SPDX-License-Identifier: GPL-2.0-only
import type { BinaryOperator, Expression, Field } from "./expression.ts";
import { layoutOf } from "./layout.ts";
import type { Layout } from "./layout.ts";
import type { Alternative, Assignment, Check, Model, ThreadSpec } from "./model.ts";
import { OP } from "./opcode.ts";
import { STACK_SIZE } from "./vm.ts";

/** One alternative of one step, in declaration order over the whole model. Its index is its number in the tables. */
export interface ActionPlace {
  readonly thread: number;
  readonly step: number;
  readonly alternative: number;
}

/**
 * A model as bytecode and tables. Tables are indexed by action number; -1 stands for "no code".
 * Semantics: an effect's assignments run in order and each sees the earlier ones; an array element outside its array reads
 * as 0 and is not written.
 */
export interface Program {
  readonly model: Model;
  readonly layout: Layout;
  readonly code: Int32Array;
  readonly actions: readonly ActionPlace[];
  readonly guard: Int32Array;
  readonly effect: Int32Array;
  /** Program counter after the action. */
  readonly next: Int32Array;
  /** Where the action's thread has its program counter, and 1 where that takes two bytes: as `layout.counters`, but fast. */
  readonly counterOffset: Int32Array;
  readonly counterWide: Uint8Array;
  /** Checks of action `a` are `firstCheck[a]` up to `firstCheck[a + 1]`. */
  readonly firstCheck: Int32Array;
  readonly checkCode: Int32Array;
  readonly checks: readonly Check[];
  /**
   * `firstAction[t][s]` up to `firstAction[t][s + 1]` are the actions of step `s` of thread `t`. Two entries more than steps,
   * so that the end reads as a step without actions.
   */
  readonly firstAction: readonly Int32Array[];
}

export interface CompileOptions {
  /** Only checks of these properties exist; missing: all. */
  readonly properties?: ReadonlySet<string>;
  /** Bytes added to each state for the search's own use. */
  readonly extraBytes?: number;
}

const OPERATORS: Readonly<Record<BinaryOperator, number>> = {
  "==": OP.EQUAL,
  "!=": OP.NOT_EQUAL,
  "<": OP.LESS,
  ">": OP.GREATER,
  "<=": OP.LESS_OR_EQUAL,
  ">=": OP.GREATER_OR_EQUAL,
  "+": OP.ADD,
  "-": OP.SUBTRACT,
  and: OP.AND,
  or: OP.OR,
};

/** Comparisons of a byte with a number that are the whole of an expression. */
const RETURNING: Partial<Readonly<Record<BinaryOperator, number>>> = {
  "==": OP.RETURN_BYTE_EQUALS,
  "!=": OP.RETURN_BYTE_DIFFERS,
  "<": OP.RETURN_BYTE_LESS,
  ">": OP.RETURN_BYTE_GREATER,
  "<=": OP.RETURN_BYTE_LESS_OR_EQUAL,
  ">=": OP.RETURN_BYTE_GREATER_OR_EQUAL,
};

/** Comparisons of a byte with a number inside of an expression. */
const PUSHING: typeof RETURNING = { "==": OP.BYTE_EQUALS, "!=": OP.BYTE_DIFFERS };

interface Emitter {
  readonly layout: Layout;
  readonly thread: number;
  readonly code: number[];
}

const offsetOf = ({ layout, thread }: Emitter, field: Field): number => {
  const offset = layout.offsets.get(field);
  const owner = layout.owners.get(field);
  if (offset === undefined) throw new Error(`field ${field.name} is not part of the model`);
  if (owner !== undefined && owner !== thread) throw new Error(`local ${field.name} is used by another thread`);
  return offset;
};

/** A comparison of a byte with a number is most of what guards do, so it has instructions of its own. */
const emitByteTest = (emitter: Emitter, of: Expression, opcodes: typeof RETURNING): boolean => {
  if (of.kind !== "binary" || of.left.kind !== "field" || of.right.kind !== "constant") return false;
  const opcode = opcodes[of.operator];
  if (opcode === undefined) return false;
  emitter.code.push(opcode, offsetOf(emitter, of.left.field), of.right.value);
  return true;
};

/** Emits code that leaves the value on the stack; returns how deep the stack gets. */
const emit = (emitter: Emitter, of: Expression): number => {
  const { code } = emitter;
  switch (of.kind) {
    case "constant":
      code.push(OP.CONSTANT, of.value);
      return 1;
    case "field":
      code.push(OP.LOAD, offsetOf(emitter, of.field));
      return 1;
    case "element": {
      const depth = emit(emitter, of.index);
      code.push(OP.LOAD_ELEMENT, offsetOf(emitter, of.field), of.field.length);
      return depth;
    }
    case "not": {
      const depth = emit(emitter, of.of);
      code.push(OP.NOT);
      return depth;
    }
    case "binary": {
      if (emitByteTest(emitter, of, PUSHING)) return 1;
      const left = emit(emitter, of.left);
      const right = emit(emitter, of.right);
      code.push(OPERATORS[of.operator]);
      return Math.max(left, right + 1);
    }
  }
};

const checkedDepth = (depth: number): void => {
  if (depth >= STACK_SIZE) throw new Error("an expression is nested too deeply");
};

const emitValue = (emitter: Emitter, of: Expression): number => {
  const at = emitter.code.length;
  if (emitByteTest(emitter, of, RETURNING)) return at;
  checkedDepth(emit(emitter, of));
  emitter.code.push(OP.RETURN);
  return at;
};

/** What is added to the byte that is assigned to; null where the value is another one. */
const addedTo = (target: Field, value: Expression): number | null => {
  if (value.kind !== "binary" || value.left.kind !== "field" || value.left.field !== target) return null;
  if (value.right.kind !== "constant") return null;
  if (value.operator === "+") return value.right.value;
  return value.operator === "-" ? -value.right.value : null;
};

const emitAssignment = (emitter: Emitter, { target, index, value }: Assignment): void => {
  const offset = offsetOf(emitter, target);
  const added = addedTo(target, value);
  if (index !== null) {
    checkedDepth(Math.max(emit(emitter, index), 1 + emit(emitter, value)));
    emitter.code.push(OP.STORE_ELEMENT, offset, target.length);
  } else if (value.kind === "constant") {
    emitter.code.push(OP.STORE_CONSTANT, offset, value.value);
  } else if (added !== null) {
    emitter.code.push(OP.ADD_TO_BYTE, offset, added);
  } else {
    checkedDepth(emit(emitter, value));
    emitter.code.push(OP.STORE, offset);
  }
};

const emitEffect = (emitter: Emitter, effect: readonly Assignment[] | undefined): number => {
  if (effect === undefined || effect.length === 0) return -1;
  const at = emitter.code.length;
  for (const assignment of effect) emitAssignment(emitter, assignment);
  emitter.code.push(OP.END);
  return at;
};

/** Program counter after an alternative of step `step`. */
export const nextCounter = (thread: ThreadSpec, step: number, { to }: Alternative): number => {
  if (to === undefined) return step + 1;
  if (to === "END") return thread.steps.length;
  const target = Object.hasOwn(thread.labels, to) ? thread.labels[to] : undefined;
  if (target === undefined) throw new Error(`thread ${thread.name} has no label ${to}`);
  return target;
};

/** Compiles a model. Throws on an ill-formed model: models are made by our own code, so that is a bug. */
export const compile = (model: Model, options: CompileOptions = {}): Program => {
  const layout = layoutOf(model, options.extraBytes ?? 0);
  const code: number[] = [];
  const actions: ActionPlace[] = [];
  const guard: number[] = [];
  const effect: number[] = [];
  const next: number[] = [];
  const firstCheck: number[] = [];
  const checkCode: number[] = [];
  const checks: Check[] = [];

  const compileAction = (emitter: Emitter, spec: ThreadSpec, place: ActionPlace, alternative: Alternative): void => {
    actions.push(place);
    guard.push(alternative.guard === undefined ? -1 : emitValue(emitter, alternative.guard));
    firstCheck.push(checks.length);
    for (const check of alternative.checks ?? []) {
      if (options.properties !== undefined && !options.properties.has(check.property)) continue;
      checks.push(check);
      checkCode.push(emitValue(emitter, check.holds));
    }
    effect.push(emitEffect(emitter, alternative.effect));
    next.push(nextCounter(spec, place.step, alternative));
  };

  const firstAction = model.threads.map((spec, thread) => {
    const emitter = { layout, thread, code };
    const first = spec.steps.map(({ alternatives }, step) => {
      const at = actions.length;
      alternatives.forEach((alternative, index) =>
        compileAction(emitter, spec, { thread, step, alternative: index }, alternative),
      );
      return at;
    });
    return Int32Array.from([...first, actions.length, actions.length]);
  });
  firstCheck.push(checks.length);
  return {
    model, layout, code: Int32Array.from(code), actions, guard: Int32Array.from(guard), effect: Int32Array.from(effect),
    next: Int32Array.from(next),
    counterOffset: Int32Array.from(actions, ({ thread }) => layout.counters[thread].offset),
    counterWide: Uint8Array.from(actions, ({ thread }) => (layout.counters[thread].wide ? 1 : 0)),
    firstCheck: Int32Array.from(firstCheck), checkCode: Int32Array.from(checkCode), checks,
    firstAction,
  };
};
