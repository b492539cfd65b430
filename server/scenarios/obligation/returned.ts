// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import type { EffectProgram, ExitNode, ReturnNode } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { FALSE, ne, TRUE, type Expression } from "../../simulator/expression.ts";
import { errorCodes } from "../error-code.ts";
import type { Lifting } from "../world.ts";

/**
 * Whether a function is left with an error, or has no value to say anything with. What is not known to be one is none: a
 * function may well succeed with what it began still open.
 */
export function returnsError(program: EffectProgram, at: ReturnNode | null, lifting: Lifting): Expression {
  if (at === null || at.value === null) return TRUE;
  const returned = returnedValue(program, at.value);
  if (isErrorValue(returned)) return TRUE;
  if (!errorCodes(program).has(render(returned))) return FALSE;
  const code = lifting.translate(at.value);
  return code === null ? FALSE : ne(code, 0);
}

/** False where the statement itself says that the function succeeds. */
export const mayReturnError = (at: ReturnNode | ExitNode): boolean => at.kind === "exit" || at.value?.kind !== "number";

/** What the temporary of a return statement was given. */
export function returnedValue(program: EffectProgram, value: Value): Value {
  if (value.kind !== "name" || !value.name.startsWith("$")) return value;
  const given = program.nodes.flatMap((node) => (node.kind === "assign" && render(node.target) === value.name && node.value ? [node.value] : []));
  return given.length === 1 && given[0] ? given[0] : value;
}

/** `-EFAULT`, `ERR_PTR(-EFAULT)`, `NULL`. */
export function isErrorValue(value: Value): boolean {
  if (value.kind === "unary") return value.operator === "-" && (value.of.kind === "number" || (value.of.kind === "name" && /^E[A-Z0-9]+$/.test(value.of.name)));
  return (value.kind === "name" && value.name === "NULL") || (value.kind === "call" && value.name === "ERR_PTR");
}
