// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { callMacro } from "../../server/program/call-macros.ts";
import { render } from "../../server/program/render.ts";
import { imageOfFile } from "../../server/source/image.ts";

const CASES: Record<string, { text: string; value: string | null; count?: number }> = {
  "one call": { text: "#define m(a) take(a, 1)", value: "take(a, 1)" },
  "over two lines": { text: "#define m(a) \\\n\ttake(a)", value: "take(a)" },
  "a loop that runs once": { text: "#define m(a) do { take(a); keep(a); } while (0)", value: "take(a), keep(a)" },
  "a loop": { text: "#define m(a) do { take(a); } while (a)", value: null },
  "no call": { text: "#define m(a) ((a) + 1)", value: null },
  "pasted tokens": { text: "#define m(a) take_##a(1)", value: null },
  "two definitions": { text: "#define m(a) take(a)\n#define m(a) keep(a)", value: null },
  "no parameters of its own": { text: "#define m (take)", value: null },
  "any arguments": { text: "#define m(...) take(__VA_ARGS__)", count: 2, value: "take(__VA_ARGS____0, __VA_ARGS____1)" },
  "any arguments, and none": { text: "#define m(...) take(__VA_ARGS__)", count: 0, value: "take()" },
  "named ones behind the first": { text: "#define m(a, rest...) do { keep(rest); take(a); } while (0)", count: 2, value: "keep(rest__0), take(a)" },
  "a comma that goes where there are none": { text: "#define m(a, ...) take(a, ## __VA_ARGS__)", count: 1, value: "take(a)" },
  "a comma that stays": { text: "#define m(a, x...) take(a, ##x)", count: 2, value: "take(a, x__0)" },
  "too few arguments": { text: "#define m(a, b, ...) take(a, b)", count: 1, value: null },
  "optional tokens": { text: "#define m(a, ...) take(a __VA_OPT__(,) __VA_ARGS__)", count: 2, value: null },
  "unbalanced": { text: "#define m(a) take(a", value: null },
};

describe("macros that are calls", () => {
  test.each(Object.entries(CASES))("%s", (_, { text, value, count = 1 }) => {
    const code = callMacro(imageOfFile("mm/test.c", `${text}\n`), "m", count);
    const body = code?.body;
    expect(body?.kind === "return" && body.value ? render(body.value) : null).toBe(value);
  });
});
