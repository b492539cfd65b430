// SPDX-License-Identifier: GPL-2.0-only
import { atLeast, type Release } from "../../kernel/release.ts";
import { functionText } from "../../program/statements.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import type { Fix } from "../rule.ts";
import { flagWord, withBits } from "./flag-word.ts";
import { replaceArgument, type Edits } from "./statement-edits.ts";

type Gup = BoundEffect & { readonly kind: "gup" };

/**
 * FOLL_WRITE at the call, or in the only value of its flag word; the second way is for mappings that may be read-only, the third for
 * pins that are kept without saying so.
 */
export function writePinFixes(program: EffectProgram, call: CallNode, gup: Gup, release: Release): readonly Fix[] {
  const fn = functionText(program);
  const word = fn && flagWord(fn, program, call, gup);
  if (!fn || !word) return [];
  if (!gup.flags) return offered("Pin for writing", replaceArgument(fn, word.at, word.index, "1"));
  const mayForce = !word.text.includes("FOLL_FORCE") && (!call.name.includes("_fast") || atLeast(release, "5.6"));
  const isShort = gup.reference === "pin" && !gup.impliesLongterm;
  return [
    ...offered("Pin with FOLL_WRITE: COW is broken before the device gets the page", withBits(word, "FOLL_WRITE")),
    ...(mayForce ? offered("Pin with FOLL_WRITE | FOLL_FORCE, for mappings that may be read-only", withBits(word, "FOLL_WRITE | FOLL_FORCE")) : []),
    ...(isShort ? offered("Pin with FOLL_WRITE | FOLL_LONGTERM: the pages are kept", withBits(word, "FOLL_WRITE | FOLL_LONGTERM")).map((fix) => ({ ...fix, isFallback: true as const })) : []),
  ];
}

const offered = (title: string, edits: Edits): readonly Fix[] => (edits ? [{ title, edits }] : []);
