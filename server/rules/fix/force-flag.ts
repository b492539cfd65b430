// SPDX-License-Identifier: GPL-2.0-only
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { functionText, type FunctionText } from "../../program/statements.ts";
import type { Fix } from "../rule.ts";
import { flagWord, withBits, withoutBits, type FlagWord } from "./flag-word.ts";
import type { Edits } from "./statement-edits.ts";

type Gup = BoundEffect & { readonly kind: "gup" };

/** From 6.2 on: the mapping decides whether the page may be written; a device that only reads needs no FOLL_WRITE either. */
export function unforcedFixes(program: EffectProgram, call: CallNode, gup: Gup): readonly Fix[] {
  const word = wordOf(program, call, gup);
  if (!word) return [];
  const ifWriting = offered("Pin without FOLL_FORCE: the device writes", withoutBits(word, ["FOLL_FORCE"]));
  const neither = withoutBits(word, ["FOLL_FORCE", "FOLL_WRITE"]);
  // Where FOLL_WRITE is asked for on one way and not on another, the function knows who writes.
  const ifReading = neither?.some((edit) => edit.text === "") ? [] : offered("Pin without FOLL_FORCE and FOLL_WRITE: the device only reads", neither);
  const { reads, writes } = directionOf(word.fn);
  return writes ? ifWriting : reads ? [...ifReading, ...ifWriting] : [...ifWriting, ...ifReading];
}

/** Before 6.2: FOLL_FORCE has the sense that was meant with FOLL_WRITE only. */
export function forcedForWriting(program: EffectProgram, call: CallNode, gup: Gup): readonly Fix[] {
  const word = wordOf(program, call, gup);
  return word ? offered("Pin with FOLL_WRITE beside FOLL_FORCE: COW is broken before the device gets the page", withBits(word, "FOLL_WRITE")) : [];
}

const wordOf = (program: EffectProgram, call: CallNode, gup: Gup): FlagWord | null => {
  const fn = functionText(program);
  return fn && gup.flags ? flagWord(fn, program, call, gup) : null;
};

const offered = (title: string, edits: Edits): readonly Fix[] => (edits ? [{ title, edits }] : []);

/** What the function says of the direction. */
function directionOf({ code, start, end }: FunctionText): { readonly reads: boolean; readonly writes: boolean } {
  const words = code.slice(start, end);
  return { reads: /\bDMA_TO_DEVICE\b/.test(words), writes: /\bDMA_(?:FROM_DEVICE|BIDIRECTIONAL)\b/.test(words) };
}
