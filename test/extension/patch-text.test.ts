// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { SNIFF_LINES, looksLikePatch } from "../../extension/patch-text.ts";

const sniff = (text: string): boolean => {
  const lines = text.split("\n");
  return looksLikePatch(lines.length, (index) => lines[index]!);
};

const patches: Record<string, string> = {
  "a git diff": "diff --git a/mm/memory.c b/mm/memory.c\n",
  "a plain diff": "--- a/mm/memory.c\n+++ b/mm/memory.c\n",
  "a hunk alone": "some words\n@@ -10,6 +10,7 @@ static int f(void)\n",
  "a hunk of one line": "@@ -1 +1 @@\n",
  "a quoted hunk": "On Monday someone wrote:\n> > @@ -10,6 +10,7 @@ static int f(void)\n",
  "a patch mail": "From: Example Developer <dev@example.org>\nSubject: [PATCH] mm: shift a page\n",
  "a reply in an archive, without header names": "Re: [PATCH 2/3] mm: shift a page\nFrom: Example Developer\n",
  "a tagged patch": "Subject: [RFC PATCH v2 01/10] mm: shift a page\n",
  "a reply on a list that tags its mails": "Subject: Re: [some-list] [PATCH v2] mm: shift a page\n",
  "a backport": "Subject: Re: [PATCH 6.1 3/7] mm: shift a page\n",
};

const others: Record<string, string> = {
  "nothing": "",
  "prose": "The patch is fine.\n\nSubject: holidays\n",
  "a list": "--- agenda\n+++ more agenda\n",
  "an ordinary mail": "From: Example Developer <dev@example.org>\nSubject: [ANNOUNCE] meeting\n",
  "a diff far behind the start": "log line\n".repeat(SNIFF_LINES) + "diff --git a/a.c b/a.c\n",
};

describe("looksLikePatch", () => {
  it.each(Object.entries(patches))("takes %s", (_name, text) => expect(sniff(text)).toBe(true));
  it.each(Object.entries(others))("leaves %s", (_name, text) => expect(sniff(text)).toBe(false));
});
