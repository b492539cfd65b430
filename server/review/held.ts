// SPDX-License-Identifier: GPL-2.0-only
import { entriesOf, heldIn, type HeldFact, type HeldHere } from "../analysis/held.ts";
import { summarizer, type Summarizer } from "../analysis/summarizer.ts";
import type { AtomicChange, ChangeWhen, GivenUp as Gone, LockChange as Change, ContractLock as Lock, Summary as FunctionSummary } from "../analysis/summary.ts";
import type { Sleep } from "../analysis/sleep.ts";
import { indexOf } from "../analysis/tree-index.ts";
import { lowerFile } from "../analysis/tree-lower.ts";
import { withCallers } from "../analysis/tree.ts";
import { statesAt, unitOf, unitOfPrograms, type Unit } from "../analysis/unit.ts";
import type { Release } from "../kernel/release.ts";
import { readPatches } from "../patch/read.ts";
import { outlineOf, type Outline, type OutlineFunction } from "../program/outline.ts";
import { documentPlace, rowAt } from "../program/place.ts";
import type { EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { imageOfFile } from "../source/image.ts";
import { decideTarget } from "../source/target.ts";
import type { ReviewOptions } from "./options.ts";
import type { ReviewInput } from "./review.ts";
import { targetOfTree } from "./scan.ts";
import { imagesOf } from "./subject.ts";

export type { ChangeWhen, HeldFact, HeldHere, Sleep };

/** As in the analysis, with the object as text. */
export type ContractLock = Omit<Lock, "object"> & { readonly object: string | null };
export type LockChange = Omit<Change, "object"> & { readonly object: string | null };
export type GivenUp = Omit<Gone, "object"> & { readonly object: string | null };
export type Summary = Pick<FunctionSummary, "sleeps" | "complete"> & {
  readonly takes: readonly LockChange[];
  readonly givesUp: readonly GivenUp[];
  readonly drops: readonly ContractLock[];
  readonly requires: readonly ContractLock[];
  readonly enters: readonly AtomicChange[];
  readonly leaves: readonly AtomicChange[];
};

/** What holds at the lines of a document, and what its functions ask of their callers. */
export interface HeldLines {
  /** `line`: of the document, from 1. Null where no code runs. */
  at(line: number): HeldHere | null;
  /** Null for a function whose body is not, or not wholly, in the document. */
  summaryOf(name: string): Summary | null;
}

/** What holds in a document; everything is computed when it is first asked for. */
export function heldInDocument(input: ReviewInput, options: ReviewOptions): HeldLines {
  return input.kind === "c" ? heldInFile(input.path, input.text, targetOfTree(options, null).target.release) : heldInPatches(input.text, options);
}

const withTexts = (summary: FunctionSummary): Summary => {
  const text = <T extends Lock>(lock: T): Omit<T, "object"> & { readonly object: string | null } => ({ ...lock, object: lock.object && render(lock.object) });
  return { ...summary, takes: summary.takes.map(text), givesUp: summary.givesUp.map(text), drops: summary.drops.map(text), requires: summary.requires.map(text) };
};

/** A C file as it stands; functions are read as they are asked for. */
export function heldInFile(path: string, text: string, release: Release): HeldLines {
  const outline = outlineOf(text);
  const file = lowerFile(imageOfFile(path, text), outline, release, { marksStatements: true });
  const summaries = summarizer(programsByName((name) => file.programsOf(outline.functions.filter((fn) => fn.name === name))));
  const given = givenAway(outline);
  const index = indexOf([{ path, outline }]);
  const unitOfFunction = remembering((fn: OutlineFunction): Unit => {
    const programs = file.programsOf(withCallers(index, path, new Set([fn]))).map((program) => {
      const whole = summaries.withCallees(program);
      return given.has(program.name) ? { ...whole, isStatic: false } : whole;
    });
    return unitOfPrograms([file.image], release, programs, file.definitions);
  });
  return {
    at(line) {
      const extent = lineExtent(text, line);
      const fn = outline.functions.find((one) => one.start <= extent.end && extent.start < one.end);
      if (!fn) return null;
      const unit = unitOfFunction(fn);
      const program = unit.programs.find((one) => one.start >= fn.start && one.end <= fn.end);
      return program ? heldOnLine(unit, program, (at) => rowAt(program.image, at) + 1, line) : null;
    },
    summaryOf: (name) => summaryOrNull(summaries, name),
  };
}

/** The functions that the patches of a document show, lines that were taken away in their old form. */
function heldInPatches(text: string, options: ReviewOptions): HeldLines {
  const sides = readPatches(text).patches.flatMap((patch) => {
    const { release } = decideTarget(patch, options).target;
    return (["new", "old"] as const).map((side) => {
      const read = unitOf(imagesOf(text, patch, side, release), release, new Set(), { marksStatements: true });
      const summaries = summarizer(programsByName((name) => read.programs.filter((one) => one.name === name && !one.openStart && !one.openEnd)));
      return { patch, summaries, unit: unitOfPrograms(read.images, release, read.programs.map(summaries.withCallees), read.definitions) };
    });
  });
  const lineOf = (program: EffectProgram, at: number): number => documentPlace(program.image, at)?.line ?? -1;
  return {
    at(line) {
      for (const { patch, unit } of sides) {
        if (line < patch.startLine || line > patch.endLine) continue;
        for (const program of unit.programs) {
          const here = heldOnLine(unit, program, (at) => lineOf(program, at), line);
          if (here) return here;
        }
      }
      return null;
    },
    summaryOf(name) {
      for (const { summaries } of sides) {
        const summary = summaryOrNull(summaries, name);
        if (summary) return summary;
      }
      return null;
    },
  };
}

function summaryOrNull(summaries: Summarizer, name: string): Summary | null {
  const summary = summaries.summaryOf(name);
  return summary && withTexts(summary);
}

function remembering<K extends object | string, V>(make: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const made = known.get(key) ?? make(key);
    known.set(key, made);
    return made;
  };
}

/** The functions of a name, the longest first. */
const programsByName = (programsOf: (name: string) => readonly EffectProgram[]): ((name: string) => readonly EffectProgram[]) =>
  remembering((name: string) => programsOf(name).toSorted((a, b) => b.end - b.start - (a.end - a.start)));

/** Functions whose address the file gives away: others call them, too. */
const givenAway = (outline: Outline): ReadonlySet<string> =>
  new Set([...outline.uses, ...outline.functions.flatMap((fn) => fn.uses)].map((use) => use.name));

function lineExtent(text: string, line: number): { readonly start: number; readonly end: number } {
  let start = 0;
  for (let count = 1; count < line; count++) {
    const newline = text.indexOf("\n", start);
    if (newline < 0) return { start: text.length, end: text.length };
    start = newline + 1;
  }
  const end = text.indexOf("\n", start);
  return { start, end: end < 0 ? text.length : end };
}

function heldOnLine(unit: Unit, program: EffectProgram, lineOf: (at: number) => number, line: number): HeldHere | null {
  const known = placed.get(program) ?? placesOf(program, lineOf);
  placed.set(program, known);
  const nodes = nodesOn(known, line);
  if (nodes.size === 0) return null;
  const fn = unit.analyze(program);
  return heldIn(program, entriesOf(program, nodes).flatMap((node) => statesAt(fn, node).map(({ state }) => state)), fn.complete);
}

type PlacedNode = Extract<ProgramNode, { readonly at: number }>;

/** Nodes of the function's own text. */
const isOwn = (node: ProgramNode): node is PlacedNode => "at" in node && node.at >= 0 && !("inlined" in node && node.inlined !== undefined);

/** A node with the first and the last of its lines. */
interface PlacedOn {
  readonly id: NodeId;
  readonly first: number;
  readonly last: number;
}

const placed = new WeakMap<EffectProgram, readonly PlacedOn[]>();

const placesOf = (program: EffectProgram, lineOf: (at: number) => number): readonly PlacedOn[] =>
  program.nodes.flatMap((node, id) => {
    if (!isOwn(node)) return [];
    const first = lineOf(node.at);
    return first < 0 ? [] : [{ id, first, last: "end" in node && node.end !== undefined ? lineOf(Math.max(node.at, node.end - 1)) : first }];
  });

/** The nodes that begin on a line; where none does, those of the statement that goes on over it. */
function nodesOn(places: readonly PlacedOn[], line: number): ReadonlySet<NodeId> {
  const on = places.filter(({ first }) => first === line);
  const shown = on.length > 0 ? on : places.filter(({ first, last }) => first < line && line <= last);
  return new Set(shown.map(({ id }) => id));
}
