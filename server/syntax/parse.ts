// SPDX-License-Identifier: GPL-2.0-only
import { kernelDialect } from "./dialect.ts";
import { collectNativeMemory as collect, countParsed, nativeGrammar } from "./native.ts";
import type { NativeCursor, NativeGrammar } from "./native.ts";
import { overlay } from "./overlay.ts";
import type { Mask, SyntaxTree } from "./tree.ts";

/** Longer texts, in UTF-16 units, are not parsed. The largest C file of the kernel is a generated header of about 15 MB. */
export const maxParseLength = 16 * 1024 * 1024;

const namedFlag = 1;
const errorFlag = 2;
const missingFlag = 4;

const errorTypeId = 0xffff;

/**
 * Parses C of the kernel dialect; a fragment or any other text is fine too.
 *
 * Where no tree can be made (the text is longer than `maxParseLength`, takes absurdly long, or the addon does not
 * load) the result is a lone root without children whose `problem` says why.
 */
export const parseC = (text: string): SyntaxTree => parsePart(text, 0, text.length);

/** Parses a part of a text as if nothing stood around it; offsets are those of the text. */
export function parsePart(text: string, from: number, to: number): SyntaxTree {
  if (to - from > maxParseLength) {
    return emptyTree(text, `the text is longer than ${maxParseLength / 1024 / 1024} MiB`);
  }
  const grammar = nativeGrammar();
  if ("failure" in grammar) return emptyTree(text, grammar.failure);
  const masked = overlay(from === 0 && to === text.length ? text : text.slice(from, to), kernelDialect);
  collect();
  const cursor = grammar.parse(masked.text);
  countParsed(to - from);
  if (cursor === null) return emptyTree(text, "the text takes too long to parse");
  const masks = from === 0 ? masked.masks : masked.masks.map((mask) => ({ ...mask, start: mask.start + from, end: mask.end + from }));
  return copyTree({ text, from, to, masks }, cursor, grammar);
}

/**
 * Frees the memory of native trees that have piled up; cheap when there is little. `parseC` does the same by itself,
 * but the trees go only in a later turn of the event loop, so that a batch has to await `setImmediate` between files.
 */
export function collectNativeMemory(): void {
  collect();
}

function emptyTree(text: string, problem: string): SyntaxTree {
  return {
    text,
    size: 1,
    kind: Uint16Array.of(1),
    start: Int32Array.of(0),
    end: Int32Array.of(text.length),
    parent: Int32Array.of(-1),
    firstChild: Int32Array.of(-1),
    nextSibling: Int32Array.of(-1),
    field: Uint16Array.of(0),
    flags: Uint8Array.of(namedFlag),
    kindNames: ["", "translation_unit"],
    fieldNames: [""],
    masks: [],
    problem,
  };
}

/** What was parsed: a part of a text, with the masks of that part. */
interface ParsedText {
  readonly text: string;
  readonly from: number;
  readonly to: number;
  readonly masks: readonly Mask[];
}

/** Walks in order of text; the stack of open nodes is the `parent` column itself, so that depth costs nothing. */
function copyTree({ text, from, to, masks }: ParsedText, cursor: NativeCursor, grammar: NativeGrammar): SyntaxTree {
  const columns = newColumns(to - from);
  const kinds = newKindReader(grammar.kindNames);
  const fields = newFieldReader(grammar.fieldNames);
  let parent = -1;
  let previous = -1;
  for (;;) {
    const node = columns.add(parent, previous);
    const start = cursor.startIndex;
    const end = cursor.endIndex;
    const kind = kinds.read(cursor);
    const { now } = columns;
    now.start[node] = start + from;
    now.end[node] = end + from;
    now.kind[node] = kind.kind;
    now.field[node] = fields.fieldOf(cursor);
    now.flags[node] = kind.flags | (start === end && cursor.nodeIsMissing ? missingFlag : 0);
    if (cursor.gotoFirstChild()) {
      parent = node;
      previous = -1;
      continue;
    }
    previous = node;
    while (!cursor.gotoNextSibling()) {
      if (!cursor.gotoParent()) return finishTree(text, masks, columns, grammar);
      previous = parent;
      parent = columns.now.parent[parent] ?? -1;
    }
  }
}

function finishTree(text: string, masks: readonly Mask[], columns: GrowingColumns, grammar: NativeGrammar): SyntaxTree {
  const { size } = columns;
  const { kind, start, end, parent, firstChild, nextSibling, field, flags } = columns.now;
  return {
    text,
    size,
    kind: kind.slice(0, size),
    start: start.slice(0, size),
    end: end.slice(0, size),
    parent: parent.slice(0, size),
    firstChild: firstChild.slice(0, size),
    nextSibling: nextSibling.slice(0, size),
    field: field.slice(0, size),
    flags: flags.slice(0, size),
    kindNames: grammar.kindNames,
    fieldNames: grammar.fieldNames,
    masks,
  };
}

interface NativeKind {
  readonly kind: number;
  readonly flags: number;
}

/** Several native ids share a name. Each id's name is read once and then known. */
function newKindReader(names: readonly string[]): { readonly read: (cursor: NativeCursor) => NativeKind } {
  const index = new Map(names.map((name, position) => [name, position]));
  const kinds: NativeKind[] = [];
  return {
    read: (cursor) => {
      const id = cursor.nodeTypeId;
      return (kinds[id] ??= {
        kind: index.get(cursor.nodeType) ?? 0,
        flags: (cursor.nodeIsNamed ? namedFlag : 0) | (id === errorTypeId ? errorFlag : 0),
      });
    },
  };
}

function newFieldReader(names: readonly string[]): { readonly fieldOf: (cursor: NativeCursor) => number } {
  const index = new Map(names.map((name, position) => [name, position]));
  const fields: number[] = [];
  return {
    fieldOf: (cursor) => {
      const id = cursor.currentFieldId;
      return id === undefined ? 0 : (fields[id] ??= index.get(cursor.currentFieldName ?? "") ?? 0);
    },
  };
}

type Columns = Pick<SyntaxTree, "kind" | "start" | "end" | "parent" | "firstChild" | "nextSibling" | "field" | "flags">;

interface GrowingColumns {
  readonly size: number;
  /** The present columns; growing replaces them. */
  readonly now: Columns;
  /** Appends a node and links it behind `previous`, or as the first child of `parent`. */
  readonly add: (parent: number, previous: number) => number;
}

/** Ordinary C has about one node for every five characters. */
function newColumns(length: number): GrowingColumns {
  let capacity = Math.ceil(length / 4) + 16;
  let now = columnsOf(capacity);
  let size = 0;
  return {
    get size() {
      return size;
    },
    get now() {
      return now;
    },
    add: (parent, previous) => {
      if (size === capacity) {
        capacity *= 2;
        now = columnsOf(capacity, now);
      }
      const node = size++;
      now.parent[node] = parent;
      now.firstChild[node] = -1;
      now.nextSibling[node] = -1;
      if (previous >= 0) now.nextSibling[previous] = node;
      else if (parent >= 0) now.firstChild[parent] = node;
      return node;
    },
  };
}

function columnsOf(capacity: number, from?: Columns): Columns {
  const columns: Columns = {
    kind: new Uint16Array(capacity),
    start: new Int32Array(capacity),
    end: new Int32Array(capacity),
    parent: new Int32Array(capacity),
    firstChild: new Int32Array(capacity),
    nextSibling: new Int32Array(capacity),
    field: new Uint16Array(capacity),
    flags: new Uint8Array(capacity),
  };
  if (from !== undefined) {
    for (const name of Object.keys(columns) as (keyof Columns)[]) columns[name].set(from[name]);
  }
  return columns;
}
