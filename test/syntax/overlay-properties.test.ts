// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { expect, test } from "vitest";
import { kernelDialect } from "../../server/syntax/dialect.ts";
import { functionsOf } from "../../server/syntax/functions.ts";
import { overlay } from "../../server/syntax/overlay.ts";
import { parseC } from "../../server/syntax/parse.ts";

const pieces = [
  "__init", "__must_hold(", "list_for_each_entry(", "container_of(", "struct pool *", "unsigned int", "static", "DECLARE_WORK(",
  "DEFINE_PER_CPU(", "SYSCALL_DEFINE2(", "COMPAT_SYSCALL_DEFINE0(", "CLASS(", "offsetof(", "typeof(", "case 1 ... 2:", "do {", "late_initcall(x)",
  "#if 0\n", "\n#ifdef A\n", "\n#else\n", "\n#endif\n", "\n#define f(x) \\\n", "(", ")", "{", "}", "[", "]", ",", ";", "=", "*", "a", "b", "else", "if (a)",
  "int f(void)\n{\n", "/*", "*/", "//", "\"", "'", "\\", "\n", "\r\n", "\t", " ", "\u00e9", "\ud83d", "\0", "...", "->", ".", "0x1f",
];

const soup = fc
  .array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...pieces) }, { weight: 1, arbitrary: fc.string({ unit: "binary" }) }), {
    maxLength: 80,
  })
  .map((parts) => parts.join(" "));

test("the overlay keeps length and line ends, and its masks cover every difference", () => {
  fc.assert(
    fc.property(soup, (text) => {
      const result = overlay(text, kernelDialect);
      expect(result.text.length).toBe(text.length);
      const covered = new Uint8Array(text.length);
      let last = 0;
      for (const mask of result.masks) {
        expect(mask.start).toBeGreaterThanOrEqual(last);
        expect(mask.end).toBeLessThanOrEqual(text.length);
        last = mask.start;
        covered.fill(1, mask.start, mask.end);
      }
      for (let at = 0; at < text.length; at++) {
        const same = result.text[at] === text[at];
        if (!same && covered[at] === 0) throw new Error(`changed at ${at} without a mask`);
        if (!same && /[\r\n]/.test(`${text[at]}${result.text[at]}`)) throw new Error(`a line end changed at ${at}`);
      }
    }),
    { numRuns: 500, seed: 1 },
  );
});

test("any text gives a tree whose links and ranges are in order", () => {
  fc.assert(
    fc.property(soup, (text) => {
      const tree = parseC(text);
      expect(tree.text).toBe(text);
      for (let node = 1; node < tree.size; node++) {
        const parent = tree.parent[node] ?? -1;
        if (parent < 0 || parent >= node) throw new Error(`node ${node} is not behind its parent`);
        if ((tree.start[node] ?? -1) < (tree.start[parent] ?? 0)) throw new Error(`node ${node} starts before its parent`);
        if ((tree.end[node] ?? 0) > (tree.end[parent] ?? 0)) throw new Error(`node ${node} ends behind its parent`);
      }
      for (const definition of functionsOf(tree)) expect(definition.name).not.toBe("");
    }),
    { numRuns: 300, seed: 2 },
  );
});

test("plain C is a copy of itself", () => {
  const text = "int f(int a)\n{\n\treturn a ? g(a) : 0;\n}\n";
  const result = overlay(text, kernelDialect);
  expect(result.text).toBe(text);
  expect(result.masks).toEqual([]);
});
