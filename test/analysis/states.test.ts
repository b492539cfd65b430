// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import type { State } from "../../server/analysis/state.ts";
import { protects } from "../../server/analysis/protection.ts";
import { statesAt, type Unit } from "../../server/analysis/unit.ts";
import { programOf, unitOfText } from "../program/dump.ts";

/** Every state in which control reaches the call of `here()` in the function, in words. */
function at(text: string, word: (state: State) => string, name = "f", unit: Unit = unitOfText(text)): string[] {
  const program = programOf(unit, name);
  const fn = unit.analyze(program);
  const found = program.nodes.flatMap((node, id) => (node.kind === "call" && node.name === "here" ? statesAt(fn, id).map(({ state }) => word(state)) : []));
  return [...new Set(found)].toSorted();
}

const locks = (state: State): string => state.held.map((held) => `${held.lock}(${held.object})`).join(" ") || "nothing";
const atomic = (state: State): string => String(state.atomic.length);
const shared = (state: State): string => (protects(state, { vma: "vma", alsoNamed: null }) ? "protected" : "bare");

const body = (statements: string): string => `static void f(struct vm_area_struct *vma, struct mm_struct *mm, int a, bool b)\n{\n\tbool locked = false;\n\tint err;\n\n${statements}\n}\n`;

describe("a lock is held on the branch where its call says so", () => {
  test.each([
    ["trylock", "if (mmap_read_trylock(mm))\n\there();", ["mmap_lock(mm)"]],
    ["trylock in vain", "if (!mmap_read_trylock(mm))\n\there();", ["nothing"]],
    ["trylock kept in a variable", "locked = mmap_read_trylock(mm);\na++;\nif (locked)\n\there();", ["mmap_lock(mm)"]],
    ["trylock and a second test", "locked = mmap_read_trylock(mm);\nif (a)\n\tuse(a);\nif (!locked)\n\treturn;\nhere();", ["mmap_lock(mm)"]],
    ["killable", "if (mmap_write_lock_killable(mm))\n\treturn;\nhere();", ["mmap_lock(mm)"]],
    ["killable, error code", "err = mmap_read_lock_killable(mm);\nif (err)\n\there();", ["nothing"]],
    ["killable, below zero", "err = mmap_read_lock_killable(mm);\nif (err < 0)\n\treturn;\nhere();", ["mmap_lock(mm)"]],
    ["killable, compared with 0", "if (mmap_read_lock_killable(mm) == 0)\n\there();", ["mmap_lock(mm)"]],
    ["a flag set on the same path", "if (a) {\n\tmmap_read_lock(mm);\n\tlocked = true;\n}\nif (locked)\n\there();", ["mmap_lock(mm)"]],
    ["the same condition twice", "if (a)\n\tmmap_read_lock(mm);\nif (a)\n\there();", ["mmap_lock(mm)"]],
    ["the same condition, changed in between", "if (a)\n\tmmap_read_lock(mm);\na = next();\nif (a)\n\there();", ["mmap_lock(mm)", "nothing"]],
    ["another condition", "if (a)\n\tmmap_read_lock(mm);\nif (b)\n\there();", ["mmap_lock(mm)", "nothing"]],
    ["an inverted condition", "if (a != 0)\n\tmmap_read_lock(mm);\nif (!(a == 0))\n\there();", ["mmap_lock(mm)"]],
    ["released", "mmap_read_lock(mm);\nmmap_read_unlock(mm);\nhere();", ["nothing"]],
    ["another object released", "mmap_read_lock(mm);\nmmap_read_unlock(vma->vm_mm);\nhere();", ["mmap_lock(mm)"]],
    ["in a loop", "while (next())\n\tmmap_read_lock(mm);\nhere();", ["mmap_lock(mm)", "mmap_lock(mm) mmap_lock(mm)", "nothing"]],
  ])("%s", (_, statements, expected) => {
    expect(at(body(statements), locks)).toEqual(expected);
  });
});

describe("a boolean stands for its definition", () => {
  test.each([
    ["is_cow_mapping()", "bool cow = is_cow_mapping(vma->vm_flags);\n\nif (!cow)\n\thugetlb_vma_lock_read(vma);\nhere();", ["protected"]],
    ["the wrong way round", "bool cow = is_cow_mapping(vma->vm_flags);\n\nif (cow)\n\thugetlb_vma_lock_read(vma);\nhere();", ["bare", "protected"]],
    ["inverted", "bool may_share = !!(vma->vm_flags & VM_MAYSHARE);\n\nif (may_share)\n\thugetlb_vma_lock_read(vma);\nhere();", ["protected"]],
    ["of another VMA", "bool cow = is_cow_mapping(other_vma->vm_flags);\n\nif (!cow)\n\thugetlb_vma_lock_read(vma);\nhere();", ["bare", "protected"]],
  ])("%s", (_, statements, expected) => {
    expect(at(body(statements), shared)).toEqual(expected);
  });
});

describe("a private mapping has no shared table", () => {
  test.each([
    ["asked before", "if (vma->vm_flags & VM_MAYSHARE)\n\treturn;\nhere();", ["protected"]],
    ["asked by its opposite", "if (!(vma->vm_flags & VM_MAYSHARE))\n\there();", ["protected"]],
    ["VM_SHARED says nothing about it", "if (!(vma->vm_flags & VM_SHARED))\n\there();", ["bare"]],
    ["another VMA", "if (!(prev_vma->vm_flags & VM_MAYSHARE))\n\there();", ["bare"]],
    ["the flags changed", "if (vma->vm_flags & VM_MAYSHARE)\n\treturn;\nvma = find_vma(mm, a);\nhere();", ["bare"]],
  ])("%s", (_, statements, expected) => {
    expect(at(body(statements), shared)).toEqual(expected);
  });
});

describe("atomic sections", () => {
  test.each([
    ["rcu", "rcu_read_lock();\nhere();\nrcu_read_unlock();", ["1"]],
    ["left again", "rcu_read_lock();\nrcu_read_unlock();\nhere();", ["0"]],
    ["a spinlock in RCU", "rcu_read_lock();\nspin_lock(&mm->page_table_lock);\nhere();", ["2"]],
    ["a sleeping lock is none", "mmap_read_lock(mm);\nhere();", ["0"]],
  ])("%s", (_, statements, expected) => {
    expect(at(body(statements), atomic)).toEqual(expected);
  });
});

describe("calling contexts", () => {
  const callee = "static void f(struct vm_area_struct *vma)\n{\n\tbig();\n\there();\n}\n";

  test("a static function is entered as its callers call it, under its own names", () => {
    const text = `${callee}static void g(struct vm_area_struct *src)\n{\n\thugetlb_vma_lock_read(src);\n\tf(src);\n\thugetlb_vma_unlock_read(src);\n}\nstatic void h(struct mm_struct *mm, struct vm_area_struct *vma)\n{\n\tmmap_read_lock(mm);\n\tf(vma);\n\tmmap_read_unlock(mm);\n}\n`;
    expect(at(text, locks)).toEqual(["hugetlb_vma_lock(vma)", "mmap_lock()"]);
  });

  test("through two callers", () => {
    const text = `${callee}static void g(struct vm_area_struct *one)\n{\n\tf(one);\n}\nvoid h(struct vm_area_struct *two)\n{\n\thugetlb_vma_lock_write(two);\n\tg(two);\n}\n`;
    expect(at(text, locks)).toEqual(["hugetlb_vma_lock(vma)"]);
  });

  test("a function with external linkage in a whole file may be called from anywhere", () => {
    const text = `${callee.replace("static ", "")}static void g(struct vm_area_struct *src)\n{\n\thugetlb_vma_lock_read(src);\n\tf(src);\n}\n`;
    expect(at(text, locks)).toEqual(["nothing"]);
  });

  test("what is known of the mapping is known in the callee", () => {
    const text = `${callee}static void g(struct vm_area_struct *src)\n{\n\tif (src->vm_flags & VM_MAYSHARE)\n\t\treturn;\n\tf(src);\n}\n`;
    expect(at(text, shared)).toEqual(["protected"]);
  });

  test("a constant argument decides a branch of the callee", () => {
    const text = "static void f(struct vm_area_struct *vma, bool take)\n{\n\tif (take)\n\t\thugetlb_vma_lock_read(vma);\n\there();\n}\nstatic void g(struct vm_area_struct *vma)\n{\n\tf(vma, true);\n}\n";
    expect(at(text, locks)).toEqual(["hugetlb_vma_lock(vma)"]);
  });

  test("the stub of #else does not hide the function", () => {
    const text = `#ifdef CONFIG_TOY\n${callee}#else\nstatic void f(struct vm_area_struct *vma)\n{\n}\n#endif\nstatic void g(struct vm_area_struct *src)\n{\n\thugetlb_vma_lock_read(src);\n\tf(src);\n}\n`;
    expect(at(text, locks)).toEqual(["hugetlb_vma_lock(vma)"]);
  });
});

describe("merging", () => {
  test("conditions that nothing depends on do not multiply paths", () => {
    const many = Array.from({ length: 40 }, (_, index) => `if (a == ${index})\n\tuse(${index});`).join("\n");
    const unit = unitOfText(body(`${many}\nhere();`));
    const [context] = unit.analyze(programOf(unit, "f")).contexts;
    expect(context?.interpretation.complete).toBe(true);
    expect(Math.max(...(context?.interpretation.before.map((states) => states.length) ?? []))).toBeLessThan(3);
  });

  test("conditions that are asked again do, up to a bound, and no path is lost", () => {
    const names = Array.from({ length: 14 }, (_, index) => `c${index}`);
    const asked = [...names, ...names].map((name) => `if (${name})\n\tuse(${name});`).join("\n");
    const text = `static void f(struct mm_struct *mm, ${names.map((name) => `int ${name}`).join(", ")})\n{\n\tif (c0)\n\t\tmmap_read_lock(mm);\n${asked}\n\there();\n}\n`;
    const unit = unitOfText(text);
    expect(unit.analyze(programOf(unit, "f")).contexts[0]?.interpretation.complete).toBe(true);
    expect(at(text, locks, "f", unit)).toEqual(["mmap_lock(mm)", "nothing"]);
  });
});
