// SPDX-License-Identifier: GPL-2.0-only
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findConfiguration, readConfigurationFile } from "../../server/node/configuration-file.ts";
import { replaceFile } from "../../server/node/replace-file.ts";

let top = "";
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), "patchwalk-configuration-")));
  // The search ends here, whatever the folders above have.
  mkdirSync(join(top, ".git"));
  mkdirSync(join(top, "a/b"), { recursive: true });
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const put = (path: string, text = "{}"): void => writeFileSync(join(top, path), text);
const found = (folder = "a/b"): string | null => {
  const one = findConfiguration(join(top, folder));
  return one === null ? null : `${one.path.slice(top.length + 1)}: ${"text" in one ? one.text : one.reason}`;
};

describe("the configuration of a folder", () => {
  test("is the nearest one above", () => {
    expect(found()).toBeNull();
    put(".patchwalk.json", "top");
    expect(found()).toBe(".patchwalk.json: top");
    put("a/.patchwalk.json", "a");
    expect(found()).toBe("a/.patchwalk.json: a");
    put("a/b/.patchwalk.json", "b");
    expect(found()).toBe("a/b/.patchwalk.json: b");
    expect(found(".")).toBe(".patchwalk.json: top");
  });

  test("is not looked for above the repository, which a file may mark, too", () => {
    put(".patchwalk.json", "top");
    put("a/.git", "gitdir: elsewhere");
    expect(found()).toBeNull();
  });

  test("is where the folder really is", () => {
    put("a/.patchwalk.json", "a");
    mkdirSync(join(top, "c"));
    put("c/.patchwalk.json", "c");
    symlinkSync("../a/b", join(top, "c/link"));
    expect(found("c/link")).toBe("a/.patchwalk.json: a");
    expect(found("nowhere")).toBeNull();
  });

  test("is a file, and no link, folder or pipe", () => {
    put("elsewhere.json", "x");
    symlinkSync("../elsewhere.json", join(top, "a/.patchwalk.json"));
    expect(found()).toBe("a/.patchwalk.json: not used, because it is a link: name it with --config-file");
    expect(readConfigurationFile(join(top, "a/.patchwalk.json"))).toMatchObject({ text: "x" });
    rmSync(join(top, "a/.patchwalk.json"));
    mkdirSync(join(top, "a/.patchwalk.json"));
    expect(found()).toBe("a/.patchwalk.json: not used, because it is no file");
    rmSync(join(top, "a/.patchwalk.json"), { recursive: true });
    execFileSync("mkfifo", [join(top, "a/.patchwalk.json")]);
    expect(found()).toBe("a/.patchwalk.json: not used, because it is no file");
    expect(readConfigurationFile(join(top, "a/.patchwalk.json"))).toMatchObject({ reason: "not used, because it is no file" });
  });

  test.skipIf(process.getuid?.() !== 0)("is not that of another user, unless the folder is, too", () => {
    put(".patchwalk.json", "top");
    chownSync(join(top, ".patchwalk.json"), 4711, 4711);
    expect(found()).toBe(".patchwalk.json: not used, because it belongs to another user: name it with --config-file");
    chownSync(join(top, "a/b"), 4711, 4711);
    expect(found()).toBe(".patchwalk.json: top");
  });

  test("is read up to a limit", () => {
    put(".patchwalk.json", "x".repeat(10_000_000));
    const one = findConfiguration(top);
    expect(one && "text" in one && one.text.length).toBe(4 * 1024 * 1024);
  });
});

describe("a file that gets new content", () => {
  test("has it in one step, and nothing is left beside it", () => {
    expect(replaceFile(join(top, "a/new.json"), "1")).toBeNull();
    put("old.json", "0");
    chmodSync(join(top, "old.json"), 0o640);
    symlinkSync("../old.json", join(top, "a/link.json"));
    expect(replaceFile(join(top, "a/link.json"), "2")).toBeNull();
    expect(readFileSync(join(top, "old.json"), "utf8")).toBe("2");
    expect(statSync(join(top, "old.json")).mode & 0o777).toBe(0o640);
    expect(readdirSync(join(top, "a")).toSorted()).toEqual(["b", "link.json", "new.json"]);
  });

  test("stays as it is where that fails", () => {
    expect(replaceFile(join(top, "nowhere/x.json"), "1")).toBe("no such file or directory");
    expect(replaceFile(join(top, "a"), "1")).toBe("is a directory");
    expect(readdirSync(top).toSorted()).toEqual([".git", "a"]);
  });
});
