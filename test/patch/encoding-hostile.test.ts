// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPatches } from "../../server/patch/read.ts";
import { linesOf } from "./check.ts";

const diff = "diff --git a/mm/a.c b/mm/a.c\n--- a/mm/a.c\n+++ b/mm/a.c\n@@ -1 +1,2 @@\n int a;\n+int b;\n";
const fill = (piece: string, length: number): string => piece.repeat(Math.ceil(length / piece.length));
const mail = (fields: string, body: string): string => `From: Dev <dev@example.org>\nSubject: [PATCH] a\n${fields}\n${body}`;
const quotedPrintable = "Content-Transfer-Encoding: quoted-printable\n";
const base64 = "Content-Transfer-Encoding: base64\n";

/** A multipart in a multipart, and so on; all have boundaries of their own, or the same. */
const nested = (depth: number, boundary: (level: number) => string): string => {
  let [open, close] = ["", ""];
  for (let level = 0; level < depth; level += 1) {
    open += `Content-Type: multipart/mixed; boundary=${boundary(level)}\n\n--${boundary(level)}\n`;
    close = `--${boundary(level)}--\n${close}`;
  }
  return `From: Dev <dev@example.org>\nSubject: a\n${open}Content-Type: text/plain\n\n${diff}${close}`;
};

const large: readonly (readonly [string, string])[] = [
  ["one encoded line", mail(quotedPrintable, `${diff}+${fill("=3D", 1e6)}\n`)],
  ["escapes of nothing", mail(quotedPrintable, fill("=ZZ", 1e6))],
  ["soft breaks with blanks", mail(quotedPrintable, `=3D=3D=3D${fill(`=${" ".repeat(120)}`, 1e6)}`)],
  ["soft breaks only", mail(quotedPrintable, `${diff}+${fill("=\n", 1e6)}`)],
  ["encoded newlines", mail(quotedPrintable, `${diff}${fill("=0A", 1e6)}`)],
  ["bad base64", mail(base64, fill("####", 1e6))],
  ["half bad base64", mail(base64, `${"A".repeat(76)}\n${fill(`${"A".repeat(70)}!!!\n`, 1e6)}`)],
  ["padding only", mail(base64, `QUJD\n${fill("=", 1e6)}`)],
  ["one line of base64", mail(base64, Buffer.from(`${diff}${fill("+int c;\n", 1e6)}`).toString("base64"))],
  ["lines of one group", mail(base64, fill("QUJD\n", 1e6))],
  ["base64 of zeros", mail(base64, fill("AAAA", 1e6))],
  ["a header of one line", mail(`X-Long: ${fill("a", 1e6)}\n`, diff)],
  ["a folded header", mail(`Content-Type: multipart/mixed;\n${fill(" boundary=b;\n", 1e6)}`, diff)],
  ["parameters", mail(`Content-Type: text/plain; ${fill("a*0=x; a*1=y; ", 1e6)}\n`, diff)],
  ["an open string", mail(`Content-Type: text/plain; charset="${fill("\\\\", 1e6)}\n`, diff)],
  ["a charset of another kind", mail(`Content-Type: text/plain; charset="../../x"\n${quotedPrintable}`, `${diff}=E9\n`)],
  ["a charset in several bytes", mail(`Content-Type: text/plain; charset=gb18030\n${quotedPrintable}`, `${diff}${fill("=81=30", 3e5)}\n`)],
  ["utf-16", mail(`Content-Type: text/plain; charset=utf-16\n${base64}`, Buffer.from(diff, "utf16le").toString("base64"))],
  ["many parts", mail("Content-Type: multipart/mixed; boundary=b\n", fill(`--b\n\n${diff}`, 1e6))],
  ["many attachments", mail("Content-Type: multipart/mixed; boundary=b\n", fill(`--b\nContent-Type: text/x-diff\n\n${diff}`, 1e6))],
  ["parts within parts", nested(5000, (level) => `b${level}`)],
  ["parts within parts of the same boundary", nested(5000, () => "b")],
  ["mails within mails", fill("From: a\nSubject: b\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n", 1e6)],
  ["tails", `@@ -1 +1,2 @@\n a\n${fill("foo\n", 1e6)}+b\n`],
  ["doubtful tails", `@@ -1,9999 +1,9999 @@\n a\n${fill(`+${"x ".repeat(40)}\n- y\n`, 1e6)}`],
  ["stuffed lines", mail("Content-Type: text/plain; format=flowed\n", `@@ -1,9999 +1,9999 @@\n${fill("  a\n", 1e6)}`)],
];

describe("a large text that no mailer wrote", () => {
  it.each(large)("is read, or not, in linear time: %s", (_, text) => {
    const before = performance.now();
    readPatches(text);
    expect(performance.now() - before).toBeLessThan(5000);
  });
});

describe("a body of more than 8 MiB", () => {
  it.each([["base64", fill(`${"QUJD".repeat(19)}\n`, 9e6)], ["quoted-printable", fill(`${"=3D".repeat(25)}\n`, 9e6)]])("is not decoded from %s, and that is told", (name, body) => {
    const { patches, problems } = readPatches(mail(`Content-Transfer-Encoding: ${name}\n`, body));
    expect([patches.length, problems.map((problem) => problem.code)]).toEqual([0, ["encoded-body"]]);
  });
});

const token = fc.constantFrom(
  "\n", "\n", "\r\n", "--b\n", "--b--\n", "--c\n", "Content-Type: multipart/mixed; boundary=b\n", "Content-Type: multipart/alternative; boundary=\"c\"\n",
  "Content-Type: text/plain; charset=gb18030\n", "Content-Type: message/rfc822\n", "Content-Type: text/x-patch; name=a.patch\n", quotedPrintable, base64,
  "Content-Type: text/plain; format=flowed; delsp=yes\n", "Subject: a\n", "From: b\n", diff, "=\n", "=3D", "=20\n", "=E9", "=0A", "QUJD\n", "KysrIA==\n", "====\n",
  "@@ -1,3 +1,4 @@\n", "+x\n", " y\n", "> +z\n", "\u00e9", "\u{1F600}", "\u00c4\u00e3", `${"long ".repeat(20)}\n`, "- tail\n",
);

describe("random pieces of mails", () => {
  it("never fail, and every place is one of the document", () => {
    fc.assert(fc.property(fc.array(token, { maxLength: 40 }), (pieces) => {
      const text = `From: Dev <dev@example.org>\nSubject: a\n${pieces.join("")}`;
      const document = readPatches(text);
      const wrong = linesOf(document).filter(({ text: code, start, places }) =>
        start < 0 || start > text.length || (places !== null && (places.length !== code.length + 1 || places.some((at, index) => at > text.length || at < (places[index - 1] ?? 0)))));
      expect(wrong).toEqual([]);
    }), { numRuns: 1500 });
  });
});
