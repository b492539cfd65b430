// SPDX-License-Identifier: GPL-2.0-only
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import type { Finding, PreImageReport, TargetReport } from "../../server/review/finding.ts";
import type { Problem } from "../../server/text/problem.ts";
import { emptyFolder, git, gitTree, writeFiles, type GitTree } from "../git-tree.ts";
import { patchwalk } from "./run-command.ts";
import { MAKEFILE, MMAP_LOCK, toyScan, VMA_LOCK, WALK } from "./toy-scan.ts";

interface Input {
  readonly target: TargetReport;
  readonly problems: readonly Problem[];
  readonly coverage: { readonly functions: number; readonly partial: number; readonly preImages?: readonly PreImageReport[] };
  readonly findings: readonly Finding[];
}

async function lint(patch: string, ...options: readonly string[]): Promise<readonly Input[]> {
  const file = join(emptyFolder(), "a.patch");
  writeFileSync(file, patch);
  const { out, err, status } = await patchwalk(["lint", "--format", "json", ...options, file], { engine: ENGINE });
  expect(err).toBe("");
  expect(status).toBeLessThan(2);
  return (JSON.parse(out) as { inputs: readonly Input[] }).inputs;
}

const one = async (patch: string, ...options: readonly string[]): Promise<Input> => {
  const [input, ...others] = await lint(patch, ...options);
  expect(others).toEqual([]);
  return input!;
};

const from = (input: Input): readonly string[] => (input.coverage.preImages ?? []).map((pre) => pre.from);
const told = (input: Input): readonly (readonly string[])[] => input.findings.map(({ function: name, tier, origin }) => [name ?? "", tier, origin]);

const FILE = "mm/toy_scan.c";

/** The mail of a change of the file, and the tree as it was before. */
function changeOf(before: string, after: string): { readonly tree: GitTree; readonly mail: string } {
  const tree = gitTree({ Makefile: MAKEFILE, [FILE]: before });
  tree.commit({ [FILE]: after });
  const mail = tree.mails(1);
  tree.back(1);
  return { tree, mail };
}

describe("code outside of the hunk", () => {
  const asked = async (parts: Parameters<typeof toyScan>[0]) => {
    const { tree, mail } = changeOf(toyScan(parts), toyScan({ ...parts, middle: WALK }));
    return { alone: await one(mail, "--release", "6.1"), whole: await one(mail, "--tree", tree.folder) };
  };

  test("a lock at the top of the function answers what the hunk leaves open", async () => {
    const { alone, whole } = await asked({ top: VMA_LOCK.lock, bottom: VMA_LOCK.unlock });
    expect(told(alone)).toEqual([["toy_scan_one", "contract", "introduced"]]);
    expect(told(whole)).toEqual([]);
  });

  test("a caller of a static function that holds the lock, too", async () => {
    const { alone, whole } = await asked(VMA_LOCK);
    expect(told(alone)).toHaveLength(1);
    expect(told(whole)).toEqual([]);
  });

  test("a caller that does not hold it decides against the patch; the finding keeps its name and its place", async () => {
    const { alone, whole } = await asked(MMAP_LOCK);
    expect(told(alone)).toEqual([["toy_scan_one", "contract", "introduced"]]);
    expect(told(whole)).toEqual([["toy_scan_one", "proved", "introduced"]]);
    const [before, after] = [alone.findings[0]!, whole.findings[0]!];
    expect(after.fingerprint).toBe(before.fingerprint);
    expect(after.location).toEqual(before.location);
    // The caller stands in the tree only: its place is named and is no line of the mail.
    expect(after.related.at(-1)).toEqual({ message: "called from toy_scan_range()", patchLine: null, file: FILE, newLine: 37 });
    expect(toyScan({ ...MMAP_LOCK, middle: WALK }).split("\n")[36]).toContain("ret = toy_scan_one(");
    expect([alone.coverage.partial, whole.coverage.partial]).toEqual([1, 0]);
  });

  test("what if that caller held another lock: asked with the tree, too", async () => {
    const { tree, mail } = changeOf(toyScan(MMAP_LOCK), toyScan({ ...MMAP_LOCK, middle: WALK }));
    const file = join(emptyFolder(), "a.patch");
    writeFileSync(file, mail);
    const fingerprint = (await one(mail, "--tree", tree.folder)).findings[0]!.fingerprint;
    const ask = (lock: string) => patchwalk(["simulate", "--finding", fingerprint, "--tree", tree.folder, "--variant", "buggy", "--assume-held", lock, file], { engine: ENGINE });
    const read = await ask("hugetlb_vma_lock (read)");
    expect(read.status).toBe(0);
    expect(read.out.replace(/\s+/g, " ")).toContain("held by the caller of toy_scan_one()");
    // The caller has mmap_lock for reading already: for writing it is still no protection.
    const write = await ask("mmap_lock (write)");
    expect(write.status).toBe(1);
    expect(write.out).toContain("caller takes mmap_lock(A) (write)");
    expect(write.out).not.toContain("deadlock");
    expect((await patchwalk(["simulate", "--finding", fingerprint, "--tree", emptyFolder(), file], { engine: ENGINE })).err).toMatch(/neither a kernel work tree nor a Git repository/);
    expect((await patchwalk(["simulate", "hugetlb-pmd-unshare", "--tree", tree.folder])).err).toContain("--tree goes with --finding");
  });

  test("who calls a function that is not static stays a question", async () => {
    const { whole } = await asked({ ...MMAP_LOCK, linkage: "" });
    expect(told(whole)).toEqual([["toy_scan_one", "contract", "introduced"]]);
    expect(whole.findings[0]?.message).toContain("does every caller of toy_scan_one() hold");
  });

  test("a defect that was there before is not shown", async () => {
    const { tree, mail } = changeOf(toyScan({ ...MMAP_LOCK, middle: WALK }), toyScan({ ...MMAP_LOCK, middle: ["\ttoy_trace(\"here\", 1);", ...WALK] }));
    expect(told(await one(mail, "--tree", tree.folder))).toEqual([]);
  });

  test("nor one in other words, nor one that moves to another function; one more than before is", async () => {
    const renamed = WALK.map((line) => line.replace(/\baddr\b/g, "where").replace(/\bsz\b/g, "size"));
    const told = async (before: string, after: string): Promise<readonly string[]> => {
      const { tree, mail } = changeOf(before, after);
      return (await one(mail, "--tree", tree.folder, "--no-simulate")).findings.map(({ function: name }) => name ?? "");
    };
    const walking = toyScan({ ...MMAP_LOCK, middle: WALK });
    expect(await told(walking, toyScan({ ...MMAP_LOCK, middle: ["\tunsigned long where = addr, size = sz;", ...renamed] }))).toEqual([]);
    const parameters = "struct toy_scan *scan, struct vm_area_struct *vma, unsigned long addr, unsigned long sz";
    const helper = ["", `static void toy_count(${parameters})`, "{", "\tpte_t *ptep;", "", ...WALK, "}"];
    expect(await told(walking, toyScan({ ...MMAP_LOCK, head: helper, middle: ["\ttoy_count(scan, vma, addr, sz);"] }))).toEqual([]);
    expect(await told(toyScan(MMAP_LOCK), toyScan({ ...MMAP_LOCK, head: helper, middle: ["\ttoy_count(scan, vma, addr, sz);"] }))).toEqual(["toy_count"]);
    expect(await told(walking, toyScan({ ...MMAP_LOCK, middle: [...WALK, ...renamed.map((line) => line.replace("where", "addr + sz").replace("size", "sz"))] }))).toEqual(["toy_scan_one"]);
  });

  test("a walk far from the hunks that loses its lock is shown at the nearest change of its function", async () => {
    const locked = toyScan({ ...MMAP_LOCK, top: VMA_LOCK.lock, middle: WALK, bottom: VMA_LOCK.unlock });
    const { tree, mail } = changeOf(locked, toyScan({ ...MMAP_LOCK, middle: WALK }));
    expect(told(await one(mail, "--release", "6.1"))).toEqual([]);
    const [finding] = (await one(mail, "--tree", tree.folder)).findings;
    const lines = mail.split("\n");
    expect([finding?.origin, finding?.tier]).toEqual(["interaction", "proved"]);
    expect(lines[finding!.location.patchLine - 1]).toBe("-\thugetlb_vma_lock_read(vma);");
    expect([finding?.location.newLine, finding?.location.column, finding?.location.endColumn]).toEqual([null, 3, 30]);
    expect(finding?.related[0]).toMatchObject({ patchLine: null, file: FILE, newLine: 17 });
    // Steps of the schedule that only the tree shows say where they are; no step has a line that is another's.
    const steps = finding?.evidence?.schedule.filter((step) => step.thread === "toy_scan_one()") ?? [];
    expect(steps.find(({ step }) => step.includes("huge_pte_offset"))).toMatchObject({ patchLine: null, file: FILE, newLine: 17 });
    for (const step of steps) if (step.patchLine !== null) expect(step.step).toContain(lines[step.patchLine - 1]!.slice(1).trim().slice(0, 10));
  });

  test("text names places of the tree by file and line", async () => {
    const { tree, mail } = changeOf(toyScan(MMAP_LOCK), toyScan({ ...MMAP_LOCK, middle: WALK }));
    const { out } = await patchwalk(["lint", "--tree", tree.folder, "-"], { engine: ENGINE, stdin: mail });
    expect(out).toContain("mm/toy_scan.c:37: note: called from toy_scan_range()\n");
    expect(out.replace(/\s+/g, " ")).toContain("target 6.1.7 by tree (Makefile of the tree: 6.1.7), x86_64; 1 function; 16 of 18 calls not known; code from blobs of the repository");
  });
});

describe("where the code comes from", () => {
  const before = toyScan(VMA_LOCK);
  const after = toyScan({ ...VMA_LOCK, middle: WALK });
  const drifted = toyScan({ ...VMA_LOCK, head: ["", "#include <linux/toy.h>", "#include <linux/mm.h>"] });

  test("from the blob of the index line, whatever the work tree has", async () => {
    const { tree, mail } = changeOf(before, after);
    expect((await one(mail, "--tree", tree.folder)).coverage.preImages).toEqual([{ file: FILE, from: "blob", offset: 0, fuzz: 0 }]);
    writeFiles(tree.folder, { [FILE]: "int nothing;\n" });
    const changed = await one(mail, "--tree", tree.folder);
    expect([from(changed), told(changed)]).toEqual([["blob"], []]);
    // Nothing of the patch fits the work tree, so that its Makefile is not asked.
    expect(changed.target.decidedBy).toBe("date");
  });

  test("a bare repository has blobs and no Makefile", async () => {
    const { tree, mail } = changeOf(before, after);
    const bare = join(emptyFolder(), "linux.git");
    git(tree.folder, "clone", "-q", "--bare", "--no-local", ".", bare);
    const input = await one(mail, "--tree", bare);
    expect([from(input), told(input), input.target.decidedBy]).toEqual([["blob"], [], "date"]);
  });

  test("a blob that does not take the hunks is ignored, and that is said", async () => {
    const { tree, mail } = changeOf(before, after);
    const makefile = git(tree.folder, "rev-parse", "HEAD:Makefile").trim();
    const wrong = mail.replace(/^index [0-9a-f]+/m, `index ${makefile.slice(0, 12)}`);
    const input = await one(wrong, "--tree", tree.folder);
    expect(from(input)).toEqual(["work-tree"]);
    expect(input.problems).toEqual([{ code: "preimage-blob", message: `the blob of the index line was ignored: ${makefile.slice(0, 12)} is in the repository, but the hunks do not apply to it`, line: mail.split("\n").findIndex((line) => line.startsWith("diff --git")) + 1 }]);
    const commit = git(tree.folder, "rev-parse", "HEAD").trim().slice(0, 12);
    const other = await one(mail.replace(/^index [0-9a-f]+/m, `index ${commit}`), "--tree", tree.folder);
    expect([from(other), other.problems[0]?.message]).toEqual([["work-tree"], `the blob of the index line was ignored: ${commit}: a commit`]);
  });

  test("from the work tree at an offset, without a repository", async () => {
    const { mail } = changeOf(before, after);
    const tree = emptyFolder();
    writeFiles(tree, { Makefile: MAKEFILE, [FILE]: drifted });
    const input = await one(mail, "--tree", tree);
    expect([input.coverage.preImages, told(input)]).toEqual([[{ file: FILE, from: "work-tree", offset: 3, fuzz: 0 }], []]);
    expect(input.target).toMatchObject({ release: "6.1.7", decidedBy: "tree" });
  });

  test("the work tree has the patch already: the finding is still there", async () => {
    const [old, later] = [toyScan(MMAP_LOCK), toyScan({ ...MMAP_LOCK, middle: WALK })];
    const { mail } = changeOf(old, later);
    const tree = emptyFolder();
    writeFiles(tree, { Makefile: MAKEFILE, [FILE]: later });
    const input = await one(mail, "--tree", tree);
    expect([from(input), told(input)]).toEqual([["applied"], [["toy_scan_one", "proved", "introduced"]]]);
  });

  test("from nowhere: the hunks alone, and a note about it", async () => {
    const { mail } = changeOf(before, after);
    const tree = emptyFolder();
    writeFiles(tree, { Makefile: MAKEFILE, [FILE]: before.replace("\tscan->seen++;", "\tscan->found++;") });
    const input = await one(mail, "--tree", tree);
    const alone = await one(mail);
    expect(from(input)).toEqual(["fragment"]);
    expect(input.problems.map(({ code }) => code)).toEqual(["preimage-not-applied"]);
    expect([input.findings, input.target]).toEqual([alone.findings, alone.target]);
  });

  test("file by file: one from the tree, one that the patch adds, one from its hunks", async () => {
    const tree = gitTree({ Makefile: MAKEFILE, [FILE]: before, "mm/gone.c": before });
    tree.commit({ [FILE]: after, "mm/gone.c": after, "mm/new.c": "int toy_new(void)\n{\n\treturn 0;\n}\n" });
    const mail = tree.mails(1).replace(/^index .*\n/gm, "");
    tree.back(1);
    writeFiles(tree.folder, { "mm/gone.c": null });
    const input = await one(mail, "--tree", tree.folder);
    expect(input.coverage.preImages?.map((pre) => [pre.file, pre.from])).toEqual([["mm/gone.c", "fragment"], ["mm/new.c", "new-file"], [FILE, "work-tree"]]);
  });

  test("what is no tree is said, and nothing is linted", async () => {
    const { err, status } = await patchwalk(["lint", "--tree", join(emptyFolder(), "absent"), "-"], { engine: ENGINE, stdin: "" });
    expect([err.replace(/^.*: /, ""), status]).toEqual(["no such file or directory\n", 2]);
    const empty = await patchwalk(["lint", "--tree", emptyFolder(), "-"], { engine: ENGINE, stdin: "" });
    expect([empty.err.replace(/^.*: /, ""), empty.status]).toEqual(["neither a kernel work tree nor a Git repository\n", 2]);
  });
});

describe("a series", () => {
  const parts = [toyScan(MMAP_LOCK), toyScan(VMA_LOCK), toyScan({ ...VMA_LOCK, middle: WALK })] as const;

  function series(): { readonly mbox: string; readonly tree: string } {
    const tree = gitTree({ Makefile: MAKEFILE, [FILE]: parts[0] });
    tree.commit({ [FILE]: parts[1] }, "mm: lock");
    tree.commit({ [FILE]: parts[2] }, "mm: walk");
    const plain = emptyFolder();
    writeFiles(plain, { Makefile: MAKEFILE, [FILE]: parts[0] });
    return { mbox: tree.mails(2, "-n"), tree: plain };
  }

  test("the second patch stands on the first one", async () => {
    const { mbox, tree } = series();
    const inputs = await lint(mbox, "--tree", tree);
    expect(inputs.map(from)).toEqual([["work-tree"], ["series"]]);
    expect(inputs.flatMap(told)).toEqual([]);
  });

  test("in files of their own, too", async () => {
    const { mbox, tree } = series();
    const folder = emptyFolder();
    mbox.split(/^(?=From [0-9a-f]{40} )/m).forEach((mail, index) => writeFileSync(join(folder, `000${index + 1}.patch`), mail));
    const { out } = await patchwalk(["lint", "--format", "json", "--tree", tree, folder], { engine: ENGINE });
    expect((JSON.parse(out) as { inputs: Input[] }).inputs.map(from)).toEqual([["work-tree"], ["series"]]);
  });

  test("the second one alone is not judged by a tree without the first", async () => {
    const { mbox, tree } = series();
    const second = mbox.slice(mbox.indexOf("\nFrom ") + 1);
    const [input] = await lint(second, "--tree", tree);
    expect([from(input!), input!.problems.map(({ code }) => code)]).toEqual([["fragment"], ["preimage-series"]]);
    expect(told(input!).map(([, tier]) => tier)).toEqual(["contract"]);
  });
});

describe("the target", () => {
  const change = [toyScan({}), toyScan({ middle: ["\ttoy_trace(\"here\", 1);"] })] as const;

  test("a release that the user sets comes before the Makefile, the Makefile before the subject", async () => {
    const { tree, mail } = changeOf(...change);
    const tagged = mail.replace("[PATCH]", "[PATCH 5.10]");
    expect((await one(tagged)).target).toMatchObject({ release: "5.10", decidedBy: "subject-tag" });
    expect((await one(tagged, "--tree", tree.folder)).target).toMatchObject({ release: "6.1.7", decidedBy: "tree" });
    expect((await one(tagged, "--tree", tree.folder, "--release", "6.6")).target).toMatchObject({ release: "6.6", decidedBy: "setting" });
  });

  test("a base-commit that the tree knows decides where no Makefile does, before the subject", async () => {
    const { tree, mail } = changeOf(...change);
    const base = git(tree.folder, "rev-parse", "HEAD").trim();
    const bare = join(emptyFolder(), "linux.git");
    git(tree.folder, "clone", "-q", "--bare", "--no-local", ".", bare);
    const based = (commit: string): string => mail.replace("[PATCH]", "[PATCH 5.10]").replace(/^-- $/m, `base-commit: ${commit}\n-- `);
    expect((await one(based(base), "--tree", bare)).target).toMatchObject({ release: "6.1.7", decidedBy: "base-commit", because: `Makefile of ${base.slice(0, 12)}: 6.1.7` });
    expect((await one(based("1".repeat(40)), "--tree", bare)).target.decidedBy).toBe("subject-tag");
  });
});

test("callers in other files count where an index of the tree is kept", async () => {
  const helper = (walk: readonly string[]): string => toyScan({ linkage: "", middle: walk }).replace(/\nint toy_scan_range[^]*/, "\n");
  const caller = (lock: readonly string[], unlock: readonly string[]): string =>
    ["int toy_other(struct toy_scan *scan, struct vm_area_struct *vma, unsigned long addr)", "{", "\tint ret;", "", ...lock, "\tret = toy_scan_one(scan, vma, addr, PMD_SIZE);", ...unlock, "\treturn ret;", "}", ""].join("\n");
  const cache = emptyFolder();
  const io = { env: { XDG_CACHE_HOME: cache } };
  const linted = async (other: string): Promise<Input> => {
    const tree = gitTree({ Makefile: MAKEFILE, [FILE]: helper([]), "mm/other.c": other });
    tree.commit({ [FILE]: helper(WALK) });
    const mail = tree.mails(1);
    tree.back(1);
    expect((await one(mail, "--tree", tree.folder)).findings[0]?.message).toContain("does every caller of toy_scan_one() hold");
    await patchwalk(["index", tree.folder], { engine: ENGINE, io });
    const { out } = await patchwalk(["lint", "--format", "json", "--tree", tree.folder, "-"], { engine: ENGINE, stdin: mail, io });
    return (JSON.parse(out.replaceAll(`${tree.folder}/`, "TREE/")) as { inputs: Input[] }).inputs[0]!;
  };
  expect(told(await linted(caller(VMA_LOCK.lock, VMA_LOCK.unlock)))).toEqual([]);
  const wrong = await linted(caller(MMAP_LOCK.lock, MMAP_LOCK.unlock));
  expect(told(wrong)).toEqual([["toy_scan_one", "proved", "introduced"]]);
  expect(wrong.findings[0]?.related.at(-1)).toEqual({ message: "called from toy_other()", path: "TREE/mm/other.c", patchLine: 6, file: "mm/other.c", newLine: 6 });
});
