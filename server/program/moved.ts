// SPDX-License-Identifier: GPL-2.0-only
import type { Image } from "../source/image.ts";
import type { EffectProgram } from "./program.ts";

/** Offset in a text -> offset in the text that it became. */
export type Move = (at: number) => number;

/** A plain record with its offsets (`at`, `start`, `end`) in another text. */
export function moved<T>(part: T, to: Move): T {
  if (typeof part !== "object" || part === null) return part;
  if (Array.isArray(part)) return part.map((item: unknown) => moved(item, to)) as T;
  const copy = { ...part } as Record<string, unknown>;
  for (const key of Object.keys(copy)) {
    const value = copy[key];
    if (typeof value === "number") {
      if (key === "at" || key === "end" || key === "start") copy[key] = to(value);
    } else if (typeof value === "object" && value !== null) copy[key] = moved(value, to);
  }
  return copy as T;
}

/** The program as it stands in another text that has its functions, perhaps at other places. */
export function movedProgram(program: EffectProgram, image: Image, to: Move): EffectProgram {
  const { start, end, nodes, assumptions, aliases } = program;
  return {
    ...program,
    image,
    start: to(start),
    end: to(end),
    nodes: moved(nodes, to),
    assumptions: moved(assumptions, to),
    ...(aliases ? { aliases: new Map([...aliases].map(([name, value]) => [name, moved(value, to)] as const)) } : {}),
  };
}
