// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { decodeEncodedWords } from "../../server/mail/encoded-words.ts";
import { isMboxSeparator, splitMessages } from "../../server/mail/message.ts";
import { splitLines } from "../../server/text/lines.ts";

const messages = (text: string) => splitMessages(splitLines(text));

const entry = (id: string) => `commit ${id.repeat(40)}\nAuthor: Example Developer <dev@example.org>\nDate:   now\n\n    text\n\n`;

describe("isMboxSeparator", () => {
  it.each([
    "From dev@example.org Fri Nov 20 03:53:35 2026",
    "From 50a1827beff7afa07ecc26202feb3730298c2b06 Mon Sep 17 00:00:00 2001",
    "From mboxrd@z Thu Jan  1 00:00:00 1970",
  ])("%j is one", (line) => {
    expect(isMboxSeparator(line)).toBe(true);
  });
  it.each(["From the start this was wrong.", "From: Example Developer", ">From a Fri Nov 20 03:53:35 2026", "From a Fri Nov 20"])(
    "%j is none", (line) => {
      expect(isMboxSeparator(line)).toBe(false);
    });
});

describe("splitMessages", () => {
  it("wants a blank line above a separator", () => {
    const separator = "From dev@example.org Fri Nov 20 03:53:35 2026";
    expect(messages(`${separator}\nSubject: a\n\nbody\n\n${separator}\nSubject: b\n\nFrom the start\n`).map((each) => each.header.subject))
      .toEqual(["a", "b"]);
    expect(messages(`${separator}\nSubject: a\n\nbody\n${separator}\nSubject: b\n`)).toHaveLength(1);
  });

  it("splits the output of git log", () => {
    expect(messages(entry("a") + entry("b")).map((each) => each.commit)).toEqual(["a".repeat(40), "b".repeat(40)]);
  });

  it.each(["", "\n\n", " \n"])("finds nothing in %j", (text) => {
    expect(messages(text)).toEqual([]);
  });
});

describe("header", () => {
  it.each([
    ["folded", "Subject: [PATCH 1/2] mm: a\n\tb\nFrom: Dev <dev@example.org>\n\nbody",
      { form: "mail", subject: "[PATCH 1/2] mm: a b", from: "Dev <dev@example.org>" }, "body"],
    ["encoded", "From: =?utf-8?q?J=C3=B6rg?= <dev@example.org>\nSubject: a\n\nbody", { from: "J\u00f6rg <dev@example.org>" }, "body"],
    ["with an identifier", "Message-Id: <1@example.org>\nSubject: a\n\nbody", { messageId: "1@example.org" }, "body"],
    ["of an archive", "Re: [PATCH] mm: a\nFrom: Example Developer\nDate: Fri Sep 15 2023 - 19:40:28 EST\nbody",
      { form: "archive", subject: "Re: [PATCH] mm: a", from: "Example Developer", date: "Fri Sep 15 2023 - 19:40:28 EST" }, "body"],
    ["of an archive, with blank lines", "Re: a\n\nFrom: Example Developer\nDate: Fri Sep 15 2023 - 19:40:28 EST\n\nbody",
      { form: "archive", subject: "Re: a" }, ""],
    ["absent", "diff --git a/x b/x\n", { form: "none", subject: null }, "diff --git a/x b/x"],
    ["absent in C", "retry:\n\treturn 0;\n", { form: "none" }, "retry:"],
    ["cut short", "Subject: a\nno field\n", { form: "mail", subject: "a" }, "no field"],
  ])("%s", (_, text, expected, firstBodyLine) => {
    const [message] = messages(text);
    expect(message?.header).toMatchObject(expected);
    expect(message?.lines[message.bodyAt]?.text).toBe(firstBodyLine);
  });
});

describe("decodeEncodedWords", () => {
  it.each([
    ["plain", "plain"],
    ["=?UTF-8?B?w6Q=?= b", "\u00e4 b"],
    ["=?utf-8?q?a?= =?utf-8?q?b?=", "ab"],
    ["=?utf-8?q?a_=3D?=", "a ="],
    ["=?unknown-8bit?q?=E4?=", "\u00e4"],
    ["=?utf-8?q?", "=?utf-8?q?"],
  ])("%j", (value, expected) => {
    expect(decodeEncodedWords(value)).toBe(expected);
  });
});
