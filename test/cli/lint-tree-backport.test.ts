// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import type { Finding } from "../../server/review/finding.ts";
import { emptyFolder, gitTree, type Files } from "../git-tree.ts";
import { patchwalk } from "./run-command.ts";

const makefile = (version: string): string => version.split(".").map((number, index) => `${["VERSION", "PATCHLEVEL", "SUBLEVEL"][index]} = ${number}\n`).join("");

/** Rules, and whether they ask, of a change that is made in a tree, judged there. */
async function found(version: string, tree: Files, change: Files): Promise<readonly string[]> {
  const made = gitTree({ Makefile: makefile(version), ...tree });
  made.commit(change);
  const file = join(emptyFolder(), "a.patch");
  writeFileSync(file, made.mails(1, "-U1"));
  made.back(1);
  const { out, err } = await patchwalk(["lint", "--format", "json", "--tree", made.folder, file], { engine: ENGINE });
  expect(err).toBe("");
  return (JSON.parse(out) as { inputs: readonly { findings: readonly Finding[] }[] }).inputs.flatMap(({ findings }) => findings.map(({ ruleId, severity, message }) => `${ruleId} ${severity}${message.endsWith("?") ? ": a question" : ""}`));
}

const READ = "int toy_read(unsigned long addr)\n{\n\tstruct page *page;\n\tint ret;\n\n\tret = GET(addr, 1, 0, &page);\n\tif (ret != 1)\n\t\treturn -EFAULT;\n\ttoy_look_at(page);\n\tPUT(page);\n\treturn 0;\n}\n";
const read = (get: string, put: string): string => READ.replace("GET", get).replace("PUT", put);
const [GET, PIN] = [read("get_user_pages_fast", "put_page"), read("pin_user_pages_fast", "unpin_user_page")];

describe("names that the release does not have", () => {
  test("are not there", async () => {
    expect(await found("5.4.100", { "drivers/toy.c": GET, "include/linux/mm.h": "void put_page(struct page *page);\n" }, { "drivers/toy.c": PIN }))
      .toEqual(["api-not-in-target error", "api-not-in-target error"]);
  });

  test("are there where the header of the tree has them", async () => {
    const header = "int pin_user_pages_fast(unsigned long start, int nr, unsigned int flags, struct page **pages);\nvoid unpin_user_page(struct page *page);\n";
    expect(await found("5.4.100", { "drivers/toy.c": GET, "include/linux/mm.h": header }, { "drivers/toy.c": PIN })).toEqual([]);
  });
});

const nldev = (more: string): string => `int toy_nldev_get(struct sk_buff *msg)\n{\n\tint ret;\n\n\tret = nla_put_u8(msg, TOY_MODE, 1);\n${more}\treturn ret;\n}\n`;
const TELLS = "\tif (!ret)\n\t\tret = nla_put_u8(msg, RDMA_NLDEV_SYS_ATTR_COPY_ON_FORK, true);\n";
const hugetlb = (test: string): string => `int toy_copy(struct vm_area_struct *vma, struct page *page)\n{\n\treturn ${test};\n}\n`;

describe("what a mechanism needs", () => {
  const told = (test: string) => found("5.10.200", { "drivers/toy.c": nldev(""), "mm/hugetlb.c": hugetlb(test) }, { "drivers/toy.c": nldev(TELLS) });

  test("is missing where the tree does not have it", async () => {
    expect(await told("0")).toEqual(["backport-prerequisite-missing error"]);
  });

  test("may have come to the tree earlier", async () => {
    expect(await told("page_needs_cow_for_dma(vma, page)")).toEqual([]);
  });
});

describe("what the forced COW break needs of 4.4", () => {
  const NEW = readFileSync(join(import.meta.dirname, "../fixtures/rules/gup-cow-break-misplaced/ok-whole-function.c"), "utf8");
  // Each place has a line of its own before, so that a hunk with little context has one place.
  const OLD = NEW.replace(/static inline bool should_force_cow_break[\s\S]*?\n}\n/, "").replace(/\t+if \(should_force_cow_break.*\n.*\n/g, (_, at: number) => `\t\ttoy_note(${at});\n`);
  const fault = (test: string): string => `static int do_numa_page(struct vm_area_struct *vma)\n{\n\t${test}\n\treturn 0;\n}\n`;
  const told = async (test: string): Promise<readonly string[]> =>
    (await found("4.4.200", { "mm/gup.c": OLD, "mm/memory.c": fault(test) }, { "mm/gup.c": NEW })).filter((one) => one.startsWith("backport-prerequisite-missing"));

  test("is missing where do_numa_page() still stops", async () => {
    expect(await told("BUG_ON(!(vma->vm_flags & (VM_READ | VM_EXEC | VM_WRITE)));")).toEqual(["backport-prerequisite-missing error"]);
  });

  test("is there where it does not", async () => {
    expect(await told("/* A hint, and no more. */")).toEqual([]);
  });
});

describe("parameters", () => {
  const toy = (value: string, callers: string): string => `static int toy_pin(struct mm_struct *mm, bool write)\n{\n\tint found;\n\n\tmmap_read_lock(mm);\n\ttoy_note(mm);\n\tfound = toy_find(mm, ${value});\n\ttoy_note(mm);\n\tmmap_read_unlock(mm);\n\treturn found;\n}\n\nint toy_serve(struct toy *toy)\n{\n\treturn ${callers};\n}\n`;

  test("the tree shows the rest of the function and its callers", async () => {
    expect(await found("6.1.7", { "mm/toy.c": toy("write", "toy_pin(toy->mm, toy->write)") }, { "mm/toy.c": toy("true", "toy_pin(toy->mm, toy->write)") })).toEqual(["parameter-left-dead warning"]);
  });

  test("a callback gets what its users pass", async () => {
    expect(await found("6.1.7", { "mm/toy.c": toy("write", "toy_walk(toy->mm, toy_pin)") }, { "mm/toy.c": toy("true", "toy_walk(toy->mm, toy_pin)") })).toEqual([]);
  });
});
