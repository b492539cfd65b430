// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";
import type { EffectProgram } from "./program.ts";
import { namesIn, render, substitute } from "./render.ts";

/** Temporaries stand in each other's values; the text nests no deeper. */
const MAX_DEPTH = 8;

/**
 * Text of a value for people. A temporary of the lowering is what it was made of, or `...` where that differs from way to way; a
 * variable of a helper that stands in the place of its call has its own name.
 */
export function written(program: EffectProgram, value: Value, depth = 0): string {
  const shown = (name: string): string => {
    if (!name.startsWith("$")) return name.replace(COPY, "");
    const [made, ...others] = program.nodes.flatMap((node) => madeBy(node, name));
    return made && others.length === 0 && depth < MAX_DEPTH ? written(program, made, depth + 1) : "...";
  };
  const coined = namesIn(value).filter((name) => name.startsWith("$") || (COPY.test(name) && !program.image.text.includes(name)));
  return render(substitute(value, new Map(coined.map((name): [string, Value] => [name, { kind: "opaque", text: shown(name), at: value.at }]))));
}

/** What the copy of a helper adds to the names of its variables. */
const COPY = /__\d+$/;

function madeBy(node: EffectProgram["nodes"][number], name: string): Value[] {
  if (node.kind === "call" && node.result === name) return [{ kind: "call", name: node.name, args: node.args, at: node.at, end: node.end }];
  return node.kind === "assign" && node.value && node.target.kind === "name" && node.target.name === name ? [node.value] : [];
}
