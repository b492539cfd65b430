// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import { textAt } from "../../program/place.ts";
import type { BoundEffect, EffectProgram } from "../../program/program.ts";
import { render, substitute } from "../../program/render.ts";

/*
 * How code names write_protect_seq, and the note that an mm has pins: by the place, by a pointer to it, by the helper or by what
 * that is made of.
 */

/** `mm->has_pinned` until 5.14, then a flag of the mm (a458b76a41e6). */
const FLAG = "MMF_HAS_PINNED";
const FIELD = /(?:->|\.)has_pinned\b/;

/** Which counter a value means: `unknown` for a pointer that may lead to any. */
export type CounterNamed = "write_protect_seq" | "another" | "unknown";

export function counterNamed({ aliases, variables }: EffectProgram, value: Value): { readonly is: CounterNamed; readonly place: string } {
  const resolved = aliases ? substitute(value, aliases) : value;
  const place = render(resolved);
  if (/write_protect_seq/.test(place)) return { is: "write_protect_seq", place };
  return { is: resolved.kind === "name" && variables.has(resolved.name) ? "unknown" : "another", place };
}

/** True for a call that tells the mm of its pins. */
export const notesPins = (effect: BoundEffect): boolean => effect.kind === "notesPins" || (effect.kind === "changesBit" && effect.to === "set" && render(effect.bit) === FLAG);

/** True for a question whether the mm knows of pins. */
export const asksNote = (value: Value): boolean => value.kind === "call" && value.name === "test_bit" && value.args[0] !== undefined && render(value.args[0]) === FLAG;

/** True where the mm has a field of its own for it, which plain atomics write: nothing is followed of those. */
export const notesInField = ({ image, start, end }: EffectProgram): boolean => FIELD.test(textAt(image, start, end));
