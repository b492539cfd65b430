// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { reachable } from "../program/reach.ts";
import { textAt } from "../program/place.ts";
import { functionText } from "../program/statements.ts";
import { questionsOf } from "../scenarios/pin-behind-check.ts";
import { writtenCall } from "./fix/release-call.ts";
import { replaced } from "./fix/statement-edits.ts";
import { linesOf } from "./other-lines.ts";
import type { Candidate, Fix, Site } from "./rule.ts";
import { placeOf } from "./rule.ts";

/*
 * G2: an entry is cleared and not flushed, and then pins are looked for. GUP-fast is seen, a CPU with the old entry in its TLB is not:
 * it goes on writing the page. Whoever calls the function may flush before anybody relies on it, so that this is a question.
 */

const CLEARS = /^(?:ptep|pmdp_huge|huge_ptep)_get_and_clear$/;

/** Whatever flushes, or notes that somebody has to. */
const FLUSHES = /\b\w*(?:flush_tlb|clear_flush|tlb_flush|tlb_remove|tlb_gather|tlb_end|tlb_finish|ubc_flush|defer_flush|flush_pending|mmu_gather)\w*/;

export function* unflushedCandidates(ruleId: string, { program, call, effect }: Site): Iterable<Candidate> {
  if (effect.kind !== "clearEntry" || effect.flush || !CLEARS.test(call.name) || program.openStart || program.openEnd) return;
  if (FLUSHES.test(textAt(program.image, program.start, program.end))) return;
  const behind = reachable(program, call.next);
  const questions = questionsOf(program).filter((id) => behind.has(id));
  if (questions.length === 0 || !setsEntry(program, behind)) return;
  yield {
    ruleId, messageId: "unflushed", data: { function: program.name, call: call.name }, severity: "warning", place: placeOf(program, call),
    related: linesOf("pins are looked for here", program, questions.flatMap((id) => inText(program, id))),
    prove: null, asks: true, fixes: () => flushed(program, call),
  };
}

const inText = ({ nodes }: EffectProgram, id: NodeId): { at: number; end: number }[] => {
  const node = nodes[id];
  return node?.kind === "branch" || node?.kind === "assign" || node?.kind === "call" ? [{ at: node.at, end: node.end }] : [];
};

const setsEntry = ({ nodes }: EffectProgram, behind: ReadonlySet<NodeId>): boolean =>
  nodes.some((node, id) => behind.has(id) && node.kind === "call" && node.effects.some(({ kind }) => kind === "setEntry"));

/** The form that flushes, where the function has one VMA. */
function flushed(program: EffectProgram, call: CallNode): readonly Fix[] {
  const fn = functionText(program);
  const written = fn && writtenCall(fn, call);
  const areas = [...program.variables].filter(([, { type, pointers }]) => type === "vm_area_struct" && pointers === 1);
  const [, ...rest] = written?.args ?? [];
  if (!written || call.name !== "ptep_get_and_clear" || areas.length !== 1 || rest.length !== 2) return [];
  return [{ title: "Clear the entry with a flush", edits: [replaced(written.at, written.end, `ptep_clear_flush(${areas[0]![0]}, ${rest.join(", ")})`)] }];
}
