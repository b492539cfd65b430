// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { readPatches } from "../../server/patch/read.ts";
import type { Series, SeriesReading } from "../../server/patch/series.ts";
import { readSeries } from "../../server/patch/series.ts";
import { diffText, quote } from "./sample.ts";

interface Mail {
  readonly subject: string;
  readonly id?: string;
  readonly to?: string;
  readonly references?: string;
  readonly body?: string;
}

const bodyOf = (subject: string): string =>
  /^re:/i.test(subject) ? `${quote(diffText, 1)}\n\nWhy?\n` : /\b0+\/\d/.test(subject) ? "All of it.\n" : `${diffText}\n-- \n2.39.5\n`;

const mailText = ({ subject, id, to, references, body }: Mail): string => [
  "From mboxrd@z Thu Jan  1 00:00:00 1970",
  "From: Example Developer <dev@example.org>",
  `Subject: ${subject}`,
  ...(id === undefined ? [] : [`Message-ID: <${id}@example.org>`]),
  ...(to === undefined ? [] : [`In-Reply-To: <${to}@example.org>`]),
  ...(references === undefined ? [] : [`References: ${references.split(" ").map((one) => `<${one}@example.org>`).join("\n ")}`]),
  "", body ?? bodyOf(subject), "", "",
].join("\n");

const mboxText = (mails: readonly Mail[]): string => mails.map(mailText).join("");
const read = (...files: readonly (readonly Mail[])[]): SeriesReading => readSeries(files.map((mails) => readPatches(mboxText(mails))));

const subjectOf = (mail: { readonly message: { readonly subject: string | null } }): string => mail.message.subject ?? "";
const missing = (series: Series): string => series.missing.map(({ first, last }) => (first === last ? first : `${first}-${last}`)).join(",");
const brief = (series: Series): string =>
  `v${series.version}${series.isRfc ? " rfc" : ""} ${series.cover === null ? "-" : "0"}${series.patches.map((patch) => patch.number).join("")}` +
  `/${series.total}${series.missing.length > 0 ? ` missing ${missing(series)}` : ""}${series.previous === null ? "" : ` after ${series.previous}`}` +
  `${series.isPartialReroll ? " reroll" : ""}`;
const codes = (reading: SeriesReading): readonly string[] => reading.problems.map((problem) => `${problem.code}:${problem.line}`);

const threaded: readonly Mail[] = [
  { subject: "[PATCH v2 0/2] mm: toys", id: "c" },
  { subject: "[PATCH v2 1/2] mm: a", id: "p1", to: "c" },
  { subject: "[PATCH v2 2/2] mm: b", id: "p2", to: "c" },
];
const rest = (mails: readonly Mail[]): readonly Mail[] => mails.slice(1);

describe("the mails of an mbox are a series", () => {
  it.each<readonly [string, readonly Mail[], readonly string[], readonly string[]]>([
    ["threaded", threaded, ["v2 012/2"], []],
    ["in any order", threaded.toReversed(), ["v2 012/2"], []],
    ["without cover letter", rest(threaded), ["v2 -12/2"], []],
    ["not threaded", threaded.map(({ subject, id = "" }) => ({ subject, id })), ["v2 012/2"], []],
    ["without Message-ID", threaded.map(({ subject }) => ({ subject })), ["v2 012/2"], []],
    ["each in reply to the one before", [threaded[0]!, threaded[1]!, { ...threaded[2]!, to: "p1" }], ["v2 012/2"], []],
    ["a number is missing", [threaded[0]!, threaded[2]!], ["v2 02/2 missing 1"], ["patch-missing:1"]],
    ["most are missing", [{ subject: "[PATCH 7/9999] mm: a" }], ["v1 -7/9999 missing 1-6,8-9999"], ["patch-missing:1"]],
    ["a number is beyond", [...threaded, { subject: "[PATCH v2 3/2] mm: c", id: "p3", to: "c" }], ["v2 0123/2"], ["patch-beyond-total:61"]],
    ["a patch was sent again", [...threaded, { subject: "[PATCH RESEND v2 2/2] mm: b", id: "p4", to: "c" }], ["v2 012/2"], ["patch-resent:35"]],
    ["a mail is there twice", [...threaded, threaded[1]!], ["v2 012/2"], ["message-twice:61"]],
    ["two versions in one thread",
      [...threaded, { subject: "[PATCH v3 0/2] mm: toys", id: "d", to: "c" }, { subject: "[PATCH v3 1/2] mm: a", id: "q1", to: "d" }, { subject: "[PATCH v3 2/2] mm: b", id: "q2", to: "d" }],
      ["v2 012/2", "v3 012/2 after 0"], []],
    ["two versions in two threads", [...threaded, { subject: "[PATCH v3 0/1] mm: toys", id: "d" }, { subject: "[PATCH v3 1/1] mm: a", id: "q1", to: "d" }],
      ["v2 012/2", "v3 01/1 after 0"], []],
    ["one patch of the next version below the former", [...threaded, { subject: "[PATCH v3 2/2] mm: b", id: "q2", to: "p2" }],
      ["v2 012/2", "v3 -2/2 missing 1 after 0 reroll"], ["partial-reroll:61"]],
    ["an RFC and what came of it",
      [{ subject: "[RFC PATCH 0/1] mm: toys", id: "r" }, { subject: "[RFC PATCH 1/1] mm: a", id: "r1", to: "r" },
        { subject: "[PATCH 0/1] mm: toys", id: "s", to: "r" }, { subject: "[PATCH 1/1] mm: a", id: "s1", to: "s" }],
      ["v1 rfc 01/1", "v1 01/1 after 0"], []],
    ["two series of one size, not threaded",
      [{ subject: "[PATCH 1/2] mm: a" }, { subject: "[PATCH 2/2] mm: b" }, { subject: "[PATCH 1/2] fs: a" }, { subject: "[PATCH 2/2] fs: b" }],
      ["v1 -12/2", "v1 -12/2"], []],
    ["patches that stand alone", [{ subject: "[PATCH] mm: a" }, { subject: "[PATCH v2] mm: a" }, { subject: "mm: b" }],
      ["v1 -1/1", "v2 -1/1 after 0", "v1 -1/1"], []],
    ["a circle of references", [{ subject: "[PATCH 1/2] a", id: "a", to: "b" }, { subject: "[PATCH 2/2] b", id: "b", to: "a" }, { subject: "Re: c", id: "c", to: "c" }],
      ["v1 -12/2"], []],
    ["words of mailers", [{ subject: "[patch v4,1/2,mm-unstable] mm: a" }, { subject: "[PATCH-next V4 02/02] mm: b" }], ["v4 -12/2"], []],
  ])("%s", (_, mails, series, problems) => {
    const reading = read(mails);
    expect(reading.series.map(brief)).toEqual(series);
    expect(codes(reading)).toEqual(problems);
  });

  it("or of several files", () => {
    const reading = read(...threaded.map((mail) => [mail]));
    expect(reading.series.map(brief)).toEqual(["v2 012/2"]);
    expect(reading.series[0]?.patches.map((patch) => patch.mail.document)).toEqual([1, 2]);
  });

  it("has the base that its cover letter names, for all patches", () => {
    const ids = ["a".repeat(40), "b".repeat(40)];
    const cover = { ...threaded[0]!, body: `Text.\n\nbase-commit: ${"1".repeat(40)}\n${ids.map((id) => `prerequisite-patch-id: ${id}\n`).join("")}-- \n2.39.5\n` };
    expect(read([...rest(threaded), cover]).series[0]?.base).toEqual({ commit: "1".repeat(40), prerequisites: ids });
    const first = { ...threaded[1]!, body: `${diffText}\n\nbase-commit: ${"2".repeat(40)}\n-- \n2.39.5\n` };
    expect(read([threaded[0]!, first]).series[0]?.base).toEqual({ commit: "2".repeat(40), prerequisites: [] });
    expect(read(threaded).series[0]?.base).toEqual({ commit: null, prerequisites: [] });
  });
});

describe("replies", () => {
  it.each<readonly [string, Mail, string]>([
    ["by In-Reply-To", { subject: "Re: [PATCH v2 1/2] mm: a", to: "p1" }, "1"],
    ["by the last reference that is there", { subject: "Re: something", references: "c p2 gone" }, "2"],
    ["by a reply above", { subject: "Re: something", to: "r0" }, "2"],
    ["by the subject", { subject: "Re: [PATCH v2 2/2] mm: b" }, "2"],
    ["to the cover letter", { subject: "Re: [PATCH v2 0/2] mm: toys", to: "c" }, "0"],
    ["to nothing that is there", { subject: "Re: [PATCH v1 2/2] mm: b", to: "x" }, "none"],
  ])("%s", (_, reply, place) => {
    const reading = read([reply, ...threaded, { subject: "Re: [PATCH v2 2/2] mm: b", id: "r0", to: "p2" }]);
    const series = reading.series[0]!;
    const places: Readonly<Record<string, readonly string[]>> = {
      0: series.replies.map(subjectOf), 1: series.patches[0]!.replies.map(subjectOf), 2: series.patches[1]!.replies.map(subjectOf), none: reading.others.map(subjectOf),
    };
    expect(Object.entries(places).filter(([, subjects]) => subjects.includes(reply.subject)).map(([name]) => name)).toContain(place);
    expect(Object.values(places).flat()).toHaveLength(2);
  });

  it("stay with a patch that was sent again", () => {
    const reading = read([...threaded, { subject: "Re: [PATCH v2 2/2] mm: b", id: "r", to: "p2" }, { subject: "[PATCH v2 RESEND 2/2] mm: b", id: "p4", to: "p2" }]);
    expect(reading.series[0]?.patches[1]).toMatchObject({ mail: { message: { messageId: "p4@example.org" } }, superseded: [{}], replies: [{}] });
  });

  it("with a diff of their own are replies still", () => {
    const document = readPatches(mboxText([...threaded, { subject: "Re: [PATCH v2 2/2] mm: b", to: "p2", body: `Better:\n\n${diffText}\n` }]));
    expect(document.messages.map((message) => [message.kind, message.patches.length])).toEqual([["cover", 0], ["patch", 1], ["patch", 1], ["reply", 1]]);
    expect(readSeries([document]).series.map(brief)).toEqual(["v2 012/2"]);
  });
});

describe("a large or hostile mailbox", () => {
  it.each<readonly [string, (at: number) => Mail]>([
    ["one series", (at) => ({ subject: `[PATCH ${at}/9999] a`, id: `${at}`, to: "0" })],
    ["one number", (at) => ({ subject: `[PATCH 1/9999] ${at}`, id: `${at}` })],
    ["resends", (at) => ({ subject: "[PATCH 1/9999] a", id: `${at}`, to: "0" })],
    ["a deep thread", (at) => ({ subject: `Re: [PATCH 1/2] ${at}`, id: `${at}`, to: `${at - 1}` })],
    ["many versions", (at) => ({ subject: `[PATCH v${at % 1000} 1/2] a`, id: `${at}`, to: "0" })],
  ])("takes little time: %s", (_, mail) => {
    const document = readPatches(mboxText(Array.from({ length: 5000 }, (__, at) => ({ ...mail(at), body: "@@ -1 +1 @@\n-a;\n+b;" }))));
    const before = performance.now();
    readSeries([document]);
    expect(performance.now() - before).toBeLessThan(2000);
  });
});
