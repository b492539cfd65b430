// SPDX-License-Identifier: GPL-2.0-only
import { functionText } from "../../program/statements.ts";
import type { CallNode, EffectProgram } from "../../program/program.ts";
import type { Fix } from "../rule.ts";
import { argumentsAt, calleeAt, replaceArgument, replaced, statementAt } from "./statement-edits.ts";

/** The pointer that was mapped, in the place of what an unmap is handed. */
export function unmapPointerFixes(program: EffectProgram, call: CallNode, pointer: string): readonly Fix[] {
  const fn = functionText(program);
  const edits = fn && replaceArgument(fn, calleeAt(fn, call), 0, pointer);
  return edits ? [{ title: `Unmap ${pointer}, which was mapped`, edits }] : [];
}

/** The unlock alone, where nothing was mapped; where there is no lock either, there is nothing to do. */
export function unlockAloneFixes(program: EffectProgram, call: CallNode): readonly Fix[] {
  const fn = functionText(program);
  const at = fn && calleeAt(fn, call);
  const lock = fn && at !== null ? argumentsAt(fn, at)?.args[1] : undefined;
  const statement = fn && at !== null ? statementAt(fn, at) : null;
  if (!fn || at === null || !lock || statement?.kind !== "simple" || statement.at !== at) return [];
  const unlock = `spin_unlock(${fn.text.slice(lock.at, lock.end)})`;
  return [{ title: `${unlock} alone: nothing was mapped`, edits: [replaced(at, statement.end, `${unlock};`)] }];
}
