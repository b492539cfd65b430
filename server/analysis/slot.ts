// SPDX-License-Identifier: GPL-2.0-only
import { moved, movedProgram } from "../program/moved.ts";
import type { FunctionCode } from "../program/code.ts";
import type { Leftover } from "../program/leftovers.ts";
import type { OutlineFunction } from "../program/outline.ts";
import type { EffectProgram } from "../program/program.ts";
import type { Image } from "../source/image.ts";
import { hash, sameShape } from "./shape.ts";

/** A function of a file, as long as its text is the same: wherever it stands, what was found out about it is kept. */
export interface Slot {
  /** Where it stands in the present text. */
  fn: OutlineFunction;
  readonly text: string;
  /** Of the text. */
  readonly hash: string;
  /** As it was read, and where it stood then. */
  code: { readonly start: number; readonly codes: readonly FunctionCode[] } | null;
  /** True where the body is nothing but the value that it returns; null until it is asked. */
  isValue: boolean | null;
  /** Functions of the file that its text mentions, in itself or through a macro, under the key of all names of the file. */
  mentions: { readonly key: string; readonly names: readonly string[] } | null;
  /** Names of functions of the file that it calls, and what it is to its callers; each under the key of what it was made from. */
  calls: { readonly key: string; readonly names: readonly string[] } | null;
  judged: { readonly key: string; readonly stands: boolean; readonly keeps: boolean; readonly leaves: ReadonlySet<Leftover> } | null;
  /** Its own code; with its helpers in place, as a helper; the same as a program. */
  readonly raw: KeptProgram;
  readonly whole: KeptProgram;
  readonly done: KeptProgram;
}

/** A program beside what it was made from. */
export interface KeptProgram {
  /** The program under this key in the present text: the kept one, or what is made. `from`: functions that it has places of. */
  get(key: string, image: Image, from: () => Iterable<Slot>, make: () => EffectProgram | null): EffectProgram | null;
}

/** Longer functions are never put in the place of a call, and never read for it. */
const MAX_HELPER_LENGTH = 6000;

export const isShort = ({ fn }: Slot): boolean => fn.end - fn.start <= MAX_HELPER_LENGTH;

const lazily = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
};

export function slotOf(fn: OutlineFunction, text: string): Slot {
  const textHash = lazily(() => hash(text, 0, text.length).toString(36));
  return {
    fn,
    text,
    get hash() {
      return textHash();
    },
    code: null,
    isValue: null,
    mentions: null,
    calls: null,
    judged: null,
    raw: keptProgram(),
    whole: keptProgram(),
    done: keptProgram(),
  };
}

/** The function's code with the offsets that it has where it stands now. */
export function codesOf(slot: Slot, read: () => readonly FunctionCode[]): readonly FunctionCode[] {
  const { start } = slot.fn;
  const known = slot.code;
  const codes = known === null ? read() : known.start === start ? known.codes : moved(known.codes, (at) => (at < 0 ? at : at + start - known.start));
  slot.code = { start, codes };
  return codes;
}

function keptProgram(): KeptProgram {
  let kept: { readonly key: string; readonly program: EffectProgram | null; readonly image: Image; readonly places: readonly Standing[] } | null = null;
  return {
    get(key, image, from, make) {
      if (kept?.key === key && kept.image === image) return kept.program;
      const slots = [...from()];
      // Of two functions with the same text it may be the other one now.
      const isKept = kept?.key === key && kept.places.length === slots.length && kept.places.every(({ slot }, at) => slot === slots[at]);
      const program = !isKept || !kept ? make() : kept.program && sameShape(kept.program, inPlace(kept.program, image, kept.places));
      kept = { key, program, image, places: slots.map(standingOf) };
      return program;
    },
  };
}

/** A function and where it stood. */
interface Standing {
  readonly slot: Slot;
  readonly start: number;
  readonly end: number;
}

const standingOf = (slot: Slot): Standing => ({ slot, start: slot.fn.start, end: slot.fn.end });

function inPlace(program: EffectProgram, image: Image, places: readonly Standing[]): EffectProgram {
  if (places.every(({ slot, start }) => slot.fn.start === start)) return { ...program, image };
  const [own] = places;
  const shift = ({ slot, start }: Standing): number => slot.fn.start - start;
  const to = (at: number): number => {
    // Places that are in no text have none in another one; 0 is one where the function begins there.
    if (!own || at < 0 || (at === 0 && own.start > 0)) return at;
    const place = at >= own.start && at <= own.end ? own : (places.find((one) => at >= one.start && at <= one.end) ?? own);
    return at + shift(place);
  };
  return movedProgram(program, image, to);
}
