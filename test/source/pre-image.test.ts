// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Image } from "../../server/source/image.ts";
import { diffOf, hunksOf, mail, newOf, oldOf, preImages, type Edit } from "./toy-diff.ts";

const PATH = "mm/toy.c";
const lines = (count: number, word = "line"): string[] => Array.from({ length: count }, (_, index) => `\t${word}(${index});`);
const keep = (texts: readonly string[]): Edit[] => texts.map((text) => [" ", text] as const);
const text = (rows: readonly string[]): string => rows.map((row) => `${row}\n`).join("");

/** The file with one line changed in the middle. */
const EDITS: readonly Edit[] = [...keep(lines(20)), ["-", "\told();"], ["+", "\tnew();"], ["+", "\tmore();"], ...keep(lines(20, "below"))];
const DIFF = diffOf(hunksOf(EDITS));
const [OLD, NEW] = [oldOf(EDITS), newOf(EDITS)];

const only = (...given: Parameters<typeof preImages>) => preImages(...given)[0]!;
const summary = (...given: Parameters<typeof preImages>): unknown[] =>
  preImages(...given).map(({ origin, offset, fuzz, problems }) => [origin, offset, fuzz, ...problems.map(({ code }) => code)]);

/** Both sides are the files, and each line knows its places. */
function isWhole(diff: string, { images }: ReturnType<typeof only>, old: readonly string[], later: readonly string[]): void {
  expect(images?.oldLines).toEqual(old);
  expect(images?.newLines).toEqual(later);
  const document = diff.split("\n");
  for (const [image, rows, number] of [[images?.old, old, "oldLine"], [images?.new, later, "newLine"]] as const) {
    expect(image?.text).toBe(rows.join("\n"));
    expect(image?.lines.map((line) => line[number])).toEqual(rows.map((_, row) => row + 1));
    image?.lines.forEach((line, row) => {
      if (line.line === null) expect(line.changed).toBe(false);
      else expect(document[line.line - 1]?.slice(line.column)).toBe(rows[row]);
    });
  }
}

describe("the work tree", () => {
  test("has the file as the patch knows it", () => {
    const made = only(DIFF, { files: { [PATH]: text(OLD) } });
    expect([made.origin, made.offset, made.fuzz, made.fitsWorkTree]).toEqual(["work-tree", 0, 0, true]);
    isWhole(DIFF, made, OLD, NEW);
    // What the other side has stands between the lines of this one.
    expect(made.images?.new.missing?.map(({ row, text: code, place }) => [row, code, place.oldLine])).toEqual([[20, "\told();", 21]]);
    expect(made.images?.old.missing?.map(({ row, text: code, place }) => [row, code, place.newLine])).toEqual([[21, "\tnew();", 21], [21, "\tmore();", 22]]);
  });

  test("has other lines above, or fewer", () => {
    expect(summary(DIFF, { files: { [PATH]: text([...lines(7, "more"), ...OLD]) } })).toEqual([["work-tree", 7, 0]]);
    const fewer = only(DIFF, { files: { [PATH]: text(OLD.slice(10)) } });
    expect([fewer.origin, fewer.offset]).toEqual(["work-tree", 10]);
    isWhole(DIFF, fewer, OLD.slice(10), NEW.slice(10));
  });

  test("has other context at the edges of the hunk: those lines are the tree's, and not in the document", () => {
    const drifted = OLD.map((row) => (row === "\tline(17);" ? "\tother(17);" : row === "\tbelow(2);" ? "\tother(2);" : row));
    const made = only(DIFF, { files: { [PATH]: text(drifted) } });
    expect([made.origin, made.offset, made.fuzz]).toEqual(["work-tree", 0, 1]);
    expect(made.images?.newLines).toEqual(NEW.map((row) => (row === "\tline(17);" ? "\tother(17);" : row === "\tbelow(2);" ? "\tother(2);" : row)));
    expect(made.images?.new.lines[17]).toMatchObject({ line: null, newLine: 18, oldLine: 18 });
    expect(made.images?.new.lines[18]?.line).not.toBeNull();
    const further = drifted.map((row) => (row === "\tline(18);" ? "\tother(18);" : row));
    expect(summary(DIFF, { files: { [PATH]: text(further) } })).toEqual([["work-tree", 0, 2]]);
    expect(summary(DIFF, { files: { [PATH]: text(further.map((row) => (row === "\tline(19);" ? "\tother(19);" : row))) } })).toEqual([["fragment", 0, 0, "preimage-not-applied"]]);
  });

  test("has the patch already", () => {
    const made = only(DIFF, { files: { [PATH]: text([...lines(3, "more"), ...NEW]) } });
    expect([made.origin, made.offset]).toEqual(["applied", 3]);
    isWhole(DIFF, made, [...lines(3, "more"), ...OLD], [...lines(3, "more"), ...NEW]);
  });

  test("has the code twice: at neither place for sure", () => {
    const moved = [...lines(3, "more"), ...OLD, ...OLD];
    const made = only(DIFF, { files: { [PATH]: text(moved) } });
    expect([made.origin, made.problems[0]?.message]).toEqual(["fragment", "this hunk applies at more than one place to the tree: mm/toy.c was reviewed from its hunks alone"]);
    // Where one of them is the place of the header it is that one.
    expect(summary(DIFF, { files: { [PATH]: text([...OLD, ...OLD]) } })).toEqual([["work-tree", 0, 0]]);
    // A file that has both sides of the patch may be before it or behind it.
    expect(summary(DIFF, { files: { [PATH]: text([...lines(3, "more"), ...OLD, ...NEW]) } })).toEqual([["fragment", 0, 0, "preimage-not-applied"]]);
  });

  test("has the patch in part", () => {
    const two: Edit[] = [...EDITS, ["+", "\tlast();"], ...keep(lines(9, "end"))];
    const half: Edit[] = [...EDITS, ...keep(lines(9, "end"))];
    expect(summary(diffOf(hunksOf(two)), { files: { [PATH]: text(newOf(half)) } })).toEqual([["fragment", 0, 0, "preimage-not-applied"]]);
  });

  test("has returns at the ends of its lines", () => {
    const crlf = OLD.map((row) => `${row}\r\n`).join("");
    const made = only(DIFF, { files: { [PATH]: crlf } });
    expect(made.origin).toBe("work-tree");
    isWhole(DIFF, made, OLD, NEW);
    expect(summary(DIFF.replaceAll("\n", "\r\n"), { files: { [PATH]: text(OLD) } })).toEqual([["work-tree", 0, 0]]);
  });

  test("has no line end at the end of the file", () => {
    const edits: Edit[] = [...keep(lines(9)), ["-", "}"], ["+", "\tlast();"], ["+", "}"]];
    const diff = diffOf(hunksOf(edits)).replace("-}\n", "-}\n\\ No newline at end of file\n");
    const made = only(diff, { files: { [PATH]: oldOf(edits).join("\n") } });
    expect(made.origin).toBe("work-tree");
    isWhole(diff, made, oldOf(edits), newOf(edits));
    // A hunk that ends without context ends the file: where more follows, its edges differ.
    expect(summary(diff, { files: { [PATH]: text([...oldOf(edits), "int more;"]) } })).toEqual([["work-tree", 0, 1]]);
  });

  test("is asked for the old name of a file, and for the new one where it has the patch", () => {
    const diff = `diff --git a/mm/old.c b/mm/toy.c\nsimilarity index 90%\nrename from mm/old.c\nrename to mm/toy.c\n--- a/mm/old.c\n+++ b/mm/toy.c\n${hunksOf(EDITS)}`;
    const made = only(diff, { files: { "mm/old.c": text(OLD) } });
    expect([made.origin, made.images?.old.path, made.images?.new.path]).toEqual(["work-tree", "mm/old.c", PATH]);
    expect(summary(diff, { files: { [PATH]: text(NEW) } })).toEqual([["applied", 0, 0]]);
    expect(summary(diff, { files: { [PATH]: text(OLD) } })).toEqual([["fragment", 0, 0]]);
  });

  test("is not asked for files that the patch adds or takes away", () => {
    const added = `diff --git a/${PATH} b/${PATH}\nnew file mode 100644\n--- /dev/null\n+++ b/${PATH}\n@@ -0,0 +1,1 @@\n+int toy;\n`;
    const deleted = `diff --git a/${PATH} b/${PATH}\ndeleted file mode 100644\n--- a/${PATH}\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-int toy;\n`;
    expect(summary(added, { files: { [PATH]: "int other;\n" } })).toEqual([["new-file", 0, 0]]);
    expect(summary(deleted, { files: { [PATH]: "int toy;\n" } })).toEqual([["fragment", 0, 0]]);
  });
});

describe("the blob of the index line", () => {
  const named = (old: string): string => diffOf(hunksOf(EDITS), PATH, `index ${old}..2222222 100644\n`);

  test("comes before the work tree and must take the hunks where they are", () => {
    expect(summary(named("1111111"), { blobs: { "1111111": text(OLD) }, files: { [PATH]: text(NEW) } })).toEqual([["blob", 0, 0]]);
    expect(summary(named("1111111"), { blobs: { "1111111": text(["\tmore();", ...OLD]) }, files: { [PATH]: text(OLD) } })).toEqual([["work-tree", 0, 0, "preimage-blob"]]);
    expect(summary(named("1111111"), { blobs: { "1111111": text(["\tmore();", ...OLD]) } })).toEqual([["fragment", 0, 0, "preimage-blob"]]);
  });
});

describe("diffs that do not say all", () => {
  const tree = { files: { [PATH]: text(OLD) } };

  test.each([
    ["a line is lost", DIFF.replace(" \tbelow(1);\n", "")],
    ["a line too many", DIFF.replace("+\tmore();\n", "+\tmore();\n+\tmore();\n")],
    ["no context and no header", DIFF.replace(/^@@.*$/m, "@@")],
    ["a merge", DIFF.replace(/^diff --git.*$/m, "diff --cc mm/toy.c").replace(/^@@ -(\S+) \+(\S+) @@$/m, "@@@ -$1 -$1 +$2 @@@").replace(/^([ +-])\t/gm, "$1$1\t")],
    ["quoted", `> ${DIFF.trimEnd().replaceAll("\n", "\n> ")}\n`],
    ["twice in one patch", `${DIFF}${DIFF}`],
  ])("%s", (_, diff) => {
    for (const made of preImages(diff, tree)) expect([made.origin, made.images]).toEqual(["fragment", null]);
  });

  test("without context a place must still be told by its lines", () => {
    const bare = diffOf(hunksOf(EDITS.map((edit) => edit), 0));
    expect(summary(bare, tree)).toEqual([["work-tree", 0, 0]]);
    const inserted = diffOf(hunksOf([...keep(lines(9)), ["+", "\tnew();"], ...keep(lines(9, "below"))], 0));
    expect(summary(inserted, { files: { [PATH]: text([...lines(9), ...lines(9, "below")]) } })).toEqual([["fragment", 0, 0, "preimage-not-applied"]]);
  });
});

describe("patches that stand on each other", () => {
  const SECOND: readonly Edit[] = [...keep(NEW.slice(0, 20)), ["-", "\tnew();"], ["+", "\tnewer();"], ...keep(NEW.slice(21))];
  const second = diffOf(hunksOf(SECOND));
  const tree = { files: { [PATH]: text(OLD) } };

  test("in a series", () => {
    const mbox = mail("[PATCH 1/2] mm: one", DIFF) + mail("[PATCH 2/2] mm: two", second);
    expect(summary(mbox, tree)).toEqual([["work-tree", 0, 0], ["series", 0, 0]]);
    expect(preImages(mbox, tree)[1]?.images?.newLines).toEqual(newOf(SECOND));
  });

  test("in a row without numbers, where they fit", () => {
    expect(summary(mail("[PATCH] mm: one", DIFF) + mail("[PATCH] mm: two", second), tree)).toEqual([["work-tree", 0, 0], ["series", 0, 0]]);
    // Two patches to the same code that know nothing of each other.
    const other = diffOf(hunksOf(EDITS.map(([sign, code]) => [sign, code === "\tnew();" ? "\tother();" : code] as const)));
    expect(summary(mail("[PATCH] mm: one", DIFF) + mail("[PATCH] mm: two", other), tree)).toEqual([["work-tree", 0, 0], ["work-tree", 0, 0]]);
  });

  test("two versions of a series do not stand on each other", () => {
    expect(summary(mail("[PATCH 1/2] mm: one", DIFF) + mail("[PATCH v2 1/2] mm: one", DIFF), tree)).toEqual([["work-tree", 0, 0], ["work-tree", 0, 0]]);
  });

  test("on a file that the series adds", () => {
    const added = `diff --git a/${PATH} b/${PATH}\nnew file mode 100644\n--- /dev/null\n+++ b/${PATH}\n@@ -0,0 +1,${OLD.length} @@\n${OLD.map((row) => `+${row}\n`).join("")}`;
    expect(summary(mail("[PATCH 1/2] mm: add", added) + mail("[PATCH 2/2] mm: change", DIFF), {})).toEqual([["new-file", 0, 0], ["series", 0, 0]]);
  });

  test("on nothing, where the first one does not fit, is missing, or is not of the series", () => {
    const broken = DIFF.replace("\told();", "\tunknown();");
    const elsewhere = diffOf(hunksOf([...keep(OLD), ["+", "\tend();"]]));
    expect(summary(mail("[PATCH 1/2] mm: one", broken) + mail("[PATCH 2/2] mm: two", elsewhere), tree)).toEqual([["fragment", 0, 0, "preimage-not-applied"], ["fragment", 0, 0, "preimage-series"]]);
    expect(summary(mail("[PATCH 2/2] mm: two", elsewhere), tree)).toEqual([["fragment", 0, 0, "preimage-series"]]);
    // A tree that has this patch has those before it.
    expect(summary(mail("[PATCH 2/2] mm: two", elsewhere), { files: { [PATH]: text([...OLD, "\tend();"]) } })).toEqual([["applied", 0, 0]]);
  });
});

/** Files of few different lines, so that context repeats, and edits at any place. */
const edits = fc.array(fc.tuple(fc.constantFrom<Edit[0]>(" ", " ", " ", " ", "+", "-"), fc.integer({ min: 0, max: 40 })), { minLength: 1, maxLength: 120 })
  .map((list) => list.map(([sign, number]): Edit => [sign, number < 8 ? ["", "}", "\t}", "{", "\tgoto out;", "\tbreak;", "\treturn 0;", "\t/* text */"][number]! : `\tcall(${number});`]))
  .filter((list) => list.some(([sign]) => sign !== " "));

const sides = (image: Image | undefined): string[] | undefined => image?.text.split("\n");

test("any edit of any file: both sides come out of the tree and the patch as they are", () => {
  fc.assert(fc.property(edits, fc.integer({ min: 0, max: 4 }), fc.boolean(), (list, context, ends) => {
    const [old, later] = [oldOf(list), newOf(list)];
    fc.pre(old.length > 0 && later.length > 0);
    const diff = diffOf(hunksOf(list, context), PATH, "index 1111111..2222222 100644\n");
    const file = ends ? text(old) : old.join("\n");
    const made = only(diff, { blobs: { "1111111": file } });
    // An empty last line without its end is no line.
    fc.pre(ends || old.at(-1) !== "");
    expect(made.origin).toBe("blob");
    isWhole(diff, made, old, later);
  }));
});

test("any edit of a file that was changed elsewhere since: applied in the right place, or not at all", () => {
  fc.assert(fc.property(edits, fc.integer({ min: 0, max: 9 }), fc.boolean(), (list, above, isApplied) => {
    const more = Array.from({ length: above }, (_, index) => `\tabove(${index});`);
    const [old, later] = [[...more, ...oldOf(list)], [...more, ...newOf(list)]];
    fc.pre(oldOf(list).length > 0 && newOf(list).length > 0);
    const diff = diffOf(hunksOf(list));
    const made = only(diff, { files: { [PATH]: text(isApplied ? later : old) } });
    if (made.images === null) return;
    // A file of repeating lines can look like the other side of the patch; what comes out fits the diff in any case.
    const [was, is] = [sides(made.images.old), sides(made.images.new)];
    expect(made.origin === "applied" ? is : was).toEqual(isApplied ? later : old);
    if ((made.origin === "applied") === isApplied && made.offset === above) expect([was, is]).toEqual([old, later]);
  }));
});

test("hunks of lines that do not repeat are found wherever they have moved to", () => {
  const unique = fc.uniqueArray(fc.integer({ min: 0, max: 9999 }), { minLength: 12, maxLength: 80 });
  fc.assert(fc.property(unique, fc.infiniteStream(fc.constantFrom<Edit[0]>(" ", " ", " ", " ", " ", "+", "-")), fc.integer({ min: 0, max: 30 }), fc.boolean(), (numbers, signs, above, isApplied) => {
    const list = numbers.map((number): Edit => [signs.next().value, `\tcall(${number});`]);
    // Lines that stay at both ends: a hunk at the edge of a file says that nothing is above.
    const whole: Edit[] = [...keep(lines(6, "first")), ...list, ...keep(lines(6, "last"))];
    fc.pre(whole.some(([sign]) => sign !== " "));
    const more = lines(above, "above");
    const [old, later] = [[...more, ...oldOf(whole)], [...more, ...newOf(whole)]];
    const diff = diffOf(hunksOf(whole));
    const made = only(diff, { files: { [PATH]: text(isApplied ? later : old) } });
    expect([made.origin, made.offset, made.fuzz]).toEqual([isApplied ? "applied" : "work-tree", above, 0]);
    isWhole(diff, made, old, later);
  }));
});

test("a file and a patch made to be slow are given up", () => {
  const same = "\tsame();";
  const hunk = `@@ -900000,${2000} +900000,${2001} @@\n${` ${same}\n`.repeat(1999)}+\tnew();\n \tother();\n`;
  const before = performance.now();
  const files = { [PATH]: text(Array.from({ length: 150_000 }, () => same)) };
  const many = Array.from({ length: 30 }, (_, index) => mail(`[PATCH] mm: ${index}`, diffOf(hunk))).join("");
  const made = preImages(many, { files });
  expect(made.map(({ origin }) => origin)).toEqual(Array.from({ length: 30 }, () => "fragment"));
  expect(made[0]?.problems[0]?.message).toContain("is too long to be looked for in the tree");
  expect(performance.now() - before).toBeLessThan(5000);
});
