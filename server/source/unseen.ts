// SPDX-License-Identifier: GPL-2.0-only

// Marks in the text of an image where code is not visible. The lowering knows these names; no kernel has them.
export const UNSEEN_START = "__patchwalk_unseen_start";
export const UNSEEN_MIDDLE = "__patchwalk_unseen_middle";
export const UNSEEN_END = "__patchwalk_unseen_end";
export const UNSEEN_CONDITION = "__patchwalk_unseen_condition";
