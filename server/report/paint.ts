// SPDX-License-Identifier: GPL-2.0-only

/** Colors of the terminal. Every member returns its text unchanged where colors are off. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
  readonly green: (text: string) => string;
}

const same = (text: string): string => text;
const sgr = (on: string, off: string) => (text: string): string => (text === "" ? "" : `\x1b[${on}m${text}\x1b[${off}m`);

export const PLAIN: Paint = { bold: same, dim: same, red: same, yellow: same, cyan: same, green: same };

export const COLORED: Paint = {
  bold: sgr("1", "22"),
  dim: sgr("2", "22"),
  red: sgr("1;31", "22;39"),
  yellow: sgr("1;33", "22;39"),
  cyan: sgr("36", "39"),
  green: sgr("32", "39"),
};
