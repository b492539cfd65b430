// SPDX-License-Identifier: GPL-2.0-only
import { FOLLOWED_FLAGS, VMA_OF_ANON } from "../kernel/private-mapping.ts";
import type { Value } from "../program/code.ts";
import { flagsIn } from "../program/flag-word.ts";
import { onlyAsserts, type BoundEffect, type EffectProgram } from "../program/program.ts";
import { questionOf } from "../program/question.ts";
import { namesIn, render } from "../program/render.ts";
import { EMPTY_STATE } from "./state.ts";
import { isLasting } from "./live.ts";
import { otherNames } from "./lock-names.ts";
import { namesOfVma, vmaOfWalk } from "./mapping.ts";
import { isPredicate, normalize } from "./truth.ts";

/**
 * What is worth remembering on a path: property-directed merging. A condition that is asked once and that no effect
 * depends on is explored both ways and forgotten, so that paths meet again behind it.
 */
export interface Relevance {
  /** Normal texts of conditions whose outcome is remembered. */
  readonly conditions: ReadonlySet<string>;
  /** Variables whose value (as a condition, or as a definition) is remembered. */
  readonly variables: ReadonlySet<string>;
  /** Flag names that are tracked bit by bit. */
  readonly flags: ReadonlySet<string>;
  /** Texts of places that hold a VMA with anonymous memory. */
  readonly privateVmas: ReadonlySet<string>;
  /** VMAs of walks by text -> other names that they may have; null: any. */
  readonly vmaNames: ReadonlyMap<string, ReadonlySet<string> | null>;
  /** Variables that say whether a lock, a map or a walk happened: never forgotten between the call and the test. */
  readonly results: ReadonlySet<string>;
  /** Local variables that remember what was done (`locked = true; ... if (locked)`): forgotten last. */
  readonly markers: ReadonlySet<string>;
  /** Objects of locks that are given up -> names that the function made equal to them. */
  readonly otherNames: ReadonlyMap<string, ReadonlySet<string>>;
}

/** `besides`: variables whose outcome someone wants to know at the end. */
export function relevanceOf(program: EffectProgram, besides: readonly string[] = []): Relevance {
  const asked = new Map<string, number>();
  const variables = new Set<string>();
  const flags = new Set<string>();
  const conditions = new Set<string>(besides);
  const results = new Set<string>();
  const note = (value: Value): void => {
    const { key } = normalize(EMPTY_STATE, value);
    asked.set(key, (asked.get(key) ?? 0) + 1);
    if (isLasting(key)) conditions.add(key);
    for (const name of namesIn(value)) variables.add(name);
  };
  for (const node of program.nodes) {
    if (node.kind === "branch") note(node.condition);
    if (node.kind === "call") {
      // The value of a lock, a map or a walk says whether it happened.
      if (node.result !== null && node.effects.some(isToldByValue)) {
        conditions.add(node.result);
        results.add(node.result);
      }
      for (const arg of onlyAsserts(node) ? [] : node.args) {
        addFlags(arg, flags);
        // `f(x ? true : false)`: what the callee decides by it is known from here.
        if (arg.kind === "name" && arg.name.startsWith("$")) conditions.add(arg.name);
      }
    }
    if (node.kind === "assign" && node.value) {
      addFlags(node.value, flags);
      if (isLasting(render(node.value))) conditions.add(normalize(EMPTY_STATE, node.value).key);
    }
  }
  if ([...flags].some((flag) => flag.startsWith("FOLL_"))) for (const flag of ["FOLL_WRITE", "FOLL_LONGTERM", "FOLL_FORCE", "FOLL_PIN", "FOLL_GET"]) flags.add(flag);
  for (const [key, times] of asked) if (times > 1) conditions.add(key);
  for (const name of correlated(program)) conditions.add(name);
  throughCopies(program, conditions);
  throughDefinitions(program, variables);
  return { conditions, variables, flags, privateVmas: privateVmasOf(program), vmaNames: vmaNamesOf(program), results, markers: markersOf(program), otherNames: otherNames(program) };
}

/** Effects that happen or not, as the value of the call says. */
const isToldByValue = (effect: BoundEffect): boolean => "held" in effect || TOLD_BY_VALUE.has(effect.kind);

const TOLD_BY_VALUE: ReadonlySet<BoundEffect["kind"]> = new Set(["mapPte", "hugetlbWalk", "walkMapped", "dropsLock", "consumes"]);

function addFlags(value: Value, flags: Set<string>): void {
  for (const prefix of FOLLOWED_FLAGS) for (const flag of flagsIn(value, prefix)) flags.add(flag);
}

function vmaNamesOf(program: EffectProgram): Relevance["vmaNames"] {
  const found = new Map<string, ReadonlySet<string> | null>();
  for (const node of program.nodes) {
    if (node.kind !== "call") continue;
    for (const effect of node.effects) {
      const vma = effect.kind === "hugetlbWalk" ? vmaOfWalk(effect) : null;
      if (vma !== null && !found.has(vma)) found.set(vma, namesOfVma(program, vma));
    }
  }
  return found;
}

function privateVmasOf(program: EffectProgram): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { name, type, pointers } of program.variables.values())
    if (pointers === 1) for (const one of VMA_OF_ANON) if (one.type === type) found.add(`${name}->${one.field}`);
  return found;
}

function markersOf(program: EffectProgram): ReadonlySet<string> {
  const markers = new Set([...correlated(program)].filter((name) => program.variables.has(name)));
  throughCopies(program, markers);
  return markers;
}

/** What is known of a variable is known of its copies: `p = q; if (p)` asks about q, and so does `p = !q`. */
function throughCopies(program: EffectProgram, conditions: Set<string>): void {
  for (let size = -1; size !== conditions.size; ) {
    size = conditions.size;
    for (const node of program.nodes) {
      if (node.kind !== "assign" || node.operator !== "=" || !node.value || !conditions.has(render(node.target))) continue;
      const { value } = questionOf(node.value);
      if (value.kind === "name") conditions.add(value.name);
    }
  }
}

/** `x = !y; if (x)` asks about what y stands for. */
function throughDefinitions(program: EffectProgram, variables: Set<string>): void {
  for (let size = -1; size !== variables.size; ) {
    size = variables.size;
    for (const node of program.nodes)
      if (node.kind === "assign" && node.operator === "=" && node.value && isPredicate(node.value) && variables.has(render(node.target)))
        for (const name of namesIn(node.value)) variables.add(name);
  }
}

/** Variables that get a constant or another condition on one path and are tested later: `locked = true; ... if (locked)`. */
function correlated(program: EffectProgram): Set<string> {
  const tested = new Set<string>();
  const assigned = new Set<string>();
  for (const node of program.nodes) {
    if (node.kind === "branch") {
      const { value } = normalize(EMPTY_STATE, node.condition);
      tested.add(render(value));
    }
    if (node.kind === "assign") assigned.add(render(node.target));
  }
  return new Set([...tested].filter((text) => assigned.has(text)));
}
