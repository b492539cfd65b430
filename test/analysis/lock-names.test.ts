// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { parseRelease } from "../../server/kernel/release.ts";
import { heldLines } from "../../server/report/held.ts";
import { heldInFile } from "../../server/review/held.ts";

/** All that is said at the lines marked `//?`, but for the callers that are not in view. */
function told(code: string): readonly string[] {
  const held = heldInFile("mm/x.c", code, parseRelease("6.12")!);
  return code.split("\n").flatMap((row, index) => {
    if (!row.includes("//?")) return [];
    const here = held.at(index + 1);
    return [here === null ? "no code" : heldLines(here).filter((line) => !line.startsWith("callers")).join("; ")];
  });
}

const f = (...rows: readonly string[]): string => `void f(struct toy *a, struct toy *b)\n{\n${rows.map((row) => `\t${row}\n`).join("")}}\n`;

describe("a lock has the name of its object as long as that names the object", () => {
  test.each([
    ["a parameter that gets another value", f("struct toy *old;", "spin_lock(&a->lock);", "old = a;", "a = b;", "foo(a); //?", "spin_unlock(&old->lock);", "foo(a); //?"), ["atomic: a spin lock", ""]],
    ["a value from a call", f("mutex_lock(&a->m);", "a = next_toy(a);", "foo(a); //?"), ["held here: a mutex"]],
    ["the next one of a list", f("mutex_lock(&a->m);", "a = a->next;", "foo(a); //?", "mutex_unlock(&b->m);", "foo(a); //?"), ["held here: a mutex", ""]],
    ["an alias of a parameter that gets another value", f("struct toy *p = a;", "a = b;", "spin_lock(&p->lock);", "foo(a); //?", "spin_unlock(&p->lock);"), ["atomic: p->lock"]],
    ["the one that has a name is given up first", f("spin_lock(&b->lock);", "spin_lock(&a->lock);", "a = a->next;", "spin_unlock(&b->lock);", "foo(a); //?"), ["atomic: a spin lock"]],
    ["another field of the object", f("spin_lock(&a->lock);", "a->n = 3;", "foo(a); //?"), ["atomic: a->lock"]],
    ["a loop ends", f("while (a) {", "\tspin_lock(&a->lock);", "\ta = a->next;", "}", "foo(b); //?"), ["on some paths: a spin lock"]],
    ["named on one path only", f("spin_lock(&a->lock);", "if (b)", "\ta = b;", "foo(a); //?"), ["atomic: a spin lock; on some paths: a->lock"]],
  ])("%s", (_, code, expected) => {
    expect(told(code)).toEqual(expected);
  });

  test("a parameter of a callee", () => {
    expect(told(`static void inner(struct toy *q)
{
	struct toy *p = other();

	foo(q); //?
	q = p->next;
	foo(q); //?
}
${f("spin_lock(&a->lock);", "inner(a);", "spin_unlock(&a->lock);")}`)).toEqual(["atomic: q->lock", "atomic: a spin lock"]);
  });
});

describe("a lock that is given up under another name", () => {
  test.each([
    ["a pointer to the lock, for good", f("spinlock_t *l = &a->lock;", "spin_lock(l);", "foo(a); //?", "spin_unlock(&a->lock);", "foo(a); //?"), ["atomic: a->lock", ""]],
    ["a pointer to one lock and then another", f("spinlock_t *l = &a->lock;", "spin_lock(l);", "spin_unlock(&a->lock);", "foo(b); //?", "l = &b->lock;", "foo(b); //?"), ["on some paths: l", "on some paths: a spin lock"]],
    ["a copy of the object's pointer", f("struct toy *locked = NULL;", "a = first();", "spin_lock(&a->lock);", "locked = a;", "foo(a); //?", "spin_unlock(&locked->lock);", "foo(a); //?"), ["atomic: a->lock", "on some paths: a->lock"]],
    ["hand over hand", f("struct toy *next = a->next;", "spin_lock(&next->lock);", "a = next;", "spin_unlock(&a->lock);", "foo(a); //?"), ["on some paths: next->lock"]],
    ["what the lock's structure leads to", f("struct hugetlb_vma_lock *lock = a->lock;", "struct vm_area_struct *vma;", "lock = find();", "down_write(&lock->rw_sema);", "vma = lock->vma;", "hugetlb_vma_unlock_write(vma);", "foo(a); //?"), ["on some paths: hugetlb_vma_lock(W)"]],
    ["a name that has nothing to do with it", f("spin_lock(&a->lock);", "spin_unlock(&b->lock);", "foo(a); //?"), ["atomic: a->lock"]],
  ])("%s", (_, code, expected) => {
    expect(told(code)).toEqual(expected);
  });
});

describe("an assertion in other words than the lock's", () => {
  test.each([
    ["ends with the lock", f("spin_lock(&a->lock);", "lockdep_assert_held(toy_lock_of(a));", "spin_unlock(&a->lock);", "foo(a); //?"), [""]],
    ["is the lock of a CPU", f("spin_lock(&a->c->lock);", "lockdep_assert_held(this_cpu_ptr(&a->c->lock));", "foo(a); //?", "spin_unlock(&a->c->lock);", "foo(a); //?"), ["atomic: a->c->lock", ""]],
    ["does not say which kind of lock it is", f("lockdep_assert_held(&a->lock);", "foo(a); //?"), ["asserted: a->lock"]],
    ["outlasts a lock that is taken after it", f("lockdep_assert_held(&a->lock);", "spin_lock(&b->other);", "spin_unlock(&b->other);", "foo(a); //?"), ["asserted: a->lock"]],
    ["outlasts a lock of another field", f("spin_lock(&b->other);", "lockdep_assert_held(&a->lock);", "spin_unlock(&b->other);", "foo(a); //?"), ["asserted: a->lock"]],
  ])("%s", (_, code, expected) => {
    expect(told(code)).toEqual(expected);
  });
});
