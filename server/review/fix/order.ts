// SPDX-License-Identifier: GPL-2.0-only
import { objectText } from "../../analysis/locks.ts";
import type { Held, State } from "../../analysis/state.ts";
import { isHeld, isSameLock } from "../../analysis/state.ts";
import { statesAt, type AnalyzedFunction, type Unit } from "../../analysis/unit.ts";
import { nestsInside } from "../../kernel/lock-order.ts";
import { successors, type BoundEffect, type CallNode, type EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";

/*
 * What no rule asks and no reviewer forgives: a lock that a path leaves held, a call that may sleep where nothing may, a range
 * that is started twice or never ended.
 */

/** A function with a fix, and the one before. */
export interface Changed {
  readonly unit: Unit;
  readonly before: EffectProgram;
  readonly now: EffectProgram;
  /** True for an offset in text that the fix brought. */
  isNew(at: number): boolean;
  /** The function in the old side of the patch, where it has one. */
  readonly old: EffectProgram | null;
}

export const keepsOrder = (changed: Changed, beforeUnit: Unit): boolean => {
  const [before, now] = [beforeUnit.analyze(changed.before), changed.unit.analyze(changed.now)];
  return leavesAsBefore(before, now) && misorders(now) <= misorders(before) && callsFit(changed, now) && rangesFit(changed) && namesFit(changed) && argumentsFit(changed) && misreturns(changed.now) <= misreturns(changed.before);
};

/** Temporaries have other numbers in an edited function. */
const nameOf = ({ lock, object, mode }: Held): string => `${lock}(${object.replace(/\$\d+/g, "$")})${mode}`;

/** What a function leaves held that was not held when it was entered. */
const heldAtExit = ({ program, contexts }: AnalyzedFunction): ReadonlySet<string> =>
  new Set(
    contexts.flatMap(({ interpretation: { before } }) => {
      const onEntry = new Set((before[program.entry] ?? []).flatMap(namesOf));
      return (before[program.exit] ?? []).map((state) => namesOf(state).filter((name) => !onEntry.has(name)).toSorted().join(" "));
    }),
  );

const namesOf = ({ held, atomic }: State): readonly string[] => [...held.map(nameOf), ...atomic.map((one) => `${one.reason}(${one.of})`)];

/** No way out holds what none held before. */
function leavesAsBefore(before: AnalyzedFunction, now: AnalyzedFunction): boolean {
  const known = heldAtExit(before);
  return [...heldAtExit(now)].every((one) => known.has(one));
}

type Taken = BoundEffect & { readonly kind: "acquire" | "release" };

const textOf = (effect: Taken): string => objectText(effect.object);

/** How often a lock is taken that is held already, or one that comes before one that is held. */
const misorders = (fn: AnalyzedFunction): number =>
  fn.program.nodes.reduce((sum, node, id) => {
    const taken = node.kind === "call" ? node.effects.filter((effect) => effect.kind === "acquire") : [];
    const isWrong = taken.some((effect) => statesAt(fn, id).some(({ state }) => state.held.some((held) => isSameLock(held, effect.lock, textOf(effect)) || nestsInside(held.lock, effect.lock))));
    return sum + (isWrong ? 1 : 0);
  }, 0);

/** Calls that the fix brought: a lock that is free and may be taken here, or one that is held; nothing that sleeps in atomic context. */
function callsFit({ now, isNew, old }: Changed, fn: AnalyzedFunction): boolean {
  const news = now.nodes.flatMap((node, id) => (node.kind === "call" && node.at >= 0 && isNew(node.at) && node.inlined === undefined ? [{ node, id }] : []));
  // What was held where the lock was taken is held until it is given back: the object may go with it.
  const outer = ({ lock }: Taken): readonly string[] => {
    const taking = news.filter(({ node }) => node.effects.some((effect) => effect.kind === "acquire" && effect.lock === lock)).flatMap(({ id }) => statesAt(fn, id).map(({ state }) => namesOf(state)));
    return (taking[0] ?? []).filter((name) => taking.every((names) => names.includes(name)));
  };
  const entersAtomic = now.nodes.some((node, id) => node.kind === "call" && !isNew(node.at) && sleeps(node) && statesAt(fn, id).some(({ state }) => isAtomicByCaller(state)));
  return news.every(({ node, id }) => {
    const states = statesAt(fn, id).map(({ state }) => state);
    // What comes before the part that is shown may be atomic: only what stood there before is known to fit.
    if (sleeps(node) && now.openStart && old?.nodes.some((one) => one.kind === "call" && one.name === node.name) !== true) return false;
    if (sleeps(node) && !maySleep(states, entersAtomic)) return false;
    return node.effects.every((effect) => {
      if (effect.kind === "acquire") return states.every((state) => state.held.every((held) => held.lock !== effect.lock && !nestsInside(held.lock, effect.lock)));
      return effect.kind !== "release" || states.every((state) => isHeld(state, effect.lock, textOf(effect)) && outer(effect).every((name) => namesOf(state).includes(name)));
    });
  });
}

const isAtomicByCaller = ({ atomic }: State): boolean => atomic.length > 0 && atomic.every((one) => one.at < 0);

/** `entersAtomic`: the function sleeps elsewhere although a caller may be atomic, so that this is not for a fix to mind. */
const maySleep = (states: readonly State[], entersAtomic: boolean): boolean => states.every((state) => state.atomic.length === 0 || (entersAtomic && isAtomicByCaller(state)));

const sleeps = (node: CallNode): boolean =>
  node.effects.some((effect) => {
    if (effect.kind === "sleepsIf") return effect.word === "boolean" && /^(?:1|true)$/.test(render(effect.flag));
    return (effect.kind === "notifierStart" && effect.blocking) || (effect.kind === "acquire" && effect.sleeps) || (effect.kind === "marksDirty" && effect.locks);
  });

type RangeEffect = BoundEffect & { readonly kind: "notifierInit" | "notifierStart" | "notifierEnd" };

const RANGE = new Set(["notifierInit", "notifierStart", "notifierEnd"]);

const rangeOf = ({ range }: RangeEffect): string => (range.kind === "unary" && range.operator === "&" ? render(range.of) : render(range));

const rangeEffects = (program: EffectProgram): readonly RangeEffect[] =>
  program.nodes.flatMap((node) => (node.kind === "call" ? node.effects.filter((one): one is RangeEffect => RANGE.has(one.kind)) : []));

const kindsOf = (effects: readonly RangeEffect[], range: string): string => [...new Set(effects.filter((one) => rangeOf(one) === range).map((one) => one.kind))].toSorted().join(" ");

/** Every range is set up once, started once and ended once, on every path; of one that a caller ends, as much is there as was before. */
function rangesFit({ before, now }: Changed): boolean {
  const [was, is] = [rangeEffects(before), rangeEffects(now)];
  return [...new Set([...was, ...is].map(rangeOf))].every((range) => {
    const kinds = kindsOf(is, range);
    if (kinds !== kindsOf(was, range)) return false;
    const canRefuse = is.some((one) => one.kind === "notifierStart" && !one.blocking && rangeOf(one) === range);
    return canRefuse || !kinds.includes("notifierEnd") || !kinds.includes("notifierStart") || rangeFits(now, range, kinds.includes("notifierInit"));
  });
}

function rangeFits(program: EffectProgram, range: string, hasInit: boolean): boolean {
  type Point = readonly [node: number, isSet: boolean, isOpen: boolean];
  const work: Point[] = [[program.entry, !hasInit || program.openStart, false]];
  const seen = new Set<string>();
  for (let point = work.pop(); point; point = work.pop()) {
    const [id, isSet, isOpen] = point;
    const node = program.nodes[id];
    if (!node || seen.has(point.join())) continue;
    seen.add(point.join());
    let [set, open] = [isSet, isOpen];
    for (const effect of node.kind === "call" ? node.effects : []) {
      if (!RANGE.has(effect.kind) || rangeOf(effect as RangeEffect) !== range) continue;
      if (effect.kind === "notifierInit" ? open : effect.kind === "notifierStart" ? open || !set : !open && !program.openStart) return false;
      set ||= effect.kind === "notifierInit";
      open = effect.kind === "notifierStart" || (effect.kind === "notifierInit" && open);
    }
    if (node.kind === "exit" && open) return false;
    for (const next of successors(node)) work.push([next, set, open]);
  }
  return true;
}

const textWithin = ({ image, start, end }: EffectProgram): string => image.text.slice(start, end).replace(/\/\*[^]*?\*\//g, " ");

const ofNothing = (program: EffectProgram): number => [...textWithin(program).matchAll(/\b\w+\s*\(\s*NULL\s*\)/g)].length;

/** No call is new that is about nothing at all: what takes one pointer works with it. */
const argumentsFit = ({ before, now }: Changed): boolean => ofNothing(now) <= ofNothing(before);

/** Every name that gets a value is one that was known before, or is declared, and a new one gets a value; what is no longer declared is not named. */
function namesFit({ before, now }: Changed): boolean {
  const text = textWithin(now);
  if ([...before.variables.keys()].some((name) => /^\w+$/.test(name) && !now.variables.has(name) && new RegExp(`\\b${name}\\b`).test(text))) return false;
  const assigned = (program: EffectProgram): readonly string[] =>
    program.nodes.flatMap((node) => (node.kind === "assign" && node.target.kind === "name" && /^\w+$/.test(node.target.name) ? [node.target.name] : node.kind === "call" && node.result !== null && /^\w+$/.test(node.result) ? [node.result] : []));
  const known = new Set([...assigned(before).filter((name) => !before.variables.has(name)), ...now.variables.keys()]);
  const given = new Set(assigned(now));
  const isGiven = (name: string): boolean => given.has(name) || new RegExp(`&${name}\\b|\\b${name}\\s*=`).test(text);
  return [...given].every((name) => known.has(name)) && [...now.variables.keys()].every((name) => before.variables.has(name) || !/^\w+$/.test(name) || isGiven(name));
}

/** Ways out that do not fit the function's type: a value of a function that has none, none of one that has. */
function misreturns({ name, image, start, end, nodes, exit, openStart, openEnd }: EffectProgram): number {
  if (openStart || openEnd) return 0;
  const hasValue = !new RegExp(`\\bvoid\\s+${name}\\s*\\(`).test(image.text.slice(start, end));
  return nodes.filter((node) => (node.kind === "return" ? (node.value !== null) !== hasValue : hasValue && node.kind !== "exit" && successors(node).includes(exit))).length;
}
