// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { functionsOf } from "../../server/syntax/functions.ts";
import { parseC } from "../../server/syntax/parse.ts";
import { kindOf, textOf } from "../../server/syntax/query.ts";

interface Case {
  readonly source: string;
  /** As `name`, with `static ` in front and ` (broken)` behind where they apply. */
  readonly functions: readonly string[];
}

const cases: readonly Case[] = [
  { source: "int f(void) { return 0; }", functions: ["f"] },
  { source: "static inline int f(void) { return 0; }", functions: ["static f"] },
  { source: "static __always_inline struct pool *f(void)\n__must_hold(lock)\n{ return 0; }", functions: ["static f"] },
  { source: "void (*handler(int n))(void) { return 0; }", functions: ["handler"] },
  { source: "void (f)(int a) { }", functions: ["f"] },
  { source: "SYSCALL_DEFINE1(pool_grow, int, n)\n{ return n; }", functions: ["sys_pool_grow"] },
  { source: "SYSCALL_DEFINE0(pool_sync)\n{ return 0; }", functions: ["sys_pool_sync"] },
  { source: "COMPAT_SYSCALL_DEFINE1(pool_grow, int, n)\n{ return n; }", functions: ["compat_sys_pool_grow"] },
  { source: "late_initcall(pool_init)\n\nint f(void) { return 0; }", functions: ["f"] },
  { source: "#ifdef CONFIG_POOL\nint f(void) { return 0; }\n#else\nstatic inline int f(void) { return 1; }\n#endif", functions: ["f", "static f"] },
  { source: "int f(void);\nstruct pool { int (*grow)(int); };\nint x = 1;", functions: [] },
  { source: "int f(void) { a = ; }\nint g(void) { }", functions: ["f (broken)", "g"] },
  { source: "", functions: [] },
];

describe("functions", () => {
  test.each(cases)("of $source", ({ source, functions }) => {
    const tree = parseC(source);
    const found = functionsOf(tree);
    const shown = found.map((it) => `${it.isStatic ? "static " : ""}${it.name}${it.hasError ? " (broken)" : ""}`);
    expect(shown).toEqual(functions);
    for (const it of found) {
      expect(kindOf(tree, it.node)).toBe("function_definition");
      expect(kindOf(tree, it.declarator)).toBe("function_declarator");
      expect(kindOf(tree, it.body)).toBe("compound_statement");
      expect(textOf(tree, it.body).startsWith("{")).toBe(true);
    }
  });
});
