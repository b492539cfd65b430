// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatRelease } from "../../server/kernel/release.ts";
import type { Patch } from "../../server/patch/model.ts";
import { readPatches } from "../../server/patch/read.ts";
import { decideTarget, type TargetSettings } from "../../server/source/target.ts";

const NOTHING_SET: TargetSettings = { release: null, arch: null, config: [] };

const patch = (subject: string | null, date: string | null, prose: readonly string[] = []): Patch => ({
  form: "mail",
  messageId: null,
  subject,
  from: "Example Developer <dev@example.org>",
  date,
  commit: null,
  whitespaceLost: false,
  prose: prose.map((text, at) => ({ text, line: at + 10 })),
  files: [],
  remarks: [],
  startLine: 1,
  endLine: 10 + prose.length,
});

const decided = (of: Patch, settings: Partial<TargetSettings> = {}) => {
  const { target, decidedBy, because, problems } = decideTarget(of, { ...NOTHING_SET, ...settings });
  return { release: formatRelease(target.release), decidedBy, because, problems: problems.map(({ code }) => code) };
};

const readSettings = (arch: string | null, config: readonly string[]) => {
  const { target, problems } = decideTarget(patch(null, null), { release: "6.1", arch, config });
  return { arch: target.arch, isSet: target.archIsSet, config: target.config, problems: problems.map(({ code }) => code) };
};

const DATE = "Fri, 15 Sep 2023 16:34:00 -0700";
const SHA = "17839856fd588f4ab6b789f482ed3ffd7c403e1f";

describe("decideTarget", () => {
  it("prefers the setting to everything", () => {
    const of = patch("[PATCH 5.10.y] mm: example", DATE, ["[dev: backport to 4.4 kernel]"]);
    expect(decided(of, { release: "6.1.192", treeRelease: "6.12" })).toEqual({
      release: "6.1.192",
      decidedBy: "setting",
      because: "set to 6.1.192",
      problems: [],
    });
    expect(decided(of, { release: "mainline" })).toMatchObject({ release: "6.17", decidedBy: "setting" });
  });

  it("then the tree", () => {
    expect(decided(patch("[PATCH 5.10.y] mm: example", DATE), { treeRelease: "6.12.43" })).toMatchObject({
      release: "6.12.43",
      decidedBy: "tree",
    });
  });

  it("falls through a setting that is no release, and says so", () => {
    expect(decided(patch("[PATCH] mm: example", DATE), { release: "banana", treeRelease: "" })).toMatchObject({
      release: "6.6",
      decidedBy: "date",
      problems: ["target-unknown-release", "target-unknown-release"],
    });
  });

  const subjects: readonly [subject: string, release: string | null][] = [
    ["[PATCH 6.1 3/7] mm: example", "6.1"],
    ["[PATCH 5.10.y] mm: example", "5.10"],
    ["[PATCH 5.15-stable] mm: example", "5.15"],
    ["[PATCH stable-5.4 v2 1/3] mm: example", "5.4"],
    ["[PATCH v2 linux-4.19.y] mm: example", "4.19"],
    ["[5.4 PATCH] mm: example", "5.4"],
    ["[PATCH][6.1.y] mm: example", "6.1"],
    ["[PATCH v5.10.y] mm: example", "5.10"],
    ["Re: [PATCH 6.6 012/250] mm: example", "6.6"],
    ["[PATCH AUTOSEL 5.4 12/24] mm: example", "5.4"],
    ["[PATCH v3.1 2/4] mm: example", null],
    ["[PATCH 1.5] mm: example", null],
    ["[PATCH v2 3/7] mm: example", null],
    ["[PATCH] mm: support 6.1 devices [6.2]", null],
    ["[ANNOUNCE 6.1] something else", null],
  ];
  it.each(subjects)("reads the tags of %s", (subject, release) => {
    const expected = release === null ? { release: "6.6", decidedBy: "date" } : { release, decidedBy: "subject-tag" };
    expect(decided(patch(subject, DATE))).toMatchObject({ ...expected, problems: [] });
  });

  it("takes the first of two releases in a subject", () => {
    expect(decided(patch("[PATCH 5.10.y 5.15.y] mm: example", DATE))).toMatchObject({
      release: "5.10",
      decidedBy: "subject-tag",
      problems: ["target-ambiguous"],
    });
  });

  const notes: readonly [lines: readonly string[], release: string, because: string][] = [
    [["[dev: backport to 4.4 kernel]"], "4.4", "[dev: backport to 4.4 kernel] at line 10"],
    [["> [dev: Backported to v5.4.y, no folios there]"], "5.4", "[dev: Backported to v5.4.y, no folios there] at line 10"],
    [["Text.", "[ Example Developer: adjusted context,", "  backport for linux-5.10 ]"], "5.10", "at line 11"],
    [["[dev: backport from 5.10 to 4.19]"], "4.19", "[dev: backport from 5.10 to 4.19] at line 10"],
  ];
  it.each(notes)("reads the porter's note %j", (lines, release, because) => {
    const result = decided(patch("[PATCH] mm: example", DATE, lines));
    expect(result).toMatchObject({ release, decidedBy: "backport-note" });
    expect(result.because).toContain(because);
  });

  const noNotes: readonly string[][] = [
    ["This needs a backport to 4.4 kernels."],
    ["[dev: backport notes"],
    ["[dev: backport to 99.9]"],
    ["Cc: stable@example.org # 5.10.x"],
    ["Cc: stable@example.org # v5.4+"],
    [`commit ${SHA} upstream.`, "Cc: stable@example.org # 4.4+"],
    [`commit ${SHA} upstream.`, "Cc: stable@example.org # 4.4.x", "Cc: stable@example.org # 4.9.x"],
  ];
  it.each(noNotes)("does not decide by %s", (...lines) => {
    expect(decided(patch("[PATCH] mm: example", DATE, lines))).toMatchObject({ release: "6.6", decidedBy: "date" });
  });

  it.each([`commit ${SHA} upstream.`, `[ Upstream commit ${SHA} ]`, `> Upstream commit ${SHA}`])(
    "lets the stable tag decide for a stable backport: %s",
    (line) => {
      expect(decided(patch("[PATCH] mm: example", DATE, [line, "", "Cc: stable@example.org # 4.4.x"]))).toMatchObject({
        release: "4.4",
        decidedBy: "backport-note",
        because: "stable backport, Cc: stable # at line 12",
      });
    },
  );

  it("says so when a stable backport names no release", () => {
    expect(decided(patch("[PATCH] mm: example", DATE, [`commit ${SHA} upstream.`])).problems).toEqual(["target-backport-by-date"]);
  });

  const dates: readonly [date: string | null, release: string, decidedBy: string][] = [
    [DATE, "6.6", "date"],
    ["Fri Sep 15 2023 - 19:40:28 EST", "6.6", "date"],
    ["Wed Oct 13 2021 - 17:58:23 EST", "5.15", "date"],
    ["Mon Sep  7 10:00:00 2020", "5.9", "date"],
    ["Mon Sep 17 00:00:00 +0200 2001", "6.17", "default"],
    ["2020-08-03", "5.9", "date"],
    ["1 January 2026", "6.17", "default"],
    ["soon", "6.17", "default"],
    ["", "6.17", "default"],
    [null, "6.17", "default"],
    ["Fri, 15 Foo 2023", "6.17", "default"],
  ];
  it.each(dates)("reads the date %s", (date, release, decidedBy) => {
    expect(decided(patch("[PATCH] mm: example", date))).toMatchObject({ release, decidedBy });
  });

  it("names the words that decided", () => {
    expect(decided(patch("[PATCH 6.1 3/7] mm: example", DATE)).because).toBe("[PATCH 6.1 3/7] in the subject");
    expect(decided(patch(null, DATE)).because).toBe("mail of 15 Sep 2023, while 6.6 was in the making");
    expect(decided(patch(null, null)).because).toBe("nothing names a release or a date: newest known release");
  });

  it("reads architecture and configuration", () => {
    expect(readSettings(null, [])).toEqual({ arch: "x86_64", isSet: false, config: {}, problems: [] });
    expect(readSettings("aarch64", ["PARAVIRT=n", "CONFIG_HIGHPTE=y", "CONFIG_PARAVIRT=y"])).toEqual({
      arch: "arm64",
      isSet: true,
      config: { HIGHPTE: true, PARAVIRT: true },
      problems: [],
    });
    expect(readSettings("vax", ["PARAVIRT", "__proto__=y", "=n"])).toEqual({
      arch: "x86_64",
      isSet: false,
      config: {},
      problems: ["target-unknown-arch", "target-unknown-config", "target-unknown-config", "target-unknown-config"],
    });
  });

  it("stays fast on hostile text", () => {
    const hostile = "backport to ".repeat(30);
    const lines = Array.from({ length: 20_000 }, (_, at) => (at % 2 ? `[${hostile}` : `cc: stable ${"#".repeat(380)}`));
    const started = performance.now();
    decided(patch("[PATCH ".repeat(5000), "Sep ".repeat(5000), [`commit ${SHA} upstream.`, ...lines]));
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

const SEEDS = new URL("../../../shared/seeds/", import.meta.url);

const seedText = (start: string): string =>
  readFileSync(new URL(readdirSync(SEEDS).find((name) => name.startsWith(start)) ?? "", SEEDS), "utf8");

describe.skipIf(!existsSync(SEEDS))("decideTarget on the archived threads (skipped: ../shared/seeds is absent)", () => {
  const seeds: readonly [start: string, release: string, decidedBy: string, because: string][] = [
    ["000", "6.6", "date", "15 Sep 2023"],
    ["004", "4.4", "backport-note", "backport to 4.4 kernel] at line 42"],
  ];
  it.each(seeds)("thread %s is for %s by %s", (start, release, decidedBy, because) => {
    const [first] = readPatches(seedText(start)).patches;
    const result = first && decided(first);
    expect(result).toMatchObject({ release, decidedBy });
    expect(result?.because).toContain(because);
  });
});
