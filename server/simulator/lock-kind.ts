// SPDX-License-Identifier: GPL-2.0-only
import type { Field } from "./expression.ts";

/*
 * Which object of `objects/` a field of a finished model is: a model, which may have been text, has fields only. They are
 * told apart by the words for their values.
 */

export const isRwsem = ({ labels }: Field): boolean => labels[255] === "writer";

export const isSpinlock = ({ labels }: Field): boolean => labels[1] === "held";

/** A count of who is in a read-side section. A semaphore and a lock have words for their values. */
export const isReaders = ({ atomic, labels }: Field): boolean => atomic === true && Object.keys(labels).length === 0;
