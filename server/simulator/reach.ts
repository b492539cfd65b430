// SPDX-License-Identifier: GPL-2.0-only
import type { Program } from "./compile.ts";

/** Obligations of which no step was taken. Several steps may stand for one obligation: one of them is enough. */
export const unreachedBy = (program: Program, taken: Uint8Array): string[] => {
  const { reach } = program.model;
  const reached = new Set(
    reach
      .filter(({ thread, step }) => {
        const first = program.firstAction[thread];
        return taken.subarray(first[step], first[step + 1]).includes(1);
      })
      .map(({ what }) => what),
  );
  return [...new Set(reach.map(({ what }) => what))].filter((what) => !reached.has(what));
};
