// SPDX-License-Identifier: GPL-2.0-only
import type { BoundEffect } from "../program/program.ts";
import { render } from "../program/render.ts";
import { NEVER_SLEEPS, type Sleep } from "./sleep.ts";
import type { ContractLock, GivenUp, LockChange, Summary } from "./summary.ts";

/** What may have happened where it is not known whether it did: nothing new is held, and what is given up may be. */
export function perhaps(effects: readonly BoundEffect[]): BoundEffect[] {
  return effects.flatMap((effect): BoundEffect[] => {
    if (effect.kind === "dropsLock") return [{ ...effect, when: "sometimes" }];
    if (effect.kind === "release") return [{ kind: "dropsLock", lock: effect.lock, object: effect.object, mode: effect.mode, when: "sometimes", onReturn: "released" }];
    return effect.kind === "leaveAtomic" ? [{ ...effect, sometimes: true }] : [];
  });
}

/** Effects of a call that reaches one of several definitions (`#ifdef` and `#else`): certain is what all of them do. */
export function effectsOfAny(each: readonly (readonly BoundEffect[])[]): BoundEffect[] {
  const [first = [], ...others] = each;
  if (others.length === 0) return [...first];
  const texts = each.map((effects) => new Set(effects.map(textOf)));
  const isInAll = (effect: BoundEffect): boolean => texts.every((one) => one.has(textOf(effect)));
  return [...first.filter(isInAll), ...perhaps(unique(each.flat().filter((effect) => !isInAll(effect)), textOf))];
}

/** One summary for several definitions of a name: what only some of them do, the function does sometimes. */
export function summaryOfAny(each: readonly Summary[]): Summary | null {
  const [first, ...others] = each;
  if (!first || others.every((one) => summaryText(one) === summaryText(first))) return first ?? null;
  const joined = <T extends { readonly when: LockChange["when"] }>(listOf: (summary: Summary) => readonly T[]): T[] => {
    const texts = each.map((one) => new Set(listOf(one).map(textOf)));
    const isInAll = (change: T): boolean => texts.every((one) => one.has(textOf(change)));
    return unique(each.flatMap(listOf).map((change) => (isInAll(change) ? change : { ...change, when: "sometimes" as const })), textOf);
  };
  return {
    takes: joined((one) => one.takes),
    givesUp: joined((one) => one.givesUp),
    enters: joined((one) => one.enters),
    leaves: joined((one) => one.leaves),
    drops: unique(each.flatMap((one) => one.drops), textOf),
    requires: first.requires.filter((lock) => others.every((one) => one.requires.some((other) => textOf(other) === textOf(lock)))),
    sleeps: sleepOfAny(each.map((one) => one.sleeps)),
    complete: false,
  };
}

function sleepOfAny(each: readonly Sleep[]): Sleep {
  const may = each.find((one) => one.kind === "may");
  if (may) return may;
  const when = each.flatMap((one) => (one.kind === "if" ? one.when : []));
  return when.length === 0 ? NEVER_SLEEPS : { kind: "if", when: unique(when, textOf) };
}

/**
 * A function of which some paths were not followed: that it takes something is not certain, and `givenUp`, what it or those
 * that it calls on the way give up anywhere, may be gone.
 */
export function uncertain(summary: Summary, givenUp: readonly GivenUp[], left: Summary["leaves"]): Summary {
  const sometimes = <T extends object>(one: T): T & { readonly when: "sometimes" } => ({ ...one, when: "sometimes" });
  const unseen = givenUp.filter((lock) => !summary.givesUp.some((one) => lockText(one) === lockText(lock)));
  return {
    ...summary,
    takes: unique(summary.takes.map(sometimes), textOf),
    givesUp: unique([...summary.givesUp, ...unseen].map(sometimes), textOf),
    drops: summary.drops.filter((lock) => !givenUp.some((one) => lockText(one) === lockText(lock))),
    enters: unique(summary.enters.map(sometimes), textOf),
    leaves: unique([...summary.leaves, ...left].map(sometimes), textOf),
    complete: false,
  };
}

const lockText = ({ lock, object }: ContractLock): string => `${lock} ${object ? render(object) : ""}`;

/** Places in the text are no part of what something says. */
const textOf = (one: object): string => JSON.stringify(one, (key, value: unknown) => (key === "at" || key === "end" || key === "by" ? undefined : value));

const summaryText = (summary: Summary): string => textOf(summary);

function unique<T>(list: readonly T[], keyOf: (item: T & object) => string): T[] {
  return [...new Map(list.map((item) => [keyOf(item as T & object), item])).values()];
}
