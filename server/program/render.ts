// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";
import { mapParts, partsOf } from "./value-parts.ts";

const texts = new WeakMap<Value, string>();

/** Canonical text of a value: equal texts mean the same expression. Used as a key and shown to people. */
export function render(value: Value): string {
  if (value.kind === "name") return value.name;
  if (value.kind === "number") return String(value.value);
  // Asked for once for each state that reaches the value.
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = rendered(value);
  texts.set(value, text);
  return text;
}

function rendered(value: Value): string {
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

const names = new WeakMap<Value, readonly string[]>();

/** Names that occur in a value, in order of occurrence. */
export function namesIn(value: Value): readonly string[] {
  const known = names.get(value);
  if (known) return known;
  const found = value.kind === "name" ? [value.name] : partsOf(value).flatMap(namesIn);
  names.set(value, found);
  return found;
}

/** Replaces names by values, for inlining a helper: `substitute(body, { vma: caller's argument })`. */
export function substitute(value: Value, bindings: ReadonlyMap<string, Value>): Value {
  if (value.kind === "name") {
    const bound = bindings.get(value.name);
    return bound ? relocate(bound, value.at) : value;
  }
  return withoutDetour(mapParts(value, (part) => substitute(part, bindings)));
}

/** `*&x` and `&*x` are x, `(&x)->y` is x.y: a helper that is handed the address of a variable means the variable. */
function withoutDetour(value: Value): Value {
  if ((value.kind !== "unary" && value.kind !== "member") || value.of.kind !== "unary") return value;
  const { of } = value;
  if (value.kind === "member") return value.arrow && of.operator === "&" ? { ...value, of: of.of, arrow: false } : value;
  return (value.operator === "*" && of.operator === "&") || (value.operator === "&" && of.operator === "*") ? of.of : value;
}

/** The same value, said to stand at one place: an argument in the place of its parameter, text that comes from another file. */
export function relocate(value: Value, at: number, end = at): Value {
  const moved = mapParts(value, (part) => relocate(part, at, end));
  return "end" in moved ? { ...moved, at, end } : { ...moved, at };
}
