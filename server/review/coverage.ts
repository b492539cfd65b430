// SPDX-License-Identifier: GPL-2.0-only
import type { Unit } from "../analysis/unit.ts";
import { DEREFERENCE, type CallNode } from "../program/program.ts";
import type { Coverage } from "./finding.ts";

export const NO_COVERAGE: Coverage = { functions: 0, analyzed: 0, partial: 0, calls: 0, unknownCalls: 0 };

/** What was looked at: functions of the new side, and calls whose callee is not known. */
export function coverageOf(unit: Unit): Coverage {
  const calls = unit.programs.flatMap((program) => program.nodes.filter((node): node is CallNode => node.kind === "call" && node.inlined === undefined && node.name !== DEREFERENCE));
  return {
    functions: unit.programs.length,
    analyzed: unit.programs.length,
    partial: unit.programs.filter((program) => program.openStart || program.openEnd).length,
    calls: calls.length,
    unknownCalls: calls.filter((call) => call.knowledge === "unknown").length,
  };
}
