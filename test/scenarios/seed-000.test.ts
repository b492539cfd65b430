// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { sharedFile, WITHOUT_SHARED } from "../shared.ts";

const seed = sharedFile("seeds/000_64a40adfd0f19204.txt");

const findingsOf = (text: string) =>
  review({ path: "000.txt", text, kind: "patch" }, DEFAULT_OPTIONS)
    .flatMap((one) => one.findings)
    .filter(({ ruleId }) => ruleId === "notifier-nonblock-outside-oom");

/** The mail with a blocking start right before `retry:` and one end right before the function returns. */
function hoisted(text: string): string {
  const lines = text.split("\n");
  const quote = "> > + ";
  const isEnd = (line: string): boolean => line.includes("mmu_notifier_invalidate_range_end(");
  const init = lines.findIndex((line) => line.includes("mmu_notifier_range_init("));
  const kept = lines.filter((line, index) => index !== init && index !== init + 1 && index !== init + 2 && !isEnd(line));
  expect(lines[init + 2]).toContain("mmu_notifier_invalidate_range_start_nonblock(&range);");
  expect(lines.length - kept.length).toBe(4);
  const retry = kept.findIndex((line) => line.endsWith("retry:"));
  const start = [lines[init] ?? "", lines[init + 1] ?? "", `${quote}mmu_notifier_invalidate_range_start(&range);`];
  const before = [...kept.slice(0, retry), ...start, ...kept.slice(retry)];
  const leaves = before.findIndex((line) => /\breturn err;/.test(line));
  return [...before.slice(0, leaves), `${quote}mmu_notifier_invalidate_range_end(&range);`, ...before.slice(leaves)].join("\n");
}

describe.skipIf(seed === null)(seed === null ? WITHOUT_SHARED : "the quoted review of UFFDIO_REMAP", () => {
  const [finding, ...others] = findingsOf(seed ?? "");

  test("the non-blocking start is proved wrong, once", () => {
    expect([finding?.location.patchLine, finding?.tier, finding?.messageId, others.length]).toEqual([140, "proved", "dropped", 0]);
  });

  test("the schedule maps both entries, is refused, clears the entry, and the guest stores", () => {
    const steps = finding?.evidence?.schedule ?? [];
    const lines = steps.map(({ patchLine }) => patchLine);
    expect(lines.filter((line) => line !== null)).toEqual(lines.filter((line) => line !== null).toSorted((a, b) => a - b));
    expect(lines).toEqual(expect.arrayContaining([35, 43, 61, 108, 129, 140, 183, 203, null]));
    expect(steps.at(-1)).toMatchObject({ thread: "KVM vCPU", step: "guest stores through its mapping" });
    expect(steps.find(({ patchLine }) => patchLine === 140)?.step).toContain("-EAGAIN");
  });

  test("every row says something: no row twice, no decided branch, no register", () => {
    const rows = (finding?.evidence?.schedule ?? []).map(({ thread, step, patchLine, state }) => `${thread} ${patchLine} ${step} ${state}`);
    expect(new Set(rows).size).toBe(rows.length);
    expect(rows.filter((row) => /\bif \(|\$\d|not zero/.test(row))).toEqual([]);
  });

  test("the fix passes and says who holds the guest back, the start in place fails", () => {
    expect(finding?.evidence?.fixed).toMatchObject({ verdict: "pass", mutationFails: true, heldBy: "remap_pages_pte()" });
    expect(finding?.evidence?.wrongFixes).toEqual([expect.stringContaining("in the same place")]);
  });

  test("nothing is reported once the blocking start stands above the maps", () => {
    expect(findingsOf(hoisted(seed ?? ""))).toEqual([]);
  });
});
