// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { functionOf } from "../../server/patch/hunk-function.ts";
import { quoteBlocks } from "../../server/patch/quote-block.ts";
import { readPatches } from "../../server/patch/read.ts";
import { readSeries } from "../../server/patch/series.ts";
import { lineIndex } from "../../server/text/line-index.ts";
import { hunksOf, linesOf } from "./check.ts";

const token = fc.constantFrom(
  "\n", "\n", "\n", "\n", "> ", ">", "| ", "|", ": ", "AB> ", "+", "-", " ", "  ", "\t", "\\", "@@ -1,3 +1,4 @@", "@@@ -1,2 -1,2 +1,3 @@@ f(", "@@@@ -1 -1 -1 +1 @@@@",
  "diff --cc x", "diff --git a/x b/x", "--- a/x", "+++ b/x", "Index: x", "=".repeat(67), "-- ", "index 1,2..3", "From a Fri Nov 20 03:53:35 2026", "Subject: [PATCH v2 1/2] a",
  "Subject: [RFC PATCH 0/2] a", "Re: [PATCH 1/2] a", "Message-ID: <a@b>", "In-Reply-To: <a@b>", "References: <a@b> <c@d>", "int f(void)", "{", "}", "foo(b);", "[...]",
  "<pre>", "</pre>", "<br>", "<!--", "-->", "&lt;", "&gt;", "&amp", "&#43;", "&#x2d;", '<a href="x">', "</a>", "<hr>", "<script>", "\r", "base-commit: aaaaaaaaaaaa",
  "Content-Type: multipart/mixed; boundary=x", "--x", "Content-Transfer-Encoding: base64", "Content-Type: text/plain; format=flowed", "=20", "=\n",
);

describe("any text of the pieces of mails and pages", () => {
  it("gives messages and lines that are in it, and a series", () => {
    fc.assert(fc.property(fc.array(token, { maxLength: 80 }), fc.constantFrom("", "<html><body><pre>\n"), (parts, opening) => {
      const text = opening + parts.join("");
      const document = readPatches(text);
      const index = lineIndex(text);
      for (const { startLine, bodyLine, endLine } of document.messages) {
        expect(startLine >= 1 && startLine <= endLine && startLine <= bodyLine && endLine <= index.lineCount).toBe(true);
      }
      expect(linesOf(document).filter((line) => index.lineOf(line.start) !== line.line)).toEqual([]);
      const { series, others } = readSeries([document, document]);
      const members = series.flatMap((each) => [each.cover, ...each.replies, ...each.patches.flatMap((patch) => [patch.mail, ...patch.superseded, ...patch.replies])]);
      expect(members.filter((mail) => mail !== null).length + others.length).toBeLessThanOrEqual(document.messages.length * 2);
      quoteBlocks(document);
      hunksOf(document).forEach(functionOf);
    }), { numRuns: 1000 });
  });
});

describe("a hostile text takes no more than linear time", () => {
  it.each([
    ["Index: heads", `Index: x\n${"=".repeat(67)}\n`], ["merges", "@@@ -1,9999 -1,9999 +1,9999 @@@\n++a\n"], ["many parents", `${"@".repeat(30)} -1 `], ["bars", "| +a;\n"], ["bars in quotes", "> | +a;\n>\n"],
    ["colons", ": +a;\n: b\n"], ["initials", "AB> CD> +a;\n"], ["references", "<a@b> "], ["brackets", "[PATCH "], ["replies", "Re: "], ["authors", "From: a@b "], ["attributions", "wrote wrote "],
    ["functions", "int f ("], ["words", "int "],
  ])("%s", (_, piece) => {
    const most = piece.repeat(Math.ceil(200_000 / piece.length));
    const before = performance.now();
    for (const opening of ["", "Subject: ", "References: ", "> ", "@@ -1 +1 @@ ", "Subject: a\n\n"]) {
      const document = readPatches(`${opening}${most}\n@@ -1 +1 @@ ${most.slice(0, 1000)}\n-a\n+b\n`);
      hunksOf(document).forEach(functionOf);
      quoteBlocks(document);
      readSeries([document]);
    }
    expect(performance.now() - before).toBeLessThan(5000);
  });
});
