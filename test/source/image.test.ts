// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { readPatches } from "../../server/patch/read.ts";
import { readFunctions } from "../../server/program/read-code.ts";
import { imageOfDiff } from "../../server/source/image.ts";

/** The new (or old) side of the first file of a patch whose hunks are given as text. */
function image(hunks: string, side: "old" | "new" = "new") {
  const text = `diff --git a/mm/toy.c b/mm/toy.c\nindex 1111111..2222222 100644\n--- a/mm/toy.c\n+++ b/mm/toy.c\n${hunks}`;
  const file = readPatches(text).patches[0]?.files[0];
  if (!file) throw new Error("one file is expected");
  return imageOfDiff(text, file, side, () => null);
}

const shown = (hunks: string, side: "old" | "new" = "new"): string[] => image(hunks, side).text.split("\n").map((row) => row.trim()).filter((row) => row !== "");

const START = "__patchwalk_unseen_start();";
const MIDDLE = "__patchwalk_unseen_middle();";
const END = "__patchwalk_unseen_end();";

describe("open fragments of hunks", () => {
  test("the middle of a function gets a head from the section and a tail", () => {
    expect(shown("@@ -10,2 +10,3 @@ static int toy(struct mm_struct *mm, int nr)\n \tfirst(mm);\n+\tsecond(mm);\n \tthird(mm);\n")).toEqual([
      "static int toy(struct mm_struct *mm, int nr)", "{", START, "first(mm);", "second(mm);", "third(mm);", END, "}",
    ]);
  });

  test("blocks that the hunk closes are opened, blocks that it leaves open are closed", () => {
    const rows = shown("@@ -10,5 +10,6 @@ static int toy(struct mm_struct *mm)\n \t\tfirst(mm);\n \t}\n+\tsecond(mm);\n \twhile (mm) {\n \t\tthird(mm);\n \t\tfourth(mm);\n");
    expect(rows).toEqual([
      "static int toy(struct mm_struct *mm)", "{", START, "if (__patchwalk_unseen_condition_0) {", "first(mm);", "}", "second(mm);",
      "while (mm) {", "third(mm);", "fourth(mm);", END, "}", END, "}",
    ]);
  });

  test("a do loop of which only the end is visible is one", () => {
    expect(shown("@@ -10,2 +10,3 @@ static int toy(struct mm_struct *mm)\n \t\tfirst(mm);\n+\t\tsecond(mm);\n \t} while (mm);\n")).toContain("do {");
  });

  test("a whole function and what follows it stay as they are", () => {
    const rows = shown("@@ -10,2 +10,6 @@\n int limit;\n+static void toy(void)\n+{\n+\tfirst();\n+}\n int other;\n");
    expect(rows).toEqual(["int limit;", "static void toy(void)", "{", "first();", "}", "int other;"]);
  });

  test("conditionals around the last function keep their #endif, those that began above the hunk have none", () => {
    const file = ["#ifdef CONFIG_A", "", "#ifdef CONFIG_B", "static void toy(void)", "{", "first();", "}", "#else", "static void toy(void)", "{", "}", "#endif /* CONFIG_B*/", "", "#endif"];
    const rows = shown(`@@ -0,0 +1,${file.length} @@\n${file.map((row) => `+${row}\n`).join("")}`);
    expect(rows).toEqual(file.filter((row) => row !== ""));
    expect(shown("@@ -10,1 +10,6 @@\n int limit;\n+static void toy(void)\n+{\n+}\n+#endif\n+#ifdef CONFIG_C\n")).toEqual(["int limit;", "static void toy(void)", "{", "}"]);
  });

  test("the end of one function and the start of the next", () => {
    const rows = shown("@@ -10,6 +10,7 @@ static void before(int nr)\n \tlast(nr);\n }\n \n static void after(int nr)\n {\n+\tfirst(nr);\n \tsecond(nr);\n");
    expect(rows).toEqual([
      "static void before(int nr)", "{", START, "last(nr);", "}", "static void after(int nr)", "{", "first(nr);", "second(nr);", END, "}",
    ]);
  });
});

describe("hunks of one function", () => {
  const first = "@@ -10,2 +10,3 @@ static int toy(struct mm_struct *mm)\n \tfirst(mm);\n+\tsecond(mm);\n \tif (mm) {\n";

  test("are one function with a gap", () => {
    const rows = shown(`${first}@@ -30,2 +31,2 @@ static int toy(struct mm_struct *mm)\n-\tthird(mm);\n+\tfourth(mm);\n \treturn 0;\n`);
    expect(rows).toEqual([
      "static int toy(struct mm_struct *mm)", "{", START, "first(mm);", "second(mm);", "if (mm) {", "}", MIDDLE, "fourth(mm);", "return 0;", END, "}",
    ]);
    expect(readFunctions(rows.join("\n"))).toHaveLength(1);
  });

  test("are two where the section names another one", () => {
    const rows = shown(`${first}@@ -30,2 +31,2 @@ static int other(struct mm_struct *mm)\n-\tthird(mm);\n+\tfourth(mm);\n \treturn 0;\n`);
    expect(rows).not.toContain(MIDDLE);
    expect(readFunctions(rows.join("\n")).map(({ name }) => name)).toEqual(["toy", "other"]);
  });
});

describe("comments cut in the middle", () => {
  test("a comment that begins above the hunk", () => {
    const rows = shown("@@ -10,3 +10,4 @@ static int toy(struct mm_struct *mm)\n \t * as the caller's lock says {\n \t */\n+\tfirst(mm);\n \tsecond(mm);\n");
    expect(rows.slice(0, 4)).toEqual(["static int toy(struct mm_struct *mm)", "{", START, "/*"]);
    expect(readFunctions(rows.join("\n")).map(({ name, hasError }) => [name, hasError])).toEqual([["toy", false]]);
  });

  test("a comment that ends below the hunk", () => {
    const rows = shown("@@ -10,3 +10,4 @@ static int toy(struct mm_struct *mm)\n \tfirst(mm);\n+\tsecond(mm);\n \t/*\n \t * What follows } is\n");
    expect(rows.slice(-3)).toEqual(["*/", END, "}"]);
    expect(readFunctions(rows.join("\n")).map(({ name, hasError }) => [name, hasError])).toEqual([["toy", false]]);
  });

  test("braces in comments and strings do not count", () => {
    const rows = shown('@@ -10,3 +10,4 @@ static int toy(struct mm_struct *mm)\n \t/* } */\n+\tfirst("}");\n \tsecond(\'}\');\n');
    expect(rows.slice(-2)).toEqual([END, "}"]);
  });
});

describe("section names", () => {
  test.each([
    ["static int toy(struct mm_struct *mm, unsigned long", "static int toy(struct mm_struct *mm)"],
    ["int toy(struct mm_struct *mm,", "int toy(struct mm_struct *mm)"],
    ["static noinline __maybe_unused int toy(void)", "static noinline __maybe_unused int toy(void)"],
  ])("%s", (section, header) => {
    expect(shown(`@@ -10,2 +10,3 @@ ${section}\n \tfirst(mm);\n+\tsecond(mm);\n \tthird(mm);\n`)[0]).toBe(header);
  });

  test.each(["struct toy {", "retry:", "enum { A, B,", "", "DEFINE_SPINLOCK(lock);"])("no function: %j", (section) => {
    const rows = shown(`@@ -10,2 +10,3 @@ ${section}\n \tfirst(mm);\n+\tsecond(mm);\n \tthird(mm);\n`);
    expect(rows).not.toContain(START);
  });
});

test("every visible line of an image knows its line of the document and of its file", () => {
  const { text, lines } = image("@@ -10,3 +20,3 @@ static int toy(struct mm_struct *mm)\n \tfirst(mm);\n-\tsecond(mm);\n+\tthird(mm);\n \tfourth(mm);\n");
  const rows = text.split("\n").map((row, index) => [row.trim(), lines[index]?.line, lines[index]?.newLine, lines[index]?.oldLine, lines[index]?.changed]);
  expect(rows.filter(([, line]) => line !== null)).toEqual([
    ["first(mm);", 6, 20, 10, false],
    ["third(mm);", 8, 21, null, true],
    ["fourth(mm);", 9, 22, 12, false],
  ]);
});
