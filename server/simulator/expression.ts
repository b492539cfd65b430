// SPDX-License-Identifier: GPL-2.0-only

/** A byte of the state: a global field of an object, or a local of one thread. Identity is the object itself. */
export interface Field {
  readonly name: string;
  /** Number of bytes; 1 for a scalar. */
  readonly length: number;
  /** Initial values, `length` of them, each 0..255. */
  readonly initial: readonly number[];
  /** What values mean to a reader, for example `{ 0: "none", 1: "X" }`; other values print as numbers. */
  readonly labels: Readonly<Record<number, string>>;
  /** What the elements of an array are called, for example `refcount of X`; missing: `refcount[1]`. */
  readonly elements?: readonly string[];
  /** True for bookkeeping that no reader needs to see (registers, temporaries). */
  readonly hidden: boolean;
  /** True for what counts sections in which a thread must not sleep: a local that is above 0 inside, or what such sections acquire. */
  readonly atomic?: true;
}

export type BinaryOperator = "==" | "!=" | "<" | ">" | "<=" | ">=" | "+" | "-" | "and" | "or";

/** An expression over state bytes. Booleans are 0 and 1; arithmetic wraps at 256 when stored. */
export type Expression =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "field"; readonly field: Field }
  | { readonly kind: "element"; readonly field: Field; readonly index: Expression }
  | { readonly kind: "not"; readonly of: Expression }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    };

/** What the helpers below accept: an expression, a scalar field, or a number. */
export type Operand = Expression | Field | number;

export const expression = (operand: Operand): Expression =>
  typeof operand === "number"
    ? { kind: "constant", value: operand }
    : "kind" in operand
      ? operand
      : { kind: "field", field: operand };

/** The fields that an expression reads, each as often as it occurs. */
export const fieldsOf = (of: Expression): Field[] => {
  switch (of.kind) {
    case "constant":
      return [];
    case "field":
      return [of.field];
    case "element":
      return [of.field, ...fieldsOf(of.index)];
    case "not":
      return fieldsOf(of.of);
    case "binary":
      return [...fieldsOf(of.left), ...fieldsOf(of.right)];
  }
};

const binary =
  (operator: BinaryOperator) =>
  (left: Operand, right: Operand): Expression => ({
    kind: "binary",
    operator,
    left: expression(left),
    right: expression(right),
  });

export const TRUE: Expression = { kind: "constant", value: 1 };
export const FALSE: Expression = { kind: "constant", value: 0 };
export const eq = binary("==");
export const ne = binary("!=");
export const lt = binary("<");
export const gt = binary(">");
export const plus = binary("+");
export const minus = binary("-");
export const not = (of: Operand): Expression => ({ kind: "not", of: expression(of) });
export const element = (field: Field, index: Operand): Expression => ({
  kind: "element",
  field,
  index: expression(index),
});

const fold =
  (operator: "and" | "or", neutral: Expression) =>
  (...operands: readonly Operand[]): Expression =>
    operands.length === 0
      ? neutral
      : operands.map(expression).reduce((left, right) => ({ kind: "binary", operator, left, right }));

export const and = fold("and", TRUE);
export const or = fold("or", FALSE);
