// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { callMacro } from "../../server/program/call-macros.ts";
import { render } from "../../server/program/render.ts";
import { imageOfFile } from "../../server/source/image.ts";

const CASES: Record<string, { text: string; value: string | null }> = {
  "one call": { text: "#define m(a) take(a, 1)", value: "take(a, 1)" },
  "over two lines": { text: "#define m(a) \\\n\ttake(a)", value: "take(a)" },
  "a loop that runs once": { text: "#define m(a) do { take(a); keep(a); } while (0)", value: "take(a), keep(a)" },
  "a loop": { text: "#define m(a) do { take(a); } while (a)", value: null },
  "no call": { text: "#define m(a) ((a) + 1)", value: null },
  "pasted tokens": { text: "#define m(a) take_##a(1)", value: null },
  "two definitions": { text: "#define m(a) take(a)\n#define m(a) keep(a)", value: null },
  "no parameters of its own": { text: "#define m (take)", value: null },
  "unbalanced": { text: "#define m(a) take(a", value: null },
};

describe("macros that are calls", () => {
  test.each(Object.entries(CASES))("%s", (_, { text, value }) => {
    const code = callMacro(imageOfFile("mm/test.c", `${text}\n`), "m");
    const body = code?.body;
    expect(body?.kind === "return" && body.value ? render(body.value) : null).toBe(value);
  });
});
