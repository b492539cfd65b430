// SPDX-License-Identifier: GPL-2.0-only

/** Adds all of `items` to `list`. Spreading them into `push` would overflow the stack for a large document. */
export const append = <T>(list: T[], items: readonly T[]): void => {
  for (const item of items) list.push(item);
};
