// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";
import { withMemberNames } from "./member-alias.ts";
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
    // A parameter has a value from the start: one that it is given is another.
    if (place.kind === "name") return !count.has(place.name) || (program.variables.get(place.name)?.isParameter !== true && count.get(place.name) === 1 && isPlace(given.get(place.name)));
    if (place.kind === "unary") return isFixedAddress(place.of);
    return place.kind === "member" && !count.has(render(place)) && isFixed(place.of);
  };
  /** Where a variable or a field lies does not change with its value. */
  const isFixedAddress = (place: Value): boolean => place.kind === "name" || (place.kind === "member" && (place.arrow ? isFixed(place.of) : isFixedAddress(place.of)));
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
  value !== null && value !== undefined && (value.kind === "name" || (value.kind === "member" && isPlace(value.of)) || isAddress(value));

/** `&a->lock`: a pointer to it is another word for the lock. */
const isAddress = (value: Value): boolean => value.kind === "unary" && value.operator === "&" && value.of.kind === "member" && isPlace(value.of);

/** Aliases of aliases say the place itself; what goes in a circle is none. */
function resolved(aliases: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
  let current = aliases;
  for (let turn = 0; turn < 5; turn++) current = new Map([...current].map(([name, value]) => [name, substitute(value, aliases)] as const));
  return new Map([...current].filter(([name, value]) => !namesIn(value).includes(name)));
}

/** The program whose lock objects, walks and tests of `vm_flags` say the place, whatever name the text has for it. */
export function withAliases(lowered: EffectProgram): EffectProgram {
  const program = withLookups(withMemberNames(lowered));
  const aliases = aliasesOf(program);
  if (aliases.size === 0) return program;
  const flags = new Map([...aliases].filter(([, value]) => value.kind === "member" && value.field === "vm_flags"));
  const objects = new Map([...aliases].filter(([name]) => (program.variables.get(name)?.pointers ?? 0) > 0));
  const nodes = program.nodes.map((node) => renamed(node, objects, new Map([...flags, ...objects])));
  return { ...program, nodes, aliases };
}

const LOOKUP = /^(?:find_vma|find_exact_vma|find_extend_vma|vma_lookup)$/;

/**
 * Walks by mm name the VMA where the function looked one up once, in that mm at that very address:
 * `vma = vma_lookup(mm, addr); huge_pte_offset(mm, addr, sz)`.
 */
function withLookups(program: EffectProgram): EffectProgram {
  const found: { readonly vma: string; readonly args: readonly Value[] }[] = [];
  const given: string[] = [];
  for (const node of program.nodes) {
    const target = node.kind === "assign" ? render(node.target) : node.kind === "call" ? node.result : null;
    if (target === null) continue;
    given.push(target);
    if (node.kind === "call" && LOOKUP.test(node.name)) found.push({ vma: target, args: node.args });
    if (node.kind === "assign" && node.operator === "=" && node.value?.kind === "call" && LOOKUP.test(node.value.name)) found.push({ vma: target, args: node.value.args });
  }
  const lookups = found.filter(({ vma }) => program.variables.has(vma) && given.filter((one) => one === vma).length === 1);
  if (lookups.length === 0) return program;
  const isSame = (a: Value | undefined, b: Value | undefined): boolean => a !== undefined && b !== undefined && render(a) === render(b);
  const nodes = program.nodes.map((node) => {
    if (node.kind !== "call" || !node.effects.some((effect) => effect.kind === "hugetlbWalk" && effect.vma === null)) return node;
    const [lookup, ...others] = lookups.filter(({ args }) => isSame(args[0], node.args[0]) && isSame(args[1], node.args[1]));
    if (!lookup || others.length > 0) return node;
    const vma: Value = { kind: "name", name: lookup.vma, at: node.at };
    return { ...node, effects: node.effects.map((effect) => (effect.kind === "hugetlbWalk" ? { ...effect, vma } : effect)) };
  });
  return { ...program, nodes };
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
