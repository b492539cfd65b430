// SPDX-License-Identifier: GPL-2.0-only
import type { Image } from "../source/image.ts";
import type { EffectProgram } from "./program.ts";

/** Offset in a text -> offset in the text that it became. */
export type Move = (at: number) => number;

/** A plain record with its offsets (`at`, `start`, `end`) in another text. What was one object in it is one object in the copy. */
export const moved = <T>(part: T, to: Move): T => copied(part, to, new Map()) as T;

function copied(part: unknown, to: Move, done: Map<object, unknown>): unknown {
  if (typeof part !== "object" || part === null) return part;
  const known = done.get(part);
  if (known !== undefined) return known;
  if (Array.isArray(part)) {
    const list = part.map((item: unknown) => copied(item, to, done));
    done.set(part, list);
    return list;
  }
  if (part instanceof Map) return new Map([...part].map(([key, value]: [unknown, unknown]) => [key, copied(value, to, done)]));
  const copy = { ...part } as Record<string, unknown>;
  done.set(part, copy);
  for (const key of Object.keys(copy)) {
    const value = copy[key];
    if (typeof value === "number") {
      if (key === "at" || key === "end" || key === "start") copy[key] = to(value);
    } else if (typeof value === "object" && value !== null) copy[key] = copied(value, to, done);
  }
  return copy;
}

/** The program as it stands in another text that has its functions, perhaps at other places. */
export function movedProgram(program: EffectProgram, image: Image, to: Move): EffectProgram {
  const { image: _, variables, ...rest } = program;
  return { ...moved(rest, to), image, variables };
}
