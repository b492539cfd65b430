// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import type { PatchDocument } from "../../server/patch/model.ts";
import { readPatches } from "../../server/patch/read.ts";
import { lineIndex } from "../../server/text/line-index.ts";
import { brief, codes, expectExactPositions, hunksOf, linesOf } from "./check.ts";

const head = "diff --git a/mm/toy.c b/mm/toy.c\n--- a/mm/toy.c\n+++ b/mm/toy.c\n";
const hunk = "@@ -1,2 +1,3 @@\n int a;\n \n+\tint b = toy(a);\n";
const diff = head + hunk;
const lines = [" int a; @1/1", "  @2/2", "+\tint b = toy(a); @3/."];

const mail = (fields: string, body: string): string => `From: Dev <dev@example.org>\nSubject: [PATCH] a\n${fields}\n${body}`;
const encoded = (encoding: string, body: string, charset = "utf-8"): string =>
  mail(`Content-Type: text/plain; charset=${charset}\nContent-Transfer-Encoding: ${encoding}\n`, body);
const base64 = (text: string | Uint8Array, width = 76): string =>
  (Buffer.from(text).toString("base64").match(new RegExp(`.{1,${width}}`, "g")) ?? []).join("\n");

/** Line and column (from 1) of a piece of a line, as the document has it. */
const placeOf = (document: PatchDocument, text: string): string => {
  const line = linesOf(document).find((each) => each.text.includes(text));
  if (line === undefined) return "absent";
  const at = line.text.indexOf(text);
  const { line: row, column } = lineIndex(document.text).positionOf(line.places?.[at] ?? line.start + at);
  return `${row}:${column + 1}`;
};

describe("quoted-printable", () => {
  it("is decoded, and every character keeps its place", () => {
    const document = readPatches(encoded("quoted-printable", `${head}@@ -1,2 +1,3 @@\n int a;\n=20\n+=09int b =3D to=\ny(a);\n`));
    expect(linesOf(document).map(brief)).toEqual(lines);
    expect(codes(document)).toEqual([]);
    expect(["int b", "= toy", "toy(", "y(a)"].map((text) => placeOf(document, text))).toEqual(["12:5", "12:11", "12:15", "13:1"]);
    expectExactPositions(document);
  });

  it("gives a line whose marker stands alone the line of its first character", () => {
    const document = readPatches(encoded("quoted-printable", `${head}@@ -1 +1,2 @@\n int a;\n+=\n\tb();\n`));
    expect(linesOf(document).map((line) => [line.text, line.line])).toEqual([["int a;", 10], ["\tb();", 12]]);
    expectExactPositions(document);
  });

  it("ends a line where a newline is encoded", () => {
    const document = readPatches(encoded("quoted-printable", `${head}${hunk.replaceAll("\n", "=0D=0A=\n").replace("b =", "b =3D")}`));
    expect(linesOf(document).map(brief)).toEqual(lines);
    expectExactPositions(document);
  });

  it("is found where nothing declares it, and told", () => {
    const body = `${head}@@ -1,2 +1,4 @@\n int a =3D 1;\n=20\n+\tint b =3D ${" ".repeat(50)}toy(=\na);\n+\tint c =3D 0;=\n\n`;
    const document = readPatches(mail("", body));
    expect(linesOf(document).map((line) => line.text)).toEqual(["int a = 1;", "", `\tint b = ${" ".repeat(50)}toy(a);`, "\tint c = 0;"]);
    expect(codes(document)).toEqual(["encoding-undeclared"]);
    expectExactPositions(document);
  });

  it("is not believed where the lines are plain C", () => {
    const document = readPatches(encoded("quoted-printable", `${head}@@ -1,1 +1,3 @@\n int a;\n+\tb = c;\n+\td == 20;\n`));
    expect(linesOf(document).map((line) => line.text)).toEqual(["int a;", "\tb = c;", "\td == 20;"]);
    expect(codes(document)).toEqual(["encoding-not-used"]);
  });

  it("keeps what escapes nothing, and tells where", () => {
    const document = readPatches(encoded("quoted-printable", `${head}@@ -1 +1,2 @@\n int a =3D 1;\n+\tb =ZZ c =3D d;\n`));
    expect(linesOf(document).map((line) => line.text)).toEqual(["int a = 1;", "\tb =ZZ c = d;"]);
    expect(document.problems).toMatchObject([{ code: "encoding-damaged", line: 11 }]);
  });
});

describe("base64", () => {
  it.each([4, 40, 76, 4000])("is decoded from lines of %i characters", (width) => {
    const document = readPatches(encoded("base64", `${base64(diff, width)}\n`));
    expect(linesOf(document).map(brief)).toEqual(lines);
    expect(codes(document)).toEqual([]);
    expectExactPositions(document);
  });

  it("is decoded where the text inside has CRLF", () => {
    const document = readPatches(encoded("base64", `${base64(diff.replaceAll("\n", "\r\n"))}\n`).replaceAll("\n", "\r\n"));
    expect(linesOf(document).map(brief)).toEqual(lines);
    expectExactPositions(document);
  });

  it("ends at the footer of a list", () => {
    const document = readPatches(encoded("base64", `${base64(diff)}\n\n_______________\nlist mailing list\nlist@example.org\n`));
    expect(linesOf(document).map(brief)).toEqual(lines);
    expect(codes(document)).toEqual([]);
  });

  it("goes on with an encoded footer", () => {
    const document = readPatches(encoded("base64", `${base64(`${diff}-- \n2.39.5`)}\n${base64("\n_________\nlist mailing list\n")}\n`));
    expect(linesOf(document).map(brief)).toEqual(lines);
    expect(document.patches[0]?.prose.at(-1)?.text).toBe("list mailing list");
  });

  it("is read over a few wrong characters, and told", () => {
    const document = readPatches(encoded("base64", `${base64(diff).replace(/^.{76}/, (line) => `${line.slice(0, 40)}!${line.slice(40)}`)}\n`));
    expect(linesOf(document).map(brief)).toEqual(lines);
    expect(document.problems).toMatchObject([{ code: "encoding-damaged", line: 6 }]);
  });

  it("is not believed where the lines are plain", () => {
    const document = readPatches(encoded("base64", diff));
    expect([linesOf(document).map(brief), codes(document)]).toEqual([lines, ["encoding-not-used"]]);
    expectExactPositions(document);
  });
});

describe("charsets", () => {
  const withComment = (comment: string): string => `${head}@@ -1 +1,2 @@\n int a;\n+\tb(); /* ${comment} */ c();\n`;
  it.each([
    ["utf-8", Buffer.from("\u00e9\u{1F600}\u20ac"), "\u00e9\u{1F600}\u20ac"],
    ["iso-8859-1", Buffer.of(0xe9, 0xfc), "\u00e9\u00fc"],
    ["windows-1251", Buffer.of(0xcf, 0xf0), "\u041f\u0440"],
    ["gb18030", Buffer.of(0xc4, 0xe3, 0xba, 0xc3, 0x81, 0x5c), "\u4f60\u597d\u4e57"],
    ["us-ascii", Buffer.from("\u00e9"), "\u00e9"],
    ["unknown-8bit", Buffer.of(0xe9, 0x20, 0xfc), "\u00e9 \u00fc"],
  ])("%s", (charset, bytes, text) => {
    const [before = "", after = ""] = withComment("@").split("@ */").map((part, at) => (at === 0 ? part : ` */${part}`));
    for (const encoding of ["quoted-printable", "base64"]) {
      const body = Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);
      const qp = (part: string): string => part.replaceAll("=", "=3D");
      const payload = encoding === "base64" ? base64(body)
        : qp(before) + [...bytes].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("") + qp(after);
      const document = readPatches(encoded(encoding, `${payload}\n`, charset));
      expect(linesOf(document).at(-1)?.text).toBe(`\tb(); /* ${text} */ c();`);
      expectExactPositions(document);
    }
  });

  it("reads a name that no one knows, and bytes that do not fit, as latin1, and tells it", () => {
    for (const charset of ["../../x", "utf-8", "x".repeat(100_000)]) {
      const document = readPatches(encoded("quoted-printable", withComment("=E9").replace(/=(?!E9)/g, "=3D"), charset));
      expect(linesOf(document).at(-1)?.text).toBe("\tb(); /* \u00e9 */ c();");
      expect(codes(document)).toEqual(["charset-doubtful"]);
    }
  });

  it("finds the characters of a mail that was read as latin1", () => {
    const bytes = Buffer.concat([Buffer.from(withComment("a")), Buffer.from("\\ x\n"), Buffer.of(0xc4, 0xe3, 0x5c)]).toString("latin1");
    const document = readPatches(encoded("8bit", bytes.replace("/* a", `/* ${Buffer.of(0xc4, 0xe3).toString("latin1")}`), "gb18030"));
    expect(linesOf(document).at(-1)?.text).toBe("\tb(); /* \u4f60 */ c();");
    expect(linesOf(document).at(-1)?.places?.at(-1)).toBe(document.text.indexOf("c();") + 4);
  });
});

describe("white space", () => {
  it("no-break spaces are blanks, and told", () => {
    const document = readPatches(`${head}@@ -1,2 +1,3 @@\n\u00a0int a;\n \n+\u00a0 \u00a0 int b = toy(a);\n`);
    expect(linesOf(document).map((line) => line.text)).toEqual(["int a;", "", "    int b = toy(a);"]);
    expect(document.problems).toMatchObject([{ code: "blanks-replaced", line: 5 }]);
    expectExactPositions(document);
  });

  const stuffed = `${head}@@ -1,5 +1,6 @@\n  int f(void)\n  {\n  \tint a;\n  \n+\tint b;\n  }\n`;
  it.each([["declared", "Content-Type: text/plain; format=flowed\n", []], ["not declared", "", ["stuffing-undone"]]])(
    "a blank before context lines is taken off: %s", (_, fields, expected) => {
      const document = readPatches(mail(fields, stuffed));
      expect(linesOf(document).map((line) => line.text)).toEqual(["int f(void)", "{", "\tint a;", "", "\tint b;", "}"]);
      expect(codes(document)).toEqual(expected);
      expectExactPositions(document);
    });

  it.each([
    ["a comment", "@@ -1,3 +1,4 @@\n  * one\n  * two\n+ * new\n  * three\n"],
    ["a flowed mail that nothing was put into", "@@ -1,3 +1,4 @@\n int f(void)\n {\n+\tint a;\n \tb();\n"],
  ])("a blank that belongs to the code stays: %s", (_, body) => {
    expect(codes(readPatches(mail("", `${head}@@ -1,3 +1,4 @@\n   - one\n   - two\n+  - new\n   - three\n`)))).toEqual([]);
    for (const fields of ["", "Content-Type: text/plain; format=flowed\n"]) {
      const document = readPatches(mail(fields, head + body));
      expect(linesOf(document).map((line) => line.text)).toEqual(body.split("\n").slice(1, -1).map((line) => line.slice(1)));
      expect(codes(document)).toEqual([]);
    }
  });
});

describe("text inside a hunk", () => {
  it("is no line of it, and told", () => {
    const document = readPatches(`${head}@@ -1,3 +1,4 @@\n int f(void)\n+\tint a;\n\nThis one is new because\nof that.\n\n }\n`);
    expect(linesOf(document).map((line) => line.text.trim())).toEqual(["int f(void)", "int a;", "", ""]);
    expect(document.problems).toMatchObject([{ code: "text-in-hunk", line: 8 }]);
  });
});

describe("wrapped lines", () => {
  const long = "\tif (is_swap_pmd(*pmd) || pmd_trans_huge(*pmd) || pmd_devmap(*pmd)";
  it.each([
    ["between two others", `@@ -1,2 +1,3 @@\n a;\n+${long}\n|| pmd_none(*pmd))\n b;\n`, ["a;", `${long} || pmd_none(*pmd))`, "b;"], ["wrapped-line"]],
    ["twice", `@@ -1,2 +1,3 @@\n a;\n+${long}\n|| pmd_none(*pmd)\n|| c)\n b;\n`, ["a;", `${long} || pmd_none(*pmd) || c)`, "b;"], ["wrapped-line", "wrapped-line"]],
    ["the last", `@@ -1,1 +1,2 @@\n a;\n+${long}\n|| pmd_none(*pmd))\n-- \n2.39.5\n`, ["a;", `${long} || pmd_none(*pmd))`], ["wrapped-line"]],
    ["at a minus", `@@ -1,2 +1,3 @@\n a;\n+${long}\n- pmd_val(*pmd))\n b;\n-- \n2.39.5\n`, ["a;", `${long} - pmd_val(*pmd))`, "b;"], ["wrapped-line", "marker-doubtful"]],
    ["at the end of a macro", `@@ -1,2 +1,3 @@\n a;\n+#define TOY(a) do { first_of_two_calls(a); second_of_two_calls(a);\n\\\n b;\n`,
      ["a;", "#define TOY(a) do { first_of_two_calls(a); second_of_two_calls(a); \\", "b;"], ["wrapped-line"]],
  ])("%s", (_, body, texts, expected) => {
    const document = readPatches(head + body);
    expect(linesOf(document).map((line) => line.text)).toEqual(texts);
    expect(codes(document)).toEqual(expected);
    expectExactPositions(document);
  });

  it("a blank that only says that the line flows is taken off", () => {
    const body = `${head}@@ -1,2 +1,3 @@\n  a;\n+${long}  \n|| pmd_none(*pmd)) \n  }\n-- \n2.39.5\n`;
    const document = readPatches(mail("Content-Type: text/plain; format=flowed; delsp=yes\n", body));
    expect(linesOf(document).map((line) => line.text)).toEqual(["a;", `${long} || pmd_none(*pmd))`, "}"]);
    expectExactPositions(document);
  });

  it("the rest of a hunk header belongs to its section", () => {
    const document = readPatches(`${head}@@ -5,1 +5,2 @@ static int toy_walk(struct mm_struct *mm, \nunsigned long addr\n a;\n+b;\n`);
    expect(hunksOf(document)).toMatchObject([{ section: "static int toy_walk(struct mm_struct *mm, unsigned long addr", lines: [{ text: "a;" }, { text: "b;" }] }]);
  });

  it("prose below a hunk is none", () => {
    const document = readPatches(`${head}@@ -1,1 +1,2 @@\n a;\n+${long.slice(0, 30)}\nThanks.\n`);
    expect(linesOf(document).at(-1)?.text).toBe(long.slice(0, 30));
  });
});

const part = (fields: string, body: string): string => `--bb\n${fields}\n${body}\n`;
const multipart = (kind: string, parts: string): string =>
  mail(`MIME-Version: 1.0\nContent-Type: multipart/${kind}; boundary="bb"\n`, `This is a multi-part message.\n${parts}`);
const plain = "Content-Type: text/plain; charset=utf-8\n";

describe("parts", () => {
  it.each([
    ["mixed, with a patch attached", multipart("mixed", `${part(plain, "Text.\n")}${part("Content-Type: text/x-patch; name=\"0001-a.patch\"\nContent-Disposition: attachment\n", diff)}--bb--\n`)],
    ["mixed, with an attachment of bytes", multipart("mixed", `${part(plain, "Text.\n")}${part("Content-Type: application/octet-stream;\n name*0=a.pa; name*1=tch\nContent-Transfer-Encoding: base64\n", base64(diff))}--bb--\n`)],
    ["alternative", multipart("alternative", `${part("Content-Type: text/html\n", "<pre>x</pre>")}${part(plain, diff)}--bb--\n`)],
    ["signed, the text encoded", multipart("signed", `${part(`${plain}Content-Transfer-Encoding: quoted-printable\n`, diff.replaceAll("=", "=3D"))}${part("Content-Type: application/pgp-signature\n", "-----BEGIN")}--bb--\n`)],
    ["nested", multipart("mixed", `${part("Content-Type: multipart/related; boundary=\"inner (1)\"\n", `--inner (1)\n${plain}\n${diff}\n--inner (1)--\n`)}${part(plain, "_____\nlist footer\n")}--bb--\n`)],
    ["a part without a header", multipart("mixed", `--bb\n\n${diff}\n--bb--\n`)],
  ])("%s", (_, text) => {
    const document = readPatches(text);
    expect(document.patches).toMatchObject([{ form: "mail", subject: "[PATCH] a" }]);
    expect([linesOf(document).map(brief), codes(document)]).toEqual([lines, []]);
    expectExactPositions(document);
  });

  it.each([
    ["the last boundary is missing", multipart("mixed", part(plain, diff)), "multipart-truncated"],
    ["no boundary is left", mail("Content-Type: multipart/mixed; boundary=bb\n", diff), "multipart-damaged"],
    ["no boundary is named", mail("Content-Type: multipart/mixed\n", diff), "multipart-damaged"],
  ])("reads on where %s", (_, text, code) => {
    const document = readPatches(text);
    expect([linesOf(document).map(brief), codes(document)]).toEqual([lines, [code]]);
  });

  it("keeps further patches, and attached mails, apart", () => {
    const attached = (name: string, body: string): string => part(`Content-Type: text/x-diff; name=${name}\n`, body);
    const inner = `From ${"a".repeat(40)} Mon Sep 17 00:00:00 2001\nFrom: Dev <dev@example.org>\nSubject: [PATCH] inner\n\nText.\n---\n${diff}`;
    const text = multipart("mixed", `${part(plain, "Two.\n")}${attached("a.patch", diff)}${attached("b.patch", diff)}${attached("c.patch", inner)}--bb--\n`);
    const document = readPatches(text);
    expect(document.patches.map((patch) => [patch.subject, patch.files.length])).toEqual([["[PATCH] a", 1], ["[PATCH] a", 1], ["[PATCH] inner", 1]]);
    expectExactPositions(document);
  });

  it("tells a text that is only there as HTML", () => {
    expect(codes(readPatches(multipart("mixed", `${part("Content-Type: text/html\n", "<p>")}--bb--\n`)))).toEqual(["part-skipped"]);
  });

  it("quotes are read from encoded replies", () => {
    const quoted = diff.split("\n").map((line) => `> ${line}`).join("\n");
    const document = readPatches(encoded("base64", `${base64(`On Monday, Dev wrote:\n${quoted}\n\nWhy?\n`)}\n`));
    expect(document.patches).toMatchObject([{ form: "quoted", remarks: [{ text: "Why?" }] }]);
    expect([hunksOf(document).length, linesOf(document).map(brief)]).toEqual([1, lines]);
    expectExactPositions(document);
  });
});
