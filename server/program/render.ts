// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";

/** Canonical text of a value: equal texts mean the same expression. Used as a key and shown to people. */
export function render(value: Value): string {
  switch (value.kind) {
    case "number":
      return String(value.value);
    case "string":
      return '"..."';
    case "name":
      return value.name;
    case "unary":
      return `${value.operator}${operand(value.of)}`;
    case "binary":
      return `${operand(value.left)} ${value.operator} ${operand(value.right)}`;
    case "member":
      return `${operand(value.of)}${value.arrow ? "->" : "."}${value.field}`;
    case "index":
      return `${operand(value.of)}[${render(value.index)}]`;
    case "call":
      return `${value.name}(${value.args.map(render).join(", ")})`;
    case "conditional":
      return `${operand(value.condition)} ? ${value.then ? render(value.then) : ""} : ${render(value.otherwise)}`;
    case "assign":
      return `${render(value.target)} ${value.operator} ${render(value.value)}`;
    case "update":
      return `${render(value.target)}++`;
    case "comma":
      return `${render(value.left)}, ${render(value.right)}`;
    case "block":
      return "({ ... })";
    case "opaque":
      return value.text;
  }
}

const operand = (value: Value): string =>
  value.kind === "binary" || value.kind === "conditional" || value.kind === "assign" || value.kind === "comma"
    ? `(${render(value)})`
    : render(value);

/** Names that occur in a value, in order of occurrence. */
export function namesIn(value: Value, found: string[] = []): string[] {
  switch (value.kind) {
    case "name":
      found.push(value.name);
      break;
    case "unary":
    case "member":
      namesIn(value.of, found);
      break;
    case "binary":
    case "comma":
      namesIn(value.left, found);
      namesIn(value.right, found);
      break;
    case "index":
      namesIn(value.of, found);
      namesIn(value.index, found);
      break;
    case "call":
      for (const arg of value.args) namesIn(arg, found);
      break;
    case "conditional":
      namesIn(value.condition, found);
      if (value.then) namesIn(value.then, found);
      namesIn(value.otherwise, found);
      break;
    case "assign":
      namesIn(value.target, found);
      namesIn(value.value, found);
      break;
    case "update":
      namesIn(value.target, found);
      break;
    default:
      break;
  }
  return found;
}

/** Replaces names by values, for inlining a helper: `substitute(body, { vma: caller's argument })`. */
export function substitute(value: Value, bindings: ReadonlyMap<string, Value>): Value {
  const again = (inner: Value): Value => substitute(inner, bindings);
  switch (value.kind) {
    case "name": {
      const bound = bindings.get(value.name);
      return bound ? relocate(bound, value.at) : value;
    }
    case "unary": {
      const of = again(value.of);
      // `*&x` is x: a helper that is handed the address of a variable means the variable.
      if (of.kind === "unary" && ((value.operator === "*" && of.operator === "&") || (value.operator === "&" && of.operator === "*"))) return of.of;
      return { ...value, of };
    }
    case "member": {
      const of = again(value.of);
      if (value.arrow && of.kind === "unary" && of.operator === "&") return { ...value, of: of.of, arrow: false };
      return { ...value, of };
    }
    case "binary":
    case "comma":
      return { ...value, left: again(value.left), right: again(value.right) };
    case "index":
      return { ...value, of: again(value.of), index: again(value.index) };
    case "call":
      return { ...value, args: value.args.map(again) };
    case "conditional":
      return { ...value, condition: again(value.condition), then: value.then && again(value.then), otherwise: again(value.otherwise) };
    case "assign":
      return { ...value, target: again(value.target), value: again(value.value) };
    case "update":
      return { ...value, target: again(value.target) };
    default:
      return value;
  }
}

/** The same value, said to stand at one place: an argument in the place of its parameter, text that comes from another file. */
export function relocate(value: Value, at: number, end = at): Value {
  const again = (inner: Value): Value => relocate(inner, at, end);
  switch (value.kind) {
    case "unary":
    case "member":
      return { ...value, of: again(value.of), at };
    case "binary":
    case "comma":
      return { ...value, left: again(value.left), right: again(value.right), at };
    case "index":
      return { ...value, of: again(value.of), index: again(value.index), at };
    case "call":
      return { ...value, args: value.args.map(again), at, end };
    case "conditional":
      return { ...value, condition: again(value.condition), then: value.then && again(value.then), otherwise: again(value.otherwise), at };
    case "assign":
      return { ...value, target: again(value.target), value: again(value.value), at, end };
    case "update":
      return { ...value, target: again(value.target), at, end };
    default:
      return { ...value, at };
  }
}
