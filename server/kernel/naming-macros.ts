// SPDX-License-Identifier: GPL-2.0-only

/**
 * Macros at file level that name a function without making anyone call it. An exported function may be called by modules,
 * but its callers in the tree are taken to be the ones that matter.
 */
const NAMING_MACROS: readonly RegExp[] = [
  /^(?:ACPI_)?EXPORT_(?:[A-Z]+_)*SYMBOL(?:_\w+)?$/,
  /^(?:_ASM_)?NOKPROBE(?:_SYMBOL)?$/,
  /^ALLOW_ERROR_INJECTION$/,
  /^STACK_FRAME_NON_STANDARD\w*$/,
  /^MODULE_\w+$/,
];

/** True for `EXPORT_SYMBOL` and its like. */
export const onlyNames = (macro: string): boolean => NAMING_MACROS.some((one) => one.test(macro));
