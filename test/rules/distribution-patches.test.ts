// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { WITHOUT_SHARED } from "../shared.ts";

const folder = join(import.meta.dirname, "../../../shared/patches");
const names = existsSync(folder) ? readdirSync(folder).toSorted() : [];

describe.skipIf(names.length === 0)(names.length === 0 ? WITHOUT_SHARED : "patches as distributions carry them", () => {
  test("only the two of UFFDIO_REMAP have a finding, and all C is read", () => {
    const reviews = names.flatMap((name) =>
      review({ path: name, text: readFileSync(join(folder, name), "utf8"), kind: "patch" }, DEFAULT_OPTIONS).map((one) => ({ name, one })));
    expect(reviews.flatMap(({ name, one }) => one.findings.map(({ ruleId, tier }) => [name.slice(0, 3), ruleId, tier]))).toEqual([
      ["103", "notifier-nonblock-outside-oom", "proved"], ["103", "notifier-nonblock-unchecked", "proved"], ["103", "notifier-range-unbalanced", "proved"],
      ["104", "notifier-nonblock-outside-oom", "proved"], ["104", "notifier-nonblock-unchecked", "proved"], ["104", "notifier-range-unbalanced", "proved"],
    ]);
    expect(reviews.flatMap(({ name, one }) => one.problems.map(({ code, line }) => [name, code, line]))).toEqual([]);
  });
});
