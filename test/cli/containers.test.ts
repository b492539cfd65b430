// SPDX-License-Identifier: GPL-2.0-only
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import { diffText } from "../patch/sample.ts";
import { folderOf, patchwalk } from "./run-command.ts";

interface Input {
  readonly path: string;
  readonly messageId: string | null;
  readonly subject: string | null;
  readonly series: unknown;
  readonly target: { readonly release: string; readonly decidedBy: string; readonly because: string };
  readonly problems: readonly { readonly code: string; readonly line: number | null }[];
}

interface Mail {
  readonly subject: string;
  readonly id?: string;
  readonly to?: string;
  readonly body?: string;
}

const mail = ({ subject, id, to, body = `${diffText}\n-- \n2.39.5\n` }: Mail): string => [
  "From: Example Developer <dev@example.org>", `Subject: ${subject}`, "Date: Fri, 20 Nov 2026 03:53:35 +0000",
  ...(id === undefined ? [] : [`Message-ID: <${id}@example.org>`]), ...(to === undefined ? [] : [`In-Reply-To: <${to}@example.org>`]), "", body, "",
].join("\n");

const mbox = (from: string, mails: readonly Mail[]): string => mails.map((each) => `From ${from}\n${mail(each)}\n`).join("");

const cover: Mail = { subject: "[PATCH 5.10 v3 0/2] mm: toys", id: "c", body: "From the start this is wrong.\n\nFrom here on\n" };
const one: Mail = { subject: "[PATCH v3 1/2] mm: a", id: "p1", to: "c" };
const two: Mail = { subject: "[PATCH v3 2/2] mm: b", id: "p2", to: "c" };
const old: Mail = { subject: "[PATCH v2 1/2] mm: a", id: "q1", to: "b" };
const reply: Mail = { subject: "Re: [PATCH v3 1/2] mm: a", id: "r", to: "p1", body: `${diffText.replaceAll(/^/gm, "> ")}\n\nWhy?\n` };

const folder = folderOf({
  "one.eml": mail(one).replaceAll("\n", "\r\n"),
  "plain.mbox": mbox("dev@example.org Fri Nov 20 03:53:35 2026", [cover, one, two]),
  "rd.mbox": mbox("mboxrd@z Thu Jan  1 00:00:00 1970", [{ ...cover, body: ">From the start.\n>>From a quote\n\n>From here on\n" }, one, reply, two, old]),
  "v3_toys.mbx": mbox("git@z Thu Jan  1 00:00:00 1970", [one, two]),
  "v3_toys.cover": mail(cover),
  "series/0000-cover-letter.patch": mail({ ...cover, id: "" }).replace("Message-ID: <@example.org>\n", ""),
  "series/0001-a.patch": mail({ subject: one.subject }),
  "series/0002-b.patch": mail({ subject: two.subject }),
  "box/cur/1700000000.M1P1.host:2,S": mail(two),
  "box/new/1700000001.M1P1.host": mail(one),
  "box/tmp/1700000002.M1P1.host": "half a mail",
  "bare.diff": `${diffText}\n`,
  "log.txt": ["a", "b"].map((id) => `commit ${id.repeat(40)}\nAuthor: Example Developer <dev@example.org>\nDate:   Fri Nov 20 03:53:35 2026 +0000\n\n    mm: ${id}\n\n${diffText}\n`).join("\n"),
  "mail.patch.gz": gzipSync(mail(one)),
});

async function lint(names: readonly string[], stdin = "") {
  const outcome = await patchwalk(["lint", "--format", "json", ...names.map((name) => (name === "-" ? name : join(folder, name)))], { stdin, engine: ENGINE });
  const { inputs } = JSON.parse(outcome.out) as { inputs: readonly Input[] };
  return { inputs, status: outcome.status, err: outcome.err };
}

const place = (index: number, version = 3) => ({ version, index, total: 2 });

describe("containers", () => {
  it.each<readonly [string, readonly string[], readonly unknown[]]>([
    ["a single mail", ["one.eml"], [place(1)]],
    ["an mbox with a sentence that begins with From", ["plain.mbox"], [place(0), place(1), place(2)]],
    ["an mboxrd with a reply and a former version", ["rd.mbox"], [place(0), place(1), place(1), place(2), place(1, 2)]],
    ["what b4 am leaves", ["v3_toys.cover", "v3_toys.mbx"], [place(0), place(1), place(2)]],
    ["a series of files", ["series"], [place(0), place(1), place(2)]],
    ["a maildir", ["box"], [place(2), place(1)]],
    ["a bare diff", ["bare.diff"], [null]],
    ["the output of git log -p", ["log.txt"], [null, null]],
  ])("%s", async (_, names, series) => {
    const { inputs, status } = await lint(names);
    expect(inputs.map((input) => input.series)).toEqual(series);
    expect([status, inputs.flatMap((input) => input.problems.map((problem) => problem.code)).filter((code) => !code.startsWith("target-"))]).toEqual([0, []]);
  });

  it("standard input", async () => {
    expect((await lint(["-"], mail(two))).inputs.map((input) => [input.path, input.series])).toEqual([["-", place(2)]]);
  });

  it("a compressed file is refused by name", async () => {
    const { status, err } = await lint(["mail.patch.gz"]);
    expect([status, err]).toEqual([2, `${join(folder, "mail.patch.gz")}: compressed file: unpack it first\n`]);
  });
});

describe("the tag of the cover letter holds for its patches", () => {
  it.each([["plain.mbox"], ["series"], ["v3_toys.cover v3_toys.mbx"]])("%s", async (names) => {
    const { inputs } = await lint(names.split(" "));
    expect(inputs.map((input) => [input.target.release, input.target.decidedBy, input.target.because])).toEqual([
      ["5.10", "subject-tag", "[PATCH 5.10 v3 0/2] in the subject"],
      ["5.10", "subject-tag", "[PATCH 5.10 v3 0/2] in the cover letter's subject"],
      ["5.10", "subject-tag", "[PATCH 5.10 v3 0/2] in the cover letter's subject"],
    ]);
  });

  it("and for no others", async () => {
    const { inputs } = await lint(["rd.mbox"]);
    expect(inputs.map((input) => input.target.decidedBy)).toEqual(["subject-tag", "subject-tag", "default", "subject-tag", "default"]);
  });

  it("and the report names the series", async () => {
    const body = diffText.replaceAll(/^ {$/gm, " {\n+\tx");
    const out = await patchwalk(["lint", "-"], { stdin: mbox("mboxrd@z Thu Jan  1 00:00:00 1970", [cover, { ...one, body }]), engine: ENGINE });
    expect(out.out).toContain('   v3 1/2 of "mm: toys"\n');
  });
});
