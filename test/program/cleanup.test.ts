// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { statesAt } from "../../server/analysis/unit.ts";
import { dump, programOf, unitOfText } from "./dump.ts";

/** The locks that are held where f calls `at`, one list for each state. */
function heldAt(text: string, at: string): string[] {
  const unit = unitOfText(text, "6.12");
  const f = programOf(unit, "f");
  const node = f.nodes.findIndex((one) => one.kind === "call" && one.name === at);
  return statesAt(unit.analyze(f), node).map(({ state }) => state.held.map((held) => `${held.mode} ${held.lock} ${held.object}`).join(", "));
}

/** Name of the case -> C text with a function f, and the graph of f. */
const CASES: Readonly<Record<string, { readonly text: string; readonly graph: readonly string[] }>> = {
  "a conditional guard runs its statement where the lock is not to be had": {
    text: `static int f(struct toy *toy)
{
	scoped_cond_guard(mutex_intr, return -EINTR, &toy->lock) {
		if (one(toy))
			break;
		two(toy);
	}
	return 0;
}`,
    graph: [
      "1 $ = mutex_lock_interruptible(&toy->lock)",
      "2 if $ -> 3 | 6",
      "3 $ = -EINTR",
      "4 return $",
      "5 exit",
      "6 $ = one(toy)",
      "7 if $ -> 8 | 11",
      "8 mutex_unlock(&toy->lock)",
      "9 $ = 0",
      "10 return $ -> 5",
      "11 two(toy)",
      "12 mutex_unlock(&toy->lock) -> 9",
    ],
  },
  "a scoped guard that may fail runs its body or not": {
    text: `static bool f(struct toy *toy)
{
	scoped_guard(rwsem_read_try, &toy->sem)
		return one(toy);
	return false;
}`,
    graph: [
      "1 $ = down_read_trylock(&toy->sem)",
      "2 if $ -> 3 | 7",
      "3 $ = one(toy)",
      "4 up_read(&toy->sem)",
      "5 return $",
      "6 exit",
      "7 $ = 0",
      "8 return $ -> 6",
    ],
  },
  "a variable is freed on every way out, unless it is given away": {
    text: `static int f(struct toy *toy, size_t size)
{
	void *buf __free(kfree) = kzalloc(size, GFP_KERNEL);
	struct file *file __free(fput) = NULL;

	if (!buf)
		return -ENOMEM;
	file = toy_open(toy);
	if (fill(buf, file))
		return -EIO;
	toy->buf = no_free_ptr(buf);
	return 0;
}`,
    graph: [
      "1 buf = kzalloc(size, GFP_KERNEL)",
      "2 file = NULL",
      "3 if buf -> 4 | 25",
      "4 file = toy_open(toy)",
      "5 $ = fill(buf, file)",
      "6 if $ -> 7 | 15",
      "7 $ = -EIO",
      "8 if file -> 9 | 10",
      "9 if IS_ERR(file) -> 10 | 14",
      "10 if buf -> 11 | 12",
      "11 if IS_ERR(buf) -> 12 | 12",
      "12 return $",
      "13 exit",
      "14 fput(file) -> 10",
      "15 $ = buf",
      "16 buf = NULL",
      "17 toy->buf = $",
      "18 $ = 0",
      "19 if file -> 20 | 21",
      "20 if IS_ERR(file) -> 21 | 24",
      "21 if buf -> 22 | 23",
      "22 if IS_ERR(buf) -> 23 | 23",
      "23 return $ -> 13",
      "24 fput(file) -> 21",
      "25 $ = -ENOMEM",
      "26 if file -> 27 | 28",
      "27 if IS_ERR(file) -> 28 | 31",
      "28 if buf -> 29 | 30",
      "29 if IS_ERR(buf) -> 30 | 30",
      "30 return $ -> 13",
      "31 fput(file) -> 28",
    ],
  },
  "return_ptr() gives the variable away": {
    text: `static struct toy *f(size_t size)
{
	struct toy *toy __free(kfree) = kzalloc(size, GFP_KERNEL);

	if (toy_init(toy))
		return NULL;
	return_ptr(toy);
}`,
    graph: [
      "1 toy = kzalloc(size, GFP_KERNEL)",
      "2 $ = toy_init(toy)",
      "3 if $ -> 4 | 9",
      "4 $ = NULL",
      "5 if toy -> 6 | 7",
      "6 if IS_ERR(toy) -> 7 | 7",
      "7 return $",
      "8 exit",
      "9 $ = toy",
      "10 toy = NULL",
      "11 $ = $",
      "12 if toy -> 13 | 14",
      "13 if IS_ERR(toy) -> 14 | 14",
      "14 return $ -> 8",
    ],
  },
  "guards and cleanups that the text defines": {
    text: `DEFINE_GUARD(toy, struct toy *, mutex_lock(&_T->lock), mutex_unlock(&_T->lock))
DEFINE_GUARD_COND(toy, _try, mutex_trylock(&_T->lock))
DEFINE_FREE(toy_put, struct toy *, if (_T) toy_put(_T))

static int f(struct toy *toy)
{
	struct toy *other __free(toy_put) = toy_get(toy);

	guard(toy)(other);
	scoped_cond_guard(toy_try, goto busy, toy)
		one(toy);
	return 0;
busy:
	return -EBUSY;
}`,
    graph: [
      "1 other = toy_get(toy)",
      "2 mutex_lock(&other->lock)",
      "3 $ = mutex_trylock(&toy->lock)",
      "4 if $ -> 5 | 13",
      "5 one(toy)",
      "6 mutex_unlock(&toy->lock)",
      "7 $ = 0",
      "8 mutex_unlock(&other->lock)",
      "9 if other -> 10 | 11",
      "10 toy_put(other)",
      "11 return $",
      "12 exit",
      "13 busy:",
      "14 $ = -EBUSY",
      "15 mutex_unlock(&other->lock)",
      "16 if other -> 17 | 18",
      "17 toy_put(other)",
      "18 return $ -> 12",
    ],
  },
  "lock guards and classes that the text defines": {
    text: `DEFINE_LOCK_GUARD_1(toy_walk, struct mm_struct, mmap_read_lock(_T->lock), mmap_read_unlock(_T->lock))
DEFINE_LOCK_GUARD_0(toy_all, mutex_lock(&toy_mutex), mutex_unlock(&toy_mutex))
DEFINE_CLASS(toy_ref, struct toy *, if (!IS_ERR_OR_NULL(_T)) toy_put(_T), toy_find(id, flags), int id, unsigned int flags)
static int f(struct mm_struct *mm, int id)
{
	CLASS(toy_ref, toy)(id, TOY_NEW);
	guard(toy_walk)(mm);

	scoped_guard(toy_all) {
		one(toy);
	}
	return 0;
}`,
    graph: [
      "1 toy = toy_find(id, TOY_NEW)",
      "2 mmap_read_lock(mm)",
      "3 mutex_lock(&toy_mutex)",
      "4 one(toy)",
      "5 mutex_unlock(&toy_mutex)",
      "6 $ = 0",
      "7 mmap_read_unlock(mm)",
      "8 if toy -> 9 | 10",
      "9 if IS_ERR(toy) -> 10 | 12",
      "10 return $",
      "11 exit",
      "12 toy_put(toy) -> 10",
    ],
  },
  "a class of the kernel": {
    text: `static void f(struct toy *toy)
{
	CLASS(fd, f)(toy->fd);

	one(f.file);
}`,
    graph: [
      "1 f = fdget(toy->fd)",
      "2 one(f.file)",
      "3 fdput(f)",
      "4 exit",
    ],
  },
  "guards in the branches of #ifdef are held behind it, each in its configuration": {
    text: `static int f(struct mm_struct *mm, int n)
{
	one(mm);
#ifdef CONFIG_TOY
	if (n)
		return 1;
	guard(mmap_read_lock)(mm);
	two(mm);
#else
	guard(mmap_write_lock)(mm);
#endif
	if (three(mm))
		return 2;
	four(mm);
	return 0;
}`,
    graph: [
      "1 one(mm)",
      "2 if IS_ENABLED(CONFIG_TOY) -> 3 | 24",
      "3 if n -> 4 | 7",
      "4 $ = 1",
      "5 return $",
      "6 exit",
      "7 mmap_read_lock(mm)",
      "8 two(mm)",
      "9 $ = three(mm)",
      "10 if $ -> 11 | 17",
      "11 $ = 2",
      "12 if IS_ENABLED(CONFIG_TOY) -> 13 | 16",
      "13 if IS_ENABLED(CONFIG_TOY) -> 14 | 15",
      "14 mmap_read_unlock(mm)",
      "15 return $ -> 6",
      "16 mmap_write_unlock(mm) -> 13",
      "17 four(mm)",
      "18 $ = 0",
      "19 if IS_ENABLED(CONFIG_TOY) -> 20 | 23",
      "20 if IS_ENABLED(CONFIG_TOY) -> 21 | 22",
      "21 mmap_read_unlock(mm)",
      "22 return $ -> 6",
      "23 mmap_write_unlock(mm) -> 20",
      "24 mmap_write_lock(mm) -> 9",
    ],
  },
  "a function that gets the variable in the end, and a class that is not known": {
    text: `static void f(struct toy *toy)
{
	struct toy_batch batch __cleanup(toy_batch_done) = {};

	guard(unknown_class)(toy);
	one(&batch);
}`,
    graph: [
      "1 batch = {}",
      "2 guard(unknown_class)(toy)",
      "3 one(&batch)",
      "4 toy_batch_done(&batch)",
      "5 exit",
    ],
  },
};

describe("scopes of <linux/cleanup.h>", () => {
  test.each(Object.entries(CASES))("%s", (_, { text, graph }) => {
    expect(dump(programOf(unitOfText(text, "6.12"), "f"))).toEqual(graph);
  });

  test("what a conditional guard takes is held in its body only", () => {
    const text = `static int f(struct address_space *mapping)
{
	scoped_cond_guard(rwsem_read_intr, return -EINTR, &mapping->i_mmap_rwsem)
		inner(mapping);
	last(mapping);
	return 0;
}`;
    expect(heldAt(text, "inner")).toEqual(["read i_mmap_rwsem mapping"]);
    expect(heldAt(text, "last")).toEqual([""]);
  });

  test("what an #ifdef guards is held to the end of the block around it", () => {
    const text = `static int f(struct mm_struct *mm, int n)
{
	if (n) {
#ifdef CONFIG_TOY
		guard(mmap_read_lock)(mm);
#else
		guard(mmap_write_lock)(mm);
#endif
		inner(mm);
	}
	last(mm);
	return 0;
}`;
    expect(heldAt(text, "inner").toSorted()).toEqual(["read mmap_lock mm", "write mmap_lock mm"]);
    expect(new Set(heldAt(text, "last"))).toEqual(new Set([""]));
  });

  test("a guard of a class that is not known is said", () => {
    const { assumptions } = programOf(unitOfText("static void f(struct toy *toy)\n{\n\tguard(unknown_class)(toy);\n\tone(toy);\n}\n"), "f");
    expect(assumptions.map(({ kind }) => kind)).toEqual(["not-lowered"]);
  });

  test("what cleans up says why it is there", () => {
    const { nodes } = programOf(unitOfText(CASES["a variable is freed on every way out, unless it is given away"]?.text ?? "", "6.12"), "f");
    const shown = nodes.flatMap((node) => (node.kind === "call" && node.name === "fput" ? [node.shown] : []));
    expect(new Set(shown)).toEqual(new Set(["fput(file): file goes out of scope"]));
  });
});
