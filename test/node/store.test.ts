// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { folderStore, storeFolder } from "../../server/node/store.ts";
import { treeFiles, treeRoot, treeText } from "../../server/node/tree-files.ts";

const folder = mkdtempSync(join(tmpdir(), "patchwalk-node-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a store", () => {
  const place = join(folder, "store", "deep");

  test("gives back what was written, also to others", () => {
    folderStore(place).write("a-1", "text\nwith lines\u00e9");
    expect(folderStore(place).read("a-1")).toBe("text\nwith lines\u00e9");
    expect(folderStore(place).read("b")).toBeNull();
    expect(readdirSync(place)).toEqual(["a-1"]);
  });

  test.each<[string, (text: string) => string]>([
    ["cut off", (text) => text.slice(0, -3)],
    ["changed", (text) => text.replace("lines", "LINES")],
    ["emptied", () => ""],
    ["another version", (text) => text.replace("store 1", "store 2")],
    ["without a first line", (text) => text.slice(text.indexOf("\n") + 1)],
  ])("does not give back what was %s", (_, damage) => {
    const store = folderStore(place);
    store.write("damaged", "text\nwith lines");
    const file = join(place, "damaged");
    writeFileSync(file, damage(readFileSync(file, "utf8")));
    expect(store.read("damaged")).toBeNull();
    store.write("damaged", "again");
    expect(store.read("damaged")).toBe("again");
  });

  test("that cannot be written goes on, and says why", () => {
    writeFileSync(join(folder, "file"), "");
    const store = folderStore(join(folder, "file", "below"));
    expect(store.failure()).toBeNull();
    store.write("a", "text");
    store.write("b", "text");
    expect(store.failure()).toBe("not a directory");
    expect(store.read("a")).toBeNull();
  });

  test("lies below the user's cache folder, one for each tree", () => {
    const [one, two] = ["/a", "/b"].map((root) => storeFolder(root, { XDG_CACHE_HOME: "/cache", HOME: "/home" }));
    expect(one).toMatch(/^\/cache\/patchwalk\/[0-9a-f]{24}$/);
    expect(two).not.toBe(one);
    expect(storeFolder("/a", { XDG_CACHE_HOME: "relative", HOME: "/home" })).toMatch(/^\/home\/\.cache\/patchwalk\//);
    expect(storeFolder("/a", {})).toBeNull();
  });
});

describe("a tree", () => {
  const tree = join(folder, "tree");
  mkdirSync(join(tree, "mm", ".hidden"), { recursive: true });
  mkdirSync(join(folder, "outside"));
  for (const name of ["tree/mm/b.c", "tree/mm/a.c", "tree/mm/a.h", "tree/mm/Makefile", "tree/mm/.hidden/x.c", "outside/secret.c"]) writeFileSync(join(folder, name), name);
  symlinkSync("a.c", join(tree, "mm", "inside.c"));
  symlinkSync(join(folder, "outside", "secret.c"), join(tree, "mm", "leak.c"));
  symlinkSync(join(folder, "outside"), join(tree, "mm", "folder"));
  const root = treeRoot(tree);

  test("has its C files, and no other one's", () => {
    expect(treeFiles(root, ["mm"])).toEqual({ paths: ["mm/a.c", "mm/a.h", "mm/b.c", "mm/inside.c"], problems: [] });
    expect(treeFiles(root, ["mm/b.c", "mm/", "./mm/a.c"]).paths).toEqual(["mm/a.c", "mm/a.h", "mm/b.c", "mm/inside.c"]);
  });

  test.each([
    ["mm/none", "no such file or directory"],
    ["mm/leak.c", "outside of the tree"],
    ["mm/folder", "outside of the tree"],
    ["../outside", "outside of the tree"],
  ])("%s: %s", (path, reason) => {
    expect(treeFiles(root, [path])).toEqual({ paths: [], problems: [{ path, reason }] });
  });

  test("gives texts of files inside only", () => {
    expect(treeText(root, "mm/inside.c")).toMatchObject({ text: "tree/mm/a.c" });
    expect(treeText(root, "mm/leak.c")).toEqual({ reason: "outside of the tree" });
    expect(treeText(root, "mm/none.c")).toEqual({ reason: "no such file or directory" });
  });
});
