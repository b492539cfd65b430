// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { statesAt } from "../../server/analysis/unit.ts";
import { render } from "../../server/program/render.ts";
import { dump, programOf, unitOfText } from "./dump.ts";

interface Case {
  readonly text: string;
  readonly graph: readonly string[];
}

/** Name of the case -> C text with a function f, and the graph of f. */
const CASES: Readonly<Record<string, Case>> = {
  "a goto ladder ends in its label": {
    text: `static int f(struct mm_struct *mm, int a)
{
	int err = -EINVAL;

	mmap_read_lock(mm);
	if (!a)
		goto out;
	err = 0;
out:
	mmap_read_unlock(mm);
	return err;
}`,
    graph: [
      "1 err = -EINVAL",
      "2 mmap_read_lock(mm)",
      "3 if a -> 4 | 5",
      "4 err = 0",
      "5 out:",
      "6 mmap_read_unlock(mm)",
      "7 $ = err",
      "8 return $",
      "9 exit",
    ],
  },
  "for, do and while with continue and break": {
    text: `static void f(int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (i == 3)
			continue;
		if (i == 5)
			break;
		first(i);
	}
	do {
		second();
	} while (n);
	while (third())
		;
}`,
    graph: [
      "1 i = 0",
      "2 if i < n -> 3 | 6",
      "3 if i == 3 -> 4 | 5",
      "4 i ++ ? -> 2",
      "5 if i == 5 -> 6 | 11",
      "6 second()",
      "7 if n -> 6 | 8",
      "8 $ = third()",
      "9 if $ -> 8 | 10",
      "10 exit",
      "11 first(i) -> 4",
    ],
  },
  "switch with fall through and default": {
    text: `static int f(int n)
{
	switch (n) {
	case 1:
		one();
	case 2:
		two();
		break;
	default:
		other();
	}
	return n;
}`,
    graph: [
      "1 if n == 1 -> 2 | 7",
      "2 one()",
      "3 two()",
      "4 $ = n",
      "5 return $",
      "6 exit",
      "7 if n == 2 -> 3 | 8",
      "8 other() -> 4",
    ],
  },
  "switch without default may do nothing": {
    text: `static void f(int n)
{
	switch (next(n)) {
	case 1:
		one();
		break;
	}
	last();
}`,
    graph: [
      "1 $ = next(n)",
      "2 if $ == 1 -> 3 | 4",
      "3 one()",
      "4 last()",
      "5 exit",
    ],
  },
  "short circuit and negation are branches": {
    text: `static void f(struct a *p)
{
	if (p && (take(p) || p->b) && !drop(p))
		done(p);
}`,
    graph: [
      "1 if p -> 2 | 6",
      "2 $ = take(p)",
      "3 if $ -> 4 | 8",
      "4 $ = drop(p)",
      "5 if $ -> 6 | 7",
      "6 exit",
      "7 done(p) -> 6",
      "8 if p->b -> 4 | 6",
    ],
  },
  "a conditional expression is a branch, ?: with two operands too": {
    text: `static int f(int a)
{
	int x = a ? one() : two();

	return x ?: three();
}`,
    graph: [
      "1 if a -> 2 | 8",
      "2 x = one()",
      "3 if x -> 4 | 7",
      "4 $ = x",
      "5 return $",
      "6 exit",
      "7 $ = three() -> 5",
      "8 x = two() -> 3",
    ],
  },
  "what ?: asks for is computed once": {
    text: `static int f(void)
{
	int x = one() ?: 0;

	return x;
}`,
    graph: [
      "1 $ = one()",
      "2 if $ -> 3 | 7",
      "3 x = $",
      "4 $ = x",
      "5 return $",
      "6 exit",
      "7 x = 0 -> 4",
    ],
  },
  "a guard is given up on every way out of its block": {
    text: `static int f(struct mm_struct *mm, int n)
{
	while (n) {
		guard(mmap_read_lock)(mm);
		if (one())
			break;
		if (two())
			goto out;
		if (three())
			return 1;
	}
out:
	return 0;
}`,
    graph: [
      "1 if n -> 2 | 6",
      "2 mmap_read_lock(mm)",
      "3 $ = one()",
      "4 if $ -> 5 | 10",
      "5 mmap_read_unlock(mm)",
      "6 out:",
      "7 $ = 0",
      "8 return $",
      "9 exit",
      "10 $ = two()",
      "11 if $ -> 12 | 13",
      "12 mmap_read_unlock(mm) -> 6",
      "13 $ = three()",
      "14 if $ -> 15 | 18",
      "15 $ = 1",
      "16 mmap_read_unlock(mm)",
      "17 return $ -> 9",
      "18 mmap_read_unlock(mm) -> 1",
    ],
  },
  "a goto inside of a scoped guard keeps it": {
    text: `static void f(struct address_space *mapping)
{
	scoped_guard(rwsem_read, &mapping->i_mmap_rwsem) {
again:
		if (one())
			goto again;
	}
	last();
}`,
    graph: [
      "1 down_read(&mapping->i_mmap_rwsem)",
      "2 again:",
      "3 $ = one()",
      "4 if $ -> 2 | 5",
      "5 up_read(&mapping->i_mmap_rwsem)",
      "6 last()",
      "7 exit",
    ],
  },
  "cases that are no plain values are a choice": {
    text: `static void f(int n)
{
	switch (n) {
	case 1 << 3:
		one();
	}
}`,
    graph: ["1 switch switch -> 2 | 3", "2 one()", "3 exit"],
  },
  "a range of cases asks for both ends": {
    text: `static void f(int n)
{
	switch (n) {
	case 1 ... 3:
		one();
	}
}`,
    graph: ["1 if n >= 1 -> 2 | 4", "2 if n <= 3 -> 3 | 4", "3 one()", "4 exit"],
  },
  "a switch on a boolean asks for it, and a comparison with true or false asks the same": {
    text: `static void f(bool on)
{
	switch (!!on) {
	case 1:
		one();
		break;
	default:
		two();
	}
	if (on == true)
		three();
	if (false == (on && other()))
		four();
}`,
    graph: ["1 if on -> 2 | 10", "2 one()", "3 if on -> 4 | 5", "4 three()", "5 if on -> 6 | 9", "6 $ = other()", "7 if $ -> 8 | 9", "8 exit", "9 four() -> 8", "10 two() -> 3"],
  },
  "short circuit as a value": {
    text: `static bool f(struct a *p)
{
	bool x = p && take(p);

	return x;
}`,
    graph: [
      "1 if p -> 2 | 8",
      "2 $ = take(p)",
      "3 if $ -> 4 | 8",
      "4 x = 1",
      "5 $ = x",
      "6 return $",
      "7 exit",
      "8 x = 0 -> 5",
    ],
  },
  "a statement expression runs its statements": {
    text: `static int f(int a)
{
	int x = ({ int y = one(); two(y); y; });

	return x;
}`,
    graph: [
      "1 y = one()",
      "2 two(y)",
      "3 x = y",
      "4 $ = x",
      "5 return $",
      "6 exit",
    ],
  },
  "an iterator macro runs its body any number of times": {
    text: `static void f(struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	for_each_vma(vmi, vma) {
		if (skip(vma))
			continue;
		use(vma);
	}
}`,
    graph: [
      "1 iterate for_each_vma -> 2 | 6",
      "2 vma = ?",
      "3 $ = skip(vma)",
      "4 if $ -> 1 | 5",
      "5 use(vma) -> 1",
      "6 exit",
    ],
  },
  "reading through a pointer to an entry is an access, taking its address is not": {
    text: `static bool f(pte_t *ptep, pte_t *other)
{
	pte_t *copy = &*ptep;

	if (ptep && pte_present(*ptep))
		*other = ptep[1];
	return pte_young(READ_ONCE(*copy));
}`,
    graph: [
      "1 copy = &*ptep",
      "2 if ptep -> 3 | 8",
      "3 access ptep",
      "4 if pte_present(*ptep) -> 5 | 8",
      "5 access ptep",
      "6 access other",
      "7 *other = ptep[1]",
      "8 access copy",
      "9 $ = pte_young(READ_ONCE(*copy))",
      "10 return $",
      "11 exit",
    ],
  },
  "both branches of #ifdef exist": {
    text: `static void f(int a)
{
#ifdef CONFIG_TOY
	on();
#else
	off();
#endif
	last();
}`,
    graph: [
      "1 if IS_ENABLED(CONFIG_TOY) -> 2 | 5",
      "2 on()",
      "3 last()",
      "4 exit",
      "5 off() -> 3",
    ],
  },
  "one configuration is the same all over a function, #ifdef or not": {
    text: `static void f(int a)
{
#ifndef CONFIG_TOY
	off();
#endif
	if (IS_ENABLED(CONFIG_TOY))
		on();
#if defined(CONFIG_TOY) && CONFIG_TOY_LEVELS > 3
	deep();
#elif defined(CONFIG_OTHER)
	other();
#endif
}`,
    graph: [
      "1 if IS_ENABLED(CONFIG_TOY) -> 2 | 10",
      "2 if IS_ENABLED(CONFIG_TOY) -> 3 | 4",
      "3 on()",
      "4 if IS_ENABLED(CONFIG_TOY) -> 5 | 8",
      "5 if CONFIG_TOY_LEVELS > 3 -> 6 | 8",
      "6 deep()",
      "7 exit",
      "8 if IS_ENABLED(CONFIG_OTHER) -> 9 | 7",
      "9 other() -> 7",
      "10 off() -> 2",
    ],
  },
  "an #ifdef that cuts a statement has both its ways": {
    text: `static void f(int a)
{
	first();
#ifdef CONFIG_TOY
	if (a)
		on();
	else
#endif
		last();
}`,
    graph: ["1 if IS_ENABLED(CONFIG_TOY) -> 2 | 7", "2 first()", "3 if a -> 4 | 6", "4 on()", "5 exit", "6 last() -> 5", "7 first()", "8 last() -> 5"],
  },
  "one branch of an #ifdef in an expression, or the other": {
    text: `static int f(int a)
{
	return get(a,
#ifdef CONFIG_TOY
		   on(a)
#else
		   off(a)
#endif
		   );
}`,
    graph: ["1 if IS_ENABLED(CONFIG_TOY) -> 2 | 6", "2 $ = on(a)", "3 $ = get(a, $)", "4 return $", "5 exit", "6 $ = off(a)", "7 $ = get(a, $)", "8 return $ -> 5"],
  },
  "of two labels with one name the configuration decides": {
    text: `static void f(int a)
{
	if (a)
		goto out;
	first();
#ifdef CONFIG_TOY
out:
	on();
#else
out:
	off();
#endif
}`,
    graph: [
      "1 if a -> 2 | 7",
      "2 out:",
      "3 if IS_ENABLED(CONFIG_TOY) -> 4 | 6",
      "4 on()",
      "5 exit",
      "6 off() -> 5",
      "7 first()",
      "8 if IS_ENABLED(CONFIG_TOY) -> 2 | 2",
    ],
  },
  "conditionals in a switch: in a case, and around one": {
    text: `static void f(int n)
{
	switch (n) {
	case 1:
		one();
#ifdef CONFIG_TOY
		toy();
#endif
		more();
		break;
#ifdef CONFIG_TWO
	case 2:
		two();
#endif
	default:
		other();
	}
}`,
    graph: [
      "1 if n == 1 -> 2 | 7",
      "2 one()",
      "3 if IS_ENABLED(CONFIG_TOY) -> 4 | 5",
      "4 toy()",
      "5 more()",
      "6 exit",
      "7 if IS_ENABLED(CONFIG_TWO) -> 8 | 10",
      "8 if n == 2 -> 9 | 10",
      "9 two()",
      "10 other() -> 6",
    ],
  },
  "initializers, compound literals and what a pointer is found by are computed": {
    text: `static int f(struct mm_struct *mm)
{
	struct walk w = { .mm = mm, .pgoff = first(mm), .in = { second() } };

	use(&(struct range){ .start = third(), .end = 4 });
	return ops_of(mm)->walk(&w, sizeof(fourth(mm)));
}`,
    graph: [
      "1 w = { ... }",
      "2 w.mm = mm",
      "3 w.pgoff = first(mm)",
      "4 $ = second()",
      "5 w.in = { second() }",
      "6 $ = third()",
      "7 use(&(struct range){ .start = third(), .end = 4 })",
      "8 $ = ops_of(mm)",
      "9 $ = ops_of(mm)->walk(&w, sizeof(fourth(mm)))",
      "10 return $",
      "11 exit",
    ],
  },
  "unlikely() and IS_ENABLED() in conditions, and a ladder of labels": {
    text: `static int f(struct mm_struct *mm, int n)
{
	if (unlikely(!mm) || likely(n))
		goto out_none;
	if (IS_ENABLED(CONFIG_TOY) && one(mm))
		goto out_one;
	if (two(mm))
		goto out_two;
	return 0;
out_two:
	undo_two(mm);
out_one:
	undo_one(mm);
out_none:
	return -EINVAL;
}`,
    graph: [
      "1 if mm -> 2 | 3",
      "2 if n -> 3 | 7",
      "3 out_none:",
      "4 $ = -EINVAL",
      "5 return $",
      "6 exit",
      "7 if IS_ENABLED(CONFIG_TOY) -> 8 | 12",
      "8 $ = one(mm)",
      "9 if $ -> 10 | 12",
      "10 out_one:",
      "11 undo_one(mm) -> 3",
      "12 $ = two(mm)",
      "13 if $ -> 14 | 16",
      "14 out_two:",
      "15 undo_two(mm) -> 10",
      "16 $ = 0",
      "17 return $ -> 6",
    ],
  },
  "iterator macros without braces and with, a helper in a condition, a statement expression that is returned": {
    text: `static inline bool toy_shared(struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_SHARED;
}

static int f(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);

	for_each_vma(vmi, vma)
		if (toy_shared(vma) && !one(vma))
			return 1;
	list_for_each_entry_safe(vma, next, &mm->list, node) {
		if (two(vma))
			break;
	}
	return ({ int n = three(mm); n ?: four(mm); });
}`,
    graph: [
      "1 iterate for_each_vma -> 2 | 9",
      "2 vma = ?",
      "3 if vma->vm_flags & VM_SHARED -> 4 | 1",
      "4 $ = one(vma)",
      "5 if $ -> 1 | 6",
      "6 $ = 1",
      "7 return $",
      "8 exit",
      "9 iterate list_for_each_entry_safe -> 10 | 13",
      "10 vma = ?",
      "11 $ = two(vma)",
      "12 if $ -> 13 | 9",
      "13 n = three(mm)",
      "14 if n -> 15 | 18",
      "15 $ = n",
      "16 $ = $",
      "17 return $ -> 8",
      "18 $ = four(mm) -> 16",
    ],
  },
  "an iterator macro behind its body gives the next element": {
    text: `static void f(struct vm_area_struct *vma)
{
	do {
		use(vma);
	} for_each_vma(vmi, vma);
}`,
    graph: ["1 use(vma)", "2 iterate for_each_vma -> 3 | 4", "3 vma = ? -> 1", "4 exit"],
  },
  "a jump back, and one to a label that is not visible": {
    text: `static void f(int a)
{
retry:
	if (again())
		goto retry;
	goto gone;
}`,
    graph: [
      "1 retry:",
      "2 $ = again()",
      "3 if $ -> 1 | 4",
      "4 gone:",
      "5 unseen end",
      "6 exit",
    ],
  },
  "helpers that take locks stand in the place of their calls": {
    text: `static void lock(struct mm_struct *mm)
{
	mmap_read_lock(mm);
}

static bool trylock(struct mm_struct *who, bool *done)
{
	if (!mmap_read_trylock(who))
		return false;
	*done = true;
	return true;
}

static void f(struct vm_area_struct *vma)
{
	bool done = false;

	lock(vma->vm_mm);
	if (trylock(vma->vm_mm, &done))
		use(vma);
}`,
    graph: [
      "1 done = 0",
      "2 lock(vma->vm_mm)",
      "3 mmap_read_lock(vma->vm_mm)",
      "4 trylock(vma->vm_mm, &done)",
      "5 $ = mmap_read_trylock(vma->vm_mm)",
      "6 if $ -> 7 | 13",
      "7 done = 1",
      "8 $ = 1",
      "9 $ = $",
      "10 if $ -> 11 | 12",
      "11 use(vma)",
      "12 exit",
      "13 $ = 0",
      "14 $ = $ -> 10",
    ],
  },
};

describe("lowering", () => {
  test.each(Object.entries(CASES))("%s", (_, { text, graph }) => {
    expect(dump(programOf(unitOfText(text), "f"))).toEqual(graph);
  });

  test("calls of a helper stay, without effect, and copies name the helper", () => {
    const f = programOf(unitOfText(CASES["helpers that take locks stand in the place of their calls"]?.text ?? ""), "f");
    const calls = f.nodes.flatMap((node) => (node.kind === "call" ? [[node.name, node.knowledge, node.inlined]] : []));
    expect(calls).toEqual(
      expect.arrayContaining([
        ["lock", "inlined", undefined],
        ["mmap_read_lock", "effects", "lock"],
        ["mmap_read_trylock", "effects", "trylock"],
        ["use", "unknown", undefined],
      ]),
    );
  });

  test("helpers that call each other in a circle, and long chains of helpers, end", () => {
    const circle = "static void a(struct mm_struct *mm) { mmap_read_lock(mm); b(mm); }\nstatic void b(struct mm_struct *mm) { mmap_read_lock(mm); a(mm); }\n";
    expect(programOf(unitOfText(circle), "a").nodes.length).toBeLessThan(50);
    const chain = Array.from({ length: 3000 }, (_, index) => `static void f${index}(struct mm_struct *mm) { mmap_read_lock(mm); f${index + 1}(mm); }`);
    expect(unitOfText(chain.join("\n")).programs).toHaveLength(3000);
  });

  test("helpers of one return that call themselves, or each other twice, end", () => {
    const itself = "static int g(int a) { return a ? g(a - 1) : 0; }\nstatic int f(int a) { if (g(a)) return 1; return g(a); }\n";
    expect(programOf(unitOfText(itself), "f").nodes.length).toBeLessThan(100);
    const twice = Array.from({ length: 40 }, (_, index) => `static int h${index}(int a) { return h${index + 1}(a) + h${index + 1}(a); }`);
    expect(programOf(unitOfText(twice.join("\n")), "h0").nodes.length).toBeLessThan(100);
  });

  test("too many ways through conditionals that cut statements are said, not guessed", () => {
    const cuts = Array.from({ length: 4 }, (_, index) => `#ifdef CONFIG_TOY_${index}\n\tif (a == ${index})\n\t\tuse(a);\n\telse\n#endif\n\t\tuse(0);\n`);
    const { assumptions } = programOf(unitOfText(`static void f(int a)\n{\n${cuts.join("")}}\n`), "f");
    expect(assumptions.filter(({ kind }) => kind === "not-lowered").map(({ text }) => text)).toEqual([0, 1, 2, 3].map((index) => `of #ifdef CONFIG_TOY_${index} the first branch only is read`));
  });

  test("the configuration is remembered: what one #ifdef took the other gives back", () => {
    const text = `static void f(struct mm_struct *mm)
{
#ifdef CONFIG_TOY
	mmap_read_lock(mm);
#endif
	use(mm);
#ifdef CONFIG_TOY
	mmap_read_unlock(mm);
#endif
	last(mm);
}`;
    const unit = unitOfText(text);
    const f = programOf(unit, "f");
    const held = statesAt(unit.analyze(f), f.nodes.findIndex((node) => node.kind === "call" && node.name === "last")).map(({ state }) => state.held.map(({ lock }) => lock));
    expect(held).toEqual([[], []]);
  });

  test("an assertion is a call with its condition, and decides nothing; one whose value is asked for is a condition only", () => {
    const nodes = programOf(unitOfText("static void f(int a)\n{\n\tBUG_ON(a);\n\tWARN_ON_ONCE(a);\n\tif (WARN_ON(a))\n\t\treturn;\n\tuse(a);\n}\n"), "f").nodes;
    expect(nodes.flatMap((node) => (node.kind === "call" ? node.effects.flatMap((effect) => (effect.kind === "bugIf" ? [[node.name, effect.how]] : [])) : []))).toEqual(expect.arrayContaining([["BUG_ON", "bug"], ["WARN_ON_ONCE", "warn"]]));
    expect(nodes.filter((node) => node.kind === "call" && node.name === "WARN_ON")).toEqual([]);
    expect(nodes.filter((node) => node.kind === "branch")).toHaveLength(1);
  });

  test("a warning about an entry whose value is asked for asserts in front of its branch; `!` is part of what it says", () => {
    const nodes = programOf(unitOfText("static int f(pmd_t *pmd)\n{\n\tif (WARN_ON_ONCE(pmd_none(*pmd)) || WARN_ON(!pmd_present(*pmd)))\n\t\treturn -EINVAL;\n\treturn 0;\n}\n"), "f").nodes;
    expect(nodes.flatMap((node) => (node.kind === "call" && node.effects.some(({ kind }) => kind === "bugIf") ? [`${node.name}(${node.args.map(render).join()})`] : [])).toSorted()).toEqual(["WARN_ON(!pmd_present(*pmd))", "WARN_ON_ONCE(pmd_none(*pmd))"]);
    expect(nodes.flatMap((node) => (node.kind === "branch" ? [[render(node.condition), node.negated]] : [])).toSorted()).toEqual([["pmd_none(*pmd)", false], ["pmd_present(*pmd)", true]]);
  });

  test("an unknown shape is said, not guessed", () => {
    const { assumptions } = programOf(unitOfText("static void f(void)\n{\n\tgoto nowhere;\n}\n"), "f");
    expect(assumptions.map(({ kind, text }) => [kind, text])).toEqual([["unseen-code", "label nowhere is not visible"]]);
  });
});
