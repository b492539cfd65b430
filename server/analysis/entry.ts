// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram } from "../program/program.ts";
import { render, substitute } from "../program/render.ts";
import { isLasting } from "./live.ts";
import { EMPTY_STATE, type State } from "./state.ts";
import { truthOf } from "./truth.ts";

/** State at the entry of a callee: what the caller holds, under the callee's names. */
export function entryFromCall(caller: State, call: CallNode, from: EffectProgram, callee: EffectProgram): State {
  const parameters = [...callee.variables.values()].filter((variable) => variable.isParameter);
  const rename = new Map(
    parameters.flatMap((parameter, index) => [
      [textOf(call, index), parameter.name] as const,
      [textOf(call, index, from.aliases), parameter.name] as const,
    ]),
  );
  const translate = (text: string): string => {
    const direct = rename.get(text);
    if (direct !== undefined) return direct;
    for (const [given, to] of rename) if (given !== "" && text.startsWith(`${given}->`)) return to + text.slice(given.length);
    // A local of the caller that is not handed on: any object of its class may be meant.
    return from.variables.has(/^[\w$]*/.exec(text)?.[0] ?? "") ? "" : text;
  };
  // Only what no assignment changes and what decides about sharing is worth a run of its own.
  const truths = new Map(
    [...caller.truths].flatMap(([key, truth]) => {
      if (!isLasting(key)) return [];
      for (const [given, to] of rename)
        if (given !== "" && mentions(key, given)) return [[key.replaceAll(given, to), truth] as const];
      return [];
    }),
  );
  parameters.forEach((parameter, index) => {
    const given = call.args[index];
    const truth = given && (given.kind === "number" || given.kind === "name") ? truthOf(EMPTY_STATE, given) : null;
    if (truth !== null) truths.set(parameter.name, truth);
  });
  return {
    ...EMPTY_STATE,
    ...(caller.distrusts === true ? { distrusts: true } : {}),
    held: caller.held.map((held) => ({ ...held, object: translate(held.object), at: -1 })),
    callerUnknown: caller.callerUnknown,
    atomic: caller.atomic.map((atomic) => ({ ...atomic, at: -1 })),
    truths,
  };
}

/** True where the text has the place as a whole, not as a part of another name. */
const mentions = (text: string, place: string): boolean =>
  new RegExp(`(?<![\\w$.>])${place.replace(/[^\w]/g, "\\$&")}(?!\\w)`).test(text);

function textOf(call: CallNode, index: number, aliases: EffectProgram["aliases"] = new Map()): string {
  const arg = call.args[index];
  return arg ? render(substitute(arg, aliases)) : "";
}
