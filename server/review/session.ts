// SPDX-License-Identifier: GPL-2.0-only
import { answerText, type TreeFile, type TreeIndex } from "../analysis/tree-index.ts";
import { hash, shapeOf } from "../analysis/shape.ts";
import { isConcerned, treeOf } from "../analysis/tree.ts";
import { outlineOf, type OutlineFunction } from "../program/outline.ts";
import { namesWithEffect } from "../kernel/facts.ts";
import type { Target } from "../kernel/target.ts";
import type { Candidate } from "../rules/rule.ts";
import { candidatesIn } from "./judge.ts";
import type { ReviewOptions } from "./options.ts";
import { TRIGGER_NAMES } from "./subject.ts";

/** A candidate of a file that may have moved since it was found: `by` offsets in the text. */
export interface PlacedCandidate {
  readonly candidate: Candidate;
  readonly by: number;
}

/** A tree that is edited: what did not change is not analyzed again, function by function. */
export interface TreeSession {
  update(path: string, text: string): void;
  candidates(path: string): readonly PlacedCandidate[];
}

/** A function that a result rests on. */
interface Dependency {
  readonly path: string;
  readonly name: string;
  /** Of the text that it is lowered from. */
  readonly key: string;
  /** Of its program: most changes of a helper leave the programs of its callers alone. */
  readonly shape: string;
}

/** What was found in one function, and what that rests on. */
interface Known {
  readonly key: string;
  /** Of its own text alone. */
  readonly own: string;
  readonly shape: string;
  readonly start: number;
  readonly candidates: readonly Candidate[];
  readonly functions: readonly Dependency[];
  readonly answers: readonly (readonly [path: string, name: string, answer: string])[];
}

export function treeSession(index: TreeIndex, texts: Map<string, string>, target: Target, options: ReviewOptions): TreeSession {
  const tree = treeOf(index, (path) => texts.get(path) ?? null, target.release, TRIGGER_NAMES);
  const keys = new Map<string, ReadonlyMap<OutlineFunction, Keys>>();
  const results = new Map<string, Map<string, Known>>();

  const keysOf = (path: string): ReadonlyMap<OutlineFunction, Keys> => {
    const made = keys.get(path) ?? functionKeys(texts.get(path) ?? "", index.outlineOf(path)?.functions ?? []);
    keys.set(path, made);
    return made;
  };
  const named = (path: string, name: string): readonly OutlineFunction[] => (index.outlineOf(path)?.functions ?? []).filter((fn) => fn.name === name);
  const keyOf = (path: string, name: string): string => named(path, name).map((fn) => keysOf(path).get(fn)?.whole ?? "").join("\n");
  const shapesOf = (path: string, name: string): string => tree.programs(path, named(path, name)).map(shapeOf).join("\n");

  const isCurrent = (known: Known): boolean =>
    known.functions.every(({ path, name, key, shape }) => keyOf(path, name) === key || shapesOf(path, name) === shape) &&
    known.answers.every(([path, name, answer]) => answerText(index.callersOf(path, name)) === answer);

  const analyzed = (path: string, fn: OutlineFunction, { whole, own }: Keys): Known => {
    tree.takeTrace(true);
    const unit = tree.unitOfFunctions(path, [fn]);
    const programs = unit?.programs.filter((program) => program.start >= fn.start && program.end <= fn.end) ?? [];
    const candidates = unit ? candidatesIn({ target, unit, old: null }, programs, options) : [];
    const { functions, questions } = tree.takeTrace(true);
    const seen = new Map(functions.map((one) => [`${one.path} ${one.fn.name}`, one]));
    return {
      key: whole,
      own,
      shape: programs.map(shapeOf).join("\n"),
      start: fn.start,
      candidates,
      functions: [...seen.values()].map((one) => ({ path: one.path, name: one.fn.name, key: keyOf(one.path, one.fn.name), shape: shapesOf(one.path, one.fn.name) })),
      answers: questions.map(([from, name]) => [from, name, answerText(index.callersOf(from, name))] as const),
    };
  };

  /** What of an earlier result may still hold, before programs are compared. */
  const earlier = (path: string, fn: OutlineFunction): Known | null => {
    const known = results.get(path)?.get(`${fn.name} ${keysOf(path).get(fn)?.own ?? ""}`);
    return known ?? null;
  };

  /** Functions of the file whose programs have to be compared, read at once. */
  const readAhead = (path: string, concerned: readonly OutlineFunction[]): void => {
    const names = new Set<string>();
    for (const fn of concerned) {
      const known = earlier(path, fn);
      if (known === null || known.key !== keysOf(path).get(fn)?.whole) names.add(fn.name);
      for (const one of known?.functions ?? []) if (one.path === path && keyOf(path, one.name) !== one.key) names.add(one.name);
    }
    if (names.size > 1) tree.programs(path, [...names].flatMap((name) => named(path, name)));
  };

  return {
    update(path, text) {
      if (texts.get(path) === text) return;
      texts.set(path, text);
      index.replace({ path, outline: outlineOf(text) } satisfies TreeFile);
      keys.delete(path);
      tree.replace(path);
    },
    candidates(path) {
      const concerned = (index.outlineOf(path)?.functions ?? []).filter((fn) => isConcerned(fn, TRIGGER_NAMES));
      readAhead(path, concerned);
      const now = new Map<string, Known>();
      const found: PlacedCandidate[] = [];
      for (const fn of concerned) {
        const key = keysOf(path).get(fn) ?? { own: "", whole: "" };
        const known = earlier(path, fn);
        const isSame = known !== null && (known.key === key.whole || tree.programs(path, [fn]).map(shapeOf).join("\n") === known.shape);
        const result = known !== null && isSame && isCurrent(known) ? known : analyzed(path, fn, key);
        now.set(`${fn.name} ${key.own}`, result);
        for (const candidate of result.candidates) found.push({ candidate, by: fn.start - result.start });
      }
      results.set(path, now);
      return found;
    },
  };
}

/** Texts as numbers: a function's own, and with those of the helpers that its lowering looks into. */
interface Keys {
  readonly own: string;
  readonly whole: string;
}

/** Longer helpers are not looked into. */
const MAX_HELPER = 6000;

function functionKeys(text: string, functions: readonly OutlineFunction[]): ReadonlyMap<OutlineFunction, Keys> {
  const own = new Map(functions.map((fn) => [fn, hash(text, fn.start, fn.end)]));
  const byName = new Map<string, OutlineFunction[]>();
  for (const fn of functions) byName.set(fn.name, [...(byName.get(fn.name) ?? []), fn]);
  const macros = [...text.matchAll(/^[ \t]*#[ \t]*define\b(?:[^\n\\]|\\[^])*/gm)].map((match) => hash(match[0], 0, match[0].length)).join(" ");
  const macroKey = hash(macros, 0, macros.length);
  const helpersOf = (fn: OutlineFunction): readonly OutlineFunction[] =>
    fn.calls.flatMap((call) => (call.isPointer ? [] : (byName.get(call.name) ?? []).filter((helper) => helper.end - helper.start <= MAX_HELPER)));
  const mattering = matteringHelpers(text, functions, helpersOf);
  return new Map(functions.map((fn) => {
    // Who gives a pin away is told by everything that is called; locks and pointers by the helpers that have to do with them.
    const isAll = fn.calls.some((call) => PINS.has(call.name));
    const seen = new Set([fn]);
    for (const one of seen) for (const helper of helpersOf(one)) if (isAll || mattering.has(helper)) seen.add(helper);
    const all = [...seen].map((one) => own.get(one) ?? 0).join(" ");
    return [fn, { own: `${own.get(fn)} ${fn.end - fn.start}`, whole: `${macroKey} ${hash(all, 0, all.length)} ${fn.end - fn.start}` }] as const;
  }));
}

const PINS: ReadonlySet<string> = new Set(namesWithEffect("gup"));

/** Calls that leave something behind for the caller of the function that has them. */
const LASTING: ReadonlySet<string> = new Set(
  (["acquire", "release", "assertHeld", "enterAtomic", "leaveAtomic", "mapPte", "unmapPte", "lockEntryTable", "hugetlbWalk", "accessEntry", "notifierStart", "notifierEnd"] as const).flatMap((kind) => [
    ...namesWithEffect(kind),
  ]),
);

/** Helpers that the lowering of their callers may look into: with such calls, for a value only, or with pointers to entries. */
function matteringHelpers(text: string, functions: readonly OutlineFunction[], helpersOf: (fn: OutlineFunction) => readonly OutlineFunction[]): ReadonlySet<OutlineFunction> {
  const callers = new Map<OutlineFunction, OutlineFunction[]>();
  for (const fn of functions) for (const helper of helpersOf(fn)) callers.set(helper, [...(callers.get(helper) ?? []), fn]);
  const found = new Set(functions.filter((fn) => {
    if (fn.calls.some((call) => LASTING.has(call.name))) return true;
    const code = text.slice(fn.start, fn.end);
    return /\bpte_t\b|\*ptep\b/.test(code) || /^[^{]*\{\s*(?:\/\*[^]*?\*\/\s*)*(?:if\b[^;]*)?return\b/.test(code);
  }));
  for (const fn of found) for (const caller of callers.get(fn) ?? []) found.add(caller);
  return found;
}
