// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isPlainPath, openKernelTree, readKernelTree } from "../../server/node/kernel-tree.ts";
import { emptyFolder, writeFiles } from "../git-tree.ts";

async function read(root: string, ...paths: readonly string[]): Promise<readonly unknown[]> {
  const tree = openKernelTree(root, false);
  if ("reason" in tree) throw new Error(tree.reason);
  const { file } = await readKernelTree(tree, { blobs: [], paths, commits: [] });
  return paths.map((path) => file(path));
}

describe("paths of a patch", () => {
  test.each([
    "../mm/toy.c", "mm/../../etc/passwd", "/etc/passwd", "mm//toy.c", "./mm/toy.c", "mm/.", "mm/toy.c/", "", "mm/toy.c\0.txt", "mm\\..\\toy.c", "C:/toy.c", "C:toy.c", "mm/toy.c:stream",
    "\\\\server\\share", "mm/toy.c ", "mm/toy.c.", ".git/config", "mm/.GIT/config", "GIT~1/config", "mm/NUL.c", "con", "mm/\ntoy.c", `${"a/".repeat(600)}a.c`,
  ])("%j is none", async (path) => {
    expect(isPlainPath(path)).toBe(false);
    const root = emptyFolder();
    writeFiles(root, { "mm/toy.c": "int toy;\n", ".git/config": "secret\n" });
    expect(await read(root, path)).toEqual([{ reason: "not a path inside of the tree" }]);
  });

  test("those of the kernel are", () => {
    for (const path of ["mm/gup.c", "arch/x86/include/asm/pgtable-3level.h", "tools/testing/selftests/mm/.gitignore", "Documentation/a b.rst", "include/linux/..hidden.h"]) expect(isPlainPath(path)).toBe(true);
  });
});

test("links are not followed, wherever they lead", async () => {
  const [root, outside] = [emptyFolder(), emptyFolder()];
  writeFiles(outside, { "secret.c": "int secret;\n" });
  writeFiles(root, { "mm/toy.c": "int toy;\n" });
  symlinkSync(join(outside, "secret.c"), join(root, "mm/out.c"));
  symlinkSync(outside, join(root, "other"));
  symlinkSync(join(root, "mm/toy.c"), join(root, "mm/in.c"));
  symlinkSync("loop.c", join(root, "mm/loop.c"));
  expect(await read(root, "mm/out.c", "other/secret.c", "mm/in.c", "mm/loop.c", "mm/toy.c")).toEqual([
    { reason: "outside of the tree" }, { reason: "outside of the tree" }, { reason: "a symbolic link" }, { reason: "too many symbolic links" }, { text: "int toy;\n" },
  ]);
});

test("a tree behind a link is one", async () => {
  const root = emptyFolder();
  writeFiles(root, { "mm/toy.c": "int toy;\n" });
  const link = join(emptyFolder(), "linux");
  symlinkSync(root, link);
  expect(await read(link, "mm/toy.c")).toEqual([{ text: "int toy;\n" }]);
});

test("what is no file, or too much of one, is refused without waiting for it", async () => {
  const root = emptyFolder();
  mkdirSync(join(root, "mm/folder.c"), { recursive: true });
  execFileSync("mkfifo", [join(root, "mm/pipe.c")]);
  writeFileSync(join(root, "mm/large.c"), " ".repeat(2 * 1024 * 1024 + 1));
  writeFileSync(join(root, "mm/latin1.c"), Buffer.from([0x2f, 0x2f, 0x20, 0xe9, 0x0a]));
  expect(await read(root, "mm/folder.c", "mm/pipe.c", "mm/large.c", "mm/absent.c", "mm/absent.c/x.c", "mm/large.c/x.c", "mm/latin1.c")).toEqual([
    { reason: "not a regular file" }, { reason: "not a regular file" }, { reason: "larger than 2 MiB" }, null, null, null, { text: "// é\n" },
  ]);
});

test("one document cannot make us read all of a tree", async () => {
  const root = emptyFolder();
  const large = `${"x".repeat(2 * 1024 * 1024 - 1)}\n`;
  const names = Array.from({ length: 40 }, (_, index) => `mm/large-${index}.c`);
  writeFiles(root, Object.fromEntries(names.map((name) => [name, large])));
  const found = await read(root, ...names);
  expect(found.filter((one) => "text" in (one as object))).toHaveLength(12);
  expect(found.at(-1)).toEqual({ reason: "the patch touches too much of the tree" });
});
