// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { functionText, type FunctionText } from "../../server/program/statements.ts";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { withoutLeftovers } from "../../server/rules/fix/leftovers.ts";
import { aroundSection } from "../../server/rules/fix/section.ts";
import { insertAfter, insertBefore, joined, removeStatement, replaceArgument, replaceStatement, statementAt, type Edits } from "../../server/rules/fix/statement-edits.ts";
import { imageOfFile } from "../../server/source/image.ts";
import { withEdits } from "../../server/text/text-edit.ts";
import { applied } from "../document-edits.ts";

const fn = (text: string): FunctionText => {
  const found = functionText({ image: imageOfFile("x.c", text), start: 0, end: text.trimEnd().length });
  if (!found) throw new Error("a function");
  return found;
};

const bodyOf = (...lines: string[]): string => ["int f(int a)", "{", ...lines.map((line) => (line === "" ? "" : line)), "}", ""].join("\n");

/** The body after edits that are made from the statement in which a word stands first. */
function edited(lines: readonly string[], word: string, make: (text: FunctionText, statement: NonNullable<ReturnType<typeof statementAt>>) => Edits): string[] | null {
  const text = bodyOf(...lines);
  const made = fn(text);
  const statement = statementAt(made, text.indexOf(word));
  const edits = statement && make(made, statement);
  return edits && (withEdits(text, edits)?.split("\n").slice(2, -2) ?? null);
}

describe("a line beside a statement", () => {
  test("stands at its indentation", () => {
    expect(edited(["\tif (a) {", "\t\tx();", "\t\ty();", "\t}"], "y", (text, one) => insertBefore(text, one, ["z();"]))).toEqual(["\tif (a) {", "\t\tx();", "\t\tz();", "\t\ty();", "\t}"]);
    expect(edited(["\tx(1,", "\t  2); /* two */", "\ty();"], "x", (text, one) => insertAfter(text, one, ["z();"]))).toEqual(["\tx(1,", "\t  2); /* two */", "\tz();", "\ty();"]);
  });

  test("brings braces where the statement is the whole body", () => {
    expect(edited(["\tif (a)", "\t\treturn 1;", "\treturn 0;"], "return 1", (text, one) => insertBefore(text, one, ["z();"]))).toEqual(["\tif (a) {", "\t\tz();", "\t\treturn 1;", "\t}", "\treturn 0;"]);
    expect(edited(["\tif (a) /* why */", "\t\tx();", "\telse", "\t\ty();"], "x", (text, one) => insertAfter(text, one, ["z();"]))).toEqual(["\tif (a) { /* why */", "\t\tx();", "\t\tz();", "\t} else", "\t\ty();"]);
    expect(edited(["\tif (a)", "\t\tx();", "\telse", "\t\ty();"], "y", (text, one) => insertBefore(text, one, ["z();"]))).toEqual(["\tif (a)", "\t\tx();", "\telse {", "\t\tz();", "\t\ty();", "\t}"]);
    expect(edited(["\tfor (;;)", "\t\tbreak;"], "break", (text, one) => insertBefore(text, one, ["z();"]))).toEqual(["\tfor (;;) {", "\t\tz();", "\t\tbreak;", "\t}"]);
  });

  test("is not put on a line that has more on it", () => {
    expect(edited(["\tif (a) x();", "\ty();"], "x", (text, one) => insertBefore(text, one, ["z();"]))).toBeNull();
    expect(edited(["\tx(); y();"], "x", (text, one) => insertAfter(text, one, ["z();"]))).toBeNull();
  });
});

test("a statement goes with the test that has nothing left to do", () => {
  expect(edited(["\tif (a)", "\t\tx();", "\ty();"], "x", removeStatement)).toEqual(["\ty();"]);
  expect(edited(["\tif (g(a))", "\t\tx();", "\ty();"], "x", removeStatement)).toBeNull();
  expect(edited(["\tif (a)", "\t\tx();", "\telse", "\t\ty();"], "x", removeStatement)).toBeNull();
  expect(edited(["out:", "\tx();", "\ty();"], "x", removeStatement)).toEqual(["out:", "\ty();"]);
  expect(edited(["out:", "\tx();"], "x", removeStatement)).toBeNull();
});

test("another statement, another argument", () => {
  expect(edited(["\tif (a)", "\t\treturn g(a);"], "return", (text, one) => replaceStatement(text, one, ["x();", "return 0;"]))).toEqual(["\tif (a) {", "\t\tx();", "\t\treturn 0;", "\t}"]);
  expect(edited(["\tx(a, g(1, 2), \"b, c\");"], "x(", (text, one) => replaceArgument(text, one.at, 2, "d"))).toEqual(["\tx(a, g(1, 2), d);"]);
});

describe("a section", () => {
  const section = (lines: readonly string[], ...words: string[]): string[] | null => {
    const text = bodyOf(...lines);
    const edits = aroundSection(fn(text), { inside: words.map((word) => text.indexOf(word)), before: ["lock();"], after: ["unlock();"] });
    return edits && (withEdits(text, edits)?.split("\n").slice(2, -2) ?? null);
  };

  test("ends in front of every jump out of it", () => {
    expect(section(["\tfor (;;) {", "\t\tx();", "\t\tif (a)", "\t\t\tbreak;", "\t\twhile (b)", "\t\t\tbreak;", "\t\ty();", "\t}"], "x()", "y()")).toEqual(
      ["\tfor (;;) {", "\t\tlock();", "\t\tx();", "\t\tif (a) {", "\t\t\tunlock();", "\t\t\tbreak;", "\t\t}", "\t\twhile (b)", "\t\t\tbreak;", "\t\ty();", "\t\tunlock();", "\t}"]);
  });

  test("stands around the label that it comes back to, and behind one that is come to from above", () => {
    expect(section(["retry:", "\tx();", "\tif (a)", "\t\tgoto retry;", "\ty();"], "x()", "y()")?.slice(0, 2)).toEqual(["\tlock();", "retry:"]);
    expect(section(["\tif (a)", "\t\tgoto in;", "in:", "\tx();", "\ty();"], "x()", "y()")?.slice(2, 4)).toEqual(["in:", "\tlock();"]);
  });

  test("is not made where it is entered in the middle, or where it begins with a declaration", () => {
    expect(section(["\tif (a)", "\t\tgoto in;", "\tx();", "in:", "\ty();"], "x()", "y()")).toBeNull();
    expect(section(["\tint b = x();", "\ty(b);"], "x()", "y(")).toBeNull();
  });
});

test("labels and variables that lose their use go", () => {
  const text = bodyOf("\tint ret, b = 0;", "", "\tret = g(a);", "\tif (ret)", "\t\tgoto out;", "\tb = 1;", "out:", "\treturn b;");
  const made = fn(text);
  const of = (word: string) => statementAt(made, text.indexOf(word))!;
  const edits = withoutLeftovers(made, joined(replaceStatement(made, of("ret = g"), ["g(a);"]), removeStatement(made, of("if (ret)"))));
  expect(withEdits(text, edits ?? [])?.split("\n").slice(2, -2)).toEqual(["\tint b = 0;", "", "\tg(a);", "\tb = 1;", "\treturn b;"]);
});

describe("a hugetlb walk", () => {
  const walker = (...lines: string[]): string => ["static int toy_peek(struct mm_struct *mm, unsigned long addr)", "{", "\tstruct vm_area_struct *vma;", "\tpte_t *ptep = NULL;", "\tint ret = 0;", "", "\tmmap_read_lock(mm);", "\tvma = vma_lookup(mm, addr);", ...lines, "\tmmap_read_unlock(mm);", "\treturn ret;", "}", ""].join("\n");
  const fixesOf = (text: string, release: string) => review({ path: "mm/toy.c", text, kind: "c" }, { ...DEFAULT_OPTIONS, release, fixes: true }).flatMap((one) => one.findings).map((one) => one.fixes ?? []);
  const guarded = walker("\tif (vma && is_vm_hugetlb_page(vma)) {", "\t\tptep = huge_pte_offset(mm, addr, PMD_SIZE);", "\t\tif (ptep)", "\t\t\tret = pte_present(huge_ptep_get(ptep));", "\t}");

  test("is looked up with the function that asserts the lock, where there is one", () => {
    const [[fix] = []] = fixesOf(guarded, "6.6");
    expect(fix?.isProved).toBe(true);
    expect(applied(guarded, fix?.edits ?? [])).toContain("\t\tptep = hugetlb_walk(vma, addr, PMD_SIZE);");
    const [[older] = []] = fixesOf(guarded, "6.1");
    expect(applied(guarded, older?.edits ?? [])).toContain("huge_pte_offset(mm, addr, PMD_SIZE)");
  });

  test("gets no lock of a VMA before it is known that there is one, of hugetlb", () => {
    const late = walker("\tif (vma && is_vm_hugetlb_page(vma))", "\t\tptep = huge_pte_offset(mm, addr, PMD_SIZE);", "\tif (ptep)", "\t\tret = pte_present(huge_ptep_get(ptep));");
    expect(fixesOf(late, "6.1")).toEqual([[]]);
  });
});
