// SPDX-License-Identifier: GPL-2.0-only
import type { Unit } from "../analysis/unit.ts";
import { unclosedCode, type LostCode } from "../program/lost-code.ts";
import { DEREFERENCE, type CallNode, type EffectProgram } from "../program/program.ts";
import { documentPlace } from "../program/place.ts";
import type { Problem } from "../text/problem.ts";
import type { Coverage } from "./finding.ts";

export const NO_COVERAGE: Coverage = { functions: 0, analyzed: 0, partial: 0, calls: 0, unknownCalls: 0 };

/**
 * What was looked at: functions of the new side, and calls whose callee is not known. `cutOff`: functions of which only
 * some paths were followed.
 */
export function coverageOf(unit: Unit, cutOff: readonly EffectProgram[]): Coverage {
  const programs = unit.judged ?? unit.programs;
  const calls = programs.flatMap((program) => program.nodes.filter((node): node is CallNode => node.kind === "call" && node.inlined === undefined && node.name !== DEREFERENCE));
  // Code that did not become a function counts as one that was seen in part.
  const lost = unit.lost?.length ?? 0;
  return {
    functions: programs.length + lost,
    analyzed: programs.length,
    partial: programs.filter((program) => program.openStart || program.openEnd || cutOff.includes(program)).length + lost,
    calls: calls.length,
    unknownCalls: calls.filter((call) => call.knowledge === "unknown").length,
  };
}

/** What a reader must know about code that nobody looked at. */
export const lostProblems = (unit: Unit): readonly Problem[] =>
  (unit.lost ?? []).map(({ kind, image, start, end }) => {
    const line = documentPlace(image, start)?.line ?? null;
    return lostProblem(kind, line, documentPlace(image, Math.max(start, end - 1))?.line ?? line);
  });

/** The same for a C file that concerns no rule as far as it can be read: it is not worth a parse. */
export function unclosedProblems(text: string): readonly Problem[] {
  const lost = unclosedCode(text);
  if (!lost) return [];
  const lineOf = (at: number): number => text.slice(0, at).split("\n").length;
  return [lostProblem(lost.kind, lineOf(lost.start), lineOf(lost.end - 1))];
}

function lostProblem(kind: LostCode["kind"], line: number | null, last: number | null): Problem {
  const what = kind === "never-closes" ? "a body that begins here never closes" : "this is not C that can be read";
  const rest = last === null || last === line ? "its code" : `the code up to line ${last}`;
  return { code: "c-not-parsed", message: `${what}: ${rest} was not reviewed as a whole`, line };
}
