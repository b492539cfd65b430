// SPDX-License-Identifier: GPL-2.0-only
import type { Program } from "./compile.ts";
import type { StateStore } from "./store.ts";
import { run } from "./vm.ts";

/** The guard is false. */
export const DISABLED = -2;
/** The successor was written behind the last state of the store, ready to be committed. */
export const WRITTEN = -1;

/** Tries one action in a stored state: `DISABLED`, `WRITTEN`, or the number of the check that is violated (0 or more). */
export const fire = (program: Program, store: StateStore, state: number, action: number): number => {
  const { code, firstCheck, checkCode } = program;
  const { bytes, ints, words } = store;
  const from = state * words;
  const base = from * 4;
  const guard = program.guard[action];
  if (guard >= 0 && run(code, guard, bytes, base) === 0) return DISABLED;
  const lastCheck = firstCheck[action + 1];
  for (let check = firstCheck[action]; check < lastCheck; check++) {
    if (run(code, checkCode[check], bytes, base) === 0) return check;
  }
  const to = store.count * words;
  for (let word = 0; word < words; word++) ints[to + word] = ints[from + word];
  const effect = program.effect[action];
  if (effect >= 0) run(code, effect, bytes, to * 4);
  const counter = to * 4 + program.counterOffset[action];
  const next = program.next[action];
  bytes[counter] = next;
  if (program.counterWide[action] === 1) bytes[counter + 1] = next >> 8;
  return WRITTEN;
};
