// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { decodeOutline, encodeOutline } from "../../server/analysis/tree-entry.ts";
import { indexOf } from "../../server/analysis/tree-index.ts";
import { editedOutline } from "../../server/program/outline-edit.ts";
import { outlineOf } from "../../server/program/outline.ts";
import { readFunctions, readPart } from "../../server/program/read-code.ts";

const TEXT = `#include <linux/mm.h>
#define TOY(x) do { \\
	use(x); \\
} while (0)

struct toy_ops {
	int (*entry)(int a);
};

static int __init toy_one(int a) __must_hold(&lock)
{
	return other(a) ? toy_two(a) : 0;
}

SYSCALL_DEFINE1(toy, int, fd)
{
	struct toy_control rwc = {
		.one = toy_one,
		.arg = &fd,
	};

	rwc.done = toy_two;
	call_later(toy_one);
	return ops->entry(walk(&rwc));
}

static const struct toy_ops table = { .entry = toy_one };
`;

describe("an outline", () => {
  const outline = outlineOf(TEXT);

  test("has the functions with their calls", () => {
    expect(outline.functions.map(({ name, isStatic, isSyscall, calls }) => [name, isStatic, isSyscall, calls.map((call) => (call.isPointer ? "->" : "") + call.name)])).toEqual([
      ["toy_one", true, false, ["other", "toy_two"]],
      ["sys_toy", false, true, ["call_later", "->entry", "walk"]],
    ]);
    expect(TEXT.slice(outline.functions[0]!.start, outline.functions[0]!.end)).toMatch(/^static int __init toy_one[^]*0;\n}$/);
  });

  test("has the functions that are given away, with field and structure", () => {
    const given = (uses: typeof outline.uses) => uses.filter((use) => use.name.startsWith("toy")).map(({ name, field, type }) => [name, field, type]);
    expect(given(outline.functions[1]!.uses)).toEqual([["toy_one", "one", "toy_control"], ["toy_two", "done", null], ["toy_one", null, null]]);
    expect(given(outline.uses)).toEqual([["toy_one", "entry", "toy_ops"]]);
  });

  test("has what stands at file level, in macros and in their bodies, where it is a function of the file", () => {
    const code = "static void toy_a(void)\n{\n}\nstatic void toy_b(void)\n{\n}\nvoid toy_c(void)\n{\n}\nEXPORT_SYMBOL_GPL(toy_c);\n";
    const given = (more: string): readonly string[] => outlineOf(`${code}${more}\n`).uses.map((use) => use.name);
    expect(given("late_initcall(toy_a);\nDECLARE_WORK(work, elsewhere);")).toEqual(["toy_a"]);
    expect(given("#define twice() toy_b(toy_a())")).toEqual(["toy_a", "toy_b"]);
    expect(given("void other(struct toy *toy_a, int (*toy_b)(void), enum toy_c);")).toEqual([]);
  });

  test("of an edited text is that of the text, also where a function has another name", () => {
    const text = "static void toy_a(void)\n{\n\tone();\n}\nlate_initcall(toy_b);\n";
    for (const edited of [text.replace("toy_a", "toy_b"), text.replace("one", "other")]) {
      expect(editedOutline({ text, outline: outlineOf(text) }, edited)).toEqual(outlineOf(edited));
    }
  });

  test("is the same after a way through text, and damage is seen", () => {
    expect(decodeOutline(encodeOutline(outline))).toEqual(outline);
    for (const damaged of ["", "{}", "null", encodeOutline(outline).slice(0, -2), encodeOutline(outline).replace('"names":[', '"names":[1,')])
      expect(decodeOutline(damaged)).toBeNull();
  });

  test.each(["", "}}}}", "((((", "f(", "a b(c) {", "{ static int", "#define X {\n", "x = {{{{ .a = b, ", "\u0000\uffff{"])("of %j is no error", (text) => {
    expect(() => outlineOf(text)).not.toThrow();
  });
});

test("a part of a text has the same functions as the whole", () => {
  const whole = readFunctions(TEXT);
  const outline = outlineOf(TEXT);
  for (const fn of outline.functions) expect(readPart(TEXT, fn)).toEqual(whole.filter((one) => one.name === fn.name));
  expect(outline.functions.flatMap((fn) => readPart(TEXT, fn))).toEqual(whole);
});

describe("an index", () => {
  const callersIn = (files: Readonly<Record<string, string>>, path: string, name: string): string => {
    const index = indexOf(Object.entries(files).map(([file, text]) => ({ path: file, outline: outlineOf(text) })));
    const { callers, complete } = index.callersOf(path, name);
    return `${callers.map((caller) => `${caller.path}:${caller.fn.name}${caller.pointer === null ? "" : ` by ${caller.pointer}`}`).join(", ")}${complete ? "" : ", others"}`;
  };

  test("calls from other files", () => {
    const files = { "a.c": "void f(void)\n{\n}\n", "b.c": "void g(void)\n{\n\tf();\n}\n", "c.c": "void h(void)\n{\n\tf();\n\tf();\n}\n" };
    expect(callersIn(files, "a.c", "f")).toBe("b.c:g, c.c:h");
    expect(callersIn(files, "b.c", "g")).toBe(", others");
  });

  test("a static function is its own file's", () => {
    const files = { "a.c": "static void f(void)\n{\n}\nvoid g(void)\n{\n\tf();\n}\n", "b.c": "static void f(void)\n{\n}\nvoid h(void)\n{\n\tf();\n}\n" };
    expect(callersIn(files, "a.c", "f")).toBe("a.c:g");
    expect(callersIn(files, "b.c", "f")).toBe("b.c:h");
  });

  test("an inline function of a header is everyone's", () => {
    const files = { "a.h": "static inline void f(void)\n{\n\tg();\n}\n", "b.c": "void h(void)\n{\n\tf();\n}\n", "c.c": "void g(void)\n{\n}\n" };
    expect(callersIn(files, "a.h", "f")).toBe("b.c:h");
    expect(callersIn(files, "c.c", "g")).toBe("a.h:f");
  });

  test("through the field of a table", () => {
    const files = { "a.c": "static int f(int a)\n{\n}\nstatic struct ops o = { .entry = f };\n", "b.c": "int g(struct ops *o)\n{\n\treturn o->entry(1);\n}\n" };
    expect(callersIn(files, "a.c", "f")).toBe("b.c:g by entry");
  });

  test("a function that is handed on may be called by others", () => {
    const files = { "a.c": "static void f(void)\n{\n}\nvoid g(void)\n{\n\tf();\n\tcall_later(f);\n}\n" };
    expect(callersIn(files, "a.c", "f")).toBe("a.c:g, others");
  });
});
