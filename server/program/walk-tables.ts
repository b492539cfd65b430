// SPDX-License-Identifier: GPL-2.0-only
import type { Image } from "../source/image.ts";

/** `struct mm_walk_ops name = { .field = function, ... }`, by field. */
export type WalkTable = ReadonlyMap<string, string>;

const TABLE = /\bstruct\s+mm_walk_ops\s+\w+\s*=\s*\{([^{}]{0,2000})\}/g;
const FIELD = /\.(\w+)\s*=\s*&?(\w+)/g;

const known = new WeakMap<Image, readonly WalkTable[]>();

/** The tables of callbacks of page walks that a text fills. */
export function walkTablesOf(image: Image): readonly WalkTable[] {
  const tables = known.get(image) ?? [...image.text.matchAll(TABLE)].map(([, body = ""]) => new Map([...body.matchAll(FIELD)].map(([, field = "", value = ""]) => [field, value])));
  known.set(image, tables);
  return tables;
}
