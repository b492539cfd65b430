// SPDX-License-Identifier: GPL-2.0-only
import { createRequire } from "node:module";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** The part of the binding's cursor that is read; ids cost a fraction of what names cost. */
export interface NativeCursor {
  readonly nodeType: string;
  readonly nodeTypeId: number;
  readonly nodeIsNamed: boolean;
  readonly nodeIsMissing: boolean;
  readonly currentFieldId: number | undefined;
  readonly currentFieldName: string | undefined;
  readonly startIndex: number;
  readonly endIndex: number;
  readonly gotoFirstChild: () => boolean;
  readonly gotoNextSibling: () => boolean;
  readonly gotoParent: () => boolean;
}

interface NativeTree {
  readonly walk: () => NativeCursor;
}

interface NativeParser {
  readonly setLanguage: (language: unknown) => void;
  /** Null where the time was up. */
  readonly parse: (text: string) => NativeTree | null | undefined;
  readonly setTimeoutMicros: (micros: number) => void;
  readonly reset: () => void;
}

interface NodeTypeInfo {
  readonly type: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** The loaded grammar. */
export interface NativeGrammar {
  /** Null where the text took too long. */
  readonly parse: (text: string) => NativeCursor | null;
  /** Every kind and field that the grammar can produce, sorted; kind 0 and field 0 are the empty name. */
  readonly kindNames: readonly string[];
  readonly fieldNames: readonly string[];
}

let loaded: NativeGrammar | { readonly failure: string } | undefined;

/** Loads the addon at the first call. A machine that cannot load it gets the reason, every time. */
export function nativeGrammar(): NativeGrammar | { readonly failure: string } {
  loaded ??= loadGrammar();
  return loaded;
}

function loadGrammar(): NativeGrammar | { readonly failure: string } {
  try {
    const load = moduleLoader();
    const Parser = load("tree-sitter") as new () => NativeParser;
    const language = load("tree-sitter-c") as { readonly nodeTypeInfo?: readonly NodeTypeInfo[] };
    const parser = new Parser();
    parser.setLanguage(language);
    const types = language.nodeTypeInfo ?? [];
    return {
      parse: (text) => parseInTime(parser, text),
      kindNames: sortedNames(["ERROR", ...types.map((info) => info.type)]),
      fieldNames: sortedNames(types.flatMap((info) => Object.keys(info.fields ?? {}))),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { failure: `the C parser cannot be loaded: ${reason.split("\n", 1)[0]}` };
  }
}

/**
 * Error recovery is quadratic on some texts that no one writes, as `?:?:?:...`. The limit is twenty times what C of
 * that length takes, and three seconds more, so that it cuts nothing else even on a slow machine.
 */
const baseMicros = 3_000_000;
const microsPerUnit = 2;

function parseInTime(parser: NativeParser, text: string): NativeCursor | null {
  parser.setTimeoutMicros(baseMicros + text.length * microsPerUnit);
  let tree: NativeTree | null | undefined;
  try {
    tree = parser.parse(text);
  } catch {
    // The binding wraps the null tree of a timeout only to fail on it.
    tree = null;
  }
  if (tree) return tree.walk();
  parser.reset();
  return null;
}

/** A bundle in CommonJS form has no `import.meta.url`, but a `require` of its own beside which the addon lies. */
function moduleLoader(): (name: string) => unknown {
  const here: string | undefined = import.meta.url;
  return here === undefined ? createRequire(__filename) : createRequire(here);
}

function sortedNames(names: readonly string[]): readonly string[] {
  const distinct = [...new Set(names)];
  distinct.sort();
  return ["", ...distinct];
}

/** A native tree costs about this many times its source, outside of what V8 counts. */
const bytesOfTreePerUnit = 20;
const collectAbove = 64 * 1024 * 1024;

/** V8 lets its own heap of short-lived records grow to hundreds of megabytes before it looks; a batch need not. */
const leastMajor = 128 * 1024 * 1024;

const roomToGrow = 48 * 1024 * 1024;

let majorAbove = leastMajor;
let bytesSinceCollection = 0;
let collect: ((options: { readonly type: "minor" | "major" }) => void) | undefined;

/** Counts a parsed text of `units` UTF-16 units against the native heap. */
export function countParsed(units: number): void {
  bytesSinceCollection += units * bytesOfTreePerUnit;
}

/**
 * Collects the native trees that are dropped but not yet finalized. V8 cannot see how large they are, so that a
 * batch would grow by gigabytes. Cheap while less than 64 MiB have piled up. Finalizers of the binding run in a
 * later turn of the event loop: a batch that wants flat memory awaits `setImmediate` now and then.
 */
export function collectNativeMemory(): void {
  const heap = getHeapStatistics().used_heap_size;
  if (heap > majorAbove) {
    bytesSinceCollection = 0;
    collect ??= exposedCollector();
    collect({ type: "major" });
    majorAbove = Math.max(leastMajor, getHeapStatistics().used_heap_size + roomToGrow);
    return;
  }
  if (bytesSinceCollection < collectAbove) return;
  bytesSinceCollection = 0;
  collect ??= exposedCollector();
  collect({ type: "minor" });
}

function exposedCollector(): (options: { readonly type: "minor" | "major" }) => void {
  setFlagsFromString("--expose-gc");
  const exposed: unknown = runInNewContext("globalThis.gc");
  return typeof exposed === "function" ? (exposed as (options: object) => void) : () => undefined;
}
