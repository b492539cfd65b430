// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import type { Assignment } from "../simulator/model.ts";
import { blocksOnlyWhenRunning, setInterruptible, setRunning, taskState, type TaskState } from "../simulator/objects/task-state.ts";
import type { Sleepers } from "./atomic-call.ts";
import { isUnknown, someIn } from "./doubt.ts";
import type { Experiment } from "./experiment.ts";
import { lift } from "./lift.ts";
import { guessedNames } from "./obligation/guessed.ts";
import { insertBefore, synthetic, without } from "./rewrite.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * A task that announced that it will wait (set_current_state()) calls something that sleeps by itself: it comes back in
 * TASK_RUNNING, and the wait that was announced does not take place.
 */

const RUNNING = "__set_current_state(TASK_RUNNING)";

/** Explores one function: whether the calls that sleep come between the announcement of a wait and the wait. */
export function waitSection(sleepers: Sleepers): Experiment {
  const isAdded = (call: CallNode): boolean => call.at < 0 && call.shown === RUNNING;
  return {
    name: "sleep-in-wait-section",
    primary: ["sleep-while-not-running"],
    secondary: [],
    bounds: "one thread, every way through the function, loops unbounded",
    build(program, release) {
      const sites = program.nodes.flatMap((node, id) => (node.kind === "call" && sleepers(node, id) ? [id] : []));
      if (sites.length === 0) return null;
      const model = modelBuilder("sleep-in-wait-section");
      const lifted = lift(model, program, release, (thread) => world(program, thread, sleepers));
      for (const id of sites) for (const step of lifted.stepsOf.get(id)?.slice(0, 1) ?? []) model.reach(lifted.thread, step, "the call that sleeps");
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix: (program) => ({
      title: "the wait is announced after the call",
      program: insertBefore(program, (node, id) => (node.kind === "call" && sleepers(node, id) ? [synthetic(RUNNING, { kind: "taskState", to: "running" })] : [])),
    }),
    mutate: (fixed) => without(fixed, (node) => node.kind === "call" && isAdded(node)),
    wrongFixes: [],
  };
}

/** True where a function announces a wait at all: nothing else needs to be looked at. */
export const announcesWait = (program: EffectProgram): boolean =>
  program.nodes.some((node) => node.kind === "call" && node.effects.some((effect) => effect.kind === "taskState" && stateAfter(program, effect) === "waiting"));

/** States in which schedule() sleeps: include/linux/sched.h. */
const WAITS = /^TASK_(?:INTERRUPTIBLE|UNINTERRUPTIBLE|KILLABLE|IDLE|NOLOAD|WAKEKILL)\b/;

/** What the task is in behind the call; null: as before, or not told by the text. */
function stateAfter(program: EffectProgram, { to }: BoundEffect & { kind: "taskState" }): "waiting" | "running" | null {
  if (to === "running") return "running";
  if (to === "kept") return null;
  const text = render(to);
  if (text === "TASK_RUNNING") return "running";
  return WAITS.test(text) || isGivenWaits(program, to) ? "waiting" : null;
}

/** A variable that only ever gets states in which schedule() sleeps. */
function isGivenWaits(program: EffectProgram, state: Value): boolean {
  const name = render(state);
  if (state.kind !== "name" || !program.variables.has(name) || program.variables.get(name)?.isParameter) return false;
  const given = program.nodes.flatMap((node) => (node.kind === "assign" && render(node.target) === name ? [node.value] : node.kind === "call" && node.result === name ? [null] : []));
  return given.length > 0 && given.every((value) => value !== null && WAITS.test(render(value)));
}

function world(program: EffectProgram, thread: ThreadBuilder, sleepers: Sleepers): World {
  const state = taskState(thread);
  const guessed = guessedNames(program);
  const ids = new Map<CallNode, NodeId>(program.nodes.flatMap((node, id) => (node.kind === "call" ? [[node, id] as const] : [])));
  const sleeps = (call: CallNode): boolean => sleepers(call, ids.get(call) ?? -1);
  return {
    sees: (effect, call) => effect.kind === "taskState" || (sleeps(call) && effect === call.effects[0]),
    reads: () => [],
    refine: (effect, call, lifting) => (effect.kind === "taskState" ? announced(program, effect, state) : [sleeping(call, lifting, state)]),
    place: () => null,
    meaning: () => null,
    unseen: () => [{ text: "task state", hidden: true, alternatives: [{ effect: [assign(state, 0)] }] }],
    // A callee that nothing is known about may wait, and come back in TASK_RUNNING.
    handed: (call) => (isUnknown(call) && call.keeps !== true && /wait|sched|sleep|state|freez|park/i.test(call.name) ? "the state of the task" : null),
    decidedBy: (value) => someIn(value, (part) => guessed.has(render(part))),
  };
}

function announced(program: EffectProgram, effect: BoundEffect & { kind: "taskState" }, state: TaskState): LiftedStep[] {
  const after = stateAfter(program, effect);
  return after === null ? [{ alternatives: [{}], hidden: true }] : [after === "waiting" ? setInterruptible(state) : setRunning(state)];
}

/** A call that sleeps checks the state, and comes back in TASK_RUNNING; what it returns is not looked at. */
function sleeping(call: CallNode, lifting: Lifting, state: TaskState): LiftedStep {
  const back = (value: number): readonly Assignment[] => [assign(state, 0), ...lifting.set(call.result, value)];
  const checks = [blocksOnlyWhenRunning(state, `${call.name}()`)];
  const isAsked = lifting.set(call.result, 1).length > 0;
  return { alternatives: (isAsked ? [1, 0] : [0]).map((value) => ({ checks, effect: back(value) })) };
}
