// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { indexOf } from "../../server/analysis/tree-index.ts";
import { outlineOf } from "../../server/program/outline.ts";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { targetOfTree } from "../../server/review/scan.ts";
import { treeSession } from "../../server/review/session.ts";
import { TOY_TREE } from "../cli/toy-tree.ts";

const OPTIONS = { ...DEFAULT_OPTIONS, release: "6.1" };
const sessionOf = (files: Readonly<Record<string, string>>) =>
  treeSession(indexOf(Object.entries(files).map(([path, text]) => ({ path, outline: outlineOf(text) }))), new Map(Object.entries(files)), targetOfTree(OPTIONS, null).target, OPTIONS);

/** Findings with their places in the present text and their callers. */
const said = (session: ReturnType<typeof sessionOf>): string[] =>
  session.candidates("mm/toy_walk.c").map(({ candidate, by }) => [candidate.messageId, candidate.place.at + by, ...candidate.related.map((one) => one.message)].join(" "));

const { Makefile: _, ...FILES } = TOY_TREE;
const WALK = FILES["mm/toy_walk.c"]!;
const helper = (body: string): string => `static void toy_helper(struct vm_area_struct *vma)\n{\n${body}}\n\n`;
const withHelper = (body: string): string => helper(body) + WALK.replace("\n\tptep =", "\n\ttoy_helper(vma);\n\tptep =");

test("after any edits the answer is that of a new session", () => {
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
    ["mm/toy_right.c", FILES["mm/toy_right.c"]!.replace("hugetlb_vma_lock_read(vma)", "mmap_read_lock(vma->vm_mm)")],
    ["mm/toy_new.c", FILES["virt/kvm/toy_wrong.c"]!.replace("toy_wrong", "toy_new")],
    ["mm/toy_walk.c", ""],
    ["mm/toy_walk.c", WALK],
  ];
  const answers = new Set<string>();
  for (const [path, text] of edits) {
    now[path] = text;
    session.update(path, text);
    const answer = said(session);
    expect(answer, `${path}\n${text}`).toEqual(said(sessionOf(now)));
    answers.add(answer.join());
  }
  expect(answers.size).toBeGreaterThan(4);
});
