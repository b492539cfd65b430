// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { sharedFile, WITHOUT_SHARED } from "../shared.ts";

const seed = sharedFile("seeds/004_f974bc7dda40ba1f.txt");

/** The mail with some of its lines changed: `edit` gets the lines, line n at index n - 1. */
function edited(edit: (lines: string[]) => void): string {
  const lines = (seed ?? "").split("\n");
  edit(lines);
  return lines.join("\n");
}

const replace = (line: number, from: string, to: string) => (lines: string[]): void => {
  expect(lines[line - 1]).toContain(from);
  lines[line - 1] = (lines[line - 1] ?? "").replace(from, to);
};

const lint = (text: string) => {
  const [first] = review({ path: "004.txt", text, kind: "patch" }, DEFAULT_OPTIONS);
  if (!first) throw new Error("one patch is expected");
  return first;
};

/** What is wrong with the backport as it was sent: it was reverted in 4.9 and done again (Ben Hutchings, January 2022). */
const ITS_OWN = new Set(["gup-fast-cow-incomplete", "backport-contradicts-message", "backport-family-incomplete", "backport-prerequisite-missing", "parameter-left-dead"]);

const edits = (text: string) => lint(text).findings.filter(({ ruleId }) => !ITS_OWN.has(ruleId));

const rows = (findings: ReturnType<typeof lint>["findings"]) => findings.map(({ location, ruleId, tier, messageId }) => [location.patchLine, ruleId, tier, messageId]);

describe.skipIf(seed === null)(seed === null ? WITHOUT_SHARED : "the backport of the early COW break to 4.4", () => {
  test("the porter's note decides the target", () => {
    expect(lint(seed ?? "").target).toMatchObject({ release: "4.4", decidedBy: "backport-note", because: expect.stringContaining("line 42") });
  });

  test("the wrong function is forced, against its own comment; architectures and a prerequisite are left out; the obligations are checked at their lines", () => {
    const { findings, obligations } = lint(seed ?? "");
    expect(rows(findings)).toEqual([
      [76, "backport-family-incomplete", "contract", "twins"],
      [76, "backport-prerequisite-missing", "contract", "unseen"],
      [135, "backport-contradicts-message", "contract", "comment"],
      [135, "gup-fast-cow-incomplete", "proved", "fastOnly"],
      [144, "parameter-left-dead", "contract", "overriddenHere"],
    ]);
    expect(findings[0]).toMatchObject({ origin: "incomplete-fix", message: expect.stringContaining("arch/x86/mm/gup.c") });
    expect(findings[1]?.message).toContain("38e088546522");
    const lines = ({ related }: (typeof findings)[number]): (number | null)[] => related.map(({ patchLine }) => patchLine);
    expect(findings.slice(2).map(lines)).toEqual([[106, 141, 144], [141, 144], [135, 141, 106]]);
    expect(obligations.map(({ id, status, patchLines }) => [id, status, patchLines])).toEqual([
      ["COW-1", "holds", [76]],
      ["COW-2", "holds", [84, 94]],
      ["COW-3", "holds", [83, 84, 85, 86, 87, 88]],
      ["COW-4", "holds", [93, 94]],
      ["COW-5", "holds", [66, 164]],
      ["COW-6", "holds", [66, 164]],
      ["COW-7", "not-visible", []],
      ["COW-8", "broken", [135, 141, 144]],
    ]);
  });

  // The answer leaves most of the commit message out: upstream's says of each function what happens to it.
  test("what the message says of a function is compared with it", () => {
    const text = edited((lines) => void lines.splice(6, 0, "__get_user_pages_fast(): no change, whoever calls it must be able to cope", ""));
    const { findings } = lint(text);
    expect(findings.filter(({ messageId }) => messageId === "unchanged").map(({ location, ruleId, related }) => [location.patchLine, ruleId, related[0]?.patchLine])).toEqual([[137, "backport-contradicts-message", 7]]);
  });

  test("the porter's note holds: FOLL_PIN is not there", () => {
    const text = edited(replace(76, "(flags & FOLL_GET)", "(flags & (FOLL_GET | FOLL_PIN))"));
    expect(rows(lint(text).findings.filter(({ ruleId }) => ruleId === "api-not-in-target" || ruleId === "backport-contradicts-message"))).toEqual([
      [76, "api-not-in-target", "contract", "newer"],
      [76, "backport-contradicts-message", "contract", "omitted"],
      [135, "backport-contradicts-message", "contract", "comment"],
    ]);
  });

  const broken: [what: string, edit: (lines: string[]) => void, found: [number, string, string, string]][] = [
    ["FOLL_GET dropped", replace(76, " && (flags & FOLL_GET)", ""), [76, "gup-cow-break-missing", "contract", "tooBroad"]],
    ["gup_flags forced", replace(84, "foll_flags |=", "gup_flags |="), [84, "gup-cow-break-misplaced", "proved", "wrongWord"]],
    ["gup_flags passed", replace(88, "foll_flags);", "gup_flags);"), [88, "gup-cow-break-misplaced", "proved", "hugetlbWord"]],
    ["the normal branch not forced", (lines) => void lines.splice(92, 2), [94, "gup-cow-break-misplaced", "proved", "dropped"]],
    [
      "forced below retry:",
      (lines) => void lines.splice(94, 0, ...lines.splice(92, 2)),
      [96, "gup-cow-break-misplaced", "contract", "belowRetry"],
    ],
    ["FOLL_FORCE kept", replace(66, "((flags & FOLL_COW)", "((flags & FOLL_FORCE) && (flags & FOLL_COW)"), [66, "gup-cow-break-missing", "proved", "force"]],
    ["pte_dirty dropped", replace(66, " && pte_dirty(pte)", ""), [66, "gup-cow-break-missing", "proved", "dirty"]],
  ];
  test.each(broken)("one obligation broken: %s", (_, edit, found) => {
    expect(rows(edits(edited(edit)))).toEqual([found]);
  });

  const obligation = (text: string, id: string): string | undefined => lint(text).obligations.find((one) => one.id === id)?.status;

  const spelled: [what: string, edit: (lines: string[]) => void, id: string, status: string][] = [
    ["the test turned around, normal branch", replace(93, "if (should", "if (!should"), "COW-4", "broken"],
    ["the test turned around, hugetlb branch", replace(83, "if (should", "if (!should"), "COW-3", "broken"],
    ["the predicate asked about no flags", replace(83, "foll_flags", "0"), "COW-3", "broken"],
    ["FOLL_COW dropped", replace(66, "((flags & FOLL_COW) && pte_dirty(pte))", "pte_dirty(pte)"), "COW-6", "broken"],
    ["another bit instead of dirty", replace(66, "pte_dirty", "pte_young"), "COW-6", "undecided"],
    ["both flags in one mask", replace(66, "(flags & FOLL_COW)", "(flags & (FOLL_FORCE|FOLL_COW)) == (FOLL_FORCE|FOLL_COW)"), "COW-5", "broken"],
    ["the other flags lost", replace(94, "|= FOLL_WRITE", "= FOLL_WRITE"), "COW-2", "broken"],
    ["is_cow_mapping() spelled out", replace(76, "is_cow_mapping(vma->vm_flags)", "(vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE"), "COW-1", "holds"],
  ];
  test.each(spelled)("other spellings: %s", (_, edit, id, status) => {
    const text = edited(edit);
    expect(obligation(text, id)).toBe(status);
    expect(edits(text)).toHaveLength(status === "broken" ? 1 : 0);
  });

  test("a schedule goes through the lines that the patch decides on", () => {
    const [finding] = edits(edited(replace(88, "foll_flags);", "gup_flags);")));
    const lines = finding?.evidence?.schedule.map((step) => step.patchLine) ?? [];
    expect(lines).toEqual(expect.arrayContaining([84, 85]));
    expect(finding?.evidence?.fixed).toMatchObject({ verdict: "pass", mutationFails: true });
  });
});
