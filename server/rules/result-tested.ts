// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram } from "../program/program.ts";

/** True where something looks at the value of the call, or hands it on. */
export function isResultTested(program: EffectProgram, call: CallNode): boolean {
  if (call.result === null) return false;
  const name = call.result;
  return program.nodes.some(
    (node) =>
      (node.kind === "branch" && mentions(node.condition, name)) ||
      (node.kind === "return" && node.value !== null && mentions(node.value, name)) ||
      (node.kind === "assign" && node.value !== null && mentions(node.value, name)),
  );
}

const mentions = (value: object, name: string): boolean =>
  Object.values(value).some((part) => part === name || (typeof part === "object" && part !== null && mentions(part as object, name)));
