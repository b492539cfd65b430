// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { heldLine, summaryLines } from "../../server/report/held.ts";
import { parseRelease } from "../../server/kernel/release.ts";
import { heldInDocument, heldInFile } from "../../server/review/held.ts";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { said } from "./said.ts";

const summary = (code: string, name: string): readonly string[] => {
  const found = heldInFile("mm/x.c", code, parseRelease("6.1")!).summaryOf(name);
  return found === null ? ["unknown"] : summaryLines(name, found);
};

describe("what is held at a line", () => {
  test("locks, mapped entries and sections, in order", () => {
    expect(said(`
static int toy_walk(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl; //?
	pte_t *pte;

	mmap_read_lock(mm);
	pte = pte_offset_map_lock(mm, pmd, addr, &ptl); //?
	arch_enter_lazy_mmu_mode();
	toy_look(pte); //?
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl); //?
	mmap_read_unlock(mm);
	return 0; //?
}`)).toEqual([
      "no code",
      "held here: mmap_lock(R)",
      "held here: mmap_lock(R) · atomic: ptl(pmd) lazy_mmu · mapped: pte",
      "held here: mmap_lock(R) · atomic: ptl(pmd) · mapped: pte",
      "",
    ]);
  });

  test("from 6.6 on a mapped entry is an RCU read-side section, and may not be there", () => {
    const code = `
static void toy_peek(pmd_t *pmd, unsigned long addr)
{
	pte_t *pte = pte_offset_map(pmd, addr);

	if (!pte)
		return; //?
	toy_look(pte); //?
	pte_unmap(pte);
}`;
    expect(said(code, "6.12")).toEqual(["", "atomic: rcu · mapped: pte"]);
    expect(said(code, "6.1")[1]).toBe("mapped: pte");
  });

  test("trylocks, error codes and markers decide as the code does", () => {
    expect(said(`
static int toy_try(struct mm_struct *mm, struct mutex *m)
{
	bool locked = false;

	if (!mmap_read_trylock(mm))
		return -EAGAIN; //?
	if (mutex_lock_killable(&toy_mutex)) {
		mmap_read_unlock(mm);
		return -EINTR; //?
	}
	toy_work(mm); //?
	mutex_unlock(&toy_mutex);
	if (toy_needs(mm)) {
		spin_lock(&mm->page_table_lock);
		locked = true;
	}
	toy_more(mm); //?
	if (locked)
		spin_unlock(&mm->page_table_lock);
	toy_last(mm); //?
	mmap_read_unlock(mm);
	return 0;
}`)).toEqual([
      "",
      "",
      "held here: mmap_lock(R) toy_mutex",
      "held here: mmap_lock(R); on some paths: ptl(mm)",
      "held here: mmap_lock(R)",
    ]);
  });

  test("callers of static functions say what they hold; a function whose address is given away has others", () => {
    expect(said(`
static void toy_inner(struct mm_struct *toy_mm, pte_t *pte)
{
	toy_look(pte); //?
}
static void toy_shared(struct mm_struct *toy_mm)
{
	toy_touch(toy_mm); //?
}
static void toy_walker(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	toy_inner(mm, pte);
	toy_shared(mm);
	pte_unmap_unlock(pte, ptl);
}
static const struct toy_ops ops = { .shared = toy_shared };
`)).toEqual(["atomic: ptl · mapped: pte", ""]);
  });

  const underMutex = (more: string, path = "mm/x.c"): string => {
    const code = `static void toy_step(struct toy *t)
{
	toy_look(t);
}
void toy_run(struct toy *t)
{
	mutex_lock(&t->m);
	toy_step(t);
	mutex_unlock(&t->m);
}
${more}
`;
    const here = heldInFile(path, code, parseRelease("6.1")!).at(3);
    return here === null ? "no code" : heldLine(here);
  };

  test.each([
    "static DECLARE_WORK(toy_work, toy_step);",
    "late_initcall(toy_step)",
    "DEFINE_STATIC_CALL(toy_call, toy_step);",
    "TOY_EVENT(x, toy_step(t));",
    "TOY_ENTRY(void, toy, struct toy *t)\n{\n\ttoy_step(t);\n}",
    "#define TOY_GEN(n) void n##_toy(struct toy *t) { toy_step(t); }\nTOY_GEN(one)",
    "#define toy_do(t) \\\n\ttoy_step(t)",
    "void (*toy_hook)(struct toy *t) = toy_step;",
    "toy_fn *toy_hook = (toy_fn *)toy_step;",
    "struct toy_ops ops = { .step = TOY_WRAP(toy_step(NULL)) };",
    "void toy_alias(struct toy *t) __attribute__((alias(\"toy_step\")));",
  ])("%j may call what stands in it", (more) => {
    expect(underMutex(more)).toBe("");
  });

  test.each(["", "static void toy_step(struct toy *t);", "void toy_other(struct toy *toy_step);", "NOKPROBE_SYMBOL(toy_step);", "#define toy_step toy_step", "#define TOY 1 /* toy_step */"])("%j calls nothing", (more) => {
    expect(underMutex(more)).toBe("held here: t->m");
  });

  test("a function of a header has callers in other files", () => {
    expect(underMutex("", "mm/x.h")).toBe("");
  });

  test("a macro without parameters does what it stands for", () => {
    expect(said(`
#define TOY_UNLOCK spin_unlock(&toy_lock)
#define TOY_LEAVE do { TOY_UNLOCK; toy_look(1); } while (0)
static void toy_short(void)
{
	spin_lock(&toy_lock);
	toy_look(0); //?
	TOY_UNLOCK;
	toy_look(0); //?
}
static void toy_long(int a)
{
	spin_lock(&toy_lock);
	if (a)
		TOY_LEAVE;
	toy_look(0); //?
}`)).toEqual(["atomic: toy_lock", "", "on some paths: toy_lock"]);
  });

  test("jumps, labels and loops have their own lines", () => {
    expect(said(`
static int toy_loop(struct toy *t)
{
	int i;

retry: //?
	spin_lock(&t->lock);
	for (i = 0; i < t->count; i++) { //?
		if (t->stop)
			goto out; //?
		if (t->busy) {
			spin_unlock(&t->lock);
			cond_resched();
			goto retry; //?
		}
	}
out: //?
	spin_unlock(&t->lock);
	return 0;
}`)).toEqual(["", "atomic: t->lock", "atomic: t->lock", "", "atomic: t->lock"]);
  });

  test("callees that give up what their caller holds", () => {
    expect(said(`
static vm_fault_t toy_fault(struct vm_area_struct *vma, unsigned long addr, struct pt_regs *regs)
{
	vm_fault_t fault;

	mmap_read_lock(vma->vm_mm);
	fault = handle_mm_fault(vma, addr, FAULT_FLAG_ALLOW_RETRY, regs);
	if (fault & VM_FAULT_COMPLETED)
		return fault; //?
	if (fault & VM_FAULT_RETRY)
		return fault; //?
	toy_account(vma); //?
	mmap_read_unlock(vma->vm_mm);
	return fault;
}`)).toEqual(["", "", "held here: mmap_lock(R)"]);
  });

  test("the walk of a mapped page lets go when it ends", () => {
    expect(said(`
static bool toy_one(struct folio *folio, struct vm_area_struct *vma, unsigned long address, void *arg)
{
	DEFINE_FOLIO_VMA_WALK(pvmw, folio, vma, address, 0);

	while (page_vma_mapped_walk(&pvmw)) {
		toy_entry(vma); //?
		if (!pvmw.pte)
			continue; //?
		toy_pte(pvmw.pte); //?
		if (toy_done(vma)) {
			page_vma_mapped_walk_done(&pvmw);
			break; //?
		}
	}
	return true; //?
}`)).toEqual([
      "atomic: pvmw.ptl; on some paths: pvmw.pte",
      "atomic: pvmw.ptl",
      "atomic: pvmw.ptl · mapped: pvmw.pte",
      "",
      "",
    ]);
  });

  test("an assertion is said to be one; of any mode", () => {
    expect(said(`
static void toy_asserts(struct mm_struct *mm)
{
	mmap_assert_locked(mm);
	toy_touch(mm); //?
}`)).toEqual(["held here: mmap_lock; by assertion only: mmap_lock"]);
  });

  test("the lines of a patch, those that go away in their old form", () => {
    const patch = `--- a/mm/toy.c
+++ b/mm/toy.c
@@ -1,9 +1,9 @@
 static int toy_sync(struct mm_struct *mm)
 {
-	mmap_read_lock(mm);
-	toy_work(mm);
-	mmap_read_unlock(mm);
+	mmap_write_lock(mm);
+	toy_work(mm);
+	mmap_write_unlock(mm);
 	toy_last(mm);
 	return 0;
 }
`;
    const held = heldInDocument({ path: "x.patch", text: patch, kind: "patch" }, DEFAULT_OPTIONS);
    const line = (row: number): string | null => {
      const here = held.at(row);
      return here && heldLine(here);
    };
    expect([line(7), line(10), line(12), line(2)]).toEqual(["held here: mmap_lock(R)", "held here: mmap_lock(W)", "", null]);
  });

  test("two locks of one class are told apart", () => {
    expect(said(`
static void toy_two(struct mm_struct *src, struct mm_struct *dst)
{
	mmap_write_lock(dst);
	mmap_write_lock_nested(src, SINGLE_DEPTH_NESTING);
	toy_copy(dst, src); //?
	mmap_write_unlock(src);
	mmap_write_unlock(dst);
}`)).toEqual(["held here: mmap_lock(W dst) mmap_lock(W src)"]);
  });
});

describe("summaries of functions", () => {
  test("locks by value, demands and sleep", () => {
    const code = `
static struct toy *toy_get(struct toy_table *table, gfp_t gfp)
{
	struct toy *toy = kmalloc(sizeof(*toy), gfp);

	if (!toy)
		return NULL;
	spin_lock(&table->lock);
	return toy;
}
static void toy_put(struct toy_table *table)
{
	lockdep_assert_held(&table->lock);
	spin_unlock(&table->lock);
}
static int toy_wait(struct mm_struct *mm)
{
	mmap_read_unlock(mm);
	msleep(1);
	mmap_read_lock(mm);
	return 0;
}
static int toy_lock(struct mm_struct *mm)
{
	if (!mmap_read_trylock(mm))
		return 0;
	return 1;
}
static int toy_caller(struct mm_struct *mm)
{
	return toy_wait(mm);
}
`;
    expect(summary(code, "toy_get")).toEqual(["toy_get()", "returns with: table->lock if the value is not 0", "may sleep as gfp says: kmalloc()"]);
    expect(summary(code, "toy_put")).toEqual(["toy_put()", "needs: table->lock", "gives up: table->lock"]);
    expect(summary(code, "toy_wait")).toEqual(["toy_wait()", "needs: mmap_lock(R)", "drops and takes again: mmap_lock(R)", "may sleep: msleep()"]);
    expect(summary(code, "toy_lock")).toEqual(["toy_lock()", "returns with: mmap_lock(R) if the value is not 0"]);
    expect(summary(code, "toy_caller")).toContain("may sleep: toy_wait()");
    expect(summary(code, "toy_absent")).toEqual(["unknown"]);
  });

  test("callers see what large callees leave behind", () => {
    const filler = Array.from({ length: 120 }, (_, index) => `\ttoy_step(mm, ${index});`).join("\n");
    expect(said(`
static int toy_enter(struct mm_struct *mm)
{
${filler}
	if (toy_refuses(mm))
		return -EBUSY;
	mmap_read_lock(mm);
	return 0;
}
static void toy_leave(struct mm_struct *mm)
{
${filler}
	mmap_read_unlock(mm);
}
int toy_both(struct mm_struct *mm)
{
	if (toy_enter(mm))
		return 1; //?
	toy_work(mm); //?
	toy_leave(mm);
	return 0; //?
}`)).toEqual(["", "held here: mmap_lock(R)", ""]);
  });

  test("a lock of the value goes with a value only where every way out agrees", () => {
    const code = `
static struct folio *toy_get(struct folio *f, bool lock)
{
	if (lock)
		folio_lock(f);
	return f;
}
static struct folio *toy_find(struct toy_table *table)
{
	struct folio *f = toy_look(table);

	if (!f)
		return NULL;
	folio_lock(f);
	return f;
}
static struct folio *toy_error(struct toy_table *table)
{
	struct folio *f = toy_look(table);

	if (!f)
		return ERR_PTR(-ENOENT);
	folio_lock(f);
	return f;
}
static void toy_use(struct folio *f)
{
	struct folio *got = toy_get(f, false);

	if (!got)
		return;
	toy_touch(got); //?
}
static struct folio *toy_either(struct folio *f, struct folio *other, int n)
{
	folio_lock(f);
	return n ? f : other;
}
`;
    expect(summary(code, "toy_get")).toContain("returns with: folio_lock of its value on some paths");
    expect(summary(code, "toy_find")).toContain("returns with: folio_lock of its value if the value is not 0");
    expect(summary(code, "toy_error")).toContain("returns with: folio_lock of its value on some paths");
    expect(summary(code, "toy_either")).toContain("returns with: folio_lock");
    expect(said(code).filter((line) => line.startsWith("held here"))).toEqual([]);
  });

  test("what a function takes itself on some path is neither needed nor given up", () => {
    const code = `
static long toy_core(struct mm_struct *mm, int *locked)
{
	bool must_unlock = false;

	if (!*locked) {
		mmap_read_lock(mm);
		must_unlock = true;
	} else
		mmap_assert_locked(mm);
	toy_step(mm, locked);
	if (must_unlock && *locked)
		mmap_read_unlock(mm);
	return 0;
}
static long toy_unlocked(struct mm_struct *mm)
{
	int locked = 0;

	return toy_core(mm, &locked);
}
static void toy_batch(struct toy *t, int irq)
{
	unsigned long flags;

	if (toy_word(t) >= irq)
		spin_lock_irqsave(&t->lock, flags);
	toy_step(t, &irq);
	if (toy_word(t) >= irq)
		spin_unlock_irqrestore(&t->lock, flags);
}
static void toy_put(struct folio *folio)
{
	struct lruvec *lruvec = NULL;
	unsigned long flags;

	toy_relock(folio, &lruvec, &flags);
	if (lruvec)
		spin_unlock_irqrestore(&lruvec->lru_lock, flags);
}
static void toy_turns(struct toy *t)
{
	do {
		spin_unlock_irq(&t->lock);
		toy_step(t, 0);
		spin_lock_irq(&t->lock);
	} while (t->busy);
}
`;
    for (const name of ["toy_core", "toy_unlocked", "toy_batch", "toy_put"])
      expect(summary(code, name).filter((line) => /^(?:needs|gives up)/.test(line)), name).toEqual([]);
    expect(summary(code, "toy_turns")).toEqual(["toy_turns()", "needs: t->lock", "drops and takes again: t->lock"]);
  });

  test("what is given up on some paths only is not needed: a fault is handled under one of two locks", () => {
    const code = `
static vm_fault_t toy_fault(struct vm_area_struct *vma, unsigned long address)
{
	return handle_mm_fault(vma, address, FAULT_FLAG_ALLOW_RETRY, NULL);
}
static void toy_own(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long address)
{
	mmap_read_lock(mm);
	if (handle_mm_fault(vma, address, FAULT_FLAG_ALLOW_RETRY, NULL) & VM_FAULT_RETRY)
		return;
	mmap_read_unlock(mm);
}
static void toy_again(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long address)
{
	if (handle_mm_fault(vma, address, FAULT_FLAG_ALLOW_RETRY, NULL) & VM_FAULT_RETRY)
		mmap_read_lock(mm);
}
`;
    const found = heldInFile("mm/x.c", code, parseRelease("6.12")!);
    const lines = (name: string): readonly string[] => summaryLines(name, found.summaryOf(name)!);
    expect(lines("toy_fault")).toContain("gives up: mmap_lock(R) on some paths, vma_lock(R) on some paths");
    expect(lines("toy_fault").filter((line) => line.startsWith("needs"))).toEqual([]);
    expect(lines("toy_again").filter((line) => line.startsWith("returns with"))).toEqual([]);
    expect(lines("toy_own").filter((line) => line.includes("mmap_lock"))).toEqual([]);
  });

  test("functions that call each other in a circle are not complete, whichever is asked first", () => {
    const code = `
static void toy_even(struct mm_struct *mm, int n)
{
	mmap_read_lock(mm);
	if (n)
		toy_odd(mm, n - 1);
	mmap_read_unlock(mm);
}
static void toy_odd(struct mm_struct *mm, int n)
{
	if (n)
		toy_even(mm, n - 1);
}
`;
    const release = parseRelease("6.1")!;
    const forward = heldInFile("mm/x.c", code, release);
    const backward = heldInFile("mm/x.c", code, release);
    const [even, odd] = [forward.summaryOf("toy_even"), forward.summaryOf("toy_odd")];
    const [odd2, even2] = [backward.summaryOf("toy_odd"), backward.summaryOf("toy_even")];
    expect([even2, odd2]).toEqual([even, odd]);
    expect(even?.complete).toBe(false);
  });

  test("what one of a circle gives up may be gone after a call into the circle", () => {
    const code = `
static void toy_give(int n)
{
	spin_unlock(&toy_lock);
	if (n)
		toy_turn(n - 1);
}
static void toy_turn(int n)
{
	spin_lock(&toy_lock);
	toy_give(n);
	toy_work(n); //?
}
void toy_start(void)
{
	spin_lock(&toy_lock);
	toy_give(3);
	toy_work(3); //?
}
`;
    expect(said(code)).toEqual(["on some paths: toy_lock", "on some paths: toy_lock"]);
    expect(summary(code, "toy_give")).toEqual(["toy_give()", "needs: toy_lock", "gives up: toy_lock on some paths", "not all of it could be followed"]);
  });

  test("a function that calls itself is entered as it stands there, too", () => {
    expect(said(`
static void toy_again(struct toy *t)
{
	toy_work(t); //?
	if (t->more) {
		mutex_unlock(&t->m);
		toy_again(t);
		mutex_lock(&t->m);
	}
}
static void toy_steady(struct toy *t)
{
	toy_work(t); //?
	if (t->more)
		toy_steady(t->next);
}
void toy_first(struct toy *t)
{
	mutex_lock(&t->m);
	toy_again(t);
	mutex_unlock(&t->m);
	mutex_lock(&toy_mutex);
	toy_steady(t);
	mutex_unlock(&toy_mutex);
}`)).toEqual(["on some paths: t->m", "held here: toy_mutex"]);
  });

  test("of two definitions of a name, what only one does is not certain", () => {
    const code = `
#ifdef CONFIG_TOY
static void toy_end(struct toy *t)
{
	spin_unlock(&t->lock);
	mutex_unlock(&t->m);
}
#else
static void toy_end(struct toy *toy)
{
	toy_work(toy);
	toy_work(toy);
	toy_work(toy);
	toy_work(toy);
	mutex_unlock(&toy->m);
}
#endif
void toy_whole(struct toy *t)
{
	mutex_lock(&t->m);
	spin_lock(&t->lock);
	toy_end(t);
	toy_work(t); //?
}
`;
    expect(said(code)).toEqual(["on some paths: t->lock"]);
    expect(heldInFile("mm/x.c", code, parseRelease("6.1")!).summaryOf("toy_end")?.complete).toBe(false);
  });

  test("does not hang on what was asked before", () => {
    const code = `
static void __hugetlb_vma_unlock_write_free(struct vm_area_struct *vma)
{
	msleep(1);
}
static void toy_end(struct vm_area_struct *vma)
{
	__hugetlb_vma_unlock_write_free(vma);
}
`;
    const first = heldInFile("mm/x.c", code, parseRelease("6.1")!);
    const second = heldInFile("mm/x.c", code, parseRelease("6.1")!);
    second.summaryOf("__hugetlb_vma_unlock_write_free");
    expect(second.summaryOf("toy_end")).toEqual(first.summaryOf("toy_end"));
  });
});
