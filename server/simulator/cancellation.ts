// SPDX-License-Identifier: GPL-2.0-only

/** Work was given up because nobody wants its result any more. Never taken for a result, and never for a bug. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
}

/** The flag of the work that this thread does: explorations are asked for deep inside of rules, which know nothing of it. */
let current: Int32Array | null = null;

/** Does work that ends with `Cancelled` soon after the first element of the shared flag becomes non-zero. */
export function cancellable<T>(flag: Int32Array, work: () => T): T {
  const outer = current;
  current = flag;
  try {
    throwIfCancelled();
    return work();
  } finally {
    current = outer;
  }
}

export const cancelFlag = (): Int32Array | null => current;

export function throwIfCancelled(): void {
  if (current !== null && Atomics.load(current, 0) !== 0) throw new Cancelled("nobody waits for this any more");
}
