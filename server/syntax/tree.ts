// SPDX-License-Identifier: GPL-2.0-only

/**
 * A concrete syntax tree as flat typed arrays, read once by cursor.
 *
 * Node 0 is the root (`translation_unit`). `-1` stands for "none". Offsets are UTF-16 units of `text`, which is
 * the original text; the parser saw a same-length overlay of it, so they are valid in both.
 */
export interface SyntaxTree {
  /** The original text, never the overlay. */
  readonly text: string;
  /** Number of nodes. */
  readonly size: number;
  /** Index into `kindNames`. */
  readonly kind: Uint16Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly parent: Int32Array;
  readonly firstChild: Int32Array;
  readonly nextSibling: Int32Array;
  /** Index into `fieldNames` of the field by which the parent holds the node; 0 = no field. */
  readonly field: Uint16Array;
  /** Bit 0: named; bit 1: ERROR; bit 2: MISSING. */
  readonly flags: Uint8Array;
  readonly kindNames: readonly string[];
  readonly fieldNames: readonly string[];
  /** What the overlay hid, in order of offset. */
  readonly masks: readonly Mask[];
  /** Present where nothing was parsed: the text is too long or hostile, or the native parser does not load. The root is then alone. */
  readonly problem?: string;
}

/** One masking of the dialect overlay. Rules need it: an iterator macro parses as `while`, and `__must_hold(x)` is an input to lock rules. */
export interface Mask {
  readonly kind: "attribute" | "attribute-call" | "iterator" | "type-argument" | "syscall" | "declaration-macro" | "conditional" | "case-range" | "product" | "statement-argument" | "too-deep";
  /** The masked word, for example `list_for_each_entry`; of a `conditional` the directive, for example `ifdef`; of a `case-range` `...`, of a `product` `*`. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** A function definition found in a tree. */
export interface FunctionSyntax {
  readonly name: string;
  /** Node of the `function_definition`. */
  readonly node: number;
  /** Node of its `function_declarator`. */
  readonly declarator: number;
  /** Node of its `compound_statement`. */
  readonly body: number;
  /** True for `static` (internal linkage). */
  readonly isStatic: boolean;
  /** True where the definition contains ERROR or MISSING nodes. */
  readonly hasError: boolean;
}
