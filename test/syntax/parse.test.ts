// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { collectNativeMemory, maxParseLength, parseC } from "../../server/syntax/parse.ts";
import {
  childByField,
  childrenOf,
  fieldId,
  isError,
  isMissing,
  isNamed,
  kindId,
  kindOf,
  lineAt,
  lineOf,
  maskAt,
  masksWithin,
  namedChildren,
  subtreeEnd,
  textOf,
} from "../../server/syntax/query.ts";
import type { SyntaxTree } from "../../server/syntax/tree.ts";

function nodesOf(tree: SyntaxTree, kind: string): readonly number[] {
  const wanted = kindId(tree, kind);
  return Array.from({ length: tree.size }, (_, node) => node).filter((node) => tree.kind[node] === wanted);
}

describe("a tree", () => {
  const source = "int f(int a)\n{\n\t/* why */\n\treturn a + 1;\n}\n";
  const tree = parseC(source);

  test("has a root over everything", () => {
    expect(kindOf(tree, 0)).toBe("translation_unit");
    expect([tree.start[0], tree.end[0], tree.parent[0]]).toEqual([0, source.length, -1]);
    expect(subtreeEnd(tree, 0)).toBe(tree.size);
  });

  test("answers by kind, field, text and line", () => {
    const [sum = -1] = nodesOf(tree, "binary_expression");
    expect(textOf(tree, sum)).toBe("a + 1");
    expect(textOf(tree, childByField(tree, sum, "left"))).toBe("a");
    expect(textOf(tree, childByField(tree, sum, "operator"))).toBe("+");
    expect(tree.field[childByField(tree, sum, "right")]).toBe(fieldId(tree, "right"));
    expect(childByField(tree, sum, "body")).toBe(-1);
    expect(lineOf(tree, sum)).toBe(3);
    expect([lineAt(tree, 0), lineAt(tree, 12), lineAt(tree, 13), lineAt(tree, source.length)]).toEqual([0, 0, 1, 5]);
    expect([kindId(tree, "no_such_kind"), fieldId(tree, "no_such_field"), textOf(tree, -1), kindOf(tree, -1)]).toEqual([-1, -1, "", ""]);
  });

  test("tells named children from punctuation and comments", () => {
    const [body = -1] = nodesOf(tree, "compound_statement");
    expect(childrenOf(tree, body).map((node) => kindOf(tree, node))).toEqual(["{", "comment", "return_statement", "}"]);
    expect(namedChildren(tree, body).map((node) => kindOf(tree, node))).toEqual(["return_statement"]);
    expect(childrenOf(tree, body).map((node) => isNamed(tree, node))).toEqual([false, true, true, false]);
    expect(childrenOf(tree, -1)).toEqual([]);
  });

  test("marks what is broken", () => {
    const broken = parseC("int f(void) { a = 1 }\nint g(void) { @ }\n");
    const nodes = Array.from({ length: broken.size }, (_, node) => node);
    expect(nodes.filter((node) => isMissing(broken, node)).map((node) => kindOf(broken, node))).toEqual([";"]);
    const errors = nodes.filter((node) => isError(broken, node)).map((node) => textOf(broken, node));
    expect(new Set(errors)).toEqual(new Set(["@"]));
  });
});

test("the body of an iterator is within the loop, whose macro is known", () => {
  const tree = parseC("void f(void)\n{\n\tlist_for_each_entry_safe(p, q, &pools, list)\n\t\tput(p);\n\tdone();\n}\n");
  const [loop = -1] = nodesOf(tree, "while_statement");
  expect(textOf(tree, childByField(tree, loop, "body"))).toBe("put(p);");
  expect(textOf(tree, childByField(tree, loop, "condition"))).toBe("(p, q, &pools, list)");
  expect(maskAt(tree, tree.start[loop] ?? -1)).toMatchObject({ kind: "iterator", name: "list_for_each_entry_safe" });
  expect(maskAt(tree, (tree.start[loop] ?? 0) + 1)).toBeNull();
  expect(masksWithin(tree, 0, tree.text.length).length).toBe(1);
  expect(masksWithin(tree, 0, 3)).toEqual([]);
});

test("a masked type spans the original words", () => {
  const tree = parseC("void f(void) { p = container_of(w, struct pool, work); }");
  const [call = -1] = nodesOf(tree, "call_expression");
  const names = namedChildren(tree, childByField(tree, call, "arguments")).map((node) => textOf(tree, node));
  expect(names).toEqual(["w", "struct pool", "work"]);
});

test("equal texts give equal trees, whatever was parsed before", () => {
  const source = "static int f(void)\n{\n\tfor_each_pool(p)\n\t\tuse(p);\n\treturn 0;\n}\n";
  const first = parseC(source);
  parseC("struct s { int a; } x = { .a = 1 };\n");
  expect(parseC(source)).toEqual(first);
});

describe("hostile text", () => {
  const opened = ["(", "{", "[", "{.a=", "a(", "if(a)", "else ", "for_each_a(", "__must_hold(", "#if a\n", "/*", "\"", "min_t(int,", "*(", "asm(\"\":"];
  test.each(opened)("a hundred thousand characters of %j are soon done", (piece) => {
    const tree = parseC(piece.repeat(100_000 / piece.length));
    expect(tree.size).toBeGreaterThan(0);
    expect(tree.problem).toBeUndefined();
  }, 10_000);

  test("a line of a million characters", () => {
    expect(parseC(`int x = ${"a + ".repeat(250_000)}1;\n`).size).toBeGreaterThan(500_000);
    expect(parseC("_".repeat(1_000_000)).size).toBeGreaterThan(0);
  }, 10_000);

  test("what is nested too deep is hidden, and the rest is read", () => {
    const tree = parseC(`int a = ${"(".repeat(5000)}1${")".repeat(5000)};\nint b;\n`);
    expect(tree.masks.map((mask) => mask.kind)).toContain("too-deep");
    expect(nodesOf(tree, "declaration").map((node) => textOf(tree, node)).at(-1)).toBe("int b;");
  });

  test("a text over the limit gives a lone root that says so", () => {
    const tree = parseC(" ".repeat(maxParseLength + 1));
    expect([tree.size, kindOf(tree, 0), childrenOf(tree, 0)]).toEqual([1, "translation_unit", []]);
    expect(tree.problem).toBe("the text is longer than 16 MiB");
  });

  test("binary and unpaired surrogates", () => {
    expect(parseC("\0\x01\ud800int f(void){}\udfff\ufeff").size).toBeGreaterThan(1);
    collectNativeMemory();
  });
});
