// SPDX-License-Identifier: GPL-2.0-only
import type { StepPart } from "./build.ts";
import { and } from "./expression.ts";
import type { Alternative } from "./model.ts";

const merged = (left: Alternative, right: Alternative): Alternative => {
  const to = right.to ?? left.to;
  const note = [left.note, right.note].filter((part) => part !== undefined).join("; ");
  const assumed = [left.assumed, right.assumed].filter((part) => part !== undefined).join("; ");
  const guards = [left.guard, right.guard].filter((guard) => guard !== undefined);
  return {
    ...(guards.length > 0 ? { guard: and(...guards) } : {}),
    effect: [...(left.effect ?? []), ...(right.effect ?? [])],
    checks: [...(left.checks ?? []), ...(right.checks ?? [])],
    ...(to === undefined ? {} : { to }),
    ...(note === "" ? {} : { note }),
    ...(assumed === "" ? {} : { assumed }),
  };
};

/**
 * One atomic step out of several parts, for example a lock that also raises the atomic depth. Every combination of the parts'
 * alternatives is one; all guards and checks read the state before the step, effects run in the order of the parts, and the
 * last part that jumps decides where to.
 */
export const together = (...parts: readonly StepPart[]): StepPart => {
  const alternatives = parts.reduce<readonly Alternative[]>(
    (sum, part) => sum.flatMap((left) => part.alternatives.map((right) => merged(left, right))),
    [{}],
  );
  const acquires = parts.flatMap((part) => part.acquires ?? []);
  const releases = parts.flatMap((part) => part.releases ?? []);
  return {
    alternatives,
    ...(acquires.length > 0 ? { acquires } : {}),
    ...(releases.length > 0 ? { releases } : {}),
  };
};
