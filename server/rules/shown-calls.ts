// SPDX-License-Identifier: GPL-2.0-only
import { stepPlace, textAt } from "../program/place.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import type { ScheduleRow } from "../scenarios/schedule.ts";
import type { At } from "./rule.ts";

/*
 * The way back from a schedule to the text: which call of the function a row shows.
 */

export interface ShownCall {
  readonly call: CallNode;
  readonly row: ScheduleRow;
}

/** True for a row that stands on the line of an offset. */
export function isOnRow({ image }: EffectProgram, at: number, row: ScheduleRow): boolean {
  const place = stepPlace(image, at);
  return place !== null && place.line === row.patchLine && (place.line !== null || place.fileLine === row.newLine);
}

const isRowOf = (program: EffectProgram, { at, end }: CallNode, row: ScheduleRow): boolean => isOnRow(program, at, row) && row.step.includes(textAt(program.image, at, end));

/** Calls that the rows of a schedule show, in their order; a row of another thread shows none. */
export const shownCalls = (program: EffectProgram, schedule: readonly ScheduleRow[]): readonly ShownCall[] => {
  const calls = program.nodes.filter((node): node is CallNode => node.kind === "call" && node.at >= 0);
  return schedule.flatMap((row) => {
    const call = row.patchLine === null && row.newLine === undefined ? undefined : calls.find((one) => isRowOf(program, one, row));
    return call ? [{ call, row }] : [];
  });
};

/** The statement with which a schedule leaves the function; none where it is not in the text. */
export function returnAt(program: EffectProgram, { schedule }: { readonly schedule: readonly ScheduleRow[] }): readonly At[] {
  const last = schedule.at(-1);
  const node = last && program.nodes.find((one) => one.kind === "return" && one.at >= 0 && isOnRow(program, one.at, last));
  return node?.kind === "return" ? [{ program, at: node.at, end: node.end }] : [];
}
