// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { flagMacrosOf } from "../../server/program/flag-macros.ts";
import { render } from "../../server/program/render.ts";
import { imageOfFile } from "../../server/source/image.ts";

const expand = (text: string, name: string): string | null => {
  const value = flagMacrosOf(imageOfFile("drivers/toy.c", text))(name, 0);
  return value && render(value);
};

test.each([
  ["#define A (FOLL_LONGTERM)", "FOLL_LONGTERM"],
  ["#define A FOLL_WRITE | FOLL_FORCE /* both */", "FOLL_WRITE | FOLL_FORCE"],
  ["#define A (FOLL_WRITE & ~FOLL_FORCE) // text", "FOLL_WRITE & ~FOLL_FORCE"],
  ["#define A (B | FOLL_FORCE)\n#define B FOLL_WRITE", "FOLL_WRITE | FOLL_FORCE"],
  ["  #  define\tA\tFOLL_PIN", "FOLL_PIN"],
  ["#define A 1", null],
  ["#define A TOY_FLAG", null],
  ["#define A(x) FOLL_WRITE", null],
  ["#define A foo(FOLL_WRITE)", null],
  ["#define A (FOLL_WRITE", null],
  ["#define A", null],
])("%s", (text, expected) => {
  expect(expand(text, "A")).toBe(expected);
});

test("macros that double at every step end at the budget", () => {
  const chain = Array.from({ length: 40 }, (_, index) => `#define M${index} (M${index + 1} | M${index + 1} | FOLL_PIN)`).join("\n");
  expect(expand(chain, "M0")?.length).toBeLessThan(2000);
  expect(expand("#define A A | FOLL_WRITE", "A")?.length).toBeLessThan(2000);
  expect(expand(`#define A ${" ".repeat(200_000)}FOLL_PIN`, "A")).toBe("FOLL_PIN");
});
