// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { indexOf } from "../../server/analysis/tree-index.ts";
import { outlineOf } from "../../server/program/outline.ts";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { scannerOf, targetOfTree } from "../../server/review/scan.ts";
import { treeSession } from "../../server/review/session.ts";
import { TOY_TREE } from "../cli/toy-tree.ts";
import { numbers, randomEdit, SESSION_TREE } from "./session-tree.ts";

const OPTIONS = { ...DEFAULT_OPTIONS, release: "6.1" };
const TARGET = targetOfTree(OPTIONS, null);

type Texts = Readonly<Record<string, string>>;

const outlinesOf = (texts: Texts) => Object.entries(texts).map(([path, text]) => ({ path, hash: "", outline: outlineOf(text) }));
const sessionOf = (texts: Texts) => treeSession(indexOf(outlinesOf(texts)), new Map(Object.entries(texts)), TARGET.target, OPTIONS);

/** What `scan` says of a file. */
const scanned = (texts: Texts, path: string) => scannerOf(outlinesOf(texts), (one) => texts[one] ?? null, TARGET, OPTIONS).scan(path).review.findings;

describe("after any edits the answer is that of a scan", () => {
  const { Makefile: _, ...FILES } = TOY_TREE;
  const WALK = FILES["mm/toy_walk.c"]!;
  const helper = (body: string): string => `static void toy_helper(struct vm_area_struct *vma)\n{\n${body}}\n\n`;
  const withHelper = (body: string): string => helper(body) + WALK.replace("\n\tptep =", "\n\ttoy_helper(vma);\n\tptep =");

  test("one by one", () => {
    const session = sessionOf(FILES);
    const now: Record<string, string> = { ...FILES };
    const edits: [string, string][] = [
      ["mm/toy_walk.c", `/* moved */\n\n${WALK}`],
      ["mm/toy_walk.c", WALK.replace("\tif (ptep)", "\tcond_resched();\n\tif (ptep)")],
      ["mm/toy_walk.c", withHelper("\tuse(vma);\n")],
      ["mm/toy_walk.c", withHelper("\tuse(vma);\n\tuse(vma);\n")],
      ["mm/toy_walk.c", withHelper("\thugetlb_vma_lock_read(vma);\n")],
      ["virt/kvm/toy_wrong.c", ""],
      ["mm/toy_walk.c", WALK],
      ["virt/kvm/toy_wrong.c", FILES["virt/kvm/toy_wrong.c"]!],
      ["virt/kvm/toy_wrong.c", `\n/* moved */\n${FILES["virt/kvm/toy_wrong.c"]!}`],
      ["virt/kvm/toy_wrong.c", FILES["virt/kvm/toy_wrong.c"]!.replace("\ttoy_walk", "\t/* why */\n\ttoy_walk")],
      ["mm/toy_right.c", FILES["mm/toy_right.c"]!.replace("hugetlb_vma_lock_read(vma)", "mmap_read_lock(vma->vm_mm)")],
      ["mm/toy_new.c", FILES["virt/kvm/toy_wrong.c"]!.replace("toy_wrong", "toy_new")],
      ["mm/toy_walk.c", ""],
      ["mm/toy_walk.c", WALK],
    ];
    const answers = new Set<string>();
    for (const [path, text] of edits) {
      now[path] = text;
      session.update(path, text);
      const { findings } = session.review("mm/toy_walk.c");
      expect(findings, `${path}\n${text}`).toEqual(scanned(now, "mm/toy_walk.c"));
      answers.add(JSON.stringify(findings));
    }
    expect(answers.size).toBeGreaterThan(6);
  });

  test.each([4, 22, 39, 42])("at random, %d", (seed) => {
    const session = sessionOf(SESSION_TREE);
    const random = numbers(seed);
    const now: Record<string, string> = { ...SESSION_TREE };
    const answers = new Set<string>();
    for (let count = 0; count < 60; count++) {
      const { path, text, what } = randomEdit(now, random);
      const before = now[path] ?? "";
      now[path] = text;
      session.update(path, text);
      // Most keystrokes are not looked at: what was found in between must not be lost or kept by mistake.
      const asked = Object.keys(now).filter(() => random() < 0.6);
      for (const one of asked) {
        if (random() < 0.3) session.analyze(one);
        const { findings } = session.review(one);
        expect(findings, `seed ${seed}, edit ${count}: ${what} in ${path}, then ${one}\n--- before\n${before}\n--- after\n${text}`).toEqual(scanned(now, one));
        answers.add(JSON.stringify(findings));
      }
    }
    expect(answers.size).toBeGreaterThan(5);
  }, 120_000);
});
