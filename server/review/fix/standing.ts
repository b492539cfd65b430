// SPDX-License-Identifier: GPL-2.0-only
import type { Unit } from "../../analysis/unit.ts";
import type { CallNode, EffectProgram, NodeId } from "../../program/program.ts";
import type { Standing } from "../../rules/rule.ts";
import { releaseOf } from "../../scenarios/user-pages/world.ts";
import type { Image } from "../../source/image.ts";
import { movedOffset, type TextEdit } from "../../text/text-edit.ts";

/** The code in which a candidate was found. */
export const asFound = (unit: Unit): Standing => ({ unit, program: (program) => program, node: (_, id) => id });

/** The same code with edits of one image: what stood at an offset stands where the edits moved it. */
export function edited(unit: Unit, image: Image, edits: readonly TextEdit[]): Standing {
  const moved = (of: Image, at: number): number => (of === image ? movedOffset(edits, at) : at);
  const program = (found: EffectProgram): EffectProgram | null => {
    const start = moved(found.image, found.start);
    return unit.programs.find((one) => one.name === found.name && one.image.path === found.image.path && one.start === start) ?? null;
  };
  return {
    unit,
    program,
    node(found, id) {
      const there = program(found);
      const call = found.nodes[id];
      if (!there || call?.kind !== "call") return null;
      const at = moved(found.image, call.at);
      const own = callsAt(found, call.at).filter((one) => alike(found, one, call));
      const ordinal = own.indexOf(id);
      return callsAt(there, at).filter((one) => alike(there, one, call))[ordinal] ?? null;
    },
  };
}

const callsAt = (program: EffectProgram, at: number): NodeId[] => program.nodes.flatMap((node, id) => (node.kind === "call" && node.at === at ? [id] : []));

/** A fix may call something else of the same kind. */
function alike(program: EffectProgram, id: NodeId, call: CallNode): boolean {
  const node = program.nodes[id];
  if (node?.kind !== "call") return false;
  return node.name === call.name || node.effects.some((effect) => call.effects.some((other) => other.kind === effect.kind || (releaseOf(other) !== null && releaseOf(effect) !== null)));
}
