// SPDX-License-Identifier: GPL-2.0-only
import { pointee } from "../scenarios/obligation/obligation.ts";
import { namesOf, pointerOf } from "../scenarios/obligation/handed-on.ts";
import { sectionsIn, timesIn } from "../scenarios/atomic-call.ts";
import type { Target } from "../kernel/target.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";
import type { Proof } from "../scenarios/prove.ts";
import { placeOf, type Candidate } from "./rule.ts";
import { shownCalls, type ShownCall } from "./shown-calls.ts";

/*
 * The sections that a schedule is in where it ends, in a reviewer's words: what was taken or mapped, and on which line.
 */

/** A section that is open: why nothing may sleep there, and where it was entered. */
export interface OpenSection {
  /** After "which may sleep,": `with ptl held`. */
  readonly words: string;
  readonly related: Candidate["related"][number];
}

interface Entered {
  readonly call: CallNode;
  readonly how: "map" | "lock" | "rcu" | "irq" | "preempt";
  readonly name: string;
  readonly isSection: boolean;
}

/** Sections that the schedule has entered and not left before its last row, the last one last. */
export function openSections(program: EffectProgram, { schedule }: Proof, target: Pick<Target, "release" | "config">): readonly OpenSection[] {
  const [depthOf, timesOf] = [sectionsIn(target), timesIn(target)];
  let open: readonly Entered[] = [];
  for (const { call, row } of shownCalls(program, schedule.slice(0, -1)).filter(isInside))
    for (const effect of call.effects) {
      const way = depthOf(effect, call);
      if (way === "enter" && !row.step.endsWith("[not entered]")) open = [...open, ...enteredBy(effect, call, timesOf(effect, call))];
      if (way === "leave") open = leftBy(effect, open, program);
    }
  // A map that locks is one line, and so is a lock that turns interrupts off.
  return open.filter((one, index) => open.findIndex((other) => other.call.at === one.call.at) === index).map((one) => told(one, program));
}

const isInside = ({ call }: ShownCall): boolean => call.end > call.at;

function enteredBy(effect: BoundEffect, call: CallNode, times: number): readonly Entered[] {
  const entered = (how: Entered["how"], name: string, isSection = false): Entered => ({ call, how, name, isSection });
  switch (effect.kind) {
    case "mapPte": {
      const lock = effect.ptlOut === null ? (call.result ?? call.name) : render(pointee(effect.ptlOut));
      const name = effect.pteOut ? render(pointee(effect.pteOut)) : (call.result ?? call.name);
      return [...(effect.locks ? [entered("lock", lock)] : []), ...Array.from({ length: times - Number(effect.locks) }, () => entered("map", name, effect.rcu))];
    }
    case "acquire":
      return [entered("lock", effect.object === null ? (call.result ?? call.name) : render(pointee(effect.object)))];
    case "lockEntryTable":
      return [entered("lock", call.result ?? call.name)];
    case "enterAtomic":
      return effect.reason === "lazy_mmu" ? [] : [entered(effect.reason, "")];
    default:
      return [];
  }
}

function leftBy(effect: BoundEffect, open: readonly Entered[], program: EffectProgram): readonly Entered[] {
  switch (effect.kind) {
    case "unmapPte": {
      const pointer = render(pointerOf(effect.pte));
      const isIt = (one: Entered): boolean => one.how === "map" && namesOf(program, one.name).has(pointer);
      const unmapped = withoutLast(open, open.some(isIt) ? isIt : (one) => one.how === "map");
      return effect.ptl === null ? unmapped : unlocked(unmapped, render(pointee(effect.ptl)));
    }
    case "release":
      return unlocked(open, effect.object === null ? "" : render(pointee(effect.object)));
    case "leaveAtomic":
      return withoutLast(open, (one) => one.how === effect.reason);
    default:
      return open.slice(0, -1);
  }
}

const unlocked = (open: readonly Entered[], name: string): readonly Entered[] => {
  const isIt = (one: Entered): boolean => one.how === "lock" && one.name === name;
  return withoutLast(open, open.some(isIt) ? isIt : (one) => one.how === "lock");
};

function withoutLast(open: readonly Entered[], isIt: (one: Entered) => boolean): readonly Entered[] {
  const at = open.findLastIndex(isIt);
  return at < 0 ? open : open.toSpliced(at, 1);
}

/** What a section is called, and what is said of the line that enters it. */
function told({ call, how, name, isSection }: Entered, program: EffectProgram): OpenSection {
  const at = (words: string, message: string): OpenSection => ({ words, related: { message, place: placeOf(program, call) } });
  switch (how) {
    case "map":
      return at(isSection ? `with ${name} mapped, which is an RCU read-side section` : `with ${name} mapped by kmap_atomic() (kernels with CONFIG_HIGHPTE)`, `${name} mapped here`);
    case "lock":
      return at(`with ${name} held`, `${name} taken here`);
    case "rcu":
      return at("in an RCU read-side section", "RCU read-side section entered here");
    case "irq":
      return at("with interrupts off", "interrupts turned off here");
    case "preempt":
      return at("with preemption off", "preemption turned off here");
  }
}
