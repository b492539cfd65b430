// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import type { BinaryOperator, Expression, Field } from "../../server/simulator/expression.ts";
import type { Alternative, Assignment, Check, Model, Step, ThreadSpec } from "../../server/simulator/model.ts";
import { problemsOf } from "../../server/simulator/validate.ts";

const OPERATORS: readonly BinaryOperator[] = ["==", "!=", "<", ">", "<=", ">=", "+", "-", "and", "or"];

const field = (name: string, initial: readonly number[]): Field => ({
  name, length: initial.length, initial, labels: {}, hidden: false,
});

const constant = fc.integer({ min: 0, max: 4 }).map((value): Expression => ({ kind: "constant", value }));

const expressionOver = (scalars: readonly Field[], array: Field, depth: number): fc.Arbitrary<Expression> => {
  const scalar = fc.constantFrom(...scalars).map((of): Expression => ({ kind: "field", field: of }));
  if (depth === 0) return fc.oneof(constant, scalar);
  const inner = expressionOver(scalars, array, depth - 1);
  return fc.oneof(
    { weight: 1, arbitrary: scalar },
    { weight: 1, arbitrary: inner.map((index): Expression => ({ kind: "element", field: array, index })) },
    { weight: 1, arbitrary: inner.map((of): Expression => ({ kind: "not", of })) },
    {
      weight: 5,
      arbitrary: fc
        .tuple(fc.constantFrom(...OPERATORS), inner, inner)
        .map(([operator, left, right]): Expression => ({ kind: "binary", operator, left, right })),
    },
  );
};

const assignmentOver = (scalars: readonly Field[], array: Field): fc.Arbitrary<Assignment> =>
  fc.oneof(
    fc.tuple(fc.constantFrom(...scalars), constant).map(([target, value]) => ({ target, index: null, value })),
    fc
      .tuple(fc.constantFrom(...scalars), expressionOver(scalars, array, 1))
      .map(([target, value]) => ({ target, index: null, value })),
    fc
      .tuple(expressionOver(scalars, array, 0), expressionOver(scalars, array, 1))
      .map(([index, value]) => ({ target: array, index, value })),
  );

const alternativeOver = (scalars: readonly Field[], array: Field, labels: readonly string[], checks: boolean) => {
  const check = fc
    .tuple(expressionOver(scalars, array, 2), fc.constantFrom("red", "blue"))
    .map(([holds, property]): Check => ({ holds, property, message: property }));
  const guarded = fc.option(expressionOver(scalars, array, 2), { nil: undefined, freq: 2 });
  const target = fc.option(fc.constantFrom(...labels, "END"), { nil: undefined, freq: 4 });
  return fc
    .tuple(
      guarded,
      fc.array(assignmentOver(scalars, array), { maxLength: 2 }),
      fc.array(check, { maxLength: checks ? 1 : 0 }),
      target,
    )
    .map(([guard, effect, own, to]): Alternative => ({
      effect, checks: own, ...(guard === undefined ? {} : { guard }), ...(to === undefined ? {} : { to }),
    }));
};

const threadOver = (name: string, role: ThreadSpec["role"], globals: readonly Field[], array: Field, checks: boolean) => {
  const local = field(`${name}.local`, [0]);
  return fc.integer({ min: 1, max: 4 }).chain((count) => {
    const labels = Array.from({ length: count }, (_, index) => `l${index}`);
    const alternatives = fc.array(alternativeOver([...globals, local], array, labels, checks), { minLength: 1, maxLength: 2 });
    const step = alternatives.map((ways): Step => ({ text: name, source: null, hidden: false, alternatives: ways }));
    return fc.array(step, { minLength: count, maxLength: count }).map((steps): ThreadSpec => ({
      name, role, locals: [local], steps, labels: Object.fromEntries(labels.map((label, index) => [label, index])),
    }));
  });
};

export interface RandomModelOptions {
  /** Whether steps have checks. */
  readonly checks: boolean;
  /** Role of the threads after the first, which is under review. */
  readonly others: ThreadSpec["role"];
}

/** Small closed programs: two or three threads, loops, blocking guards, nondeterminism, arrays with indices out of range. */
export const randomModel = ({ checks, others }: RandomModelOptions): fc.Arbitrary<Model> => {
  const scalars = [field("a", [0]), field("b", [1])];
  const array = field("array", [0, 1, 2]);
  const thread = (name: string, role: ThreadSpec["role"]) => threadOver(name, role, scalars, array, checks);
  return fc
    .tuple(thread("first", "review"), thread("second", others), fc.option(thread("third", others), { nil: null, freq: 2 }))
    .map(([first, second, third]): Model => ({
      name: "random", globals: [...scalars, array], reach: [], threads: third === null ? [first, second] : [first, second, third],
    }))
    .filter((model) => problemsOf(model).length === 0);
};
