// SPDX-License-Identifier: GPL-2.0-only
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import type { CallNode, EffectProgram } from "../../program/program.ts";
import type { Fix } from "../rule.ts";
import { calleeAt, replaced, statementAt } from "./statement-edits.ts";

/** Two calls in neighboring statements change places, each with the `if` that it hangs on. */
export function swappedFixes(program: EffectProgram, first: CallNode, second: CallNode, title: string): readonly Fix[] {
  const fn = functionText(program);
  const [one, other] = [fn && ownStatement(fn, first), fn && ownStatement(fn, second)];
  if (!fn || !one || !other) return [];
  // A label goes with its place, not with its statement.
  const beside = one.parent?.kind === "label" ? one.parent : one;
  const list = beside.parent?.children ?? [];
  if (list.indexOf(other) < 0 || list.indexOf(other) !== list.indexOf(beside) + 1) return [];
  const text = ({ at, end }: StatementPlace): string => fn.text.slice(at, end);
  return [{ title, edits: [replaced(one.at, one.end, text(other)), replaced(other.at, other.end, text(one))] }];
}

/** The statement that consists of a call, or the `if` that decides about nothing else. */
function ownStatement(fn: FunctionText, call: CallNode): StatementPlace | null {
  const at = calleeAt(fn, call);
  const statement = statementAt(fn, at);
  if (statement?.kind !== "simple" || statement.at !== at) return null;
  const block = statement.parent?.kind === "block" && statement.parent.children.length === 1 ? statement.parent : statement;
  const owner = block.parent;
  return owner?.kind === "if" && owner.children.length === 1 ? owner : statement;
}
