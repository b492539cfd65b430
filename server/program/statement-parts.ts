// SPDX-License-Identifier: GPL-2.0-only
import type { Statement, Value } from "./code.ts";

/** A place in a text, for statements that stand in another one. */
interface Place {
  readonly at: number;
  readonly end: number;
}

/** The same statement made of other values, and moved to a place; statement expressions inside of values are the map's own matter. */
export function mapStatement(original: Statement, map: (value: Value) => Value, place?: Place): Statement {
  const inner = (part: Statement): Statement => mapStatement(part, map, place);
  const statement = place ? moved(original, place) : original;
  switch (statement.kind) {
    case "list":
      return { ...statement, items: statement.items.map(inner) };
    case "expression":
      return { ...statement, value: map(statement.value) };
    case "declare":
      return { ...statement, initializers: statement.initializers.map(map) };
    case "if":
      return { ...statement, condition: map(statement.condition), then: inner(statement.then), otherwise: statement.otherwise && inner(statement.otherwise) };
    case "while":
    case "do":
      return { ...statement, condition: map(statement.condition), body: inner(statement.body) };
    case "for":
      return {
        ...statement,
        initializer: statement.initializer && inner(statement.initializer),
        condition: statement.condition && map(statement.condition),
        update: statement.update && map(statement.update),
        body: inner(statement.body),
      };
    case "iterate":
      return { ...statement, args: statement.args.map(map), body: inner(statement.body), ...(statement.otherwise ? { otherwise: inner(statement.otherwise) } : {}) };
    case "switch":
      return { ...statement, on: map(statement.on), cases: statement.cases.map((one) => ({ ...one, value: one.value && map(one.value), body: inner(one.body) })) };
    case "label":
      return { ...statement, body: inner(statement.body) };
    case "return":
      return { ...statement, value: statement.value && map(statement.value) };
    case "configured":
      return { ...statement, on: inner(statement.on), off: inner(statement.off) };
    default:
      return statement;
  }
}

function moved(statement: Statement, { at, end }: Place): Statement {
  if (!("at" in statement)) return statement;
  return "end" in statement ? { ...statement, at, end } : { ...statement, at };
}
