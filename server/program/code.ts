// SPDX-License-Identifier: GPL-2.0-only

/**
 * C statements and expressions as plain records: the last form that knows the shape of the source text.
 * `at` is the UTF-16 offset in the text of the image.
 */

export type Value =
  /** `end`: where the text is another than the number (`true`, `0x10`, `1UL`). */
  | { readonly kind: "number"; readonly value: number; readonly at: number; readonly end?: number }
  | { readonly kind: "string"; readonly at: number }
  | { readonly kind: "name"; readonly name: string; readonly at: number }
  | { readonly kind: "unary"; readonly operator: "*" | "&" | "!" | "-" | "~" | "+"; readonly of: Value; readonly at: number }
  | { readonly kind: "binary"; readonly operator: string; readonly left: Value; readonly right: Value; readonly at: number }
  /** `of->field` and `of.field` alike. */
  | { readonly kind: "member"; readonly of: Value; readonly field: string; readonly arrow: boolean; readonly at: number }
  | { readonly kind: "index"; readonly of: Value; readonly index: Value; readonly at: number }
  | {
      readonly kind: "call";
      readonly name: string;
      readonly args: readonly Value[];
      /** What is called, where finding it calls something itself: `ops_of(page)->isolate(page)`. */
      readonly through?: Value;
      readonly at: number;
      readonly end: number;
      /** Helpers that were opened on the way here. */
      readonly depth?: number;
    }
  | {
      readonly kind: "conditional";
      readonly condition: Value;
      /** null for the GNU form `a ?: b`. */
      readonly then: Value | null;
      readonly otherwise: Value;
      readonly at: number;
    }
  | { readonly kind: "assign"; readonly operator: string; readonly target: Value; readonly value: Value; readonly at: number; readonly end: number }
  | { readonly kind: "update"; readonly target: Value; /** `--`. */ readonly down: boolean; readonly at: number; readonly end: number }
  | { readonly kind: "comma"; readonly left: Value; readonly right: Value; readonly at: number }
  /** GNU statement expression. */
  | { readonly kind: "block"; readonly body: Statement; readonly at: number }
  /** Something that has a value but that nothing here reads. `parts`: values in it that are computed (`{ .a = f(x) }`). */
  | { readonly kind: "opaque"; readonly text: string; readonly parts?: readonly Value[]; readonly at: number };

export type Statement =
  | { readonly kind: "list"; readonly items: readonly Statement[] }
  | { readonly kind: "expression"; readonly value: Value }
  | { readonly kind: "declare"; readonly variables: readonly Variable[]; readonly initializers: readonly Value[]; readonly cleanups?: readonly Cleanup[] }
  | { readonly kind: "if"; readonly condition: Value; readonly then: Statement; readonly otherwise: Statement | null }
  | { readonly kind: "while"; readonly condition: Value; readonly body: Statement }
  | { readonly kind: "do"; readonly body: Statement; readonly condition: Value }
  | {
      readonly kind: "for";
      readonly initializer: Statement | null;
      readonly condition: Value | null;
      readonly update: Value | null;
      readonly body: Statement;
    }
  /** A loop written with an iterator macro: runs the body any number of times, sets its first name on each turn. */
  | {
      readonly kind: "iterate";
      readonly macro: string;
      readonly args: readonly Value[];
      readonly body: Statement;
      /** `do { ... } for_each_vma(vmi, vma);`: the first turn has what there is already. */
      readonly bodyFirst?: true;
      /** What `scoped_cond_guard()` does where the lock is not to be had. */
      readonly otherwise?: Statement;
      readonly at: number;
    }
  | { readonly kind: "switch"; readonly on: Value; readonly cases: readonly SwitchCase[] }
  | { readonly kind: "label"; readonly name: string; readonly at: number; readonly body: Statement }
  | { readonly kind: "goto"; readonly label: string; readonly at: number }
  | { readonly kind: "break"; readonly at: number }
  | { readonly kind: "continue"; readonly at: number }
  | { readonly kind: "return"; readonly value: Value | null; readonly at: number; readonly end: number }
  /** `#if`/`#ifdef`: both branches exist, the configuration decides. */
  | { readonly kind: "configured"; readonly condition: Value; /** The directive. */ readonly text: string; readonly on: Statement; readonly off: Statement; readonly at: number }
  /** What was not understood; recorded, never guessed. */
  | { readonly kind: "unknown"; readonly text: string; readonly at: number };

/** A variable that something is done with where its scope ends: `T *p __free(class) = ...`, `CLASS(class, p)(...)`. */
export interface Cleanup {
  readonly variable: string;
  /** `call`: a function that gets the variable's address. */
  readonly by: "free" | "class" | "call";
  readonly class: string;
  readonly at: number;
  readonly end: number;
}

export interface SwitchCase {
  /** null: default. */
  readonly value: Value | null;
  readonly body: Statement;
  /** The configurations that the case exists in; missing: all. */
  readonly when?: Value;
}

/** A parameter or a local variable. */
export interface Variable {
  readonly name: string;
  /** Base type without qualifiers, `struct` dropped: `pte_t`, `vm_area_struct`, `unsigned int`. */
  readonly type: string;
  readonly pointers: number;
  readonly isParameter: boolean;
}

/** One function of an image, ready to be lowered. */
export interface FunctionCode {
  readonly name: string;
  readonly isStatic: boolean;
  readonly parameters: readonly Variable[];
  readonly body: Statement;
  /** Offsets of the definition in the text of the image. */
  readonly start: number;
  readonly end: number;
  /** True where the function stands in another text than its user: its offsets mean nothing there. */
  readonly isForeign?: boolean;
  /** True where the definition contains syntax that did not parse. */
  readonly hasError: boolean;
  /** Conditionals of which one branch only was read, in words. */
  readonly unread?: readonly string[];
}

/** Functions of an input by name. */
export type Definitions = Pick<ReadonlyMap<string, FunctionCode>, "has" | "get">;
