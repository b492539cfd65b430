// SPDX-License-Identifier: GPL-2.0-only
import { documentPlace } from "../program/place.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { placeOf, type Candidate } from "./rule.ts";

/** Where the entries of the range were mapped: what a blocking start has to come before. */
export function mappedBefore(program: EffectProgram, call: CallNode): Candidate["related"] {
  return program.nodes.flatMap((node) => {
    if (node.kind !== "call" || !node.effects.some((effect) => effect.kind === "mapPte")) return [];
    const [map, start] = [documentPlace(program.image, node.at), documentPlace(program.image, call.at)];
    // Places that only the tree shows have no line to compare.
    const isBefore = map && start ? map.line < start.line : program.image.missing !== undefined && node.at < call.at;
    return isBefore ? [{ message: `${node.result ?? "pte"} mapped here`, place: placeOf(program, node) }] : [];
  }).toSorted((a, b) => a.place.at - b.place.at);
}
