// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { EffectProgram } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { MOST_NESTED, objectText } from "./locks.ts";
import type { State } from "./state.ts";
import { mentioned } from "./truth.ts";

/**
 * The state after a variable or place got another value: locks whose objects were named through it stay held, and
 * have no name any more.
 */
export function forgetObjects(state: State, place: string): State {
  const isStale = (object: string): boolean => object.includes(place) && mentioned(place).test(object);
  if (!state.held.some((one) => isStale(one.object))) return state;
  const held = state.held.map((one) => (isStale(one.object) ? { ...one, object: "" } : one));
  const atomic = state.atomic.map((one) => (one.reason === "spinlock" && isStale(one.of) ? { ...one, of: "" } : one));
  return {
    ...state,
    held: atMost(held, (one) => `${one.lock}(${one.object})${one.mode}`),
    atomic: atMost(atomic, (one) => `${one.reason}(${one.of})`),
  };
}

/** A list that a loop makes longer with each turn must end: of equal ones, the first few. */
function atMost<T>(list: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const count = new Map<string, number>();
  return list.filter((item) => {
    const times = (count.get(keyOf(item)) ?? 0) + 1;
    count.set(keyOf(item), times);
    return times <= MOST_NESTED;
  });
}

/** One place may have more names than these; the others are not looked for. */
const MOST_NAMES = 12;

/**
 * For each object of a lock that the function gives up, other names that it may have: the function gives a variable
 * the value or the address of a place (`locked = lruvec`, `l = &a->lock`).
 */
export function otherNames(program: EffectProgram): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, ReadonlySet<string>>();
  const released = new Set(
    program.nodes.flatMap((node) => (node.kind === "call" ? node.effects.flatMap((effect) => (effect.kind === "release" && effect.object ? [objectText(effect.object)] : [])) : [])),
  );
  if (released.size === 0) return found;
  const equals = equalPlaces(program);
  if (equals.size === 0) return found;
  for (const object of released) {
    const names = namesOf(object, equals);
    if (names.size > 1) found.set(object, names);
  }
  return found;
}

type Equals = ReadonlyMap<string, readonly (readonly [place: string, other: string, byAddress: boolean])[]>;

/** Places that an assignment makes equal, both ways, by the first name of the place. */
function equalPlaces(program: EffectProgram): Equals {
  const found = new Map<string, (readonly [string, string, boolean])[]>();
  const note = (place: string, other: string, byAddress: boolean): void => {
    const base = baseOf(place);
    const known = found.get(base) ?? [];
    found.set(base, known);
    if (known.length < MOST_NAMES) known.push([place, other, byAddress]);
  };
  for (const node of program.nodes) {
    if (node.kind !== "assign" || node.operator !== "=" || node.value === null || !isPlace(node.target)) continue;
    const byAddress = node.value.kind === "unary" && node.value.operator === "&";
    if (!isPlace(node.value.kind === "unary" && byAddress ? node.value.of : node.value)) continue;
    const [target, value] = [render(node.target), objectText(node.value)];
    note(target, value, byAddress);
    note(value, target, byAddress);
  }
  return found;
}

const isPlace = (value: Value): boolean => (value.kind === "name" || (value.kind === "member" && isPlace(value.of))) && namesIn(value).length > 0;

const baseOf = (place: string): string => /^[\w$]*/.exec(place)?.[0] ?? "";

/** The object and its other names; what follows a name (`->lock`) stays. */
function namesOf(object: string, equals: Equals): ReadonlySet<string> {
  const names = new Set([object]);
  // What is added while the set is walked is walked, too.
  for (const name of names)
    for (const [place, other, byAddress] of equals.get(baseOf(name)) ?? []) {
      const rest = name.startsWith(place) ? name.slice(place.length) : null;
      if (rest === null || (rest !== "" && (byAddress || !/^(?:->|\.)/.test(rest)))) continue;
      if (names.size < MOST_NAMES) names.add(other + rest);
    }
  return names;
}
