// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { readPatches } from "../../server/patch/read.ts";
import { brief, codes, expectExactPositions, linesOf } from "./check.ts";
import { diffText, mailText, quote } from "./sample.ts";

// One row for each form that real mails have, in the order of their statistics.

const expected = linesOf(readPatches(diffText)).map(brief);
const mail = mailText("[PATCH] mm: toys", diffText);
const header = "Subject: Re: [PATCH] mm: toys\nFrom: Reviewer <rev@example.org>\n\n";
const withBody = (text: string): string => mail.replace("The entry can be absent.", text);
const noTabs = (text: string): string => text.replaceAll("\t", "        ");
const head = "diff --git a/mm/a.c b/mm/a.c\n--- a/mm/a.c\n+++ b/mm/a.c\n";
const binary = "diff --git a/b.bin b/b.bin\nindex e59aa70e..ac26409d 100644\nGIT binary patch\ndelta 7\n-cmZQzWMcMn4F>=L?f~%s\n\ndelta 6\n+cmZQzWODNK0{{WJ0Nnrp\n\n";

describe("the diff is the same", () => {
  it.each<readonly [string, string, readonly string[]]>([
    ["with a signature", mail, []],
    ["with a signature without version", mail.replace("2.39.5", ""), []],
    ["with a base-commit below", mail.replace("-- \n2.39.5", `\nbase-commit: ${"1".repeat(40)}\n-- \n2.39.5`), []],
    ["with a base-commit below the signature", `${mail}base-commit: ${"1".repeat(40)}\n`, []],
    ["beside a rename", mail.replace("diff --git", "diff --git a/mm/b.c b/mm/c.c\nsimilarity index 100%\nrename from mm/b.c\nrename to mm/c.c\ndiff --git"), []],
    ["beside a copy", mail.replace("diff --git", "diff --git a/mm/b.c b/mm/c.c\nsimilarity index 90%\ncopy from mm/b.c\ncopy to mm/c.c\ndiff --git"), []],
    ["beside a change of mode", mail.replace("diff --git", "diff --git a/mm/b.sh b/mm/b.sh\nold mode 100644\nnew mode 100755\ndiff --git"), []],
    ["with a change of mode", mail.replace("index 7846ce8", "old mode 100644\nnew mode 100755\nindex 7846ce8"), []],
    ["beside a binary file whose lines begin like those of a diff", mail.replace("diff --git", `${binary}diff --git`), ["binary-skipped"]],
    ["beside a binary file that is only named", mail.replace("diff --git", "diff --git a/b.bin b/b.bin\nBinary files a/b.bin and b/b.bin differ\ndiff --git"), ["binary-skipped"]],
    ["with CRLF in every line", mail.replaceAll("\n", "\r\n"), []],
    ["with CRLF in the changed lines", mail.replaceAll(/^([+-]\t.*)$/gm, "$1\r"), []],
    ["with an escaped From line", withBody(">From the start this was wrong."), []],
    ["with a From line", withBody("From the start this was wrong."), []],
    ["with a From line and a date in words", withBody("\nFrom Friday 20 Nov on, this was wrong."), []],
    ["with --- in the message", withBody("Text.\n---\nMore of it.\n--- a list ---\n"), []],
    ["with scissors", withBody("Hello,\n\n-- >8 --\nSubject: [PATCH] mm: other\n\nText."), []],
    ["with a table of numbers", withBody("@@ is not a header\n+ one\n- two\n--- before\n+++ after, not a file"), []],
    ["with trimmed context lines", mail.replaceAll(/^ $/gm, ""), []],
    ["with a byte order mark", `\ufeff${diffText}\n`, []],
    ["without the last newline", diffText, []],
    ["behind a signature", `${header}thanks,\n-- \nExample Reviewer\n\n${diffText}\n`, []],
    ["behind a signature of two dashes", `${header}thanks,\n--\nExample Reviewer\n\n${diffText}\n`, []],
    ["above the footer of a list", `${mail}_______________________________________________\nlist mailing list\nlist@example.org\n`, []],
  ])("%s", (_, text, problems) => {
    const document = readPatches(text);
    expect(document.patches).toHaveLength(1);
    expect(linesOf(document).map(brief)).toEqual(expected);
    expect(codes(document)).toEqual(problems);
    expectExactPositions(document);
  });

  it.each([1, 2, 3, 4, 5, 6, 9])("quoted at depth %i", (depth) => {
    const document = readPatches(`${header}${quote(diffText, depth)}\n\nWhy?\n`);
    expect(linesOf(document).map(brief)).toEqual(expected);
    expect(codes(document)).toEqual([]);
    expectExactPositions(document);
  });

  it("quoted below the reviewer's own signature", () => {
    const document = readPatches(`${header}Looks wrong to me, see below.\n-- \nReviewer\n\nOn Fri, Nov 20, 2026, Dev wrote:\n${quote(diffText, 1)}\n`);
    expect(linesOf(document).map(brief)).toEqual(expected);
    expectExactPositions(document);
  });

  it("but for its tabs, where a mailer made blanks of them", () => {
    const document = readPatches(noTabs(mail));
    expect(linesOf(document).map(brief)).toEqual(expected.map(noTabs));
    expect(codes(document)).toEqual([]);
    expectExactPositions(document);
  });
});

describe("inside of a hunk", () => {
  it.each<readonly [string, string, readonly string[]]>([
    ["a missing newline of both sides", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n", ["-a @./1", "+b @1/."]],
    ["a missing newline of the old side", "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n", [" a @1/1", "-b @./2", "+b @2/."]],
    ["a missing newline, in another language", "@@ -1 +1 @@\n-a\n\\ Pas de fin de ligne\n+b\n", ["-a @./1", "+b @1/."]],
    ["no context, counts left out", "@@ -5,0 +6 @@\n+x\n@@ -9 +9,0 @@\n-y\n", ["+x @6/.", "-y @./9"]],
    ["a deleted signature mark", "@@ -1,2 +1,1 @@\n a\n-- \n", [" a @1/1", "-- @./2"]],
    ["an added and a deleted ruler", "@@ -1,1 +1,1 @@\n--- old\n+++ new\n", ["--- old @./1", "+++ new @1/."]],
    ["a carriage return of the file itself", "@@ -1,2 +1,2 @@\n a\n-b\r\n+c\r\n", [" a @1/1", "-b @./2", "+c @2/."]],
  ])("%s", (_, body, lines) => {
    const document = readPatches(head + body);
    expect(linesOf(document).map((line) => brief(line).replace("--  @", "-- @"))).toEqual(lines);
    expect(codes(document)).toEqual([]);
    expectExactPositions(document);
  });
});

describe("the author", () => {
  it.each<readonly [string, string, string]>([
    ["is the sender", mail, "Example Developer <dev@example.org>"],
    ["is whom the body names", withBody("From: Example Author <author@example.org>\n\nText."), "Example Author <author@example.org>"],
    ["can be encoded", withBody("From: =?utf-8?q?Ex=C3=A1mple?= <author@example.org>\n\nText."), "Ex\u00e1mple <author@example.org>"],
    ["is named in the first line only", withBody("Text.\nFrom: Example Author <author@example.org>"), "Example Developer <dev@example.org>"],
  ])("%s", (_, text, author) => {
    expect(readPatches(text).messages[0]).toMatchObject({ author, from: "Example Developer <dev@example.org>" });
  });
});
