// SPDX-License-Identifier: GPL-2.0-only

/** A pattern that matches the text and nothing else. */
export const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
