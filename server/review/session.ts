// SPDX-License-Identifier: GPL-2.0-only
import { hash, shapeOf } from "../analysis/shape.ts";
import type { TreeIndex } from "../analysis/tree-index.ts";
import { treeOf, type Trace } from "../analysis/tree.ts";
import { editedOutline } from "../program/outline-edit.ts";
import { outlineOf, type OutlineFunction } from "../program/outline.ts";
import type { Target } from "../kernel/target.ts";
import { lineIndex, type LineIndex } from "../text/line-index.ts";
import type { Problem } from "../text/problem.ts";
import type { Finding } from "./finding.ts";
import { RULES } from "../rules/registry.ts";
import type { Subject } from "../rules/rule.ts";
import { byPlace, searched, settled, type Found } from "./judge.ts";
import type { ReviewOptions } from "./options.ts";
import { moveBetween, relined, type StandingFunction } from "./relined.ts";
import { concernsRules, TRIGGER_NAMES } from "./subject.ts";

/** What is said about one file of a tree. */
export interface SessionReview {
  /** As `scan` orders them. */
  readonly findings: readonly Finding[];
  readonly problems: readonly Problem[];
}

/** A tree that is edited: what did not change is not analyzed again, function by function. */
export interface TreeSession {
  /** Takes over the text of a file, or a new file. */
  update(path: string, text: string): void;
  /** The text of a file, or null where there is none. */
  textOf(path: string): string | null;
  /** The findings of a file as `scan` would have them for the present texts. */
  review(path: string): SessionReview;
  /** In how many places a file breaks a rule as far as analysis can tell, before anything is explored. */
  analyze(path: string): number;
}

/** Functions of one name in one file, on which a result rests. */
interface Dependency {
  readonly path: string;
  readonly name: string;
  /** Of their programs, up to places. */
  readonly key: string;
  /** What of the programs decides: most changes of comments and names leave it alone. */
  readonly shape: string;
}

/** Something that was asked of the tree, and the answer as a text. */
interface Asked {
  readonly path: string;
  readonly name: string;
  readonly answer: string;
}

/** What a result rests on. */
interface Basis {
  readonly functions: readonly Dependency[];
  readonly callers: readonly Asked[];
  readonly named: readonly Asked[];
  readonly wholes: readonly Asked[];
}

/** What was found in one function, or in a file as a whole. */
interface Known {
  /** Number of candidates. */
  readonly count: number;
  readonly problems: readonly Problem[];
  /** What was found, until it is settled, and the turn of that: only in these texts something can be explored. */
  open: { readonly found: readonly Found[]; readonly subject: Subject; readonly turn: number } | null;
  basis: Basis;
  /** Findings where they were asked for, and where the functions stood in which the lines are that they name. */
  settled: (SessionReview & { readonly places: readonly StandingFunction[] }) | null;
}

/** Results of texts that a file had before: edits are taken back. */
const KEPT_BEFORE = 64;

export function treeSession(index: TreeIndex, texts: Map<string, string>, target: Target, options: ReviewOptions): TreeSession {
  const tree = treeOf(index, (path) => texts.get(path) ?? null, target.release, TRIGGER_NAMES);
  const results = new Map<string, Map<string, Known>>();
  /** Number of changes so far. */
  let turns = 0;
  const byName = new WeakMap<object, ReadonlyMap<string, readonly OutlineFunction[]>>();
  /** Keys of functions by file and name, until something changes. */
  const keys = new Map<string, string>();

  const functionsNamed = (path: string, name: string): readonly OutlineFunction[] => {
    const outline = index.outlineOf(path);
    if (!outline) return [];
    const known = byName.get(outline) ?? grouped(outline.functions);
    byName.set(outline, known);
    return known.get(name) ?? [];
  };
  const keyOf = (path: string, name: string): string => {
    const known = keys.get(`${path} ${name}`);
    if (known !== undefined) return known;
    const made = functionsNamed(path, name).map((fn) => tree.keyOf(path, fn)).join("\n");
    keys.set(`${path} ${name}`, made);
    return made;
  };
  const shapesOf = (path: string, name: string): string => tree.programs(path, functionsNamed(path, name)).map(shapeOf).join("\n");

  /** `isExact`: lines of a finding are told by the functions in which they stand, and those must be the very same. */
  const isCurrent = ({ functions, callers, named, wholes }: Basis, isExact: boolean): boolean =>
    callers.every(({ path, name, answer }) => index.answerOf(path, name) === answer) &&
    functions.every(({ path, name, key, shape }) => keyOf(path, name) === key || (!isExact && shapesOf(path, name) === shape)) &&
    named.every(({ path, name, answer }) => tree.namedKey(path, name) === answer) &&
    wholes.every(({ path, answer }) => tree.wholeKey(path) === answer);

  /** The functions with those that have a place in their programs. */
  const standingOf = (functions: readonly FunctionAt[]): readonly FunctionAt[] => {
    const all = functions.flatMap(({ path, fn }) => tree.placesOf(path, fn).map((one) => ({ path, fn: one })));
    return [...new Map(all.map((one) => [`${one.path} ${one.fn.start}`, one])).values()];
  };

  const lines = new Map<string, { readonly text: string; readonly index: LineIndex }>();
  const placeOf = (path: string, name: string, ordinal: number): StandingFunction | null => {
    const fn = functionsNamed(path, name)[ordinal];
    const text = texts.get(path);
    if (!fn || text === undefined) return null;
    const known = lines.get(path);
    const made = known?.text === text ? known : { text, index: lineIndex(text) };
    lines.set(path, made);
    const { line, column } = made.index.positionOf(fn.start);
    return { path, name, ordinal, first: line, last: made.index.lineOf(Math.max(fn.start, fn.end - 1)), column };
  };

  /** What is known as it is to be said now; null where its lines are lost. */
  const inPlace = ({ findings, places }: NonNullable<Known["settled"]>, path: string): readonly Finding[] | null => {
    if (findings.length === 0) return findings;
    const move = moveBetween(places, places.map((place) => placeOf(place.path, place.name, place.ordinal)));
    const found = findings.map((finding) => relined(finding, path, move));
    return found.every((finding) => finding !== null) ? found : null;
  };

  const basisOf = ({ questions, named, wholes }: Trace, functions: readonly FunctionAt[]): Basis => {
    const seen = new Map(functions.map((one) => [`${one.path} ${one.fn.name}`, { path: one.path, name: one.fn.name }]));
    return {
      functions: [...seen.values()].map(({ path, name }) => ({ path, name, key: keyOf(path, name), shape: shapesOf(path, name) })),
      callers: questions.map(([path, name]) => ({ path, name, answer: index.answerOf(path, name) })),
      named: named.map(([path, name]) => ({ path, name, answer: tree.namedKey(path, name) })),
      wholes: wholes.map((path) => ({ path, name: "", answer: tree.wholeKey(path) })),
    };
  };

  /** What rules say of the calls of a function; of null, of the file as a whole. */
  const analyzed = (path: string, fn: OutlineFunction | null): Known => {
    tree.takeTrace(true);
    const part = tree.part(path, fn);
    const subject = part && { target, unit: part.unit, old: null };
    const programs = part?.programs.filter((program) => fn && program.start >= fn.start && program.end <= fn.end) ?? [];
    const { found, problems } = subject ? searched(subject, options, fn ? { kind: "calls", programs } : { kind: "whole" }) : { found: [], problems: [] };
    const trace = tree.takeTrace(true);
    const count = found.reduce((sum, one) => sum + one.candidates.length, 0);
    return {
      count, problems, open: subject && count > 0 ? { found, subject, turn: turns } : null,
      basis: basisOf(trace, [...(fn ? [{ path, fn }] : []), ...trace.functions]),
      settled: count > 0 ? null : { findings: [], problems: [], places: [] },
    };
  };

  /** Proves what was found, in the texts in which it was found. */
  const settle = (known: Known, path: string, fn: OutlineFunction | null): void => {
    tree.takeTrace(true);
    const { findings, problems } = known.open ? settled(known.open.found, known.open.subject, options) : { findings: [], problems: [] };
    const trace = tree.takeTrace(true);
    const rested = [...(fn ? [{ path, fn }] : []), ...known.basis.functions.flatMap((one) => functionsNamed(one.path, one.name).map((other) => ({ path: one.path, fn: other }))), ...trace.functions];
    const wholes = trace.wholes.flatMap((from) => tree.wanted(from).map((one) => ({ path: from, fn: one })));
    const standing = findings.length === 0 ? [] : standingOf([...rested, ...wholes]);
    const more = basisOf(trace, standing);
    known.basis = {
      functions: [...known.basis.functions, ...more.functions], callers: [...known.basis.callers, ...more.callers],
      named: [...known.basis.named, ...more.named], wholes: [...known.basis.wholes, ...more.wholes],
    };
    known.open = null;
    known.settled = { findings, problems, places: standing.flatMap((one) => placeOf(one.path, one.fn.name, functionsNamed(one.path, one.fn.name).indexOf(one.fn)) ?? []) };
  };

  const settledNow = (path: string, name: string, fn: OutlineFunction | null, known: Known): Known => {
    const now = known.open?.turn === turns ? known : analyzed(path, fn);
    if (!now.settled) settle(now, path, fn);
    results.get(path)?.set(name, now);
    return now;
  };

  const parts = (path: string): readonly { readonly name: string; readonly fn: OutlineFunction | null }[] => {
    const text = texts.get(path) ?? "";
    // What a helper does shows in its callers.
    const concerned = tree.wanted(path);
    const around = RULES.map((rule) => rule.readsOfFile?.(text) ?? "").join(" ");
    return [...concerned.map((fn) => ({ name: `${fn.name} ${fn.end - fn.start} ${hash(text, fn.start, fn.end)} ${around}`, fn })), { name: around, fn: null }];
  };

  /** What is known of each part of a file, analyzed again where it has to be. */
  const analysis = (path: string): readonly { readonly name: string; readonly fn: OutlineFunction | null; known: Known }[] => {
    if (!concernsRules(texts.get(path) ?? "")) return [];
    const before = results.get(path) ?? new Map<string, Known>();
    const all = parts(path).map(({ name, fn }) => {
      const known = before.get(name);
      return { name, fn, known: known && isCurrent(known.basis, known.count > 0) ? known : analyzed(path, fn) };
    });
    results.set(path, withEarlier(new Map(all.map(({ name, known }) => [name, known])), before));
    return all;
  };

  return {
    textOf: (path) => texts.get(path) ?? null,
    update(path, text) {
      const before = texts.get(path);
      if (before === text) return;
      texts.set(path, text);
      const outline = index.outlineOf(path);
      index.replace({ path, outline: before !== undefined && outline ? editedOutline({ text: before, outline }, text) : outlineOf(text) });
      keys.clear();
      tree.replace(path);
      turns++;
    },
    review(path) {
      const findings: Finding[] = [];
      const problems: Problem[] = [];
      for (const { name, known, fn } of analysis(path)) {
        const standing = known.settled && inPlace(known.settled, path);
        const now = standing ? known : settledNow(path, name, fn, known);
        findings.push(...(standing ?? now.settled?.findings ?? []));
        problems.push(...now.problems, ...(now.settled?.problems ?? []));
      }
      return { findings: findings.toSorted(byPlace), problems };
    },
    analyze: (path) => analysis(path).reduce((sum, { known }) => sum + known.count, 0),
  };
}

interface FunctionAt {
  readonly path: string;
  readonly fn: OutlineFunction;
}

function grouped(functions: readonly OutlineFunction[]): ReadonlyMap<string, readonly OutlineFunction[]> {
  const found = new Map<string, OutlineFunction[]>();
  for (const fn of functions) {
    const list = found.get(fn.name);
    if (list) list.push(fn);
    else found.set(fn.name, [fn]);
  }
  return found;
}

/** The present results, and behind them some of those that were present before. */
function withEarlier(now: Map<string, Known>, before: ReadonlyMap<string, Known>): Map<string, Known> {
  const most = now.size + KEPT_BEFORE;
  const kept = new Map(now);
  for (const [name, known] of before) {
    if (kept.size >= most) break;
    if (!kept.has(name)) kept.set(name, known);
  }
  return kept;
}
