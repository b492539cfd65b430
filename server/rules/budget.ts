// SPDX-License-Identifier: GPL-2.0-only

/** States of one function around one object: more means that the text was not understood. */
export const MAX_STATES = 20_000;
