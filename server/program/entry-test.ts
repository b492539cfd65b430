// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";

const ENTRY_TEST = /^(?:huge_)?(?:pte|pmd|pud|p4d|pgd)_\w+$/;

/** True for one question about a page table entry: `pmd_none(*pmd)`, `!pte_same(a, b)`, `pte_val(a) != pte_val(b)`. */
export function isEntryTest(value: Value): boolean {
  if (value.kind === "unary" && value.operator === "!") return isEntryTest(value.of);
  if (value.kind === "binary") return /^[=!]=$/.test(value.operator) && isEntryTest(value.left);
  return value.kind === "call" && ENTRY_TEST.test(value.name);
}

/** What is asked behind `!`, and whether for its opposite. */
export const withoutNots = (value: Value): { readonly of: Value; readonly inverts: boolean } => {
  if (value.kind !== "unary" || value.operator !== "!") return { of: value, inverts: false };
  const inner = withoutNots(value.of);
  return { of: inner.of, inverts: !inner.inverts };
};
