// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { leftBehind } from "../../server/program/leftovers.ts";
import { programOf, unitOfText } from "./dump.ts";

/** Bodies of `f(struct toy *a, struct toy *b)`, and what of theirs outlasts the call. */
const CASES: Record<string, { body: string; leaves: string[] }> = {
  "nothing": { body: "a->n++;", leaves: [] },
  "a lock that is given up": { body: "mutex_unlock(&a->m);", leaves: ["mutex"] },
  "a section on two ways": { body: "mutex_lock(&a->m); if (a->n) { mutex_unlock(&a->m); return; } mutex_unlock(&a->m);", leaves: [] },
  "one lock for another": { body: "spin_unlock(&a->lock); spin_lock(&b->lock);", leaves: ["spin"] },
  "the same lock for a while": { body: "spin_unlock(&a->lock); cond_resched(); spin_lock(&a->lock);", leaves: [] },
  "taken on one way, given up on the other": { body: "if (b) spin_lock(&a->lock); else spin_unlock(&a->lock);", leaves: ["spin"] },
  "a section that may not begin": { body: "if (!mutex_trylock(&a->m)) return; a->n++; mutex_unlock(&a->m);", leaves: [] },
  "a section whose refusal is passed over": { body: "if (!mutex_trylock(&a->m)) a->n++; mutex_unlock(&a->m);", leaves: ["mutex"] },
  "an error of a lock": { body: "int err = down_write_killable(&a->sem); if (err) return; up_write(&a->sem);", leaves: [] },
  "an RCU section": { body: "rcu_read_lock(); if (a->n) return; rcu_read_unlock();", leaves: ["rcu"] },
  "a mapped entry": { body: "pte_t *pte = pte_offset_map(a->pmd, a->addr); if (!pte) return; pte_unmap(pte);", leaves: [] },
  "an entry that stays mapped": { body: "pte_t *pte = pte_offset_map(a->pmd, a->addr); if (!pte) return; a->pte = pte;", leaves: ["entry"] },
  "a loop": { body: "while (a->n) { spin_lock(&a->lock); a->n--; spin_unlock(&a->lock); }", leaves: [] },
  "a loop that takes more and more": { body: "while (a->n) { spin_lock(&a->lock); a->n--; }", leaves: ["spin"] },
};

describe("what a function leaves otherwise than it found it", () => {
  test.each(Object.entries(CASES))("%s", (_, { body, leaves }) => {
    const unit = unitOfText(`void f(struct toy *a, struct toy *b)\n{\n\t${body}\n}\n`, "6.12");
    expect([...leftBehind(programOf(unit, "f"))]).toEqual(leaves);
  });
});

describe("a helper that stays a call", () => {
  const leavesAt = (text: string): unknown[] => programOf(unitOfText(text, "6.12"), "f").nodes.flatMap((node) => (node.kind === "call" && node.knowledge === "defined-here" ? [node.leaves ?? []] : []));

  test("says what it leaves, itself or through others that come back to it", () => {
    const odd = "static void even(struct toy *a, int n) { if (n) odd(a, n - 1); else mutex_unlock(&a->m); }\nstatic void odd(struct toy *a, int n) { a->n++; even(a, n - 1); }\n";
    expect(leavesAt(`${odd}static void f(struct toy *a) { odd(a, 3); }\n`)).toEqual([["mutex"]]);
  });

  test("one of two definitions that leaves something is enough", () => {
    const two = "#ifdef CONFIG_TOY\nstatic void done(struct toy *a) { spin_unlock(&a->lock); }\n#else\nstatic void done(struct toy *a) { }\n#endif\n";
    expect(leavesAt(`${two}static void f(struct toy *a) { done(a); }\n`)).toEqual([["spin"]]);
  });
});
