// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { review } from "../../server/review/review.ts";
import { applied } from "../document-edits.ts";
import { optionsOf } from "../fixture-file.ts";
import { transformations } from "../patch/transform.ts";

const ROOT = join(import.meta.dirname, "../fixtures/rules");
const hits = readdirSync(ROOT).flatMap((rule) => readdirSync(join(ROOT, rule)).filter((name) => !name.startsWith("ok-")).map((name) => join(rule, name))).toSorted();

/** The text with some lines gone, doubled, or joined with the next; the same on every machine. */
function spoiled(text: string, seed: number): string {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const lines = text.split("\n");
  return lines.map((line, at) => (at < 12 || random(14) > 0 ? `${line}\n` : ["", `${line}\n${line}\n`, line.trimEnd(), `${line.slice(0, line.length >> 1)}\n`][random(4)])).join("");
}

/** Every edit that is offered can be applied, and what it makes has fewer findings. */
function expectSound(path: string, text: string, kind: "c" | "patch", options: ReturnType<typeof optionsOf>): number {
  const reviews = review({ path, text, kind }, { ...options, fixes: true });
  expect(reviews.flatMap((one) => one.problems).filter(({ code }) => code === "rule-failed")).toEqual([]);
  const findings = reviews.flatMap((one) => one.findings);
  for (const fix of findings.flatMap((one) => one.fixes ?? [])) {
    const after = review({ path, text: applied(text, fix.edits), kind }, options).flatMap((one) => one.findings);
    expect(after.length).toBeLessThan(findings.length);
  }
  return findings.flatMap((one) => one.fixes ?? []).length;
}

test.each(hits.filter((_, index) => index % 3 === 0))("a spoiled %s", (name) => {
  const text = readFileSync(join(ROOT, name), "utf8");
  const kind = name.endsWith(".c") ? "c" : "patch";
  for (const seed of [1, 2]) expectSound(`mm/${name}`, spoiled(text, seed), kind, optionsOf(text));
});

const MAILS = ["hugetlb-walk-unlocked/new-function.patch", "gup-readonly-longterm/write-dropped-6.1.patch", "notifier-nonblock-outside-oom/blocking-replaced.patch"];

/** Forms in which the code does not stand in the document as it is. */
const NOT_EDITED = /quoted|base64|stripped|wrapped/;

describe.each(MAILS)("%s", (name) => {
  test.each(transformations.map((one) => [one.name, one] as const))("as %s", (form, transformation) => {
    const text = readFileSync(join(ROOT, name), "utf8");
    const offered = expectSound("x.patch", transformation.apply(text), "patch", { ...optionsOf(text) });
    if (NOT_EDITED.test(form)) expect(offered).toBe(0);
    if (form === "CRLF") expect(offered).toBeGreaterThan(0);
  });
});
