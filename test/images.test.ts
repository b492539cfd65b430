// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DEFAULT_OPTIONS } from "../server/review/options.ts";
import { review } from "../server/review/review.ts";

const ROOT = join(import.meta.dirname, "..");

interface Shown {
  readonly path: string;
  readonly findings: readonly { readonly message: string; readonly steps: readonly string[] }[];
}

test("the pictures in docs/images show what users see (else: UPDATE_IMAGES=1 npm run test:e2e)", () => {
  const recorded = JSON.parse(readFileSync(join(ROOT, "docs/images/shown.json"), "utf8")) as Shown[];
  const now = recorded.map(({ path }): Shown => {
    const findings = review({ path, text: readFileSync(join(ROOT, path), "utf8"), kind: "patch" }, DEFAULT_OPTIONS).flatMap((one) => one.findings);
    return { path, findings: findings.map(({ message, evidence }) => ({ message, steps: evidence?.schedule.map(({ step }) => step) ?? [] })) };
  });
  expect(now).toEqual(recorded);
});

test.each(["hover", "problems", "review", "squiggle", "schedule", "example"])("there is a picture of the %s", (name) => {
  expect(existsSync(join(ROOT, `docs/images/${name}.png`))).toBe(true);
});
