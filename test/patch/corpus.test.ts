// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readPatches } from "../../server/patch/read.ts";
import { codes, expectExactPositions, hunksOf, linesOf } from "./check.ts";
import { stripWhiteSpace } from "./sample.ts";

const shared = new URL("../../../shared/", import.meta.url);
const filesOf = (folder: string): readonly URL[] => {
  const url = new URL(`${folder}/`, shared);
  return existsSync(url) ? readdirSync(url).toSorted().map((name) => new URL(name, url)) : [];
};
const read = (url: URL): string => readFileSync(url, "utf8");

const seeds = filesOf("seeds");
const patches = filesOf("patches");
const mails = filesOf("mails");
const seed = (name: string): URL => seeds.find((url) => url.pathname.includes(`/${name}_`)) ?? new URL("absent", shared);

describe.skipIf(seeds.length === 0)("the seeds (skipped where ../shared/seeds is absent)", () => {
  it("a quoted review without header is one hunk of added lines", () => {
    const document = readPatches(read(seed("000")));
    expect(hunksOf(document)).toMatchObject([{ header: null, line: 7, afterGap: false, lostContext: 0 }]);
    expect(linesOf(document).every((line) => line.kind === "added" && line.certainty === "exact")).toBe(true);
    expect(linesOf(document).map((line) => line.line)).toEqual(
      Array.from({ length: 297 }, (_, at) => at + 7).filter((line) => line <= 140 || line >= 182));
    expect(document.patches[0]).toMatchObject({ form: "quoted", whitespaceLost: true, startLine: 1, endLine: 303 });
    expect(document.patches[0]?.remarks.map(({ line, endLine, anchor }) => [line, endLine, anchor])).toEqual([[142, 174, 140], [175, 178, 140]]);
    expectExactPositions(document);
  });

  it("stripped archive text keeps its hunks, and says what is lost", () => {
    const document = readPatches(read(seed("004")));
    expect(document.patches).toMatchObject([{ form: "archive", files: [{ newPath: "mm/gup.c" }, { newPath: "mm/huge_memory.c" }] }]);
    expect(hunksOf(document).map((hunk) => hunk.lostContext)).toEqual([2, 0, 0, 1, 0, 2]);
    expect(hunksOf(document).map((hunk) => hunk.line)).toEqual([54, 79, 99, 110, 122, 152]);
    expect(linesOf(document).at(-1)).toMatchObject({ line: 166, certainty: "shifted" });
    expect(document.patches[0]?.prose.map((line) => line.line)).toEqual(Array.from({ length: 45 }, (_, at) => at + 5));
    expect(codes(document)).toEqual(["whitespace-lost"]);
    expectExactPositions(document);
  });

  it.each(["001", "002", "003"])("%s has no patch", (name) => {
    expect(readPatches(read(seed(name)))).toMatchObject({ patches: [], problems: [] });
  });
});

describe.skipIf(patches.length === 0)("distribution patches (skipped where ../shared/patches is absent)", () => {
  it("are read without a problem, and to the last line that changes", () => {
    for (const url of patches) {
      const text = read(url);
      const document = readPatches(text);
      expect([url.pathname, codes(document), document.patches.length]).toEqual([url.pathname, [], 1]);
      expectExactPositions(document);
    }
  });

  it("lose just their blank context lines when stripped", () => {
    let hunks = 0;
    let wrong = 0;
    for (const url of patches) {
      const text = read(url);
      const whole = hunksOf(readPatches(text));
      const stripped = readPatches(stripWhiteSpace(text));
      expectExactPositions(stripped);
      const found = hunksOf(stripped);
      expect([url.pathname, found.length]).toEqual([url.pathname, whole.length]);
      hunks += whole.length;
      wrong += whole.filter((hunk, at) => {
        const blanks = hunk.lines.filter((line) => line.kind === "context" && line.text.trim() === "").length;
        return blanks !== found[at]?.lostContext;
      }).length;
    }
    expect(wrong / hunks).toBeLessThan(0.005);
  });
});

describe.skipIf(mails.length === 0)("list mails (skipped where ../shared/mails is absent)", () => {
  it("are read without failing, with exact positions", () => {
    for (const url of mails) {
      const document = readPatches(read(url));
      expectExactPositions(document);
      const name = url.pathname.split("/").at(-1) ?? "";
      if (/^patch-(?:plain|rename|no-newline|from-in-body|base-commit)/.test(name)) {
        expect([name, document.patches.length, codes(document)]).toEqual([name, 1, []]);
      }
    }
  });
});
