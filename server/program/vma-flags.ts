// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";

/** Flag names of a mask `A | B`, or null where the value is not made of macros alone. */
export function maskNames(value: Value): readonly string[] | null {
  if (value.kind === "name") return /^[A-Z][A-Z0-9_]*$/.test(value.name) ? [value.name] : null;
  if (value.kind !== "binary" || value.operator !== "|") return null;
  const [left, right] = [maskNames(value.left), maskNames(value.right)];
  return left && right ? [...left, ...right] : null;
}

/** The same, with none for 0. */
export const maskOf = (value: Value): readonly string[] | null => (value.kind === "number" && value.value === 0 ? [] : maskNames(value));

/** `word & MASK` with the names of the mask, whichever side it stands on; null for anything else. */
export function maskedWord(value: Value): { readonly word: Value; readonly names: readonly string[] } | null {
  if (value.kind !== "binary" || value.operator !== "&") return null;
  const right = maskNames(value.right);
  if (right) return { word: value.left, names: right };
  const left = maskNames(value.left);
  return left ? { word: value.right, names: left } : null;
}

/** `vma->vm_flags`, or a marked read of it; null for anything else. */
export function flagsOfVma(value: Value): Value | null {
  if (value.kind === "call" && value.name === "READ_ONCE" && value.args.length === 1 && value.args[0]) return flagsOfVma(value.args[0]);
  return value.kind === "member" && value.field === "vm_flags" ? value : null;
}

const isVmFlags = (word: Value): boolean =>
  (word.kind === "member" && word.field === "vm_flags") || (word.kind === "name" && word.name === "vm_flags");

/**
 * Whether a condition asks for a COW mapping: `is_cow_mapping()`, or the same spelled out, `(vm_flags & (VM_SHARED |
 * VM_MAYWRITE)) == VM_MAYWRITE` (include/linux/mm.h). True: it is true for COW mappings; false: for all others; null: it
 * asks for something else.
 */
export function asksForCow(value: Value): boolean | null {
  if (value.kind === "call") return value.name === "is_cow_mapping" ? true : null;
  if (value.kind !== "binary" || (value.operator !== "==" && value.operator !== "!=")) return null;
  const masked = maskedWord(value.left);
  const wanted = maskNames(value.right);
  if (!masked || !isVmFlags(masked.word) || wanted?.join() !== "VM_MAYWRITE") return null;
  return masked.names.toSorted().join() === "VM_MAYWRITE,VM_SHARED" ? value.operator === "==" : null;
}
