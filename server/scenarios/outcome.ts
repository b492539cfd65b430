// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram } from "../program/program.ts";

/** A call that takes a lock or does not is 1 or 0 (include/linux/mutex.h, spinlock.h, rwsem.h, percpu-rwsem.h; booleans elsewhere). */
export const isTrylock = (call: Pick<CallNode, "name">): boolean => /trylock/.test(call.name);

/** What to call the two values of a call that the model does not compute, in a reader's words. */
export function outcomeWords(call: CallNode, program: EffectProgram): { readonly nonzero: string; readonly zero: string } {
  const takes = call.effects.find((effect) => "held" in effect && effect.held !== "always");
  if (isTrylock(call)) return { nonzero: "acquired", zero: "busy" };
  if (takes?.kind === "acquire" && "held" in takes)
    return takes.held === "zero" ? { nonzero: "interrupted", zero: "acquired" } : { nonzero: "acquired", zero: "busy" };
  const variable = call.result === null ? undefined : program.variables.get(call.result);
  if (variable && variable.pointers > 0) return { nonzero: "found", zero: "NULL" };
  if (variable?.type === "bool" || call.result?.startsWith("$")) return { nonzero: "true", zero: "false" };
  return { nonzero: "not 0", zero: "0" };
}
