// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { questionOf } from "../../server/program/question.ts";
import { programOf, unitOfText } from "./dump.ts";

/** A condition as the lowering hands it on. */
function asked(condition: string): string {
  const program = programOf(unitOfText(`static void f(int a, int b, struct s *p)\n{\n\tint r = ${condition};\n\tg(r);\n}`), "f");
  for (const node of program.nodes) {
    if (node.kind !== "assign" || !node.value) continue;
    const { key, inverted } = questionOf(node.value);
    return inverted ? `not ${key}` : key;
  }
  return "";
}

test.each([
  ["a != b", "not a == b"],
  ["b == a", "a == b"],
  ["A == a", "a == A"],
  ["p != NULL", "p"],
  ["!(p == NULL)", "p"],
  ["0 == a", "not a"],
  ["a > b", "b < a"],
  ["a >= b", "not a < b"],
  ["b <= a", "not a < b"],
  ["a > 0", "not a < 1"],
  ["a >= 1", "not a < 1"],
  ["1 > a", "a < 1"],
  ["a <= -1", "a < 0"],
  ["-3 < a", "not a < -2"],
  ["(a < b) != 0", "a < b"],
  ["(a < b) == 1", "a < b"],
  ["!!(a == 3) == 0", "not a == 3"],
  ["a - b", "a - b"],
])("%s is %s", (condition, key) => expect(asked(condition)).toBe(key));
