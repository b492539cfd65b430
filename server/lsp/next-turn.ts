// SPDX-License-Identifier: GPL-2.0-only

/** Lets requests in that have come meanwhile. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
