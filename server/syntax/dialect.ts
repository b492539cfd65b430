// SPDX-License-Identifier: GPL-2.0-only
import kernelC from "../../grammars/kernel-c.json" with { type: "json" };

/** What a word of the dialect means to the overlay. */
export type Role =
  /** Becomes blanks: `__init`. */
  | "attribute"
  /** Becomes blanks with its argument list: `__must_hold(x)`. */
  | "attributeCall"
  /** Becomes a `while` with the arguments as its condition: `list_for_each_entry(...) {`. */
  | "iterator"
  /** A macro that takes types among its arguments: `container_of(p, struct s, m)`. */
  | "typeArgument"
  /** An operator or keyword whose parentheses the grammar reads by itself: `sizeof`. */
  | "typeOperator"
  /** Takes a type or an expression where the grammar takes a type only: `typeof(p->count)`. */
  | "typeQuery"
  /** Takes a type and a member that may be a path: `offsetof(struct s, a[1].b)`. */
  | "fieldPath"
  /** Declares its second argument with its first as the type: `DEFINE_PER_CPU(struct s, name)`. */
  | "typedDeclaration"
  /** Declares its second argument of class and with constructor arguments: `CLASS(fd, f)(n)`. */
  | "classDeclaration"
  /** Opens a function definition: `SYSCALL_DEFINE2(name, type, argument, ...)`. */
  | "syscall"
  /** Stands alone at file level, often without a semicolon: `late_initcall(f)`. */
  | "fileMacro"
  | "none";

export interface Dialect {
  readonly roleOf: (word: string) => Role;
  readonly isPrimitive: (word: string) => boolean;
  /** True for words that can only start or continue a type. */
  readonly isTypeKeyword: (word: string) => boolean;
  /** True for the other keywords of a declaration, as `static`. */
  readonly isDeclarationKeyword: (word: string) => boolean;
}

/** The tables as they stand in `grammars/kernel-c.json`; `*` in an entry matches any run of word characters. */
export interface DialectTables {
  readonly attributes: readonly string[];
  readonly attributeCalls: readonly string[];
  readonly iterators: readonly string[];
  readonly typeArguments: readonly string[];
  readonly typeOperators: readonly string[];
  readonly typeQueries: readonly string[];
  readonly fieldPaths: readonly string[];
  readonly typedDeclarations: readonly string[];
  readonly classDeclarations: readonly string[];
  readonly syscalls: readonly string[];
  readonly fileMacros: readonly string[];
  readonly primitiveTypes: readonly string[];
  readonly typeKeywords: readonly string[];
  readonly declarationKeywords: readonly string[];
}

/** No macro of the kernel is longer; it bounds the work that one hostile word can cause. */
const longestWord = 80;

/** Compiles tables. Earlier roles win over later ones, and exact entries over patterns. */
export function compileDialect(tables: DialectTables): Dialect {
  const exact = new Map<string, Role>();
  const patterns: { readonly expression: RegExp; readonly role: Role }[] = [];
  for (const [role, entries] of rolesInOrder(tables)) {
    for (const entry of entries) {
      if (entry.includes("*")) patterns.push({ expression: expressionOf(entry), role });
      else if (!exact.has(entry)) exact.set(entry, role);
    }
  }
  const primitives = new Set(tables.primitiveTypes);
  const typeKeywords = new Set(tables.typeKeywords);
  const declarationKeywords = new Set(tables.declarationKeywords);
  return {
    roleOf: (word) => {
      if (word.length > longestWord) return "none";
      return exact.get(word) ?? patterns.find((pattern) => pattern.expression.test(word))?.role ?? "none";
    },
    isPrimitive: (word) => primitives.has(word),
    isTypeKeyword: (word) => typeKeywords.has(word),
    isDeclarationKeyword: (word) => declarationKeywords.has(word),
  };
}

function rolesInOrder(tables: DialectTables): readonly (readonly [Role, readonly string[]])[] {
  return [
    ["attribute", tables.attributes],
    ["attributeCall", tables.attributeCalls],
    ["syscall", tables.syscalls],
    ["classDeclaration", tables.classDeclarations],
    ["fieldPath", tables.fieldPaths],
    ["typeQuery", tables.typeQueries],
    ["typeOperator", tables.typeOperators],
    ["iterator", tables.iterators],
    ["typedDeclaration", tables.typedDeclarations],
    ["fileMacro", tables.fileMacros],
    ["typeArgument", tables.typeArguments],
  ];
}

function expressionOf(entry: string): RegExp {
  return new RegExp(`^${entry.replaceAll("*", "\\w*")}$`);
}

/** The dialect of the kernel. */
export const kernelDialect: Dialect = compileDialect(kernelC);
