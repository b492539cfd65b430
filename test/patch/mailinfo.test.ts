// SPDX-License-Identifier: GPL-2.0-only
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readPatches } from "../../server/patch/read.ts";
import { linesOf } from "./check.ts";

const mails = new URL("../../../shared/mails/", import.meta.url);
const names = existsSync(mails) ? readdirSync(mails).filter((name) => name.startsWith("patch-")).toSorted() : [];
const hasGit = spawnSync("git", ["--version"]).status === 0;
const folder = mkdtempSync(join(tmpdir(), "patchwalk-mailinfo-"));

const codeOf = (text: string): readonly string[] => linesOf(readPatches(text)).map((line) => `${line.kind} ${line.text}`);

describe.skipIf(names.length === 0 || !hasGit)("list mails (skipped where ../shared/mails or git is absent)", () => {
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(names)("%s has the lines that git takes out of it", (name) => {
    const bytes = readFileSync(new URL(name, mails));
    const patch = join(folder, "patch");
    const { status } = spawnSync("git", ["mailinfo", "--no-inbody-headers", join(folder, "message"), patch], { input: bytes });
    expect(status).toBe(0);
    expect(codeOf(bytes.toString("utf8"))).toEqual(codeOf(readFileSync(patch, "utf8")));
  });
});
