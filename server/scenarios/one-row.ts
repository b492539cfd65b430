// SPDX-License-Identifier: GPL-2.0-only
import type { Alternative } from "../simulator/model.ts";
import type { LiftedStep } from "./world.ts";

/** Steps of one call that only count something are one row: `double_pt_lock()` is not two. */
export function inOneRow(steps: readonly LiftedStep[]): LiftedStep[] {
  const rows: LiftedStep[] = [];
  for (const step of steps) {
    const last = rows.at(-1);
    const [before, after] = [last && soleWay(last), soleWay(step)];
    if (!last || !before || !after || step.label !== undefined || step.text !== undefined) {
      rows.push(step);
      continue;
    }
    rows[rows.length - 1] = {
      ...last,
      alternatives: [{ ...before, effect: [...(before.effect ?? []), ...(after.effect ?? [])] }],
      acquires: [...(last.acquires ?? []), ...(step.acquires ?? [])],
      releases: [...(last.releases ?? []), ...(step.releases ?? [])],
    };
  }
  return rows;
}

/** The only way to take a step, where nothing is asked, checked or said on it. */
function soleWay(step: LiftedStep): Alternative | null {
  const [way, ...others] = step.alternatives;
  if (!way || others.length > 0) return null;
  return way.guard === undefined && way.checks === undefined && way.to === undefined && way.note === undefined ? way : null;
}
