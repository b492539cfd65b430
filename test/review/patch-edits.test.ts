// SPDX-License-Identifier: GPL-2.0-only
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Patch } from "../../server/patch/model.ts";
import { readPatches } from "../../server/patch/read.ts";
import { documentEdits, rewritingOfPatch } from "../../server/review/fix/rewriting.ts";
import type { Subject } from "../../server/rules/rule.ts";
import { imageOfDiff, type Image } from "../../server/source/image.ts";
import { withEdits, type TextEdit } from "../../server/text/text-edit.ts";
import { applied } from "../document-edits.ts";

/** The same numbers on every machine. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const newImages = (document: string, patch: Patch): Image[] => patch.files.map((file) => imageOfDiff(document, file, "new", () => null));

/** Edits of some lines of an image that the patch shows: others, none, or more. */
function someEdits(image: Image, random: (below: number) => number): TextEdit[] {
  const rows = image.text.split("\n");
  const edits: TextEdit[] = [];
  let at = 0;
  for (const [row, text] of rows.entries()) {
    const end = at + text.length;
    if (image.lines[row]?.line != null && row < rows.length - 1 && !/[{}*]/.test(text) && random(7) === 0) {
      const kind = random(4);
      if (kind === 0) edits.push({ at, end: at, text: `int before_${row};\n` });
      if (kind === 1) edits.push({ at, end: end + 1, text: "" });
      if (kind === 2) edits.push({ at, end, text: `int other_${row};` });
      if (kind === 3) edits.push({ at: end, end, text: ` /* ${row} */\nint behind_${row};` });
    }
    at = end + 1;
  }
  return edits;
}

interface Edited {
  readonly document: string;
  readonly image: string;
}

/** Applies edits of the first image to the document, and reads it again; null where the patch cannot say them. */
function edited(document: string, edits: (image: Image) => TextEdit[]): Edited | null {
  const before = readPatches(document);
  const [patch] = before.patches;
  if (!patch) throw new Error("the document is a patch");
  const images = newImages(document, patch);
  const [image] = images;
  if (!image) throw new Error("the patch has a file");
  const made = edits(image);
  const subject = { unit: { images } } as unknown as Subject;
  const changes = rewritingOfPatch(document, patch, subject, () => null).editsOf(image, made);
  if (!changes) return null;
  const after = applied(document, documentEdits(document, changes));
  const again = readPatches(after);
  expect(again.problems).toEqual(before.problems);
  const [same] = again.patches;
  const text = withEdits(image.text, made) ?? "";
  expect(same && newImages(after, same)[0]?.text).toBe(text);
  // The old side is what it was, and every header says what follows.
  const old = (of: Patch, from: string): string[] => of.files.map((file) => imageOfDiff(from, file, "old", () => null).text);
  expect(same && old(same, after)).toEqual(old(patch, document));
  for (const hunk of same?.files.flatMap((file) => file.hunks) ?? []) {
    expect(hunk.header?.newCount).toBe(hunk.lines.filter((line) => line.kind !== "deleted").length);
    expect(hunk.header?.oldCount).toBe(hunk.lines.filter((line) => line.kind !== "added").length);
  }
  return { document: after, image: text };
}

const hasGit = spawnSync("git", ["--version"]).status === 0;
const hasPatch = spawnSync("patch", ["--version"]).status === 0;

function inFolder<T>(work: (folder: string, run: (program: string, args: readonly string[], input?: string) => { status: number | null; stdout: string }) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "patchwalk-edits-"));
  const env = { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", GIT_CEILING_DIRECTORIES: tmpdir() };
  try {
    return work(folder, (program, args, input) => spawnSync(program, args, { cwd: folder, env, input: input ?? "", encoding: "utf8" }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe.skipIf(!hasGit)("random edits of random patches", () => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed + 1))("%i", (seed) => {
    inFolder((folder, run) => {
      const random = numbers(seed);
      const old = Array.from({ length: 30 + random(60) }, (_, line) => `int v${line};`);
      const now = old.flatMap((line) => (random(12) > 0 ? [line] : [[], [`${line} /* changed */`], [line, "int more;"]][random(3)] ?? []));
      mkdirSync(join(folder, "a"));
      mkdirSync(join(folder, "b"));
      writeFileSync(join(folder, "a/x.c"), `${old.join("\n")}\n`);
      writeFileSync(join(folder, "b/x.c"), `${now.join("\n")}\n`);
      const { stdout } = run("git", ["diff", "--no-index", "--no-color", `-U${1 + random(3)}`, "a/x.c", "b/x.c"]);
      const diff = stdout.replace(/^diff --git .*$/m, "diff --git a/x.c b/x.c").replace(/^--- .*$/m, "--- a/x.c").replace(/^\+\+\+ .*$/m, "+++ b/x.c");
      if (!diff.includes("@@")) return;
      const crlf = seed % 5 === 0;
      const result = edited(crlf ? diff.replaceAll("\n", "\r\n") : diff, (image) => someEdits(image, random));
      if (!result) return;
      const patch = result.document.replaceAll("\r\n", "\n");
      writeFileSync(join(folder, "x.c"), `${old.join("\n")}\n`);
      expect(run("git", ["apply", "--check", "-"], patch).status).toBe(0);
      expect(run("git", ["apply", "-"], patch).status).toBe(0);
      const applied = readFileSync(join(folder, "x.c"), "utf8");
      if (hasPatch) {
        writeFileSync(join(folder, "x.c"), `${old.join("\n")}\n`);
        expect(run("patch", ["-p1", "--silent", "--force"], patch).status).toBe(0);
        expect(readFileSync(join(folder, "x.c"), "utf8")).toBe(applied);
      }
      for (const line of result.image.split("\n")) expect(applied).toContain(line);
    });
  });
});

const ROOT = join(import.meta.dirname, "../fixtures/rules");
const fixtures = readdirSync(ROOT).flatMap((rule) => readdirSync(join(ROOT, rule)).filter((name) => name.endsWith(".patch")).map((name) => join(rule, name))).toSorted();

describe("random edits of the fixtures", () => {
  test.each(fixtures)("%s", (name) => {
    const document = readFileSync(join(ROOT, name), "utf8");
    const made = [1, 2, 3, 4, 5].map((seed) => edited(document, (image) => someEdits(image, numbers(seed)).slice(seed, seed + 2)));
    expect(made.some((one) => one !== null)).toBe(true);
  });
});

test("a context line that changes becomes two lines, and the hunks behind it move", () => {
  const document = ["--- a/x.c", "+++ b/x.c", "@@ -1,3 +1,4 @@", " int a;", "+int b;", " int c;", " int d;", "@@ -9,2 +10,2 @@", " int i;", "-int j;", "+int k;", ""].join("\n");
  const result = edited(document, (image) => [{ at: image.text.indexOf("int c;"), end: image.text.indexOf("int c;") + 6, text: "int x;\nint y;" }]);
  expect(result?.document.split("\n")).toEqual(["--- a/x.c", "+++ b/x.c", "@@ -1,3 +1,5 @@", " int a;", "+int b;", "-int c;", "+int x;", "+int y;", " int d;", "@@ -9,2 +11,2 @@", " int i;", "-int j;", "+int k;", ""]);
});

test("a line at the end of a file without a last line end is not edited", () => {
  const document = ["--- a/x.c", "+++ b/x.c", "@@ -1,2 +1,2 @@", " int a;", "-int b;", "+int c;", "\\ No newline at end of file", ""].join("\n");
  expect(edited(document, (image) => [{ at: image.text.indexOf("int c;"), end: image.text.length, text: "int x;" }])).toBeNull();
});
