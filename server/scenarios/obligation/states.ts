// SPDX-License-Identifier: GPL-2.0-only

/** States of what the site began. */
export const NEVER = 0;
export const OPEN = 1;
export const ENDED = 2;
export const MISSED = 3;
export const REFUSED = 4;
/** What the caller had begun was ended for a while. */
export const LENT = 5;
/** Code that is not visible may have done anything with it. */
export const UNSEEN = 6;
