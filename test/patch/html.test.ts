// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PatchDocument } from "../../server/patch/model.ts";
import { readPatches } from "../../server/patch/read.ts";
import { lineIndex } from "../../server/text/line-index.ts";
import { brief, codes, linesOf } from "./check.ts";
import { diffText, quote, sampleFiles, textOf } from "./sample.ts";

const code = diffText.replace("toy_offset(mm, 0)", "toy_offset(&mm->a, 0 < 1)");
const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const body = (text: string): string => `The entry can be absent.\n\nSigned-off-by: Example Developer &lt;<a href="mailto:dev@xxxxxxx">dev@xxxxxxx</a>&gt;\n---\n${escaped(text)}\n-- \n2.39.5\n`;

/** Pages in the manner of three archives, with a text between their navigation. */
const pages: Readonly<Record<string, (text: string) => string>> = {
  "one big <pre> with the header": (text) => `<!DOCTYPE html>
<html><head>
<title>'[PATCH v2 1/2] mm: toys' - ARCHIVE</title>
<style type="text/css">
pre > b { color: red }
</style></head>
<body bgcolor="#ffffff">
<pre>
<b>[<a href="?l=list&amp;r=1">prev in list</a>] [<a
 href="?l=list&amp;r=2">next in list</a>]</b>

List:       <a href="?l=list">list</a>
Subject:    <a href="?t=1">[PATCH v2 1/2] mm: toys</a>
From:       <a href="?a=1">Example Developer &lt;dev () example ! org&gt;</a>
Date:       2026-11-20 3:53:35
Message-ID: <a href="?i=1">20261120-1-dev () example ! org</a>
[Download RAW message or body]

${text}
[<a href="?prev">prev in list</a>]
</pre></body></html>
`,
  "a list of fields": (text) => `<!-- Archive v1 -->
<!--X-Subject: [PATCH v2 1/2] mm: toys -->
<!--X-Date: Fri, 20 Nov 2026 03:53:35 +0000 -->
<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML//EN">
<html>
<head><title>[PATCH v2 1/2] mm: toys</title><script>if (a < b) { document.write("<pre>"); }</script></head>
<body>
<h1>[PATCH v2 1/2] mm: toys</h1>
[<a href="a.html">Date Prev</a>][<a href="b.html">Date Next</a>]
<hr>
<ul>
<li><em>Subject</em>: [PATCH v2 1/2] mm: toys</li>
<li><em>From</em>: Example Developer &lt;<a href="mailto:dev@xxxxxxx">dev@xxxxxxx</a>&gt;</li>
<li><em>Date</em>: Fri, 20 Nov 2026 03:53:35 +0000</li>
</ul>
<hr>
<pre>
${text}</pre>
<hr>
<ul><li><strong>Follow-Ups</strong>:</li></ul>
</body>
</html>
`,
  "a heading and three lines": (text) => `<html>
<head><title>Archive: [PATCH v2 1/2] mm: toys</title></head>
<body>
<h1>[PATCH v2 1/2] mm: toys</h1>
<strong>From: </strong>Example Developer<br>
<strong>Date: </strong>Fri Nov 20 2026 - 03:53:35 EST<br>
<hr>
<ul><li><strong>Next message: </strong><a href="2.html">Re: [PATCH v2 1/2] mm: toys</a></li></ul>
<hr>
<pre>
${text}</pre></body></html>
`,
};

/** Each unit of each line stands at its place, as it is or as an entity. */
const expectPlaces = (document: PatchDocument): void => {
  const index = lineIndex(document.text);
  const wrong = linesOf(document).filter((line) =>
    index.lineOf(line.start) !== line.line ||
    [...line.text].some((unit, at) => {
      const place = line.places?.[at] ?? line.start + at;
      const entity = /^&(?:lt|gt|amp|quot);/.exec(document.text.slice(place, place + 6))?.[0];
      return (entity === undefined ? document.text[place] : { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"' }[entity]) !== unit;
    }));
  expect(wrong).toEqual([]);
};

const expected = linesOf(readPatches(code)).map(brief);

describe.each(Object.entries(pages))("a page of an archive: %s", (_, page) => {
  it("holds a patch with its header, and each character at its place", () => {
    const document = readPatches(page(body(code)));
    expect(document.patches).toMatchObject([{ subject: "[PATCH v2 1/2] mm: toys", from: expect.stringMatching(/^Example Developer/) as string, date: expect.stringMatching(/20/) as string }]);
    expect(document.messages).toMatchObject([{ kind: "patch", tag: { version: 2, index: 1, total: 2 } }]);
    expect(linesOf(document).map(brief)).toEqual(expected);
    expect(codes(document)).toEqual(["html-page"]);
    expectPlaces(document);
  });

  it("with CRLF, and with links inside of the code", () => {
    const text = body(code).replaceAll("mm/toy.c", '<a href="mm-toy.c.html">mm/toy.c</a>').replaceAll("ptep", '<a\nhref="x">ptep</a>');
    const document = readPatches(page(text).replaceAll("\n", "\r\n"));
    expect(document.patches[0]?.files).toMatchObject([{ newPath: "mm/toy.c" }]);
    expect(linesOf(document).map(brief)).toEqual(expected);
    expectPlaces(document);
  });

  it("holds a review", () => {
    const document = readPatches(page(`${escaped(`On Fri, Nov 20, 2026, Dev wrote:\n${quote(code, 2)}\n\nWhy?\n`)}`));
    expect(document.patches).toMatchObject([{ form: "quoted", remarks: [{ anchor: linesOf(document).at(-1)?.line }] }]);
    expect(linesOf(document).map(brief)).toEqual(expected);
    expectPlaces(document);
  });

  it("holds any diff", () => {
    fc.assert(fc.property(sampleFiles, (files) => {
      const document = readPatches(page(body(textOf(files))));
      expect(codes(document)).toEqual(["html-page"]);
      expect(linesOf(document).map(({ kind, text }) => ({ kind, text }))).toEqual(files.flat().flatMap((hunk) => hunk.lines));
      expectPlaces(document);
    }), { numRuns: 30 });
  });
});

describe("a page that is damaged or hostile", () => {
  it.each(["<!--", "<a ", "<script>", "&amp", "&#1114112;", "&#xd800;", "<br>", "<", "<pre>", "</script>", "<!-- -->", "&"])("takes little time: %s", (piece) => {
    const before = performance.now();
    readPatches(`<html><pre>\n${piece.repeat(100_000 / piece.length)}\n@@ -1 +1 @@\n-a\n+b\n`);
    expect(performance.now() - before).toBeLessThan(2000);
  });

  it("loses what its markup hides, and nothing else", () => {
    const document = readPatches("<html><body><pre>\n@@ -1,2 +1,2 @@\n-a &unknown; b & c < d\n+a &#x26;&#60; b\n x<!-- no\nno -->y\n");
    expect(linesOf(document).map((line) => line.text)).toEqual(["a &unknown; b & c < d", "a &< b", "xy"]);
  });
});
