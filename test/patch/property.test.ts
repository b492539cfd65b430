// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPatches } from "../../server/patch/read.ts";
import { codes, expectExactPositions, hunksOf, linesOf } from "./check.ts";
import { diffText, mailText, quote, sampleFiles, stripWhiteSpace, textOf } from "./sample.ts";

const spaces = (text: string): string => text.replace(/\s+/g, " ").trim();

const changes = (lines: readonly { kind: string; text: string }[]): readonly string[] =>
  lines.filter((line) => line.kind !== "context").map((line) => `${line.kind} ${spaces(line.text)}`);

describe("any diff", () => {
  it("is read as it was written", () => {
    fc.assert(fc.property(sampleFiles, (files) => {
      const document = readPatches(mailText("[PATCH] a", textOf(files)));
      expect(codes(document)).toEqual([]);
      expect(hunksOf(document).map((hunk) => hunk.lines.map(({ kind, text }) => ({ kind, text })))).toEqual(files.flat().map((hunk) => hunk.lines));
      expectExactPositions(document);
    }), { numRuns: 100 });
  });

  it("has the same changes when an archive strips its white space", () => {
    fc.assert(fc.property(sampleFiles, (files) => {
      const document = readPatches(stripWhiteSpace(mailText("[PATCH] a", textOf(files))));
      expect(codes(document)).toEqual(["whitespace-lost"]);
      expect(hunksOf(document).map((hunk) => hunk.lostContext)).toEqual(files.flat().map((hunk) => hunk.blanks));
      expect(changes(linesOf(document))).toEqual(changes(files.flat().flatMap((hunk) => hunk.lines)));
      expectExactPositions(document);
    }), { numRuns: 200 });
  });

  it("is read the same from a quote of any depth", () => {
    fc.assert(fc.property(sampleFiles, fc.integer({ min: 1, max: 5 }), (files, depth) => {
      const text = `Subject: Re: a\nFrom: Rev <rev@example.org>\n\n${quote(textOf(files), depth)}\n\nThanks.\n`;
      const document = readPatches(text);
      expect(codes(document)).toEqual([]);
      expect(hunksOf(document).map((hunk) => hunk.lines.map(({ kind, text }) => ({ kind, text })))).toEqual(files.flat().map((hunk) => hunk.lines));
      expectExactPositions(document);
    }), { numRuns: 100 });
  });
});

describe("a stripped review", () => {
  it("has the same changes as the diff that it quotes", () => {
    fc.assert(fc.property(sampleFiles, fc.integer({ min: 1, max: 3 }), (files, depth) => {
      const quoted = quote(textOf(files), depth);
      const document = readPatches(stripWhiteSpace(`Re: [PATCH] a\nFrom: Rev\nDate: Fri Sep 15 2023 - 19:40:28 EST\n${quoted}\nThanks.\n`));
      expect(document.patches).toMatchObject([{ form: "quoted", whitespaceLost: true }]);
      expect(changes(linesOf(document))).toEqual(changes(files.flat().flatMap((hunk) => hunk.lines)));
      // In a quote an empty context line keeps its marks, so nothing is lost but at the very end.
      expect(codes(document).filter((code) => code !== "whitespace-lost")).toEqual([]);
      expectExactPositions(document);
    }), { numRuns: 100 });
  });
});

const repeated: readonly (readonly [string, string])[] = [
  ["hunk headers", "@@ -1,999999 +1,999999 @@\nfoo\n"], ["signatures", "-- \n"], ["file pairs", "--- a\n+++ b\n"], ["git lines", "diff --git a/x b/x\n"],
  ["combined", "diff --cc x\n@@@\n"], ["binary", "diff --git a/x b/x\nGIT binary patch\n"], ["quotes", "> +foo();\nbar\n"], ["deep quotes", ">>>>>>>>>>> +f();\n>> b\n"],
  ["empty lines", "\n"], ["mails", "From a Fri Nov 20 03:53:35 2026\n\n"], ["blanks", " "], ["marks", "> "], ["brackets", "<"], ["words", "=?utf-8?q?a?= "], ["slashes", "\\\""],
  ["no marker", "foo\n"], ["dashes", "-"], ["dates", " 2026-01-01"],
];
const openings = ["", "@@ -1,999999 +1,999999 @@\n", "> @@ -1,9 +1,9 @@\n> +", "--- a", "diff --git ", "Subject: ", "Message-ID: ", "+", "> "];

describe("a hostile text", () => {
  it.each(repeated)("takes no more than linear time: %s", (_, piece) => {
    const most = piece.repeat(Math.ceil(100_000 / piece.length));
    const before = performance.now();
    for (const opening of openings) readPatches(`${opening}${most}x\n+++ b\n@@ -1 +1 @@\n-a\n+b\n`);
    expect(performance.now() - before).toBeLessThan(5000);
  });
});

const token = fc.constantFrom(
  "\n", "\n", "\n", "> ", ">", "+", "-", " ", "\t", "\\", "@@ -1,3 +1,4 @@", "@@ -1 +1 @@ f", "@@ -1,999999999 +1,999999999 @@", "@@@ -1 -1 +1 @@@",
  "diff --git a/x b/x", "diff --cc x", "--- a/x", "+++ b/x", "---", "-- ", "index 1234567..89abcde", "rename from x", "rename to y",
  "GIT binary patch", "literal 7", "From a Fri Nov 20 03:53:35 2026", "Subject: a", "From: b", "Date: c", "int a;", "foo(b, c);", "[...]", "...",
  "Content-Transfer-Encoding: quoted-printable", "=3D", "commit aaaaaaaaaaaa", "Author: x", "\r", "\u0000", "\ufffd", "\u{1F600}", "\"", "a/b\\303",
);

describe("any text", () => {
  it("is read without failing", () => {
    fc.assert(fc.property(fc.string({ maxLength: 200, unit: "binary" }), (text) => {
      expectExactPositions(readPatches(text));
    }), { numRuns: 300 });
  });

  it("made of pieces of mails is read without failing", () => {
    fc.assert(fc.property(fc.array(token, { maxLength: 80 }), (pieces) => {
      expectExactPositions(readPatches(pieces.join("")));
      expectExactPositions(readPatches(pieces.join("\n"), { firstLine: 5 }), 5);
    }), { numRuns: 1500 });
  });

  it("cut anywhere is read without failing, and no lines are invented", () => {
    const mail = mailText("[PATCH] a", diffText);
    const reply = `Subject: Re: a\n\n${quote(mail, 2)}\n> Hm.\n\n${quote(mail, 2)}`;
    for (const text of [mail, stripWhiteSpace(mail), reply, stripWhiteSpace(reply), mail + mail]) {
      const whole = linesOf(readPatches(text)).length;
      for (let end = 0; end <= text.length; end += 1) {
        const document = readPatches(text.slice(0, end));
        expectExactPositions(document);
        // The `---` of a commit message, cut after its first character in the second quote, cannot be told from a deletion.
        expect(linesOf(document).length).toBeLessThanOrEqual(whole + 1);
      }
    }
  });
});
