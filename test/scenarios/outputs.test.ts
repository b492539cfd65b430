// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { outputsOf } from "../../server/scenarios/outputs.ts";
import { programOf, unitOfText } from "../program/dump.ts";

const CASES: Record<string, { call: string; outputs: string[] }> = {
  "a callee that is not known": { call: "toy_fill(&value)", outputs: ["value"] },
  "an entry that is unmapped, rightly or not": { call: "pte_unmap(&value)", outputs: [] },
  "a lock": { call: "spin_lock(&toy->lock)", outputs: [] },
  "the lock that a map hands out": { call: "pte_offset_map_lock(mm, &toy->pmd, addr, &ptl)", outputs: ["ptl"] },
  "pages that GUP finds": { call: "pin_user_pages_fast(addr, 1, 0, &page)", outputs: ["page"] },
  "pages that are given back": { call: "unpin_user_pages(&page, 1)", outputs: [] },
};

test.each(Object.entries(CASES))("what may be written through an address: %s", (_, { call, outputs }) => {
  const unit = unitOfText(`void f(struct toy *toy, struct mm_struct *mm, unsigned long addr)\n{\n\tpte_t value;\n\tspinlock_t *ptl;\n\tstruct page *page;\n\n\t${call};\n}\n`, "6.12");
  expect(programOf(unit, "f").nodes.flatMap((node) => (node.kind === "call" ? outputsOf(node) : []))).toEqual(outputs);
});
