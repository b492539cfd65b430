// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { USAGE } from "../../server/cli/usage.ts";
import { folderOf, patchwalk } from "./run-command.ts";

test("help and version", async () => {
  for (const argv of [["--help"], ["-h"], ["help"], ["lint", "--help"]]) {
    expect(await patchwalk(argv)).toEqual({ status: 0, out: USAGE, err: "" });
  }
  expect(await patchwalk(["--version"])).toEqual({ status: 0, out: "patchwalk 0.1.0 (rules 2026.11)\n", err: "" });
  expect(Math.max(...USAGE.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

test.each([
  [[], "no command"],
  [["x\u001b"], "no command is called 'x<U+001B>'"],
  [["scan"], "scan takes a kernel tree"],
  [["index", "a", "--jobs", "0"], "--jobs takes a number from 1 to 99; not '0'"],
  [["lsp"], "lsp takes --stdio"],
  [["explain"], "explain takes one rule"],
  [["rules", "--format", "xml"], "--format takes text, json; not 'xml'"],
])("%j", async (argv, reason) => {
  expect(await patchwalk(argv)).toEqual({ status: 2, out: "", err: `patchwalk: ${reason}; see patchwalk --help\n` });
});

test("rules", async () => {
  expect((await patchwalk(["rules"])).out).toBe(`\
hugetlb-walk-unlocked  (error; 4.8 and later)
    Result of a huge page walk used without a lock that keeps the page table
notifier-nonblock-outside-oom  (error; 4.19 to before 7.0)
    Non-blocking start outside the OOM reaper
`);
  const { rules } = JSON.parse((await patchwalk(["rules", "--format=json"])).out);
  expect(rules[0]).toMatchObject({ id: "hugetlb-walk-unlocked", type: "MM_HUGETLB_WALK_UNLOCKED", until: null });
});

test("explain: the page, else what the rule says about itself", async () => {
  const pages = folderOf({ "hugetlb-walk-unlocked.md": "# The page\n" });
  const io = { ruleFolders: ["/nowhere", pages] };
  expect((await patchwalk(["explain", "MM_HUGETLB_WALK_UNLOCKED"], { io })).out).toBe(`\
# The page

## Scenarios

The hazard without a patch, by release, era and architecture:

- \`patchwalk simulate hugetlb-pmd-unshare\`: a walker of hugetlb page tables uses
  a PMD table that was unshared and freed
`);
  expect((await patchwalk(["explain", "notifier-nonblock-outside-oom"], { io })).out).toBe(`\
notifier-nonblock-outside-oom (MM_NOTIFIER_NONBLOCK_OUTSIDE_OOM, error)

Non-blocking start outside the OOM reaper

A subscriber that refuses keeps its mapping.

Releases: 4.19 to before 7.0
Source: Example Reviewer, 2023-09-15: example thread

## Scenarios

The hazard without a patch, by release, era and architecture:

- \`patchwalk simulate notifier-refused-and-ignored\`: a refused non-blocking
  invalidation is ignored, and the guest writes a page that was moved
- \`patchwalk simulate notifier-guest-uses-pfn\`: a non-blocking invalidation does
  not wait for a guest that uses the page directly
`);
  expect(await patchwalk(["explain", "../../etc/passwd"], { io }))
    .toEqual({ status: 2, out: "", err: "patchwalk: no rule is called '../../etc/passwd'; see patchwalk rules\n" });
  // What is not a rule may be a scenario, or what a page is about.
  expect((await patchwalk(["explain", "hugetlb-ptl-with-irqs-off"], { io })).err)
    .toBe("patchwalk: 'hugetlb-ptl-with-irqs-off' is a scenario (patchwalk simulate hugetlb-ptl-with-irqs-off); found by hugetlb-ptl-under-rcu\n");
  expect((await patchwalk(["explain", "lru-drain-generation"], { io })).err).toContain("; no rule looks for it");
  expect((await patchwalk(["explain", "Example Reviewer"], { io })).err)
    .toBe("patchwalk: no rule is called 'Example Reviewer'; these speak of it: notifier-nonblock-outside-oom\n");
});
