// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { dump, programOf, unitOfText } from "./dump.ts";

/** Name of the case -> C text with a function f, and the graph of f. */
const CASES: Readonly<Record<string, { readonly text: string; readonly graph: readonly string[] }>> = {
  "a macro with a condition, in a branch": {
    text: `#define toy_lock(toy, flag)				\\
	do {						\\
		if ((flag) & TOY_WRITE)			\\
			down_write(&(toy)->sem);	\\
		else					\\
			down_read(&(toy)->sem);		\\
	} while (0)

static void f(struct toy *toy, int flags)
{
	if (flags)
		toy_lock(toy->next, flags | TOY_ANY);
	last(toy);
}`,
    graph: [
      "1 if flags -> 2 | 4",
      "2 if (flags | TOY_ANY) & TOY_WRITE -> 3 | 6",
      "3 down_write(&toy->next->sem)",
      "4 last(toy)",
      "5 exit",
      "6 down_read(&toy->next->sem) -> 4",
    ],
  },
  "a macro that returns, used by another macro": {
    text: `#define toy_check(cond, err) do { if (!(cond)) return err; } while (0)
#define toy_checks(a, b) do { toy_check(a, -EIO); toy_check(b, -EBUSY); } while (0)

static int f(struct toy *toy)
{
	toy_checks(one(toy), toy->n == 2);
	return 0;
}`,
    graph: [
      "1 $ = one(toy)",
      "2 if $ -> 3 | 9",
      "3 if toy->n == 2 -> 4 | 7",
      "4 $ = 0",
      "5 return $",
      "6 exit",
      "7 $ = -EBUSY",
      "8 return $ -> 6",
      "9 $ = -EIO",
      "10 return $ -> 6",
    ],
  },
  "a macro with a value, locals and a member for an argument": {
    text: `#define toy_trylock(type, member, ptr)			\\
({							\\
	type *_ret;					\\
	pin(ptr);					\\
	_ret = ptr;					\\
	if (!spin_trylock(&_ret->member)) {		\\
		unpin(ptr);				\\
		_ret = NULL;				\\
	}						\\
	_ret;						\\
})

static int f(struct toy *a)
{
	struct toy *toy = toy_trylock(struct toy, lock, a);

	if (!toy_trylock(struct toy, other, toy))
		return -EBUSY;
	return 0;
}`,
    graph: [
      "1 pin(a)",
      "2 _ret__m2 = a",
      "3 $ = spin_trylock(&_ret__m2->lock)",
      "4 if $ -> 5 | 18",
      "5 toy = _ret__m2",
      "6 pin(toy)",
      "7 _ret__m1 = toy",
      "8 $ = spin_trylock(&_ret__m1->other)",
      "9 if $ -> 10 | 16",
      "10 if _ret__m1 -> 11 | 14",
      "11 $ = 0",
      "12 return $",
      "13 exit",
      "14 $ = -EBUSY",
      "15 return $ -> 13",
      "16 unpin(toy)",
      "17 _ret__m1 = NULL -> 10",
      "18 unpin(a)",
      "19 _ret__m2 = NULL -> 5",
    ],
  },
};

/** Macros that stay calls. */
const CALLS: Readonly<Record<string, string>> = {
  "pasted tokens": "#define m(a) do { if (a) take_##a(); } while (0)",
  "two definitions": "#define m(a) do { if (a) take(a); } while (0)\n#define m(a) do { if (a) keep(a); } while (0)",
  "another number of arguments": "#define m(a, b) do { if (a) take(b); } while (0)",
  "a loop that runs more than once": "#define m(a) do { take(a); } while (a)",
  "itself": "#define m(a) do { if (a) m(a); } while (0)",
  "unbalanced": "#define m(a) do { if (a { take(a); } while (0)",
};

describe("macros of the text that are statements", () => {
  test.each(Object.entries(CASES))("%s", (_, { text, graph }) => {
    expect(dump(programOf(unitOfText(text), "f"))).toEqual(graph);
  });

  test.each(Object.entries(CALLS))("not %s", (_, text) => {
    const { nodes } = programOf(unitOfText(`${text}\n\nstatic void f(int a)\n{\n\tm(a);\n}\n`), "f");
    expect(nodes.some((node) => node.kind === "call" && node.name === "m")).toBe(true);
  });

  const bare = (macros: string) => programOf(unitOfText(`${macros}\n\nstatic void f(int a)\n{\n\tM;\n\tlast(a);\n}\n`), "f");

  test.each([
    ["a call", "#define M take(1)", ["1 take(1)", "2 last(a)", "3 exit"]],
    ["over two lines", "#define M \\\n\ttake(1)", ["1 take(1)", "2 last(a)", "3 exit"]],
    ["statements", "#define M do { take(1); if (b) keep(2); } while (0)", ["1 take(1)", "2 if b -> 3 | 4", "3 keep(2)", "4 last(a)", "5 exit"]],
    ["another macro", "#define N take(1)\n#define M N", ["1 take(1)", "2 last(a)", "3 exit"]],
    ["a return", "#define M return", ["1 return", "2 exit"]],
    ["nothing", "#define M", ["1 last(a)", "2 exit"]],
  ])("without parameters: %s", (_, macros, graph) => {
    const program = bare(macros);
    expect(dump(program)).toEqual(graph);
    expect(program.assumptions.filter((one) => one.kind === "not-lowered")).toEqual([]);
  });

  test.each([
    ["two definitions", "#ifdef A\n#define M take(1)\n#else\n#define M\n#endif"],
    ["unbalanced", "#define M take(1"],
    ["pasted tokens", "#define M take ## er(1)"],
  ])("without parameters, not understood, and said so: %s", (_, macros) => {
    const program = bare(macros);
    expect(dump(program)).toEqual(["1 last(a)", "2 exit"]);
    expect(program.assumptions.map((one) => one.kind)).toContain("not-lowered");
  });

  test("macros without parameters that name themselves end", () => {
    expect(dump(bare("#define M do { take(1); N; } while (0)\n#define N do { keep(1); M; } while (0)"))).toEqual(["1 take(1)", "2 keep(1)", "3 last(a)", "4 exit"]);
  });

  test("macros that multiply end", () => {
    const levels = [0, 1, 2, 3].map((level) => `#define m${level}(a) do { if (a) use(a); ${`m${level + 1}(a); `.repeat(20)}} while (0)\n`);
    const { nodes } = programOf(unitOfText(`${levels.join("")}\nstatic void f(int a)\n{\n\tm0(a);\n}\n`), "f");
    expect(nodes.length).toBeLessThan(20_000);
  });

  test("every node stands at the use", () => {
    const text = CASES["a macro with a condition, in a branch"]?.text ?? "";
    const { nodes } = programOf(unitOfText(text), "f");
    const taken = nodes.flatMap((node) => (node.kind === "call" && node.name.startsWith("down_") ? [text.slice(node.at, node.end)] : []));
    expect(taken).toEqual(["toy_lock(toy->next, flags | TOY_ANY)", "toy_lock(toy->next, flags | TOY_ANY)"]);
  });
});
