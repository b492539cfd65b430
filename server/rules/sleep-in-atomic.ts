// SPDX-License-Identifier: GPL-2.0-only
import { definitelySleeps } from "../kernel/api/flag-sleep.ts";
import { PAGE_FAULTS_OFF } from "../kernel/api/sleep.ts";
import { spins } from "../kernel/lock-order.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../program/program.ts";
import { namesIn } from "../program/render.ts";
import { checkAnnounced, checkSleeper } from "./atomic-check.ts";
import type { Candidate, Rule, Site } from "./rule.ts";

const turnsFaultsOff = (program: EffectProgram): boolean => program.nodes.some((node) => node.kind === "call" && PAGE_FAULTS_OFF.has(node.name));

/** Effects with which a call sleeps whatever else is true. */
function sleeps(program: EffectProgram, effect: BoundEffect): boolean {
  switch (effect.kind) {
    case "maySleep":
      return effect.onlyIf === undefined || (effect.onlyIf === "page-faults" && !turnsFaultsOff(program));
    case "acquire":
      return effect.sleeps;
    case "sleepsIf":
      return effect.word === "gfp" && definitelySleeps(namesIn(effect.flag));
    default:
      return false;
  }
}

/** Effects of a call that leaves a section of its caller: nothing tells whether it sleeps before. */
function leaves(effect: BoundEffect): boolean {
  return effect.kind === "leaveAtomic" || effect.kind === "consumes" || effect.kind === "unmapPte" || ((effect.kind === "release" || effect.kind === "dropsLock") && spins(effect.lock));
}

/** Invalidations have a rule of their own, and so have GUP and what follows it. */
const isOthers = (effect: BoundEffect): boolean => effect.kind === "notifierStart" || effect.kind === "notifierEnd" || effect.kind === "gup" || effect.kind === "marksDirty";

const isSleeper = (program: EffectProgram, call: CallNode): boolean => call.effects.some((effect) => sleeps(program, effect)) && !call.effects.some((effect) => leaves(effect) || isOthers(effect));

export const sleepInAtomic: Rule = {
  meta: {
    id: "sleep-in-atomic",
    title: "call that may sleep in atomic context",
    severity: "error",
    since: "2.6.12",
    until: null,
    why:
      "Whoever sleeps under a spinlock, with interrupts off or in an RCU read-side section keeps what it holds while others run: " +
      "they spin for ever, or memory that RCU protects is freed under it. Since 6.6 a PTE that is mapped is such a section.",
    messages: {
      sleeps: "{function}() calls {call}(), which may sleep, {context}",
      announced: "{function}() calls {call}(), which may sleep, after {announced}: it comes back in TASK_RUNNING, and a schedule() behind it does not wait",
    },
    offersEdits: true,
    scenarios: ["sleep-in-atomic", "sleep-in-wait-section"],
    sources: [],
  },
  effects: ["maySleep", "acquire", "sleepsIf"],
  *check(site: Site): Iterable<Candidate> {
    const found = [...checkSleeper("sleep-in-atomic", "sleeps", isSleeper, site)];
    yield* found.length > 0 ? found : checkAnnounced("sleep-in-atomic", "announced", isSleeper, site);
  },
};
