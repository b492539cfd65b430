// SPDX-License-Identifier: GPL-2.0-only
import { answerOf, ASKED_BY_FORK, constantOf, fieldOfPinned, type PinCount } from "../../kernel/pinned-page.ts";
import type { Value } from "../../program/code.ts";
import type { EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { asValue } from "../doubt.ts";

/** Deeper expressions, and longer chains of names, are nobody's pin test. */
const MAX_DEPTH = 20;

const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  "<": (a, b) => Number(a < b),
  ">": (a, b) => Number(a > b),
  "<=": (a, b) => Number(a <= b),
  ">=": (a, b) => Number(a >= b),
  "==": (a, b) => Number(a === b),
  "!=": (a, b) => Number(a !== b),
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
};

/** An object of the child, or a page that is made for it. */
const isOfChild = (value: Value): boolean => /dst|child|new|prealloc/.test(render(value));

/** Values that a name gets, where it gets one only. */
function definitionsOf(program: EffectProgram): ReadonlyMap<string, Value> {
  const found = new Map<string, Value | null>();
  const add = (key: string, value: Value | null): void => void found.set(key, found.has(key) ? null : value);
  for (const node of program.nodes) {
    if (node.kind === "assign") add(render(node.target), node.operator === "=" ? node.value : null);
    if (node.kind === "call" && node.result !== null) add(node.result, asValue(node));
  }
  return new Map([...found].flatMap(([key, value]) => (value === null ? [] : [[key, value] as const])));
}

/** Numbers of a value as fork() finds them for a pinned page of the parent; null: not decided by that. */
export function pinnedAnswers(program: EffectProgram, count: PinCount): (value: Value) => number | null {
  const definitions = definitionsOf(program);
  // Names of names of names: each is followed once, and one that comes back to itself is not decided.
  const named = new Map<string, number | null>();
  let open = 0;

  function ofName(name: string): number | null {
    const constant = constantOf(name);
    if (constant !== null) return constant;
    const before = named.get(name);
    if (before !== undefined) return before;
    const definition = definitions.get(name);
    if (!definition || open >= MAX_DEPTH) return null;
    named.set(name, null);
    open++;
    const found = number(definition);
    open--;
    named.set(name, found);
    return found;
  }

  function ofCall(call: Value & { kind: "call" }, depth: number): number | null {
    const [first, second] = call.args;
    if (!first || call.args.some((arg) => isOfChild(arg) && !ASKED_BY_FORK.has(call.name) && call.name !== "test_bit")) return null;
    if (ASKED_BY_FORK.has(call.name)) return isOfChild(first) ? 0 : 1;
    // Whoever has never pinned has the flag clear: the child.
    if (call.name === "test_bit" && second && render(first) === "MMF_HAS_PINNED") return isOfChild(second) ? 0 : 1;
    if (call.name === "is_cow_mapping") return 1;
    if (call.name === "atomic_read") return first.kind === "unary" && first.operator === "&" && first.of.kind === "member" ? fieldOfPinned(first.of.field, count) : number(first, depth + 1);
    return call.args.length === 1 ? answerOf(call.name, count) : null;
  }

  function ofBinary({ operator, left, right }: Value & { kind: "binary" }, depth: number): number | null {
    const [a, b] = [number(left, depth + 1), number(right, depth + 1)];
    if (operator === "&&") return a === 0 || b === 0 ? 0 : a === null || b === null ? null : 1;
    if (operator === "||") return a || b ? 1 : a === null || b === null ? null : 0;
    return a === null || b === null ? null : (OPERATORS[operator]?.(a, b) ?? null);
  }

  function number(value: Value, depth = 0): number | null {
    if (depth > MAX_DEPTH) return null;
    switch (value.kind) {
      case "number":
        return value.value;
      case "name":
        return ofName(value.name);
      case "unary": {
        const of = value.operator === "!" || value.operator === "-" || value.operator === "+" ? number(value.of, depth + 1) : null;
        return of === null ? null : value.operator === "!" ? Number(of === 0) : value.operator === "-" ? -of : of;
      }
      case "binary":
        return ofBinary(value, depth);
      case "call":
        return ofCall(value, depth);
      case "conditional": {
        const condition = number(value.condition, depth + 1);
        if (condition === null) return null;
        return number(condition === 0 ? value.otherwise : (value.then ?? value.condition), depth + 1);
      }
      default:
        return null;
    }
  }
  return number;
}
