// SPDX-License-Identifier: GPL-2.0-only
import { GFP_NEVER_SLEEPS } from "../kernel/api/flag-sleep.ts";
import type { SleepWord } from "../kernel/effect.ts";
import type { Value } from "../program/code.ts";
import { successors, type BoundEffect, type CallNode, type EffectProgram } from "../program/program.ts";
import { namesIn } from "../program/render.ts";

/** Whether a function may sleep, and through which call of its own (`by`). */
export type Sleep =
  | { readonly kind: "never" }
  | { readonly kind: "may"; readonly by: string; readonly at: number }
  /** Only with some values of these parameters. */
  | { readonly kind: "if"; readonly when: readonly { readonly parameter: string; readonly word: SleepWord; readonly by: string }[] };

export const NEVER_SLEEPS: Sleep = { kind: "never" };

/** Parameters by position of a function whose sleep hangs on them, for those who hand something over. */
export interface CalleeSleep {
  readonly sleep: Sleep;
  readonly parameters: readonly string[];
}

type SleepCause = { readonly kind: "may" } | { readonly kind: "if"; readonly parameter: string; readonly word: SleepWord };

/** What the calls of a function, as far as control can reach them, say about sleeping. */
export function sleepOf(program: EffectProgram, calleeSleep: (name: string) => CalleeSleep | null): Sleep {
  const isParameter = (name: string): boolean => program.variables.get(name)?.isParameter === true;
  const conditions = new Map<string, { parameter: string; word: SleepWord; by: string }>();
  for (const call of reachableCalls(program))
    for (const cause of [...call.effects.flatMap((effect) => causeOf(effect, isParameter)), ...causesOfCallee(call, calleeSleep(call.name), isParameter)]) {
      if (cause.kind === "may") return { kind: "may", by: call.name, at: call.at };
      conditions.set(`${cause.parameter} ${cause.word}`, { parameter: cause.parameter, word: cause.word, by: call.name });
    }
  return conditions.size === 0 ? NEVER_SLEEPS : { kind: "if", when: [...conditions.values()] };
}

/** In order of text, so that the first sleeper is the one that is named. */
function reachableCalls(program: EffectProgram): readonly CallNode[] {
  const seen = new Set([program.entry]);
  for (const id of seen) {
    const node = program.nodes[id];
    if (node) for (const next of successors(node)) seen.add(next);
  }
  return [...seen].flatMap((id) => {
    const node = program.nodes[id];
    return node?.kind === "call" ? [node] : [];
  }).toSorted((a, b) => a.at - b.at);
}

function causeOf(effect: BoundEffect, isParameter: (name: string) => boolean): SleepCause[] {
  if (effect.kind === "maySleep" || (effect.kind === "acquire" && effect.sleeps)) return [{ kind: "may" }];
  return effect.kind === "sleepsIf" ? causeOfWord(effect.flag, effect.word, isParameter) : [];
}

function causesOfCallee(call: CallNode, callee: CalleeSleep | null, isParameter: (name: string) => boolean): SleepCause[] {
  if (callee === null || callee.sleep.kind === "never") return [];
  if (callee.sleep.kind === "may") return [{ kind: "may" }];
  return callee.sleep.when.flatMap(({ parameter, word }) => {
    const given = call.args[callee.parameters.indexOf(parameter)];
    return given ? causeOfWord(given, word, isParameter) : [{ kind: "may" as const }];
  });
}

/** What a word that decides about sleeping says: constants decide, parameters hand the question on, anything else may sleep. */
function causeOfWord(word: Value, kind: SleepWord, isParameter: (name: string) => boolean): SleepCause[] {
  const names = namesIn(word);
  const parameter = names.find(isParameter);
  if (parameter !== undefined) return [{ kind: "if", parameter, word: kind }];
  if (kind === "gfp") return names.length > 0 && names.every((name) => GFP_NEVER_SLEEPS.has(name)) ? [] : [{ kind: "may" }];
  if (kind === "fast-only") return names.includes("FOLL_FAST_ONLY") ? [] : [{ kind: "may" }];
  if (kind === "boolean") return (word.kind === "number" && word.value === 0) || names[0] === "false" ? [] : [{ kind: "may" }];
  return names.includes("FAULT_FLAG_RETRY_NOWAIT") ? [] : [{ kind: "may" }];
}
