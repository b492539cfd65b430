// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";

/** What archives do to a line; null where they drop it. */
const strippedLine = (line: string): string | null => {
  const text = line.replace(/\s+/g, " ").trim();
  return text === "" ? null : text;
};

/** The text as an archive that strips white space keeps it. */
export const stripWhiteSpace = (text: string): string =>
  text.split("\n").map(strippedLine).filter((line) => line !== null).join("\n");

/** The text as a reply of `depth` quotes it. */
export const quote = (text: string, depth: number): string =>
  text.split("\n").map((line) => `${"> ".repeat(depth)}${line}`).join("\n");

export const firstHunk = [
  "@@ -10,8 +10,10 @@ static int toy_walk(struct mm_struct *mm)",
  " {",
  " \tpte_t *ptep;",
  " ",
  "-\treturn 0;",
  "+\tptep = toy_offset(mm, 0);",
  "+\tif (!ptep)",
  "+\t\treturn -ENOENT;",
  " }",
  " ",
  " static void toy_free(void)",
  " {",
].join("\n");

/** A diff of one file with one hunk of 8 old and 10 new lines, two of them blank. */
export const diffText = [
  "diff --git a/mm/toy.c b/mm/toy.c",
  "index 7846ce8..04bdd92 100644",
  "--- a/mm/toy.c",
  "+++ b/mm/toy.c",
  firstHunk,
].join("\n");

/** A format-patch mail, with its trailing signature. */
export const mailText = (subject: string, diff: string): string => [
  "From 50a1827beff7afa07ecc26202feb3730298c2b06 Mon Sep 17 00:00:00 2001",
  "From: Example Developer <dev@example.org>",
  "Date: Fri, 20 Nov 2026 03:53:35 +0000",
  `Subject: ${subject}`,
  "Message-ID: <20261120-1-dev@example.org>",
  "",
  "The entry can be absent.",
  "",
  "Signed-off-by: Example Developer <dev@example.org>",
  "---",
  " mm/toy.c | 4 +++-",
  " 1 file changed, 3 insertions(+), 1 deletion(-)",
  "",
  diff,
  "-- ",
  "2.39.5",
  "",
  "",
].join("\n");

/** A line of a generated hunk. */
export interface SampleLine {
  readonly kind: "context" | "added" | "deleted";
  readonly text: string;
}

export interface SampleHunk {
  readonly lines: readonly SampleLine[];
  readonly oldCount: number;
  readonly newCount: number;
  /** Context lines that have no text. */
  readonly blanks: number;
}

const statement = fc.constantFrom(
  "\tspin_lock(ptl);", "\tpte_unmap(pte);", "\tif (!folio)", "\t\tgoto out;", "}", "{", "out:", "\t/* the entry may be gone */",
  "\tentry = ptep_get(pte);", "static int toy(void)", "\treturn  err;", " * a comment of its own", "#ifdef CONFIG_MMU",
  "\tfoo(a,  b,", "\t    c);",
);
const markers = { context: " ", added: "+", deleted: "-" } as const;

const line: fc.Arbitrary<SampleLine> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("context", "added", "deleted"), text: statement }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("context", "added"), text: fc.constant("") }) },
);

const hunk: fc.Arbitrary<SampleHunk> = fc.array(line, { minLength: 0, maxLength: 12 }).map((middle) => {
  // A hunk has a change, and its first and last lines are code, as in any real one.
  const lines: SampleLine[] = [
    { kind: "context", text: "{" }, ...middle, { kind: "added", text: "\tnew_call();" }, { kind: "context", text: "}" },
  ];
  return {
    lines,
    oldCount: lines.filter((each) => each.kind !== "added").length,
    newCount: lines.filter((each) => each.kind !== "deleted").length,
    blanks: lines.filter((each) => each.kind === "context" && each.text === "").length,
  };
});

/** Diffs of one to three files with one to three hunks. */
export const sampleFiles: fc.Arbitrary<readonly (readonly SampleHunk[])[]> =
  fc.array(fc.array(hunk, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });

const hunkText = (each: SampleHunk, at: number): string =>
  [
    `@@ -${at * 100 + 1},${each.oldCount} +${at * 100 + 1},${each.newCount} @@`,
    ...each.lines.map((item) => `${markers[item.kind]}${item.text}`),
  ].join("\n");

/** The diff of generated files, as git prints it. */
export const textOf = (files: readonly (readonly SampleHunk[])[]): string =>
  files
    .map((hunks, file) =>
      [
        `diff --git a/mm/file${file}.c b/mm/file${file}.c`, "index 7846ce8..04bdd92 100644",
        `--- a/mm/file${file}.c`, `+++ b/mm/file${file}.c`, ...hunks.map(hunkText),
      ].join("\n"))
    .join("\n");
