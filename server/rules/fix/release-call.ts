// SPDX-License-Identifier: GPL-2.0-only
import { atLeast, type Release } from "../../kernel/release.ts";
import type { FunctionText } from "../../program/statements.ts";
import type { CallNode } from "../../program/program.ts";
import { argumentsAt, calleeAt, replaced, type Edits } from "./statement-edits.ts";

/*
 * Calls that give pages of user memory back, as they were taken: Documentation/core-api/pin_user_pages.rst. Which call was meant
 * is told by how many pages it is for.
 */

export type Reference = "pin" | "get";

interface Pair {
  readonly pin: string;
  readonly get: string;
  /** Other calls for as many pages, which belong to neither or are a variant. */
  readonly others: readonly string[];
  /** How many arguments both take. */
  readonly arity: number;
  readonly since: string;
}

const PAIRS: readonly Pair[] = [
  { pin: "unpin_user_page", get: "put_page", others: ["__free_page", "__free_pages"], arity: 1, since: "5.6" },
  { pin: "unpin_user_pages", get: "release_pages", others: ["unpin_user_pages_lockless", "unpin_user_pages_dirty_lock", "free_pages_and_swap_cache"], arity: 2, since: "5.6" },
  { pin: "unpin_folio", get: "folio_put", others: [], arity: 1, since: "6.11" },
];

/** The same pages, given back as they were taken; null where no call does that in the place of this one. */
export function releasedAs(fn: FunctionText, call: CallNode, taken: Reference, release: Release): Edits {
  const pair = PAIRS.find((one) => one.pin === call.name || one.get === call.name || one.others.includes(call.name));
  const found = writtenCall(fn, call);
  if (!pair || !found || !atLeast(release, pair.since) || found.args.length < pair.arity) return null;
  // What marks pages dirty on the way is more than a release.
  if (!found.args.slice(pair.arity).every((word) => /^(?:0|false)$/.test(word))) return null;
  return [replaced(found.at, found.end, `${pair[taken]}(${found.args.slice(0, pair.arity).join(", ")})`)];
}

/** One pin of a folio, whichever of its pages was pinned; null where the call names no folio or head page. */
export function releasedOfFolio(fn: FunctionText, call: CallNode): Edits {
  const found = writtenCall(fn, call);
  const [words = "", ...others] = found?.args ?? [];
  if (!found || others.length > 0) return null;
  const folio = /^&\s*([\w.>[\]-]+)->page$/.exec(words)?.[1];
  if (folio !== undefined) return [replaced(found.at, found.end, `unpin_user_folio(${folio}, 1)`)];
  const page = /^compound_head\(([^()]*)\)$/.exec(words)?.[1];
  return page === undefined ? null : [replaced(found.at, found.end, `${call.name}(${page})`)];
}

/** A call as it stands in the text, with the words of its arguments; null where a macro stands in its place. */
export function writtenCall(fn: FunctionText, call: CallNode): { readonly at: number; readonly end: number; readonly args: readonly string[] } | null {
  const at = calleeAt(fn, call);
  const found = argumentsAt(fn, at);
  if (!found || !fn.code.startsWith(`${call.name}(`, at)) return null;
  return { at, end: found.close + 1, args: found.args.map((one) => fn.text.slice(one.at, one.end)) };
}
