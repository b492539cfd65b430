// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { functionsOf } from "../../server/syntax/functions.ts";
import { parseC } from "../../server/syntax/parse.ts";

test("functions have their names and linkage", () => {
  const tree = parseC("static inline struct foo *find(int a)\n{\n\treturn a;\n}\nint main(void)\n{\n}\n");
  expect(functionsOf(tree).map((it) => [it.name, it.isStatic, it.hasError])).toEqual([
    ["find", true, false],
    ["main", false, false],
  ]);
});
