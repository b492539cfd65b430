// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { kernelDialect } from "../../server/syntax/dialect.ts";
import { overlay } from "../../server/syntax/overlay.ts";
import { parseC } from "../../server/syntax/parse.ts";
import { isError, isMissing } from "../../server/syntax/query.ts";

interface Case {
  readonly name: string;
  readonly source: string;
  /** What the parser sees, with runs of blanks shown as one. */
  readonly seen: string;
  /** As `kind name`. */
  readonly masks: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: "attribute words",
    source: "static int __init grow(struct pool __user *p) { return 0; }",
    seen: "static int grow(struct pool *p) { return 0; }",
    masks: ["attribute __init", "attribute __user"],
  },
  {
    name: "a member of an attribute's name",
    source: "void f(void) { p->noinline = q.__used; }",
    seen: "void f(void) { p->noinline = q.__used; }",
    masks: [],
  },
  {
    name: "attribute calls in front and behind",
    source: "static void put(struct pool *p) __releases(p->lock) { }\nstatic __printf(1, 2) void say(char *f, ...);",
    seen: "static void put(struct pool *p) { }\nstatic void say(char *f, ...);",
    masks: ["attribute-call __releases", "attribute-call __printf"],
  },
  {
    name: "cleanup behind a declarator",
    source: "void f(void) { struct pool *p __free(kfree) = NULL; }",
    seen: "void f(void) { struct pool *p = NULL; }",
    masks: ["attribute-call __free"],
  },
  {
    name: "attributes that no table knows",
    source: "static pool_check_attributes void a(void) { }\nstatic fast_inline u32 b(void) { return 0; }\nint t[2] odd_section = { 1 };",
    seen: "static void a(void) { }\nstatic u32 b(void) { return 0; }\nint t[2] = { 1 };",
    masks: ["attribute pool_check_attributes", "attribute fast_inline", "attribute odd_section"],
  },
  {
    name: "ordinary declarations",
    source: "static u32 count(void);\nstatic const u8 table[2] = { 1 };\nu8 const x;\nstruct pool static_pool;",
    seen: "static u32 count(void);\nstatic const u8 table[2] = { 1 };\nu8 const x;\nstruct pool static_pool;",
    masks: [],
  },
  {
    name: "iterators with and without braces",
    source: "void f(void) { list_for_each_entry(p, &pools, list) { use(p); } for_each_pool(p) use(p); }",
    seen: "void f(void) { while (p, &pools, list) { use(p); } while (p) use(p); }",
    masks: ["iterator list_for_each_entry", "iterator for_each_pool"],
  },
  {
    name: "a loop macro of any name, and one behind do",
    source: "void f(void) { next_pools_from(p, q) { use(p); } do { use(p); } while_each_pool(p); }",
    seen: "void f(void) { while (p, q) { use(p); } do { use(p); } while (p); }",
    masks: ["iterator next_pools_from", "iterator while_each_pool"],
  },
  {
    name: "functions that are named like iterators",
    source: "static int pool_for_each(struct pool *p);\nint f(void) { pool_for_each(p); return pool_for_each(p); }",
    seen: "static int pool_for_each(struct pool *p);\nint f(void) { pool_for_each(p); return pool_for_each(p); }",
    masks: [],
  },
  {
    name: "guards",
    source: "void f(void) { guard(mutex)(&p->lock); guard(rcu)(); scoped_guard(spinlock, &p->lock) { use(p); } CLASS(pool, c)(p, 1); CLASS(none, n)(); }",
    seen: "void f(void) { guard(mutex)(&p->lock); guard(rcu)(); while (spinlock, &p->lock) { use(p); } pool c=(p, 1); none n ; }",
    masks: ["iterator scoped_guard", "declaration-macro CLASS", "declaration-macro CLASS"],
  },
  {
    name: "a conditional guard, whose second argument is a statement",
    source: "int f(void) { scoped_cond_guard(mutex_intr, return -EINTR, &p->lock) { use(p); } scoped_cond_guard(toy_try, goto out, p) use(p); out: return 0; }",
    seen: "int f(void) { while (mutex_intr , &p->lock) { use(p); } while (toy_try , p) use(p); out: return 0; }",
    masks: ["iterator scoped_cond_guard", "statement-argument scoped_cond_guard", "iterator scoped_cond_guard", "statement-argument scoped_cond_guard"],
  },
  {
    name: "types as arguments",
    source: "void f(void) { p = container_of(w, struct pool, work); n = min_t(unsigned int, (unsigned long)a, b); m = max_t(int, a, b); g(struct pool *, 1); }",
    seen: "void f(void) { p = container_of(w, struct_pool, work); n = min_t(unsigned_int, (unsigned long)a, b); m = max_t(_nt, a, b); g(struct_pool__, 1); }",
    masks: ["type-argument container_of", "type-argument min_t", "type-argument max_t", "type-argument g"],
  },
  {
    name: "a type over two lines",
    source: "void f(void) { p = list_first_entry(&l, struct\n\tpool, list); }",
    seen: "void f(void) { p = list_first_entry(&l, \n pool, list); }",
    masks: ["type-argument list_first_entry"],
  },
  {
    name: "parameters are types by right",
    source: "struct pool *make(struct pool *, int);\nint (*hook)(struct pool *);\nint f(void);",
    seen: "struct pool *make(struct pool *, int);\nint (*hook)(struct pool *);\nint f(void);",
    masks: [],
  },
  {
    name: "products two calls deep, which the grammar might take for a type",
    source: "void f(void) { a(); add(up(n * size(b), SIZE)); add(up(n * m)); add(n * m); g(h(sizeof *p)); g(h(struct pool * __user x)); }\nint add(int (*up)(pool_t *m));",
    seen: "void f(void) { a(); add(up(n / size(b), SIZE)); add(up(n / m)); add(n * m); g(h(sizeof *p)); g(h(struct pool * x)); }\nint add(int (*up)(pool_t *m));",
    masks: ["product *", "product *", "attribute __user"],
  },
  {
    name: "typeof an expression, offsetof a path",
    source: "void f(void) { typeof(p->a[0]) x = 1; n = offsetof(struct pool, slots[2].next); k = offsetof(struct pool, n); }",
    seen: "void f(void) { typeof(___a_0_) x = 1; n = offsetof(struct pool, slots ); k = offsetof(struct pool, n); }",
    masks: ["type-argument typeof", "type-argument offsetof"],
  },
  {
    name: "declarations by macro",
    source:
      "static DEFINE_PER_CPU(struct pool, pools);\nstatic DECLARE_WORK(grow_work, grow_fn);\nstruct pool { DECLARE_BITMAP(used, 64); };\nvoid f(void) { DECLARE_BITMAP(map, 8) = { 0 }; }",
    seen: "static struct pool pools ;\nstatic DECLARE_WORK(grow_work );\nstruct pool { DECLARE_BITMAP(used ); };\nvoid f(void) { DECLARE_BITMAP(map ) = { 0 }; }",
    masks: [
      "declaration-macro DEFINE_PER_CPU",
      "declaration-macro DECLARE_WORK",
      "declaration-macro DECLARE_BITMAP",
      "declaration-macro DECLARE_BITMAP",
    ],
  },
  {
    name: "macros at file level without a semicolon",
    source: "late_initcall(pool_init)\nPOOL_ATTR(size, show)\nstatic int x;\nEXPORT_SYMBOL(x);",
    seen: " \n \nstatic int x;\nEXPORT_SYMBOL(x);",
    masks: ["declaration-macro late_initcall", "declaration-macro POOL_ATTR"],
  },
  {
    name: "system calls",
    source: "SYSCALL_DEFINE2(pool_grow, struct pool __user *, pool, size_t, len)\n{ return 0; }\nSYSCALL_DEFINE0(pool_sync)\n{ return 0; }",
    seen: "long LL_DEFINE2( struct pool * pool, size_t len)\n{ return 0; }\nlong LL_DEFINE0( )\n{ return 0; }",
    masks: ["syscall SYSCALL_DEFINE2", "attribute __user", "syscall SYSCALL_DEFINE0"],
  },
  {
    name: "case ranges, but not ranges of initializers",
    source: "int f(int a) { int t[4] = { [0 ... 3] = 1 }; switch (a) { case 0 ... 3: return t[a]; } return 0; }",
    seen: "int f(int a) { int t[4] = { [0 ... 3] = 1 }; switch (a) { case 0 | 3: return t[a]; } return 0; }",
    masks: ["case-range ..."],
  },
  {
    name: "conditionals that cut a statement",
    source: "int f(int a) {\n#ifdef CONFIG_A\nif (a) {\n#else\nif (!a) {\n#endif\nreturn 1; }\nif (a)\na = 2;\n#ifdef CONFIG_B\nelse\na = 3;\n#endif\nreturn a +\n#if B\n1\n#else\n2\n#endif\n; }",
    seen: "int f(int a) {\n \nif (a) {\n \n \n \nreturn 1; }\nif (a)\na = 2;\n \nelse\na = 3;\n \nreturn a +\n \n1\n \n \n \n; }",
    masks: ["conditional ifdef", "conditional else", "conditional endif", "conditional ifdef", "conditional endif", "conditional if", "conditional else", "conditional endif"],
  },
  {
    name: "whole statements in conditionals, and dead code",
    source: "int f(int a) {\n#ifdef CONFIG_A\na = 1;\n#else\na = 2;\n#endif\n#if 0\na = ((;\n#endif\nreturn a; }",
    seen: "int f(int a) {\n#ifdef CONFIG_A\na = 1;\n#else\na = 2;\n#endif\n \n \n \nreturn a; }",
    masks: ["conditional if", "conditional endif"],
  },
  {
    name: "comments, strings and macro bodies are left alone",
    source: '/* __init for_each_pool(p) { */\nchar *s = "__user";\n#define each(p) \\\n\tlist_for_each_entry(p, &pools, list) {\n// __init\nint x;',
    seen: '/* __init for_each_pool(p) { */\nchar *s = "__user";\n#define each(p) \\\n list_for_each_entry(p, &pools, list) {\n// __init\nint x;',
    masks: [],
  },
];

describe("the overlay", () => {
  test.each(cases)("$name", ({ source, seen, masks }) => {
    const result = overlay(source, kernelDialect);
    expect(result.text.replace(/[ \t]+/g, " ")).toBe(seen);
    expect(result.masks.map((mask) => `${mask.kind} ${mask.name}`)).toEqual(masks);
  });

  test.each(cases)("leaves nothing that the grammar cannot read: $name", ({ source }) => {
    const tree = parseC(source);
    const broken = Array.from({ length: tree.size }, (_, node) => node).filter(
      (node) => isError(tree, node) || isMissing(tree, node),
    );
    expect(broken.map((node) => source.slice(tree.start[node], tree.end[node]))).toEqual([]);
  });
});
