// SPDX-License-Identifier: GPL-2.0-only
import { entriesOf, heldIn, type HeldHere } from "../analysis/held.ts";
import { statesAt, unitOfPrograms, type Unit } from "../analysis/unit.ts";
import { summarizer, type Summarizer } from "../analysis/summarizer.ts";
import { lowerFile, type LoweredFile } from "../analysis/tree-lower.ts";
import { withCallers } from "../analysis/tree.ts";
import type { Release } from "../kernel/release.ts";
import { outlineOf, type Outline, type OutlineFunction } from "../program/outline.ts";
import { rowAt } from "../program/place.ts";
import type { EffectProgram, NodeId } from "../program/program.ts";

/** What holds at the lines of a document. */
export interface HeldLines {
  /** `line`: from 1. Null where no code runs. */
  at(line: number): HeldHere | null;
}

/** What holds at the lines of a C file as it stands; functions are read as they are asked for. */
export function heldInFile(path: string, text: string, release: Release): HeldLines {
  const outline = outlineOf(text);
  const file = lowerFile(path, text, outline, release, { marksStatements: true });
  const summaries = summariesOf(file, outline);
  const given = givenAway(outline);
  const units = new Map<OutlineFunction, Unit>();
  const unit = (fn: OutlineFunction): Unit => {
    const known = units.get(fn) ?? unitWithCallers(file, outline, fn, release, summaries, given);
    units.set(fn, known);
    return known;
  };
  return {
    at(line) {
      const extent = lineExtent(text, line);
      const fn = outline.functions.find((one) => one.start <= extent.end && extent.start < one.end);
      if (!fn) return null;
      const shown = unit(fn);
      const program = shown.programs.find((one) => one.start >= fn.start && one.end <= fn.end);
      return program ? heldOnLine(shown, program, line) : null;
    },
  };
}

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

function summariesOf(file: LoweredFile, outline: Outline): Summarizer {
  const known = new Map<string, EffectProgram | null>();
  return summarizer((name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const programs = file.programsOf(outline.functions.filter((fn) => fn.name === name));
    // Of two (`#ifdef` and the stub of `#else`) the longer one says what the function does.
    const program = programs.toSorted((a, b) => b.end - b.start - (a.end - a.start))[0] ?? null;
    known.set(name, program);
    return program;
  });
}

/** Functions whose address the file gives away: others call them, too. */
const givenAway = (outline: Outline): ReadonlySet<string> =>
  new Set([...outline.uses, ...outline.functions.flatMap((fn) => fn.uses)].map((use) => use.name));

function unitWithCallers(file: LoweredFile, outline: Outline, fn: OutlineFunction, release: Release, summaries: Summarizer, given: ReadonlySet<string>): Unit {
  const programs = file.programsOf(withCallers(outline.functions, new Set([fn]))).map((program) => {
    const whole = summaries.withCallees(program);
    return given.has(program.name) ? { ...whole, isStatic: false } : whole;
  });
  return unitOfPrograms([file.image], release, programs, file.definitions);
}

function heldOnLine(unit: Unit, program: EffectProgram, line: number): HeldHere | null {
  const row = line - 1;
  const on = new Set<NodeId>();
  program.nodes.forEach((node, id) => {
    if ("at" in node && node.at >= 0 && !("inlined" in node && node.inlined !== undefined) && rowAt(program.image, node.at) === row) on.add(id);
  });
  const nodes = on.size > 0 ? on : around(program, row);
  const fn = unit.analyze(program);
  return heldIn(program, entriesOf(program, nodes).flatMap((node) => statesAt(fn, node).map(({ state }) => state)));
}

/** The nodes of the statement that goes on over a line on which nothing begins. */
function around(program: EffectProgram, row: number): ReadonlySet<NodeId> {
  const found = new Set<NodeId>();
  program.nodes.forEach((node, id) => {
    if (!("end" in node) || node.end === undefined || node.at < 0 || ("inlined" in node && node.inlined !== undefined)) return;
    if (rowAt(program.image, node.at) < row && rowAt(program.image, Math.max(node.at, node.end - 1)) >= row) found.add(id);
  });
  return found;
}
