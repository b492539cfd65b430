// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";

const WALK = `static int toy_count(struct mm_struct *mm, unsigned long addr)
{
	pte_t *ptep;

	ptep = huge_pte_offset(mm, addr, PMD_SIZE);
	return ptep != NULL;
}
`;
const QUIET = "static int toy_sum(int a, int b)\n{\n\treturn a + b;\n}\n";

const problemsOf = (text: string): (readonly [number | null, string])[] =>
  review({ path: "mm/toy.c", text, kind: "c" }, DEFAULT_OPTIONS).flatMap((one) =>
    one.problems.filter((problem) => problem.code === "c-not-parsed").map(({ line, message }) => [line, message] as const),
  );

describe("code that did not become functions is told", () => {
  test.each([
    ["cut in the middle of a body", `${QUIET}\n${WALK.slice(0, 130)}`, 6],
    ["cut in the middle of a body that concerns no rule", `${QUIET}\n${QUIET.slice(0, 45)}`, 7],
    ["cut in the middle of the parameters", `${QUIET}\n${QUIET.slice(0, 25)}`, 6],
    ["a broken function in front", `static int toy_bad(void) { if (x { foo( }\n\n${WALK}`, 1],
    ["a body that never closes", `static int toy_open(int a)\n{\n\tif (a) {\n\t\tfoo();\n\treturn 0;\n}\n\n${WALK}`, 1],
    ["nothing but braces", `int f(void){ huge_pte_offset(x); ${"{".repeat(3000)}\n`, 1],
  ])("%s", (_, text, line) => {
    expect(problemsOf(text).map(([at]) => at)).toEqual([line]);
  });

  test.each([
    ["whole functions", `${QUIET}\n${WALK}`],
    ["a function with an error of its own", `${WALK}\nstatic void toy_odd(void)\n{\n\tfoo(;\n}\n`],
    ["two heads and one body", `#ifdef CONFIG_TOY\nstatic int toy(long addr)\n{\n#else\nstatic int toy(int addr)\n{\n#endif\n\treturn huge_pte_offset(addr);\n}\n`],
    ["a table of macros", `${WALK}\nstatic const char * const toy_names[] = {\n\tTOY_TEXTS("a")\n\tTOY_TEXTS("b")\n\tTOY_TEXTS("c")\n\tTOY_TEXTS("d")\n};\n`],
    ["a brace in a macro", `#define TOY_BEGIN do {\n#define TOY_END } while (0)\n\n${WALK}`],
  ])("not %s", (_, text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  test("coverage counts it as seen in part", () => {
    const [one] = review({ path: "mm/toy.c", text: `static int toy_bad(void) { if (x { foo( }\n\n${WALK}`, kind: "c" }, DEFAULT_OPTIONS);
    expect(one?.coverage).toMatchObject({ functions: 1, partial: 1 });
  });
});
