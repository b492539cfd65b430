// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isOnePath, matchesPattern, patternProblem } from "../../server/text/path-pattern.ts";

describe("patterns of paths", () => {
  test.each([
    ["mm/gup.c", "mm/gup.c", true],
    ["mm/gup.c", "arch/x86/mm/gup.c", false],
    ["mm/*.c", "mm/gup.c", true],
    ["mm/*.c", "mm/kasan/init.c", false],
    ["mm/**", "mm/kasan/init.c", true],
    ["mm/**", "mmm/x.c", false],
    ["**/gup.c", "gup.c", true],
    ["**/gup.c", "arch/x86/mm/gup.c", true],
    ["**/mm/**/*.c", "arch/x86/mm/a/b/c.c", true],
    ["mm/huge*tlb?.c", "mm/hugetlb_.c", true],
    ["mm/huge*tlb?.c", "mm/hugetlb.c", false],
    ["mm/???.c", "mm/gup.c", true],
    ["**", "anything/at/all", true],
    ["*", "a/b", false],
    ["mm/gup.c", "mm/gupxc", false],
  ])("%s against %s: %s", (pattern, path, is) => {
    expect(patternProblem(pattern)).toBeNull();
    expect(matchesPattern(pattern, path)).toBe(is);
  });

  test.each([
    ["", "is empty"],
    ["/etc/passwd", "begins with /"],
    ["../x.c", ".. in it"],
    ["mm/./x.c", ".. in it"],
    ["mm//x.c", "empty name"],
    ["mm/", "empty name"],
    ["mm/**x", "** in a longer name"],
    ["mm/[ab].c", "only *, ** and ? are special"],
    ["mm\\x.c", "only *, ** and ? are special"],
    ["mm/{a,b}.c", "only *, ** and ? are special"],
    ["!mm/x.c", "only *, ** and ? are special"],
    ["x".repeat(401), "more than 400 characters"],
  ])("%s %s", (pattern, says) => {
    expect(patternProblem(pattern)).toContain(says);
  });

  test("a pattern means what the regular expression in its place would", () => {
    const name = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), minLength: 1, maxLength: 6 }).filter((one) => !one.includes("**"));
    const pattern = fc.array(fc.oneof({ weight: 3, arbitrary: name }, { weight: 1, arbitrary: fc.constant("**") }), { minLength: 1, maxLength: 5 });
    const path = fc.array(fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 });
    const expression = (names: readonly string[]): RegExp =>
      new RegExp(`^${names.map((one) => (one === "**" ? "(?:[^/]+/)*" : `${one.replaceAll("*", "[^/]*").replaceAll("?", "[^/]")}/`)).join("")}$`);
    fc.assert(fc.property(pattern, path, (names, parts) => {
      expect(matchesPattern(names.join("/"), parts.join("/"))).toBe(expression(names).test(`${parts.join("/")}/`));
    }), { numRuns: 5000 });
  });

  test("what one path matches, matches nothing else", () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom("a", "/", ".", "*", "?"), maxLength: 8 }), fc.string({ unit: fc.constantFrom("a", "/", "."), maxLength: 8 }), (pattern, path) => {
      if (patternProblem(pattern) === null && isOnePath(pattern)) expect(matchesPattern(pattern, path)).toBe(pattern === path);
    }), { numRuns: 2000 });
  });

  test("no pattern takes long", () => {
    const started = performance.now();
    expect(matchesPattern(`${"*a".repeat(199)}b`, "a".repeat(4000))).toBe(false);
    expect(matchesPattern(`${"**/a/".repeat(79)}b`, "a/".repeat(2000))).toBe(false);
    expect(matchesPattern("**", "a/".repeat(2_000_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});
