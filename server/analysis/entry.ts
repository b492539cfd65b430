// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";
import { EMPTY_STATE, type State } from "./state.ts";

/** State at the entry of a callee: what the caller holds, under the callee's names. */
export function entryFromCall(caller: State, call: CallNode, callee: EffectProgram): State {
  const parameters = [...callee.variables.values()].filter((variable) => variable.isParameter);
  const rename = new Map(parameters.map((parameter, index) => [textOf(call, index), parameter.name] as const));
  const translate = (text: string): string => {
    const direct = rename.get(text);
    if (direct !== undefined) return direct;
    for (const [from, to] of rename) if (from !== "" && text.startsWith(`${from}->`)) return to + text.slice(from.length);
    return text;
  };
  const truths = new Map(
    [...caller.truths].flatMap(([key, truth]) => {
      for (const [from, to] of rename)
        if (from !== "" && key.includes(`${from}->`)) return [[key.replaceAll(`${from}->`, `${to}->`), truth] as const];
      return [];
    }),
  );
  return {
    ...EMPTY_STATE,
    held: caller.held.map((held) => ({ ...held, object: translate(held.object), at: -1 })),
    callerUnknown: caller.callerUnknown,
    atomic: caller.atomic.map((atomic) => ({ ...atomic, at: -1 })),
    truths,
  };
}

function textOf(call: CallNode, index: number): string {
  const arg = call.args[index];
  return arg ? render(arg) : "";
}
