// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import { withAliases } from "../program/alias.ts";
import type { FunctionCode } from "../program/code.ts";
import { inlineHelpers } from "../program/inline.ts";
import { lowerFunction, type LowerOptions } from "../program/lower.ts";
import type { Outline, OutlineFunction } from "../program/outline.ts";
import { readPart } from "../program/part.ts";
import type { EffectProgram } from "../program/program.ts";
import type { Image } from "../source/image.ts";

/** A file of a tree of which functions are lowered as they are asked for. */
export interface LoweredFile {
  readonly image: Image;
  /** Functions by name, as far as they were read. */
  readonly definitions: ReadonlyMap<string, FunctionCode>;
  /** Programs of functions of the outline, with the helpers that they need in their places. */
  programsOf(wanted: readonly OutlineFunction[]): readonly EffectProgram[];
}

/** Longer helpers are never put in the place of a call, and never read for it. */
const MAX_HELPER_LENGTH = 6000;

const isShort = (fn: OutlineFunction): boolean => fn.end - fn.start <= MAX_HELPER_LENGTH;

export function lowerFile(image: Image, outline: Outline, release: Release, options: LowerOptions = {}): LoweredFile {
  const { text } = image;
  const byName = new Map<string, OutlineFunction[]>();
  for (const fn of outline.functions) byName.set(fn.name, [...(byName.get(fn.name) ?? []), fn]);
  // What a function is lowered to must not hang on what was asked for before it.
  const definitions = new Map<string, FunctionCode>(
    [...byName].map(([name, [fn]]) => [name, { name, isStatic: fn?.isStatic ?? false, parameters: [], body: { kind: "list", items: [] }, start: -1, end: -1, hasError: false }]),
  );
  const raw = new Map<number, EffectProgram>();
  const done = new Map<number, EffectProgram>();

  /** The functions and, through any number of calls, the helpers of the same file that their lowering looks at. */
  const withHelpers = (wanted: readonly OutlineFunction[]): Map<number, OutlineFunction> => {
    const found = new Map(wanted.map((fn) => [fn.start, fn]));
    const work = [...wanted];
    for (let fn = work.pop(); fn; fn = work.pop())
      for (const call of fn.calls) {
        if (call.isPointer) continue;
        for (const helper of byName.get(call.name) ?? []) {
          if (found.has(helper.start) || !isShort(helper)) continue;
          found.set(helper.start, helper);
          work.push(helper);
        }
      }
    return found;
  };

  const read = (functions: readonly OutlineFunction[]): void => {
    const missing = functions.filter((fn) => !raw.has(fn.start)).toSorted((a, b) => a.start - b.start);
    if (missing.length === 0) return;
    const codes = readPart(text, missing);
    for (const code of codes) {
      const known = definitions.get(code.name);
      const isHelper = code.end - code.start <= MAX_HELPER_LENGTH;
      // Of two (`#ifdef` and the stub of `#else`) the longer one says what the function does.
      if (isHelper && (!known || known.end - known.start < code.end - code.start)) definitions.set(code.name, code);
    }
    // A new map: what is known about one as a whole is remembered under it.
    const seen = new Map(definitions);
    const byStart = new Map(missing.map((fn) => [fn.start, fn]));
    for (const code of codes) {
      const fn = byStart.get(code.start) ?? missing.find((one) => one.start <= code.start && code.end <= one.end);
      if (fn) raw.set(fn.start, lowerFunction(image, code, release, seen, options));
    }
  };

  return {
    image,
    definitions,
    programsOf(wanted) {
      const open = wanted.filter((fn) => !done.has(fn.start));
      if (open.length > 0) {
        const all = [...withHelpers(open).values()].toSorted((a, b) => a.start - b.start);
        read(all);
        const helpers = all.filter(isShort).flatMap((fn) => raw.get(fn.start) ?? []);
        const inlined = new Map(inlineHelpers(helpers).map((program, index) => [helpers[index], program]));
        for (const fn of open) {
          const own = raw.get(fn.start);
          const program = own && (inlined.get(own) ?? inlineHelpers([...helpers, own]).at(-1));
          if (program) done.set(fn.start, withAliases(program));
        }
      }
      return wanted.flatMap((fn) => done.get(fn.start) ?? []);
    },
  };
}
