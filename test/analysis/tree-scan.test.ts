// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { outlineOf } from "../../server/program/outline.ts";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { scannerOf, targetOfTree } from "../../server/review/scan.ts";

const OPTIONS = { ...DEFAULT_OPTIONS, release: "6.1", simulate: false, rules: { "gup-readonly-longterm": "off" } } as const;

const scannerFor = (files: Readonly<Record<string, string>>) =>
  scannerOf(
    Object.entries(files).map(([path, text]) => ({ path, hash: String(text.length), outline: outlineOf(text) })),
    (path) => files[path] ?? null,
    targetOfTree(OPTIONS, null),
    OPTIONS,
  );

/** What is said about the walk, and its chain of callers. */
function verdict(files: Readonly<Record<string, string>>, path = "mm/walk.c"): string {
  const { review } = scannerFor(files).scan(path);
  return review.findings
    .map(({ messageId, related }) => [messageId, ...related.map((one) => /called from (\w+)/.exec(one.message)?.[1]).filter((name) => name !== undefined)].join(" < "))
    .join("; ") || "silent";
}

const walk = (head: string, before = "", after = ""): string => `${head}
{
	pte_t *ptep;
${before}
	ptep = huge_pte_offset(vma->vm_mm, addr, huge_page_size(h));
	if (ptep)
		huge_ptep_get(ptep);
${after}
}
`;
const WALK = { "mm/walk.c": walk("void toy_walk(struct hstate *h, struct vm_area_struct *vma, unsigned long addr)") };
const caller = (name: string, calls: string, head = `int ${name}(struct hstate *h, struct vm_area_struct *vma, unsigned long addr)`): string => `${head}\n{\n${calls}\n\treturn 0;\n}\n`;
const LOCKED = caller("toy_locked", "\thugetlb_vma_lock_read(vma);\n\ttoy_walk(h, vma, addr);\n\thugetlb_vma_unlock_read(vma);");
const MMAP = caller("toy_mmap", "\tmmap_read_lock(vma->vm_mm);\n\ttoy_walk(h, vma, addr);\n\tmmap_read_unlock(vma->vm_mm);");

describe("a walk is judged by its callers in other files", () => {
  test.each<[string, Record<string, string>, string]>([
    ["nobody calls it: a question", {}, "question"],
    ["every caller holds the lock", { "mm/a.c": LOCKED }, "silent"],
    ["one caller has mmap_lock only", { "mm/a.c": LOCKED, "mm/b.c": MMAP }, "unlocked < toy_mmap"],
    ["a caller's caller holds the lock", {
      "mm/a.c": caller("toy_middle", "\ttoy_walk(h, vma, addr);"),
      "mm/b.c": LOCKED.replace("toy_walk(", "toy_middle("),
    }, "silent"],
    ["a caller's caller has mmap_lock only", {
      "mm/a.c": caller("toy_middle", "\ttoy_walk(h, vma, addr);"),
      "mm/b.c": MMAP.replace("toy_walk(", "toy_middle("),
    }, "unlocked < toy_middle < toy_mmap"],
    ["user space holds nothing", { "mm/a.c": caller("", "\ttoy_walk(h, vma, addr);", "SYSCALL_DEFINE3(toy, struct hstate *, h, struct vm_area_struct *, vma, unsigned long, addr)") }, "unlocked < sys_toy"],
    ["another file's static function is none of its callers", { "mm/a.c": `static void toy_walk(void)\n{\n}\n${MMAP}`, "mm/b.c": LOCKED }, "silent"],
    ["a private mapping, known in the caller", { "mm/a.c": MMAP.replace("\tmmap_read_lock(vma->vm_mm);", "\tmmap_read_lock(vma->vm_mm);\n\tif (vma->vm_flags & VM_MAYSHARE)\n\t\tgoto out;").replace("\tmmap_read_unlock", "out:\n\tmmap_read_unlock") }, "silent"],
    ["the lock is given up before the call", { "mm/a.c": LOCKED.replace("\ttoy_walk(h, vma, addr);\n\thugetlb_vma_unlock_read(vma);", "\thugetlb_vma_unlock_read(vma);\n\tmmap_read_lock(vma->vm_mm);\n\ttoy_walk(h, vma, addr);") }, "unlocked < toy_locked"],
    ["recursion ends", { "mm/a.c": caller("toy_turn", "\ttoy_walk(h, vma, addr);\n\ttoy_turn(h, vma, addr);"), "mm/b.c": MMAP.replace("toy_walk(", "toy_turn(") }, "unlocked < toy_turn < toy_mmap"],
  ])("%s", (_, files, expected) => {
    expect(verdict({ ...WALK, ...files })).toBe(expected);
  });

  test("further away than is asked: a question", () => {
    const steps = Array.from({ length: 9 }, (_, index) => caller(`toy_${index + 1}`, `\ttoy_${index}(h, vma, addr);`)).join("");
    const walk0 = { "mm/walk.c": WALK["mm/walk.c"].replace("toy_walk", "toy_0") };
    expect(verdict({ ...walk0, "mm/a.c": steps, "mm/b.c": MMAP.replace("toy_walk(", "toy_9(") })).toBe("question");
    expect(verdict({ ...walk0, "mm/a.c": steps, "mm/b.c": MMAP.replace("toy_walk(", "toy_6(") })).toMatch(/^unlocked < toy_1 < .* < toy_6 < toy_mmap$/);
  });
});

describe("a constant argument and an assertion", () => {
  const files = {
    "mm/walk.c": `${walk("static void toy_unshare(struct hstate *h, struct vm_area_struct *vma, unsigned long addr, bool take_locks)", "\tif (take_locks)\n\t\ti_mmap_lock_write(vma->vm_file->f_mapping);\n\telse\n\t\ti_mmap_assert_write_locked(vma->vm_file->f_mapping);\n", "\tif (take_locks)\n\t\ti_mmap_unlock_write(vma->vm_file->f_mapping);")}
void toy_all(struct hstate *h, struct vm_area_struct *vma, unsigned long addr)
{
	toy_unshare(h, vma, addr, true);
}
void toy_split(struct hstate *h, struct vm_area_struct *vma, unsigned long addr)
{
	toy_unshare(h, vma, addr, false);
}
`,
    "mm/all.c": MMAP.replaceAll("toy_walk", "toy_all"),
  };
  const split = MMAP.replaceAll("toy_walk", "toy_split");

  test("who takes the lock is safe, and an assertion is believed where no caller is known", () => {
    expect(verdict(files)).toBe("silent");
  });

  test("an assertion does not hold where a caller has no lock", () => {
    expect(verdict({ ...files, "mm/split.c": split })).toBe("unlocked < toy_split < toy_mmap");
  });

  test("it holds where every caller has it", () => {
    const locked = split.replace("\tmmap_read_lock(vma->vm_mm);", "\tmmap_read_lock(vma->vm_mm);\n\ti_mmap_lock_write(vma->vm_file->f_mapping);");
    expect(verdict({ ...files, "mm/split.c": locked })).toBe("silent");
  });
});

describe("callbacks", () => {
  const control = (callback: string): string => `void toy_${callback}(struct folio *folio)
{
	struct toy_control rwc = {
		.toy_one = ${callback},
	};

	toy_${callback === "toy_cb" ? "run" : "bare"}(folio, &rwc);
}
`;
  const callback = walk("static bool toy_cb(struct folio *folio, struct vm_area_struct *vma, unsigned long addr)");
  const run = (name: string, lock: boolean): string => `void ${name}(struct folio *folio, struct toy_control *rwc)
{
	struct vm_area_struct *vma;

	mmap_read_lock(rwc->mm);
${lock ? "\ti_mmap_lock_read(mapping);\n" : ""}	vma_interval_tree_foreach(vma, &mapping->i_mmap, 0, 1)
		rwc->toy_one(folio, vma, 0);
${lock ? "\ti_mmap_unlock_read(mapping);\n" : ""}	mmap_read_unlock(rwc->mm);
}
`;

  test("a table that another function is put into calls that one", () => {
    const files = { "mm/walk.c": callback + control("toy_cb"), "mm/other.c": `static bool other(struct folio *folio, struct vm_area_struct *vma, unsigned long addr)\n{\n\treturn true;\n}\n${control("other")}` };
    expect(verdict({ ...files, "mm/run.c": run("toy_run", false) + run("toy_bare", false) })).toMatch(/^unlocked < toy_(?:run|bare)$/);
  });

  test("the VMAs of anonymous memory are private", () => {
    const anon = `void toy_run(struct folio *folio, struct toy_control *rwc)
{
	struct anon_vma_chain *avc;

	mmap_read_lock(rwc->mm);
	anon_vma_interval_tree_foreach(avc, &anon_vma->rb_root, 0, 1) {
		struct vm_area_struct *vma = avc->vma;

		rwc->toy_one(folio, vma, 0);
	}
	mmap_read_unlock(rwc->mm);
}
`;
    expect(verdict({ "mm/walk.c": callback + control("toy_cb"), "mm/run.c": anon })).toBe("silent");
  });
});

describe("a page looked for in a VMA, through a structure that is handed on", () => {
  const look = `bool toy_look(struct toy_walk *pvmw)
{
	struct vm_area_struct *vma = pvmw->vma;

	pvmw->pte = huge_pte_offset(vma->vm_mm, pvmw->address, huge_page_size(h));
	if (!pvmw->pte)
		return false;
	pvmw->ptl = huge_pte_lock(h, vma->vm_mm, pvmw->pte);
	return true;
}
`;
  const one = (known: string): string => `void toy_one(struct folio *folio, struct vm_area_struct *vma, unsigned long addr)
{
	DEFINE_FOLIO_VMA_WALK(pvmw, folio, vma, addr, 0);

	mmap_read_lock(vma->vm_mm);
${known}	while (toy_look(&pvmw))
		use(pvmw.pte);
	mmap_read_unlock(vma->vm_mm);
}
`;

  test.each([
    ["nothing is known", "", "unlocked < toy_one"],
    ["the VMA is private", "\tif (vma->vm_flags & VM_MAYSHARE)\n\t\treturn;\n", "silent"],
    ["another VMA is private", "\tif (other->vm_flags & VM_MAYSHARE)\n\t\treturn;\n", "unlocked < toy_one"],
  ])("%s", (_, known, expected) => {
    expect(verdict({ "mm/walk.c": look, "mm/one.c": one(known) })).toBe(expected);
  });

  test("the page is anonymous", () => {
    const merge = `void toy_merge(struct folio *folio, struct vm_area_struct *vma, unsigned long addr)
{
	if (!folio_test_anon(folio))
		return;
	toy_one(folio, vma, addr);
}
`;
    const whole = one("").replace("\tmmap_read_lock(vma->vm_mm);\n", "").replace("\tmmap_read_unlock(vma->vm_mm);\n", "");
    expect(verdict({ "mm/walk.c": look, "mm/one.c": whole, "mm/merge.c": merge })).toBe("silent");
    const page = merge.replace("struct folio *folio", "struct page *page").replace("folio_test_anon(folio)", "PageAnon(page)").replace("toy_one(folio", "toy_one(page_folio(page)");
    expect(verdict({ "mm/walk.c": look, "mm/one.c": whole, "mm/merge.c": page })).toBe("silent");
  });
});

describe("what a review rests on", () => {
  const files = { ...WALK, "mm/a.c": LOCKED, "mm/z.c": "void toy_else(void)\n{\n}\n" };
  const scanned = scannerFor(files).scan("mm/walk.c");

  test.each<[string, Record<string, string>, boolean]>([
    ["nothing changed", {}, true],
    ["another file changed", { "mm/z.c": "void toy_else(void)\n{\n\tuse();\n}\n" }, true],
    ["its own file changed", { "mm/walk.c": `${WALK["mm/walk.c"]}\n` }, false],
    ["a caller's file changed", { "mm/a.c": `${LOCKED}\n` }, false],
    ["another caller", { "mm/b.c": MMAP }, false],
    ["the other file calls it now", { "mm/z.c": MMAP }, false],
  ])("%s", (_, change, current) => {
    expect(scannerFor({ ...files, ...change }).isCurrent(scanned)).toBe(current);
  });
});

describe("a long-term pin of a helper is judged by its callers in other files", () => {
  const helper = `int toy_take(unsigned long addr, int nr, bool writable, struct page **pages)
{
	return pin_user_pages_fast(addr, nr, FOLL_LONGTERM | (writable ? FOLL_WRITE : 0), pages);
}
`;
  const reads = `int toy_pin(struct toy_node *node, unsigned long addr)
{
	int ret = toy_take(addr, node->nr, false, node->pages);

	if (ret < 0)
		return ret;
	node->pinned = ret;
	return 0;
}
`;
  const cached = "int toy_add(struct toy_node *node, unsigned long addr)\n{\n\tint ret = toy_pin(node, addr);\n\n\treturn ret ? ret : toy_mmu_cache_insert(node->cache, node);\n}\n";
  const kept = "int toy_keep(struct toy_node *node, unsigned long addr)\n{\n\treturn toy_pin(node, addr);\n}\n";
  const writes = "int toy_fill(struct toy_node *node, unsigned long addr)\n{\n\treturn toy_take(addr, node->nr, true, node->pages);\n}\n";
  const options = { ...OPTIONS, rules: {} };
  const found = (files: Readonly<Record<string, string>>): readonly string[] => {
    const all = Object.entries({ "drivers/toy/take.c": helper, ...files });
    const scanner = scannerOf(
      all.map(([path, text]) => ({ path, hash: String(text.length), outline: outlineOf(text) })),
      (path) => all.find(([name]) => name === path)?.[1] ?? null,
      targetOfTree(options, null),
      options,
    );
    return scanner.scan("drivers/toy/take.c").review.findings.map(({ ruleId }) => ruleId);
  };

  test.each<[string, Record<string, string>, readonly string[]]>([
    ["nobody calls it", {}, ["gup-readonly-longterm"]],
    ["nobody is told of changes", { "drivers/toy/a.c": reads + kept }, ["gup-readonly-longterm"]],
    ["one of two is told", { "drivers/toy/a.c": reads + kept, "drivers/toy/b.c": cached }, ["gup-readonly-longterm"]],
    ["who only reads is told", { "drivers/toy/a.c": reads, "drivers/toy/b.c": cached, "drivers/toy/c.c": writes }, []],
    ["everybody writes", { "drivers/toy/a.c": writes }, []],
  ])("%s", (_, files, rules) => {
    expect(found(files)).toEqual(rules);
  });
});
