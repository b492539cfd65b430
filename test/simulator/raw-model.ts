// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import type { BinaryOperator, Expression, Field } from "../../server/simulator/expression.ts";
import type { Alternative, Assignment, Check, Model, Step, ThreadSpec } from "../../server/simulator/model.ts";

// Programs at the edges of what a model may be, for exports: every byte as a constant, indices that are themselves elements,
// arrays of one element, local arrays, threads without steps, several checks a step, names that mean something elsewhere.

/** Names that another language could trip over. */
const NAMES: readonly string[] = [
  "cnt", "now", "byte", "end", "", " ", "a b", "*/ int x; /*", "ptl(A)", "änderung", "\u{1f512}", "_pid", "int", "0", "x\ny",
  "\\", "??/", "#define x", "\"", "pte->flags", "timeout", "d_step", "// x", "T0_a", "step0",
];

const OPERATORS: readonly BinaryOperator[] = ["==", "!=", "<", ">", "<=", ">=", "+", "-", "and", "or"];
const name = fc.constantFrom(...NAMES);
const byte = fc.oneof(fc.constantFrom(0, 1, 2, 3, 127, 128, 254, 255), fc.integer({ min: 0, max: 255 }));

const field = (length: number): fc.Arbitrary<Field> =>
  fc.tuple(name, fc.oneof(byte.map((value) => Array.from({ length }, () => value)), fc.array(byte, { minLength: length, maxLength: length })))
    .map(([called, initial]) => ({ name: called, length, initial, labels: {}, hidden: false }));

const expressionOver = (fields: readonly Field[], depth: number): fc.Arbitrary<Expression> => {
  const scalars = fields.filter(({ length }) => length === 1);
  const constant = byte.map((value): Expression => ({ kind: "constant", value }));
  const scalar = fc.constantFrom(...scalars).map((of): Expression => ({ kind: "field", field: of }));
  if (depth === 0) return fc.oneof(constant, scalar);
  const inner = expressionOver(fields, depth - 1);
  return fc.oneof(
    { weight: 2, arbitrary: scalar },
    { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...fields), inner).map(([of, index]): Expression => ({ kind: "element", field: of, index })) },
    { weight: 1, arbitrary: inner.map((of): Expression => ({ kind: "not", of })) },
    {
      weight: 5,
      arbitrary: fc.tuple(fc.constantFrom(...OPERATORS), inner, inner)
        .map(([operator, left, right]): Expression => ({ kind: "binary", operator, left, right })),
    },
  );
};

const assignmentOver = (fields: readonly Field[]): fc.Arbitrary<Assignment> =>
  fc.tuple(fc.constantFrom(...fields), expressionOver(fields, 1), expressionOver(fields, 2), fc.boolean())
    .map(([target, index, value, indexed]) => ({ target, index: target.length > 1 || indexed ? index : null, value }));

const alternativeOver = (fields: readonly Field[], labels: readonly string[]): fc.Arbitrary<Alternative> =>
  fc.tuple(
    fc.option(expressionOver(fields, 2), { nil: undefined }),
    fc.array(assignmentOver(fields), { maxLength: 3 }),
    fc.array(
      expressionOver(fields, 2).map((of): Check => ({
        // Most checks hold, else no program would get far.
        holds: { kind: "binary", operator: "or", left: of, right: { kind: "constant", value: 1 } }, property: "kept", message: "",
      })),
      { maxLength: 1 },
    ),
    fc.option(expressionOver(fields, 2).map((holds): Check => ({ holds, property: "broken", message: "" })), { nil: undefined, freq: 3 }),
    fc.option(fc.constantFrom(...labels, "END"), { nil: undefined, freq: 2 }),
  ).map(([guard, effect, kept, broken, to]) => ({
    effect, checks: broken === undefined ? kept : [...kept, broken],
    ...(guard === undefined ? {} : { guard }), ...(to === undefined ? {} : { to }),
  }));

const threadOver = (index: number, role: ThreadSpec["role"], globals: readonly Field[]): fc.Arbitrary<ThreadSpec> =>
  fc.tuple(name, fc.integer({ min: 0, max: 3 }), field(1), field(2)).chain(([called, count, ...locals]) => {
    const labels = Array.from({ length: count }, (_, step) => `l${step}`);
    const step = fc.tuple(name, fc.array(alternativeOver([...globals, ...locals], labels), { minLength: 1, maxLength: 3 }))
      .map(([text, alternatives]): Step => ({ text, source: null, hidden: false, alternatives }));
    return fc.array(step, { minLength: count, maxLength: count }).map((steps): ThreadSpec => ({
      name: `${called}${index}`, role, locals, steps, labels: Object.fromEntries(labels.map((label, at) => [label, at])),
    }));
  });

/** Small closed programs with everything that a model may have. Few of them are well-meant. */
export const rawModel = (): fc.Arbitrary<Model> =>
  fc.tuple(name, field(1), field(1), field(3), field(2)).chain(([called, ...globals]) =>
    fc.tuple(threadOver(0, "review", globals), threadOver(1, "environment", globals), threadOver(2, "daemon", globals))
      .map((threads): Model => ({ name: called, globals, reach: [], threads })));
