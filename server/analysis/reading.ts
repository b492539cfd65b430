// SPDX-License-Identifier: GPL-2.0-only
import type { FunctionCode } from "../program/code.ts";
import type { LostCode } from "../program/lost-code.ts";
import { outlineOf, type Outline, type OutlineFunction } from "../program/outline.ts";
import { rowAt } from "../program/place.ts";
import { readPart, readSource } from "../program/read-code.ts";
import type { Image } from "../source/image.ts";

/** The functions of an image as plain records. */
export interface Reading {
  readonly image: Image;
  readonly functions: readonly FunctionCode[];
  /** Functions that the image has and that were not read, by name: who calls them calls something of this file. */
  readonly unread: readonly FunctionCode[];
  readonly lost: readonly LostCode[];
}

const outlines = new WeakMap<Image, Outline>();

/** The outline of a whole file, read once. */
export function outlineOfImage(image: Image): Outline {
  const known = outlines.get(image) ?? outlineOf(image.text);
  outlines.set(image, known);
  return known;
}

/** Callers further away than this are not looked at. */
const LEVELS = 3;

/** Longer helpers are never put in the place of a call: only those that a function of the patch calls itself are read. */
const MAX_HELPER_LENGTH = 6000;

/**
 * Reads an image: a fragment or a C file as a whole, of a file that the patch changes only what has to do with the functions
 * called `touched`: their callers, and the helpers of all of these.
 */
export function readingOf(image: Image, touched: ReadonlySet<string>): Reading {
  if (image.missing === undefined) return { image, unread: [], ...readSource(image.text) };
  const { functions } = outlineOfImage(image);
  const wanted = matteringFunctions(functions, touched);
  const rest = functions.filter((fn) => !wanted.has(fn));
  return {
    image,
    functions: functions.filter((fn) => wanted.has(fn)).flatMap((fn) => readPart(image.text, fn)),
    unread: rest.map((fn) => ({ name: fn.name, isStatic: fn.isStatic, parameters: [], body: { kind: "list", items: [] }, start: -1, end: -1, hasError: false })),
    lost: [],
  };
}

/** True where one of the functions, or one of the same file that it comes to through calls, has a call that is asked about. */
export function leadsToCall(image: Image, touched: ReadonlySet<string>, names: ReadonlySet<string>): boolean {
  const { functions } = outlineOfImage(image);
  const called = callees(functions);
  const found = new Set(functions.filter((fn) => touched.has(fn.name)));
  // What is added while the set is walked is walked, too.
  for (const fn of found) {
    if (fn.calls.some((call) => !call.isPointer && names.has(call.name))) return true;
    for (const callee of called(fn)) found.add(callee);
  }
  return false;
}

/** Functions of the file that a function calls. */
function callees(functions: readonly OutlineFunction[]): (fn: OutlineFunction) => readonly OutlineFunction[] {
  const byName = new Map<string, OutlineFunction[]>();
  for (const fn of functions) byName.set(fn.name, [...(byName.get(fn.name) ?? []), fn]);
  return (fn) => fn.calls.flatMap((call) => (call.isPointer ? [] : (byName.get(call.name) ?? [])));
}

function matteringFunctions(functions: readonly OutlineFunction[], touched: ReadonlySet<string>): ReadonlySet<OutlineFunction> {
  const own = functions.filter((fn) => touched.has(fn.name));
  const found = new Set(own);
  for (let level = 0; level < LEVELS; level++) {
    const names = new Set([...found].map((fn) => fn.name));
    for (const fn of functions) if (fn.calls.some((call) => !call.isPointer && names.has(call.name))) found.add(fn);
  }
  const called = callees(functions);
  for (const fn of own) for (const helper of called(fn)) found.add(helper);
  for (const fn of found) for (const helper of called(fn)) if (helper.end - helper.start <= MAX_HELPER_LENGTH) found.add(helper);
  return found;
}

/** The names of the functions of a whole file in which the patch adds or deletes a line. */
export function touchedFunctions(image: Image): readonly OutlineFunction[] {
  if (image.missing === undefined) return [];
  const rows = [...image.lines.flatMap((line, row) => (line.changed ? [row] : [])), ...image.missing.map(({ row }) => row - 0.5)].toSorted((a, b) => a - b);
  let next = 0;
  return outlineOfImage(image).functions.filter((fn) => {
    // Functions and rows are in order of text.
    for (const first = rowAt(image, fn.start); next < rows.length && (rows[next] ?? 0) < first; ) next++;
    return (rows[next] ?? Infinity) <= rowAt(image, fn.end - 1);
  });
}
