// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";

/** Variables that are 0 or a negative errno wherever they are read, by canonical text. */
export function errorCodes(program: EffectProgram): ReadonlySet<string> {
  const codes = new Set<string>();
  const others = new Set([...program.variables.values()].flatMap((one) => (one.isParameter ? [one.name] : [])));
  for (const node of program.nodes) {
    if (node.kind === "call" && node.result !== null) (givesErrorCode(node) ? codes : others).add(node.result);
    if (node.kind === "assign") codes.add(render(node.target));
  }
  // What is assigned anything else is not one, nor is its copy.
  for (let size = -1; size !== others.size; ) {
    size = others.size;
    for (const node of program.nodes)
      if (node.kind === "assign" && !(node.operator === "=" && node.value && isErrorCode(node.value, codes, others))) others.add(render(node.target));
  }
  return new Set([...codes].filter((key) => !others.has(key)));
}

const givesErrorCode = (call: CallNode): boolean =>
  call.effects.some((effect) => (effect.kind === "notifierStart" && !effect.blocking) || ("held" in effect && effect.held === "zero") || (effect.kind === "mapPte" && effect.pteOut !== undefined));

function isErrorCode(value: Value, codes: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  if (value.kind === "number") return value.value === 0;
  if (value.kind === "unary" && value.operator === "-") return value.of.kind === "name" && /^E[A-Z0-9]+$/.test(value.of.name);
  const key = render(value);
  return codes.has(key) && !others.has(key);
}
