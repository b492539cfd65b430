// SPDX-License-Identifier: GPL-2.0-only

/** Files whose functions look into each other in every way that lowering knows: values, macros, helpers, callers, pins. */
export const SESSION_TREE: Readonly<Record<string, string>> = {
  "mm/walks.c": `#include <linux/mm.h>

#define TOY_LOCK(vma) do { toy_lock(vma); } while (0)
#define TOY_FLAGS (FOLL_LONGTERM | FOLL_PIN)

static inline struct mm_struct *toy_mm(struct vm_area_struct *vma)
{
	return vma->vm_mm;
}

static inline bool toy_shares(struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_MAYSHARE;
}

static void toy_lock(struct vm_area_struct *vma)
{
	hugetlb_vma_lock_read(vma);
}

static void toy_unlock(struct vm_area_struct *vma)
{
	hugetlb_vma_unlock_read(vma);
}

static pte_t *toy_lookup(struct hstate *h, struct vm_area_struct *vma, unsigned long addr)
{
	return huge_pte_offset(toy_mm(vma), addr, huge_page_size(h));
}

static void toy_read(pte_t *ptep)
{
	huge_ptep_get(ptep);
}

/* A walk under its lock. */
void toy_locked(struct hstate *h, struct vm_area_struct *vma, unsigned long addr)
{
	pte_t *ptep;

	TOY_LOCK(vma);
	ptep = toy_lookup(h, vma, addr);
	if (ptep)
		toy_read(ptep);
	toy_unlock(vma);
}

#ifdef CONFIG_TOY
void toy_bare(struct hstate *h, struct vm_area_struct *vma, unsigned long addr)
{
	pte_t *ptep = huge_pte_offset(vma->vm_mm, addr, huge_page_size(h));

	if (ptep)
		toy_read(ptep);
}
#endif

static long toy_pin(unsigned long start, struct page **pages)
{
	return pin_user_pages_fast(start, 1, TOY_FLAGS, pages);
}

long toy_pins(unsigned long start, struct page **pages)
{
	long got = toy_pin(start, pages);

	if (got > 0)
		unpin_user_pages(pages, got);
	return got;
}
`,
  "mm/calls.c": `int toy_first(struct hstate *h, struct vm_area_struct *vma, unsigned long addr)
{
	mmap_read_lock(vma->vm_mm);
	toy_locked(h, vma, addr);
	toy_bare(h, vma, addr);
	mmap_read_unlock(vma->vm_mm);
	return 0;
}

int toy_second(struct hstate *h, struct vm_area_struct *vma, unsigned long addr)
{
	hugetlb_vma_lock_write(vma);
	toy_bare(h, vma, addr);
	hugetlb_vma_unlock_write(vma);
	return 0;
}
`,
};

/** Numbers from 0 to 1 that are the same in every run. */
export function numbers(seed: number): () => number {
  let state = seed * 7919;
  return () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) / 2 ** 32;
}

/** Lines that change what the lines around them mean. */
const LINES = [
  "\tcond_resched();", "\ttoy_lock(vma);", "\ttoy_unlock(vma);", "\thugetlb_vma_lock_read(vma);", "\ttoy_read(ptep);", "\ttoy_bare(h, vma, addr);", "\treturn;", "{", "}", "\tif (toy_shares(vma))",
  "\tif (!ptep) {", "\t} else {", "#ifdef CONFIG_X", "#else", "#endif", "#if 0", "#define TOY_FLAGS FOLL_WRITE", "#define TOY_LOCK(vma) toy_unlock(vma)", "#define toy_mm(vma) current->mm", "/*", "*/",
  "\t/* why */", "// why", "\tptep = NULL;", "\tvma = find_vma(mm, addr);", ";", "(", "\tops->walk = toy_bare;", "\tops->walk(h, vma, addr);", "static const unsigned int TOY_FLAGS = FOLL_LONGTERM;",
  "void toy_lock(struct vm_area_struct *vma) { }", "static void toy_read(pte_t *ptep) { set_huge_pte_at(mm, addr, ptep, entry); }", "int toy_third(void)\n{\n\ttoy_second(h, vma, addr);\n\treturn toy_third();\n}", "\t\"", "\\",
];

/** A file with something put in, taken out, or put elsewhere. */
export function randomEdit(texts: Readonly<Record<string, string>>, random: () => number): { readonly path: string; readonly text: string; readonly what: string } {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const path = pick(Object.keys(texts));
  const lines = (texts[path] ?? "").split("\n");
  const at = Math.floor(random() * (lines.length + 1));
  const count = random() < 0.8 ? 1 : Math.floor(random() * 9);
  const kind = random();
  const made = (what: string, now: readonly string[]) => ({ path, text: now.join("\n"), what });
  // Now and then all is well again, so that broken text does not pile up.
  if (kind < 0.15) return { path, text: SESSION_TREE[path] ?? "", what: "put back" };
  if (kind < 0.6) return made("put in", [...lines.slice(0, at), pick(LINES), ...lines.slice(at)]);
  if (kind < 0.8) return made("taken out", [...lines.slice(0, at), ...lines.slice(at + count)]);
  if (kind < 0.9) return made("doubled", [...lines.slice(0, at + count), ...lines.slice(at)]);
  const rest = [...lines.slice(0, at), ...lines.slice(at + 8)];
  const to = Math.floor(random() * (rest.length + 1));
  return made("moved", [...rest.slice(0, to), ...lines.slice(at, at + 8), ...rest.slice(to)]);
}
