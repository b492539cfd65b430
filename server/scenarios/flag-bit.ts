// SPDX-License-Identifier: GPL-2.0-only
import { assignBit } from "../program/flag-word.ts";
import type { AssignNode } from "../program/program.ts";
import type { Value } from "../program/code.ts";
import { and, FALSE, not, or, TRUE, type Expression, type Field } from "../simulator/expression.ts";

/** A bit of a flag word, and its field in the model. */
interface Bit {
  readonly bit: string;
  readonly before: Field;
}

/** What an assignment to a flag word makes of one of its bits; null: the text does not tell. */
export function bitAfter(node: AssignNode, { bit, before }: Bit, fieldOf: (key: string) => Field | undefined, condition: (value: Value) => Expression | null): Expression | null {
  let unknown = false;
  const lost = (): Expression => {
    unknown = true;
    return FALSE;
  };
  const read = (key: string): Expression => {
    const field = fieldOf(`${key}/${bit}`);
    return field ? { kind: "field", field } : lost();
  };
  const value = assignBit<Expression>(node.operator, { kind: "field", field: before }, node.value, bit, {
    constant: (one) => (one ? TRUE : FALSE),
    and,
    or,
    not,
    variable: read,
    condition: (one) => condition(one) ?? lost(),
    unknown: lost,
  });
  return unknown ? null : value;
}
