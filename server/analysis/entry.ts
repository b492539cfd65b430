// SPDX-License-Identifier: GPL-2.0-only
import { ANON_TESTS, FOLLOWED_FLAGS, PAGE_WALKS } from "../kernel/private-mapping.ts";
import { SAME_FOLIO } from "../kernel/same-folio.ts";
import type { Value } from "../program/code.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { namesIn, render, substitute } from "../program/render.ts";
import { isLasting } from "./live.ts";
import { EMPTY_STATE, type Bit, type State } from "./state.ts";
import { bitOf, truthOf } from "./truth.ts";

/** State at the entry of a callee: what the caller holds, under the callee's names. */
export function entryFromCall(caller: State, call: CallNode, from: EffectProgram, callee: EffectProgram): State {
  const parameters = [...callee.variables.values()].filter((variable) => variable.isParameter);
  const rename = new Map(
    parameters.flatMap((parameter, index) => [
      [textOf(call, index), parameter.name] as const,
      [textOf(call, index, from.aliases), parameter.name] as const,
    ]),
  );
  // Fields of a structure that is handed on by its address are other words for what they were filled with.
  parameters.forEach((parameter, index) => {
    const given = call.args[index];
    if (given?.kind !== "unary" || given.operator !== "&" || given.of.kind !== "name") return;
    for (const [field, place] of filledFields(from).get(given.of.name) ?? []) if (!rename.has(place)) rename.set(place, `${parameter.name}->${field}`);
  });
  const translate = (text: string): string => {
    const direct = rename.get(text);
    if (direct !== undefined) return direct;
    for (const [given, to] of rename) if (given !== "" && text.startsWith(`${given}->`)) return to + text.slice(given.length);
    // A local of the caller that is not handed on: any object of its class may be meant.
    return from.variables.has(/^[\w$]*/.exec(text)?.[0] ?? "") ? "" : text;
  };
  // Only what no assignment changes and what decides about sharing is worth a run of its own.
  const truths = new Map(
    [...caller.truths].flatMap(([key, truth]) => {
      if (!isLasting(key)) return [];
      for (const [given, to] of rename)
        if (given !== "" && mentions(key, given)) return [[key.replaceAll(given, to), truth] as const];
      return [];
    }),
  );
  const bits = new Map<string, Bit>();
  parameters.forEach((parameter, index) => {
    const given = call.args[index];
    const truth = given && (given.kind === "number" || given.kind === "name") ? truthOf(caller, given) : null;
    if (truth !== null) truths.set(parameter.name, truth);
    const isAnonymous = given ? anonymous(caller, given) : null;
    if (isAnonymous !== null) for (const test of ANON_TESTS) truths.set(`${test}(${parameter.name})`, isAnonymous);
    if (given)
      for (const flag of testedFlags(callee).get(parameter.name) ?? []) {
        const bit = bitOf(caller, given, flag);
        if (bit !== "maybe") bits.set(`${parameter.name}/${flag}`, bit);
      }
  });
  return {
    ...EMPTY_STATE,
    ...(caller.distrusts === true ? { distrusts: true } : {}),
    held: once(caller.held.map((held) => ({ ...held, object: translate(held.object), at: -1 })), (held) => `${held.lock} ${held.object} ${held.mode}`),
    callerUnknown: caller.callerUnknown,
    atomic: once(caller.atomic.map((atomic) => ({ ...atomic, of: translate(atomic.of), at: -1 })), (atomic) => `${atomic.reason} ${atomic.of}`),
    mapped: caller.mapped.map((entry) => ({ ...entry, pte: translate(entry.pte), at: -1 })).filter((entry) => entry.pte !== ""),
    truths,
    bits,
  };
}

/** Locks that have no name of their own here are one: how many there are, and of what, tells the callee nothing. */
function once<T>(list: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const seen = new Set<string>();
  return list.filter((item) => !seen.has(keyOf(item)) && Boolean(seen.add(keyOf(item))));
}

/** Whether the page or folio is known to be anonymous, under the name that the caller tested it by. */
function anonymous(caller: State, given: Value): boolean | null {
  for (let value = given; ; ) {
    for (const test of ANON_TESTS) {
      const truth = caller.truths.get(`${test}(${render(value)})`);
      if (truth !== undefined) return truth;
    }
    const [inner] = value.kind === "call" && SAME_FOLIO.has(value.name) ? value.args : [];
    if (!inner) return null;
    value = inner;
  }
}

const filled = new WeakMap<EffectProgram, ReadonlyMap<string, ReadonlyMap<string, string>>>();

/** Structures of a function by name: field -> text of the place that it was filled from, once and for all. */
function filledFields(program: EffectProgram): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const known = filled.get(program);
  if (known) return known;
  const found = new Map<string, Map<string, string>>();
  const note = (structure: string, field: string, place: string): void => {
    const fields = found.get(structure) ?? new Map<string, string>();
    found.set(structure, fields);
    fields.set(field, fields.has(field) && fields.get(field) !== place ? "" : place);
  };
  for (const node of program.nodes) {
    if (node.kind === "call") {
      const macro = PAGE_WALKS.find((one) => one.name === node.name);
      if (macro) for (const [field, position] of Object.entries(macro.fields)) note(textOf(node, macro.structure), field, textOf(node, position));
    }
    if (node.kind !== "assign" || node.operator !== "=" || node.value === null) continue;
    if (node.target.kind === "member" && !node.target.arrow && node.target.of.kind === "name") note(node.target.of.name, node.target.field, render(node.value));
    if (node.target.kind === "name" && node.value.kind === "opaque" && node.value.text.startsWith("{"))
      for (const [, field = "", place = ""] of program.image.text.slice(node.at, node.end).matchAll(/\.(\w+)\s*=\s*([A-Za-z_]\w*)\s*[,}]/g))
        note(node.target.name, field, place);
  }
  filled.set(program, found);
  return found;
}

const tested = new WeakMap<EffectProgram, ReadonlyMap<string, ReadonlySet<string>>>();

/** Flags that a function tests in its parameters or pins with, by parameter. */
function testedFlags(program: EffectProgram): ReadonlyMap<string, ReadonlySet<string>> {
  const known = tested.get(program);
  if (known) return known;
  const found = new Map<string, Set<string>>();
  const note = (word: string, flag: string): void => {
    const flags = found.get(word) ?? new Set<string>();
    found.set(word, flags);
    flags.add(flag);
  };
  for (const node of program.nodes) {
    if (node.kind === "call")
      for (const effect of node.effects)
        // `pin(..., flags | FOLL_LONGTERM, ...)`: the caller's flags are pinned with.
        if (effect.kind === "gup" && effect.flags) for (const name of namesIn(effect.flags)) for (const flag of ["FOLL_WRITE", "FOLL_LONGTERM"]) note(name, flag);
    if (node.kind !== "branch" || node.condition.kind !== "binary" || node.condition.operator !== "&") continue;
    const { left, right } = node.condition;
    if (left.kind !== "name" || right.kind !== "name" || !FOLLOWED_FLAGS.some((prefix) => right.name.startsWith(prefix))) continue;
    note(left.name, right.name);
  }
  tested.set(program, found);
  return found;
}

/** True where the text has the place as a whole, not as a part of another name. */
const mentions = (text: string, place: string): boolean =>
  new RegExp(`(?<![\\w$.>])${place.replace(/[^\w]/g, "\\$&")}(?!\\w)`).test(text);

function textOf(call: CallNode, index: number, aliases: EffectProgram["aliases"] = new Map()): string {
  const arg = call.args[index];
  return arg ? render(substitute(arg, aliases)) : "";
}
