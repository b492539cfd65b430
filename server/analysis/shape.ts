// SPDX-License-Identifier: GPL-2.0-only
import type { EffectProgram } from "../program/program.ts";

const shapes = new WeakMap<EffectProgram, string>();

/** A program without its places in the text: programs with one shape have the same states at the same nodes. */
export function shapeOf(program: EffectProgram): string {
  const known = shapes.get(program);
  if (known !== undefined) return known;
  const parts = [program.name, program.nodes, program.entry, [...program.variables.values()], program.assumptions, [...(program.aliases ?? [])]];
  const text = JSON.stringify(parts, (name, value: unknown) => (name === "at" || name === "end" ? undefined : value));
  const shape = `${hash(text, 0, text.length)} ${text.length}`;
  shapes.set(program, shape);
  return shape;
}

/** A program that was moved in its text has the shape of what it was. */
export function sameShape(program: EffectProgram, moved: EffectProgram): EffectProgram {
  const known = shapes.get(program);
  if (known !== undefined) shapes.set(moved, known);
  return moved;
}

/** 53 bits of two FNV hashes over UTF-16 units: for texts of one tree that is edited, not a security measure. */
export function hash(text: string, start: number, end: number): number {
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
  }
  return (low >>> 0) * 0x200000 + ((high >>> 0) & 0x1fffff);
}
