// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { shownCondition } from "../../server/scenarios/shown-condition.ts";

test.each([
  ["p", true, "!p"],
  ["p->field", true, "!p->field"],
  ["f(p, 1)", true, "!f(p, 1)"],
  ["vma->vm_flags & VM_SHARED", true, "!(vma->vm_flags & VM_SHARED)"],
  ["vma->vm_flags & VM_SHARED", false, "vma->vm_flags & VM_SHARED"],
  ["flags & (A | B)) == A", false, "(flags & (A | B)) == A"],
  ["mode >> 3) & 7", true, "!((mode >> 3) & 7)"],
  ["list[mode", true, "!(list[mode)"],
])("%s, negated: %s", (text, negated, shown) => {
  expect(shownCondition(text, negated)).toBe(shown);
});
