// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram } from "../program/program.ts";
import { isEntangled } from "../scenarios/obligation/entangled.ts";
import { rangePlace } from "../scenarios/obligation/notifier-range.ts";
import type { Does } from "./way-out.ts";

/** What a call does to the invalidation of a range. */
export function doesTo(call: CallNode, place: string): Does {
  for (const effect of call.effects) {
    if (effect.kind !== "notifierInit" && effect.kind !== "notifierStart" && effect.kind !== "notifierEnd") continue;
    if (rangePlace(effect.range) === place) return effect.kind === "notifierInit" ? "renews" : effect.kind === "notifierStart" ? "begins" : "ends";
  }
  return null;
}

/** True where start and end stand under conditions that may be one in different words. */
export const isUnderEntangled = (program: EffectProgram, place: string): boolean =>
  isEntangled(program, place, (call) => {
    const does = doesTo(call, place);
    return does === "renews" ? null : does;
  });

/** True for the first start of a range in the text: all starts of one range are explored together. */
export const isFirstStart = (program: EffectProgram, call: CallNode, place: string): boolean =>
  program.nodes.every((node) => node.kind !== "call" || doesTo(node, place) !== "begins" || node.at >= call.at);
