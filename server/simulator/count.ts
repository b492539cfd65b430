// SPDX-License-Identifier: GPL-2.0-only
import { stuckThread } from "./breadth-first.ts";
import { compile } from "./compile.ts";
import { countClasses } from "./counting/classes.ts";
import { acyclicGraph } from "./counting/graph.ts";
import { haltingModel } from "./counting/halting.ts";
import { countPaths } from "./counting/schedules.ts";
import type { Share } from "./counting/schedules.ts";
import type { Model } from "./model.ts";

export interface CountOptions {
  /** Only checks of these properties exist. Default: all. */
  readonly properties?: ReadonlySet<string>;
  /** Threads that never run, by index. */
  readonly disabled?: readonly number[];
  /** Whether a schedule after which nothing moves and a thread under review has not ended is a failing one. Default false. */
  readonly deadlock?: boolean;
  /** Shared flag: counting gives up (`null`) soon after the first element becomes non-zero. */
  readonly cancel?: Int32Array;
}

/** Exact numbers of schedules of a closed model. */
export interface ScheduleCounts {
  /** Complete schedules: until a check fails or nothing can move. */
  readonly schedules: Share;
  /**
   * Schedules that differ in more than the order of steps that do not depend on each other; null where there are too many to
   * count. Here a failing check ends its thread only, so that how far the others came meanwhile makes no difference.
   */
  readonly classes: Share | null;
}

/** Larger graphs are not counted: it would take longer than anyone waits for a number. */
export const MOST_COUNTED_STATES = 60_000;

const classesOf = (original: Model, options: CountOptions, disabled: ReadonlySet<number>): Share | null => {
  const { model, failed } = haltingModel(original, options.properties);
  const program = compile(model);
  const { layout } = program;
  const graph = acyclicGraph(program, { maxStates: MOST_COUNTED_STATES, disabled, ...(options.cancel && { cancel: options.cancel }) });
  if (graph === null) return null;
  const { store } = graph.search;
  const hasFailed = (state: number): boolean =>
    failed.some((field) => store.bytes[state * layout.stride + (layout.offsets.get(field) ?? 0)] === 1) ||
    (options.deadlock === true && stuckThread(program, store, state, disabled) >= 0);
  return countClasses(program, graph, disabled, hasFailed);
};

/** Counts schedules exactly; null where the model has cycles or too many states. */
export const countSchedules = (model: Model, options: CountOptions = {}): ScheduleCounts | null => {
  const disabled = new Set(options.disabled ?? []);
  const program = compile(model, options.properties === undefined ? {} : { properties: options.properties });
  const graph = acyclicGraph(program, { maxStates: MOST_COUNTED_STATES, disabled, ...(options.cancel && { cancel: options.cancel }) });
  if (graph === null) return null;
  return { schedules: countPaths(graph, options.deadlock ?? false), classes: classesOf(model, options, disabled) };
};
