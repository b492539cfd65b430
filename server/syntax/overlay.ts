// SPDX-License-Identifier: GPL-2.0-only
import type { Dialect } from "./dialect.ts";
import type { Mask } from "./tree.ts";
export function overlay(text: string, _dialect: Dialect): { readonly text: string; readonly masks: readonly Mask[] } {
  return { text, masks: [] };
}
