// SPDX-License-Identifier: GPL-2.0-only

/** One stretch of a text that another one took the place of; what stands before and behind it is the same. */
export interface Edit {
  readonly start: number;
  /** Offsets behind the stretch, in the old text and in the new one. */
  readonly oldEnd: number;
  readonly newEnd: number;
}

/** The shortest stretch that makes one text of another. */
export function editBetween(before: string, after: string): Edit {
  const most = Math.min(before.length, after.length);
  const start = commonLength(most, (length, from) => before.slice(from, length) === after.slice(from, length));
  const rest = commonLength(most - start, (length, from) => before.slice(before.length - length, before.length - from) === after.slice(after.length - length, after.length - from));
  return { start, oldEnd: before.length - rest, newEnd: after.length - rest };
}

/** The greatest length up to which two texts are equal; `isEqual` compares from a length that is known to be. */
function commonLength(most: number, isEqual: (length: number, from: number) => boolean): number {
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (isEqual(middle, low)) low = middle;
    else high = middle - 1;
  }
  return low;
}
