// SPDX-License-Identifier: GPL-2.0-only

/** A half-open range of UTF-16 offsets in one text: `0 <= start <= end <= text.length`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}
