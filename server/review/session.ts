// SPDX-License-Identifier: GPL-2.0-only
import { answerText, type TreeFile, type TreeIndex } from "../analysis/tree-index.ts";
import { isConcerned, treeOf } from "../analysis/tree.ts";
import { outlineOf, type OutlineFunction } from "../program/outline.ts";
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

/** What was found in one function, and what that rests on. */
interface Known {
  readonly key: string;
  readonly start: number;
  readonly candidates: readonly Candidate[];
  readonly functions: readonly (readonly [path: string, name: string, key: string])[];
  readonly answers: readonly (readonly [path: string, name: string, answer: string])[];
}

export function treeSession(index: TreeIndex, texts: Map<string, string>, target: Target, options: ReviewOptions): TreeSession {
  const tree = treeOf(index, (path) => texts.get(path) ?? null, target.release, TRIGGER_NAMES);
  const keys = new Map<string, ReadonlyMap<OutlineFunction, string>>();
  const results = new Map<string, Map<string, Known>>();

  /** What each function of a file is lowered from: its own text and that of the functions it calls in the file. */
  const keysOf = (path: string): ReadonlyMap<OutlineFunction, string> => {
    const made = keys.get(path) ?? functionKeys(texts.get(path) ?? "", index.outlineOf(path)?.functions ?? []);
    keys.set(path, made);
    return made;
  };
  const keyOf = (path: string, name: string): string =>
    [...(index.outlineOf(path)?.functions ?? [])].flatMap((fn) => (fn.name === name ? (keysOf(path).get(fn) ?? "") : [])).join("\n");

  const isCurrent = (known: Known): boolean =>
    known.functions.every(([path, name, key]) => keyOf(path, name) === key) &&
    known.answers.every(([path, name, answer]) => answerText(index.callersOf(path, name)) === answer);

  const analyzed = (path: string, fn: OutlineFunction, key: string): Known => {
    tree.takeTrace(true);
    const unit = tree.unitOfFunctions(path, [fn]);
    const programs = unit?.programs.filter((program) => program.start >= fn.start && program.end <= fn.end) ?? [];
    const candidates = unit ? candidatesIn({ target, unit, old: null }, programs, options) : [];
    const { functions, questions } = tree.takeTrace(true);
    return {
      key,
      start: fn.start,
      candidates,
      functions: functions.map((one) => [one.path, one.fn.name, keyOf(one.path, one.fn.name)] as const),
      answers: questions.map(([from, name]) => [from, name, answerText(index.callersOf(from, name))] as const),
    };
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
      const before = results.get(path);
      const now = new Map<string, Known>();
      const found: PlacedCandidate[] = [];
      for (const fn of index.outlineOf(path)?.functions ?? []) {
        if (!isConcerned(fn, TRIGGER_NAMES)) continue;
        const key = keysOf(path).get(fn) ?? "";
        const known = before?.get(`${fn.name} ${key}`);
        const result = known && known.key === key && isCurrent(known) ? known : analyzed(path, fn, key);
        now.set(`${fn.name} ${key}`, result);
        for (const candidate of result.candidates) found.push({ candidate, by: fn.start - result.start });
      }
      results.set(path, now);
      return found;
    },
  };
}

/** Longer helpers are not looked into. */
const MAX_HELPER = 6000;

function functionKeys(text: string, functions: readonly OutlineFunction[]): ReadonlyMap<OutlineFunction, string> {
  const own = new Map(functions.map((fn) => [fn, hash(text, fn.start, fn.end)]));
  const byName = new Map<string, OutlineFunction[]>();
  for (const fn of functions) byName.set(fn.name, [...(byName.get(fn.name) ?? []), fn]);
  const macros = [...text.matchAll(/^[ \t]*#[ \t]*define\b(?:[^\n\\]|\\[^])*/gm)].map((match) => hash(match[0], 0, match[0].length)).join(" ");
  const macroKey = hash(macros, 0, macros.length);
  return new Map(functions.map((fn) => {
    const seen = new Set([fn]);
    for (const one of seen)
      for (const call of one.calls) for (const helper of byName.get(call.name) ?? []) if (!call.isPointer && helper.end - helper.start <= MAX_HELPER) seen.add(helper);
    const all = [...seen].map((one) => own.get(one) ?? 0).join(" ");
    return [fn, `${macroKey} ${hash(all, 0, all.length)} ${fn.end - fn.start}`] as const;
  }));
}

/** 53 bits of two FNV hashes: equal texts in one file that is edited, not a security measure. */
function hash(text: string, start: number, end: number): number {
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
  }
  return (low >>> 0) * 0x200000 + ((high >>> 0) & 0x1fffff);
}
