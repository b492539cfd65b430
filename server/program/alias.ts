// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";
import type { BoundEffect, EffectProgram, ProgramNode } from "./program.ts";
import { namesIn, render, substitute } from "./render.ts";

/**
 * Locals that are another word for a place: given a value once, from a place that nothing in the function changes
 * (`vma = walk->vma`, `flags = vma->vm_flags`). Name -> place, through other such names.
 */
export function aliasesOf(program: EffectProgram): ReadonlyMap<string, Value> {
  const count = new Map<string, number>();
  const given = new Map<string, Value | null>();
  const note = (target: string, value: Value | null): void => {
    count.set(target, (count.get(target) ?? 0) + 1);
    given.set(target, value);
  };
  for (const node of program.nodes) {
    if (node.kind === "assign") note(render(node.target), node.operator === "=" ? node.value : null);
    if (node.kind !== "call") continue;
    if (node.result !== null) note(node.result, null);
    // A callee may write whatever it is given the address of.
    for (const arg of node.args) if (arg.kind === "unary" && arg.operator === "&" && arg.of.kind === "name") note(arg.of.name, null);
  }
  const isFixed = (place: Value): boolean => {
    if (place.kind === "name") return !count.has(place.name) || (count.get(place.name) === 1 && isPlace(given.get(place.name)));
    return place.kind === "member" && !count.has(render(place)) && isFixed(place.of);
  };
  const found = new Map<string, Value>();
  for (const [name, value] of given) {
    const variable = program.variables.get(name);
    if (!variable || variable.isParameter || count.get(name) !== 1 || !isPlace(value) || !isFixed(value)) continue;
    if (value.kind === "name" && !program.variables.has(value.name)) continue;
    found.set(name, value);
  }
  return resolved(found);
}

const isPlace = (value: Value | null | undefined): value is Value =>
  value !== null && value !== undefined && (value.kind === "name" || (value.kind === "member" && isPlace(value.of)));

/** Aliases of aliases say the place itself; what goes in a circle is none. */
function resolved(aliases: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
  let current = aliases;
  for (let turn = 0; turn < 5; turn++) current = new Map([...current].map(([name, value]) => [name, substitute(value, aliases)] as const));
  return new Map([...current].filter(([name, value]) => !namesIn(value).includes(name)));
}

/** The program whose lock objects, walks and tests of `vm_flags` say the place, whatever name the text has for it. */
export function withAliases(program: EffectProgram): EffectProgram {
  const aliases = aliasesOf(program);
  if (aliases.size === 0) return program;
  const flags = new Map([...aliases].filter(([, value]) => value.kind === "member" && value.field === "vm_flags"));
  const objects = new Map([...aliases].filter(([name]) => (program.variables.get(name)?.pointers ?? 0) > 0));
  const nodes = program.nodes.map((node) => renamed(node, objects, new Map([...flags, ...objects])));
  return { ...program, nodes, aliases };
}

type Aliases = ReadonlyMap<string, Value>;

function renamed(node: ProgramNode, objects: Aliases, all: Aliases): ProgramNode {
  switch (node.kind) {
    case "call": {
      const effects = node.effects.map((effect) => inEffect(effect, objects));
      return effects.some((effect, index) => effect !== node.effects[index]) ? { ...node, effects } : node;
    }
    case "branch":
      return asksFlags(node.condition, all) ? { ...node, condition: substitute(node.condition, all) } : node;
    case "assign":
      return node.value && node.value.kind !== "member" && asksFlags(node.value, all) ? { ...node, value: substitute(node.value, all) } : node;
    default:
      return node;
  }
}

const asksFlags = (value: Value, all: Aliases): boolean => {
  const text = render(value);
  return /\bVM_[A-Z]+\b|\bis_cow_mapping\(/.test(text) && namesIn(value).some((name) => all.has(name));
};

function inEffect(effect: BoundEffect, objects: Aliases): BoundEffect {
  switch (effect.kind) {
    case "acquire":
    case "release":
    case "assertHeld":
      return effect.object && namesIn(effect.object).some((name) => objects.has(name)) ? { ...effect, object: substitute(effect.object, objects) } : effect;
    case "hugetlbWalk":
      return { ...effect, vma: effect.vma && substitute(effect.vma, objects), mm: effect.mm && substitute(effect.mm, objects) };
    default:
      return effect;
  }
}
