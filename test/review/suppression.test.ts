// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS, type ReviewOptions } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { staleInFile } from "../../server/review/suppression/stale.ts";
import { sortOut } from "../../server/review/suppression/suppress.ts";
import type { Suppression } from "../../server/review/suppression/suppression.ts";
import { CLEAN, QUESTION } from "../report/sample-review.ts";
import { RULES } from "../cli/run-command.ts";

const PATCH = readFileSync(join(import.meta.dirname, "../fixtures/rules/hugetlb-walk-unlocked/new-function.patch"), "utf8");
const RULE = "hugetlb-walk-unlocked";
const IGNORE = `Patchwalk-ignore: ${RULE} huge_usage_account(): nobody else sees this mm\n`;

/** The patch with lines below its `---`. */
const below = (lines: string): string => PATCH.replace("---\n mm", `---\n${lines} mm`);

interface Outcome {
  readonly found: readonly string[];
  readonly suppressed: readonly string[];
  readonly problems: readonly string[];
}

function outcome(text: string, options: Partial<ReviewOptions> = {}): Outcome {
  const reviews = review({ path: "a.patch", text, kind: "patch" }, { ...DEFAULT_OPTIONS, ...options });
  return {
    found: reviews.flatMap((one) => one.findings.map(({ ruleId }) => ruleId)),
    suppressed: reviews.flatMap((one) => (one.suppressed ?? []).map(({ finding, reason, place }) => `${finding.ruleId}: ${reason} (${place.in} ${place.line})`)),
    problems: reviews.flatMap((one) => one.problems.filter(({ code }) => code.startsWith("suppression-")).map(({ code, line }) => `${code} ${line}`)),
  };
}

describe("a suppression below the --- of a mail", () => {
  test.each<[string, string, Partial<Outcome>]>([
    ["for a function", IGNORE, { suppressed: [`${RULE}: nobody else sees this mm (mail 12)`] }],
    ["for the patch", `Patchwalk-ignore: ${RULE}: nobody else sees this mm\n`, { suppressed: [`${RULE}: nobody else sees this mm (mail 12)`] }],
    ["among the changes since the last version", `v2: rebased\n\n${IGNORE}\n`, { suppressed: [`${RULE}: nobody else sees this mm (mail 14)`] }],
    ["with a reason of several lines", IGNORE.replace("mm\n", "mm,\n\twhich was made here\n  alone\nv2: rebased\n"), { suppressed: [`${RULE}: nobody else sees this mm, which was made here alone (mail 12)`] }],
    ["in a note of git's", `\nNotes:\n    ${IGNORE}    v2: rebased\n`, { suppressed: [`${RULE}: nobody else sees this mm (mail 14)`] }],
    ["in a note of git's with a reason of two lines", `\nNotes:\n    ${IGNORE}      but this\n    v2: rebased\n`, { suppressed: [`${RULE}: nobody else sees this mm but this (mail 14)`] }],
    ["in other letters", IGNORE.replace("Patchwalk-ignore", "PATCHWALK-Ignore"), { suppressed: [`${RULE}: nobody else sees this mm (mail 12)`] }],
    ["with a bar and a number in its reason", IGNORE.replace("nobody", "state | 12 nobody"), { suppressed: [`${RULE}: state | 12 nobody else sees this mm (mail 12)`] }],
    ["for another function", IGNORE.replace("huge_usage_account", "huge_usage_show"), { found: [RULE], problems: ["suppression-stale 12"] }],
    ["for another rule", IGNORE.replace(RULE, "lock-order"), { found: [RULE], problems: ["suppression-stale 12"] }],
    ["for an unknown rule", IGNORE.replace(RULE, "hugetlb-walk"), { found: [RULE], problems: ["suppression-unknown-rule 12"] }],
    ["without a reason", `Patchwalk-ignore: ${RULE} huge_usage_account():\n`, { found: [RULE], problems: ["suppression-reason 12"] }],
    ["with the place of a reason", `Patchwalk-ignore: ${RULE}: <why this is not a bug>\n`, { found: [RULE], problems: ["suppression-reason 12"] }],
    ["without a colon", `Patchwalk-ignore: ${RULE} nobody else sees this mm\n`, { found: [RULE], problems: ["suppression-malformed 12"] }],
    ["for everything", "Patchwalk-ignore: *: nobody else sees this mm\n", { found: [RULE], problems: ["suppression-malformed 12"] }],
    ["quoted in the mail of a patch", `> ${IGNORE}`, { found: [RULE] }],
    ["in a sentence", `There is no need for a ${IGNORE}`, { found: [RULE] }],
    ["once more than needed", `${IGNORE}${IGNORE.replace(" huge_usage_account()", "")}`, { suppressed: [`${RULE}: nobody else sees this mm (mail 12)`] }],
  ])("%s", (_, lines, expected) => {
    expect(outcome(below(lines))).toEqual({ found: [], suppressed: [], problems: [], ...expected });
  });

  test("counts nowhere else", () => {
    const found = [RULE];
    expect(outcome(PATCH.replace("Count present", `${IGNORE}\nCount present`))).toEqual({ found, suppressed: [], problems: ["suppression-misplaced 8"] });
    expect(outcome(PATCH.replace("Signed-off-by", `${IGNORE}Signed-off-by`))).toEqual({ found, suppressed: [], problems: ["suppression-misplaced 10"] });
    expect(outcome(PATCH.replace("diff --git", `${IGNORE}\ndiff --git`))).toEqual({ found, suppressed: [], problems: [] });
    expect(outcome(PATCH.replace("-- \n", `-- \n${IGNORE}`))).toEqual({ found, suppressed: [], problems: [] });
    expect(outcome(PATCH.replace("/* finds: hugetlb-walk-unlocked proved */", `/* ${IGNORE.trim()} */`))).toEqual({ found, suppressed: [], problems: [] });
    // Without the line that ends the message there is nothing below it.
    expect(outcome(below(IGNORE).replace("\n---\n", "\n"))).toEqual({ found, suppressed: [], problems: ["suppression-misplaced 11"] });
  });

  test("is stale only where its rule was looked for", () => {
    const other = below(IGNORE.replace(RULE, "lock-order"));
    expect(outcome(other, { rules: { "lock-order": "off" } }).problems).toEqual([]);
    expect(outcome(other, { simulate: false }).problems).toEqual([]);
    // What is below the tier that is shown is there all the same.
    expect(outcome(below(IGNORE), { simulate: false, minTier: "proved" })).toEqual({ found: [], suppressed: [], problems: [] });
    expect(outcome(below(IGNORE), { release: "4.4" }).problems).toEqual([]);
    // The patch ends inside of a hunk: what is missing may have it.
    expect(outcome(other.slice(0, other.indexOf("+\tmmap_read_unlock"))).problems).toEqual([]);
  });

  test("counts for its own patch of a mailbox", () => {
    const mailbox = `${below(IGNORE)}\n${PATCH}`;
    expect(outcome(mailbox)).toEqual({ found: [RULE], suppressed: [`${RULE}: nobody else sees this mm (mail 12)`], problems: [] });
  });

  test("counts where it is encoded, too", () => {
    const [head, body] = [PATCH.slice(0, PATCH.indexOf("\n\n")), below(IGNORE).slice(PATCH.indexOf("\n\n") + 2)];
    const encoded = `${head}\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: base64\n\n${Buffer.from(body).toString("base64").replace(/.{76}/g, "$&\n")}\n`;
    expect(outcome(encoded)).toMatchObject({ found: [], suppressed: [expect.stringContaining("nobody else sees this mm")] });
  });
});

test("what is suppressed is all that changes, for whatever rule", () => {
  const folder = join(import.meta.dirname, "../fixtures/rules");
  const options: ReviewOptions = { ...DEFAULT_OPTIONS, simulate: false, minTier: "pattern" };
  const reviewed = (text: string) => review({ path: "a.patch", text, kind: "patch" }, options);
  let seen = 0;
  for (const rule of readdirSync(folder)) {
    for (const name of readdirSync(join(folder, rule)).filter((one) => one.endsWith(".patch"))) {
      const mail = readFileSync(join(folder, rule, name), "utf8");
      const before = reviewed(mail);
      const found = before.flatMap(({ findings }) => findings);
      const first = found[0];
      if (before.length !== 1 || first === undefined || !mail.includes("\n---\n")) continue;
      seen++;
      const [after] = reviewed(mail.replace("\n---\n", `\n---\nPatchwalk-ignore: ${first.ruleId}: looked at\n`));
      const prints = (all: typeof found): readonly string[] => all.map(({ ruleId, fingerprint }) => `${ruleId} ${fingerprint}`);
      expect(prints(after?.findings.slice() ?? []), `${rule}/${name}`).toEqual(prints(found.filter(({ ruleId }) => ruleId !== first.ruleId)));
      expect(prints(after?.suppressed?.map((one) => one.finding) ?? []), `${rule}/${name}`).toEqual(prints(found.filter(({ ruleId }) => ruleId === first.ruleId)));
    }
  }
  expect(seen).toBeGreaterThan(20);
});

describe("in a reply", () => {
  const quoted = (patch: string): string => patch.slice(patch.indexOf("\n\n") + 2).split("\n").map((line) => `> ${line}`.trimEnd()).join("\n");
  const reply = (body: string): string => `From: Example Reviewer <r@example.org>\nSubject: Re: [PATCH] mm/huge_usage: account hugetlb entries\nDate: Tue, 17 Jan 2023 10:20:00 +0000\n\nOn Mon, Jan 16, 2023, Example Developer wrote:\n${body}`;

  test("what is quoted with the patch counts for it", () => {
    expect(outcome(reply(quoted(PATCH))).found).toEqual([RULE]);
    expect(outcome(reply(quoted(below(IGNORE))))).toMatchObject({ found: [], suppressed: [expect.stringContaining("nobody else sees this mm")] });
  });

  test("what the writer of the reply adds does not", () => {
    const text = quoted(PATCH);
    expect(outcome(reply(`---\n${IGNORE}\n${text}`)).found).toEqual([RULE]);
    expect(outcome(reply(text.replace("> ---\n", `> ---\n${IGNORE}`))).found).toEqual([RULE]);
    expect(outcome(reply(text.replace("> ---\n", `> ---\n> > ${IGNORE}`))).found).toEqual([RULE]);
  });
});

const suppression = (given: Partial<Suppression>): Suppression => ({
  rule: QUESTION.ruleId, function: null, file: null, fingerprint: null, reason: "looked at", until: null,
  place: { in: "configuration", path: "p.json", line: 1, column: 1, endColumn: 2 }, ...given,
});

describe("a suppression of a configuration", () => {
  test.each<[Partial<Suppression>, boolean]>([
    [{}, true],
    [{ rule: "lock-order" }, false],
    [{ function: "find_huge" }, true],
    [{ function: "find" }, false],
    [{ file: "mm/example.c" }, true],
    [{ file: "mm/*.c" }, true],
    [{ file: "fs/**" }, false],
    [{ fingerprint: QUESTION.fingerprint }, true],
    [{ fingerprint: "0000000000000000" }, false],
    [{ function: "find_huge", file: "fs/**" }, false],
    [{ until: "6.13" }, true],
    [{ until: "6.12" }, false],
    [{ until: "6.1" }, false],
  ])("%j names it: %s", (given, is) => {
    const sorted = sortOut([QUESTION], [suppression(given)], "6.12", ({ location }) => location.file);
    expect(sorted.suppressed).toHaveLength(is ? 1 : 0);
    expect(sorted.findings).toHaveLength(is ? 0 : 1);
    expect(sorted.expired.size).toBe(given.until !== undefined && !is ? 1 : 0);
  });

  test("a file that is not known is not the one that is named", () => {
    expect(sortOut([QUESTION], [suppression({ file: "**" })], "6.12", () => null).suppressed).toEqual([]);
  });

  test("every finding is in one of the two lists, whatever is suppressed", () => {
    const finding = fc.record({ ruleId: fc.constantFrom("a", "b"), function: fc.constantFrom("f", "g", null), fingerprint: fc.constantFrom("0", "1") }).map((one) => ({ ...QUESTION, ...one }));
    const one = fc.record({ rule: fc.constantFrom("a", "b"), function: fc.constantFrom("f", "g", null), fingerprint: fc.constantFrom("0", "1", null), until: fc.constantFrom(null, "6.1", "7.0") }).map(suppression);
    fc.assert(fc.property(fc.array(finding), fc.array(one), (findings, suppressions) => {
      const sorted = sortOut(findings, suppressions, "6.12", () => "mm/x.c");
      expect(new Set([...sorted.findings, ...sorted.suppressed.map((each) => each.finding)])).toEqual(new Set(findings));
      expect(sorted.findings.length + sorted.suppressed.length).toBe(findings.length);
    }), { numRuns: 500 });
  });

  test("is stale where its file was looked at as a whole, and not elsewhere", () => {
    const one = suppression({ file: "mm/example.c", function: "gone" });
    const target = { ...CLEAN.target, release: "6.12" };
    const stale = (given: Suppression, file: string, read: { readonly problems?: typeof CLEAN.problems; readonly release?: string } = {}, options: Partial<ReviewOptions> = {}): number =>
      staleInFile([given], new Set(), file, { problems: read.problems ?? [], target: { ...target, release: read.release ?? "6.12" } }, { ...DEFAULT_OPTIONS, ...options }, RULES).length;
    expect(stale(one, "mm/example.c")).toBe(1);
    expect(stale(one, "mm/other.c")).toBe(0);
    expect(stale(suppression({ file: "mm/*.c" }), "mm/example.c")).toBe(0);
    expect(stale(suppression({ function: "gone" }), "mm/example.c")).toBe(0);
    expect(stale(one, "mm/example.c", {}, { rules: { [one.rule]: "off" } })).toBe(0);
    expect(stale(one, "mm/example.c", {}, { simulate: false })).toBe(0);
    expect(stale(one, "mm/example.c", { release: "4.4" })).toBe(0);
    expect(stale({ ...one, until: "6.10" }, "mm/example.c")).toBe(0);
    for (const code of ["paths-cut-off", "rule-failed", "c-not-parsed", "file-changed"]) {
      expect(stale(one, "mm/example.c", { problems: [{ code, message: "", line: null }] })).toBe(0);
    }
    expect(staleInFile([one], new Set([one]), "mm/example.c", { problems: [], target }, DEFAULT_OPTIONS, RULES)).toEqual([]);
  });
});
