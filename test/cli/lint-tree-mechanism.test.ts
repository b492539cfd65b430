// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import { gitTree } from "../git-tree.ts";
import { patchwalk } from "./run-command.ts";

// A mechanism that is judged as a whole stands in the file, whether the patch has to do with it or not.

const FIXTURES = join(import.meta.dirname, "../fixtures/rules/gup-cow-break-misplaced");
const right = readFileSync(join(FIXTURES, "ok-whole-function.c"), "utf8");
const wrong = readFileSync(join(FIXTURES, "whole-function.c"), "utf8");
const MAKEFILE = "VERSION = 5\nPATCHLEVEL = 4\n";

interface Input {
  readonly findings: readonly { readonly messageId?: string; readonly function: string; readonly ruleId: string; readonly origin: string; readonly location: { readonly patchLine: number } }[];
  readonly obligations: readonly { readonly id: string; readonly status: string; readonly patchLines: readonly number[] }[];
}

async function lint(before: string, after: string): Promise<{ readonly input: Input; readonly mail: readonly string[] }> {
  const tree = gitTree({ Makefile: MAKEFILE, "mm/gup.c": before });
  tree.commit({ "mm/gup.c": after });
  const mail = tree.mails(1);
  tree.back(1);
  const { out } = await patchwalk(["lint", "--tree", tree.folder, "--format", "json", "-"], { engine: ENGINE, stdin: mail });
  return { input: (JSON.parse(out) as { inputs: Input[] }).inputs[0]!, mail: mail.split("\n") };
}

const elsewhere = (text: string): string => text.replace("\tif (!nr_pages)\n", "\ttoy_trace(start);\n\tif (!nr_pages)\n");

test("a patch to another line of the function says nothing of it, be it right or wrong", async () => {
  for (const text of [right, wrong]) {
    expect(elsewhere(text)).not.toBe(text);
    const { input } = await lint(text, elsewhere(text));
    expect([input.findings, input.obligations]).toEqual([[], []]);
  }
});

test("a patch that breaks it does, at its own line; one that mends it does not", async () => {
  const { input, mail } = await lint(right, wrong);
  expect(input.findings.map(({ function: name, ruleId }) => [name, ruleId])).toEqual([["__get_user_pages", "gup-cow-break-misplaced"]]);
  expect(mail[input.findings[0]!.location.patchLine - 1]).toContain("+\t\t\tgup_flags |= FOLL_WRITE;");
  expect(input.obligations.find(({ id }) => id === "COW-2")?.status).toBe("broken");
  const mended = await lint(wrong, right);
  expect(mended.input.findings).toEqual([]);
  expect(mended.input.obligations.filter(({ status }) => status === "broken")).toEqual([]);
  expect(mended.input.obligations.length).toBeGreaterThan(0);
});
