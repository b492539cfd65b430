// SPDX-License-Identifier: GPL-2.0-only
import type { ReleaseRange } from "./effect.ts";
import { covers, type Release } from "./release.ts";

/**
 * C that stands for the part of a well-known function that a hunk does not show, so that what the hunk decides can be
 * followed to where it matters. Our own words for what the function does around it, not its text.
 */
interface Frame extends ReleaseRange {
  readonly name: string;
  readonly head: readonly string[];
  readonly tail: readonly string[];
  readonly source: string;
}

const FRAMES: readonly Frame[] = [];

/** The frame of a function in a release, or null where none is known. */
export const frameFor = (name: string, release: Release): Frame | null =>
  FRAMES.find((frame) => frame.name === name && covers(frame, release)) ?? null;
