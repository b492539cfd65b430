// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import { render } from "../program/render.ts";
import { partKeys, type State } from "./state.ts";

/** What a state knows of conditions, variables and walks: the part of it that assignments and branches read and change. */
export type Facts = Pick<State, "truths" | "definitions" | "walks" | "bits" | "doubtful">;

/** What is held in one state with what is known in another; the state itself where that is what it knows. */
export function withFacts(state: State, { truths, definitions, walks, bits, doubtful }: Facts): State {
  if (state.truths === truths && state.definitions === definitions && state.walks === walks && state.bits === bits && state.doubtful === doubtful) return state;
  const { held, callerUnknown, atomic, mapped, distrusts } = state;
  // Written out, it takes a third of the memory that a spread does, and there are hundreds of thousands.
  const made = { held, callerUnknown, atomic, mapped, truths, definitions, walks, bits, doubtful };
  return distrusts === undefined ? made : { held, callerUnknown, atomic, mapped, truths, definitions, walks, bits, doubtful, distrusts };
}

export interface KnownFacts {
  readonly facts: Facts;
  /** Equal for equal facts. */
  readonly number: number;
  /** Equal for facts that nothing later can tell apart, as `stateKey` has it. */
  readonly kind: number;
}

/** Parts of the states of one program: equal parts are one object, and have one number. */
export interface StatePool {
  factsOf(state: Facts): KnownFacts;
  /** Number of what is held: locks, atomic sections, maps. */
  heldOf(state: State): number;
}

/**
 * Most states of a function differ from others in one part. As long as equal parts are one object, what is found out
 * about a part is looked up by the object.
 */
export function statePool(): StatePool {
  const numbers = new Map<object, number>();
  const byText = new Map<string, number>();
  const objects: object[] = [];

  /** Parts with equal texts have one number, and the first of them stands for all. */
  const numberOf = <T extends object>(part: T, textOf: (part: T) => string): number => {
    const known = numbers.get(part);
    if (known !== undefined) return known;
    const text = textOf(part);
    const equal = byText.get(text);
    // Only the one that stands for all is remembered: the others are made at every step, and nothing else holds them.
    if (equal !== undefined) return equal;
    const number = objects.push(part) - 1;
    byText.set(text, number);
    numbers.set(part, number);
    return number;
  };
  const names = new Map<string, number>();
  const named = (text: string): number => {
    const number = names.get(text) ?? names.size;
    names.set(text, number);
    return number;
  };
  const kindOf = ({ truths, definitions, walks, bits, doubtful }: Facts): number =>
    named(`f${numberOf(truths, truthsText)};${numberOf(bits, bitsText)};${numberOf(doubtful, doubtfulText)};${partKeys.definitions(definitions)};${partKeys.walks(walks)}`);
  const factsByKey = new Map<number | string, KnownFacts>();

  return {
    factsOf({ truths, definitions, walks, bits, doubtful }) {
      const parts = [numberOf(truths, truthsText), numberOf(definitions, definitionsText), numberOf(walks, walksText), numberOf(bits, bitsText), numberOf(doubtful, doubtfulText)] as const;
      const key = keyOf(parts);
      const known = factsByKey.get(key);
      if (known) return known;
      const facts = { truths: objects[parts[0]], definitions: objects[parts[1]], walks: objects[parts[2]], bits: objects[parts[3]], doubtful: objects[parts[4]] } as Facts;
      const made = { facts, number: factsByKey.size, kind: kindOf(facts) };
      factsByKey.set(key, made);
      return made;
    },
    heldOf: ({ held, atomic, mapped, callerUnknown }) =>
      named(`h${numberOf(held, heldText)} ${numberOf(atomic, atomicText)} ${numberOf(mapped, mappedText)} ${callerUnknown}`),
  };
}

/** Most programs have less than a thousand of each part: five such numbers are one. */
const keyOf = (parts: readonly number[]): number | string =>
  parts.every((one) => one < PARTS) ? parts.reduce((key, one) => key * PARTS + one, 0) : parts.join();

const PARTS = 1024;

// All of what a part says, for one object to stand for all that are equal; of what is held, what tells states apart.
const truthsText = (part: Facts["truths"]): string => `t${partKeys.entries(part)}`;
const bitsText = (part: Facts["bits"]): string => `b${partKeys.entries(part)}`;
const doubtfulText = (part: Facts["doubtful"]): string => `d${partKeys.doubtful(part)}`;
const definitionsText = (part: Facts["definitions"]): string => `=${[...part].map(([name, value]: readonly [string, Value]) => `${name}=${value.at} ${render(value)}`).toSorted().join()}`;
const walksText = (part: Facts["walks"]): string =>
  `w${[...part].map(([name, walk]) => `${name}=${walk.walk} ${walk.vma} ${walk.alsoNamed ? [...walk.alsoNamed].join("|") : walk.alsoNamed} ${walk.protectedAtWalk} ${walk.protectedSince} ${walk.hasGap} ${walk.givenUp?.lock} ${walk.givenUp?.mode}`).toSorted().join()}`;
const heldText = (part: State["held"]): string => `l${partKeys.held(part)}`;
const atomicText = (part: State["atomic"]): string => `a${partKeys.atomic(part)}`;
const mappedText = (part: State["mapped"]): string => `m${partKeys.mapped(part)}`;
