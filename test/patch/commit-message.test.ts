// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { commitMessage } from "../../server/patch/commit-message.ts";
import { readPatches } from "../../server/patch/read.ts";

const messageOf = (lines: readonly string[]) => commitMessage({ subject: "mm: toy", prose: lines.map((text, index) => ({ text, line: index + 1 })) });

describe("a commit message as data", () => {
  const message = messageOf([
    "commit 0123456789abcdef0123456789abcdef01234567 upstream.", "",
    "A walk for reading takes entries that are", "shared, as in mm/gup.c of 4.4. Ask for writable ones:", "",
    " - toy_walk(): where it is shared;", " - toy_walk_fast(): no change", "   at all.", "",
    "toy_a(): left alone", "",
    "[dev: backport notes", "Removed FOLL_PIN usage in", "toy_force.]", "[other]",
    "Fixes: 0123456789ab (\"mm: toy\")", "Cc: stable@vger.kernel.org # 4.4.x", "Signed-off-by: Example Developer <dev@example.org>",
    "---", "v2: toy_walk(): no change", " mm/toy.c | 2 +-",
  ]);

  test("sentences and items, with their first lines", () => {
    expect(message.statements.map(({ text, line }) => [line, text])).toEqual([
      [1, "commit 0123456789abcdef0123456789abcdef01234567 upstream."],
      [3, "A walk for reading takes entries that are shared, as in mm/gup.c of 4.4."],
      [4, "Ask for writable ones:"],
      [6, "- toy_walk(): where it is shared;"],
      [7, "- toy_walk_fast(): no change at all."],
      [10, "toy_a(): left alone"],
      [12, "[dev: backport notes Removed FOLL_PIN usage in toy_force.]"],
      [15, "[other]"],
    ]);
  });

  test("notes with who wrote them, trailers, and where it comes from", () => {
    expect(message.notes.map(({ by, text, line }) => [line, by, text])).toEqual([[12, "dev", "[dev: backport notes Removed FOLL_PIN usage in toy_force.]"], [15, null, "[other]"]]);
    expect(message.trailers.map(({ name, value, line }) => [line, name, value])).toEqual([
      [16, "Fixes", "0123456789ab (\"mm: toy\")"], [17, "Cc", "stable@vger.kernel.org # 4.4.x"], [18, "Signed-off-by", "Example Developer <dev@example.org>"],
    ]);
    expect(message.upstream).toEqual({ commit: "0123456789abcdef0123456789abcdef01234567", line: 1 });
  });

  test.each([
    ["[ Upstream commit 0123456789abcdef ]", "0123456789abcdef"],
    ["Upstream commit: 0123456789abcdef", "0123456789abcdef"],
    ["> commit 0123456789abcdef upstream", "0123456789abcdef"],
    ["This reverts commit 0123456789abcdef.", null],
    ["commit 0123456789abcdef upstream has the same", null],
  ])("%s", (line, commit) => {
    expect(messageOf([line]).upstream?.commit ?? null).toBe(commit);
  });

  test("a diff without a mail has none", () => {
    const [patch] = readPatches("--- a/mm/toy.c\n+++ b/mm/toy.c\n@@ -1 +1 @@\n-int a;\n+int b;\n").patches;
    expect(commitMessage(patch!)).toEqual({ subject: null, statements: [], notes: [], trailers: [], upstream: null });
  });

  test("stays fast on hostile text", () => {
    const long = [`[${"a ".repeat(190)}`, ..."x".repeat(5000).split(""), "- ".repeat(199), `${"f(), ".repeat(60)}: no change`];
    const started = performance.now();
    messageOf(Array.from({ length: 20 }, () => long).flat());
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
