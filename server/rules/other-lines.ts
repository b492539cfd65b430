// SPDX-License-Identifier: GPL-2.0-only
import type { AssignNode, BoundEffect, BranchNode, CallNode, EffectProgram } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import type { Value } from "../program/code.ts";
import { placeOf, type Candidate } from "./rule.ts";

/*
 * A finding stands on one line. The lines that a reviewer would point at besides: what was asked too early, what was taken,
 * what is done with it.
 */

type InText = Pick<CallNode, "at" | "end">;

/** Lines on which some nodes stand, each once, from the top; what is not in the text is left out. */
export function linesOf(message: string, program: EffectProgram, nodes: readonly InText[]): Candidate["related"] {
  const inText = nodes.filter(({ at }) => at >= 0).toSorted((a, b) => a.at - b.at);
  const lineOf = ({ at }: InText): number => program.image.text.lastIndexOf("\n", at);
  return inText.filter((node, index) => index === 0 || lineOf(node) !== lineOf(inText[index - 1]!)).map((node) => ({ message, place: placeOf(program, node) }));
}

/** Calls of the function's own text that have such an effect. */
export const callsWith = ({ nodes }: EffectProgram, isMeant: (effect: BoundEffect) => boolean): CallNode[] =>
  nodes.filter((node): node is CallNode => node.kind === "call" && node.inlined === undefined && node.effects.some(isMeant));

/** Calls behind another one in the text that write data of pages or hand them to a device; where there is none, those that ask for their address. */
export function dataAccesses(program: EffectProgram, { at }: InText): CallNode[] {
  const behind = (isMeant: (effect: BoundEffect) => boolean): CallNode[] => callsWith(program, isMeant).filter((call) => call.at > at);
  const accesses = behind((effect) => effect.kind === "writesMemory" || (effect.kind === "deviceAccess" && effect.form !== "address"));
  return accesses.length > 0 ? accesses : behind(({ kind }) => kind === "addressOfPage");
}

/** Where a variable gets its values. */
export const settingsOf = ({ nodes }: EffectProgram, name: string | null): InText[] =>
  nodes.flatMap((node) => (name !== null && ((node.kind === "assign" && render(node.target) === name) || (node.kind === "call" && node.inlined === undefined && node.result === name)) ? [node] : []));

/** Conditions of the function that ask for something. */
export const testsOf = ({ nodes }: EffectProgram, asks: (condition: Value) => boolean): BranchNode[] =>
  nodes.filter((node): node is BranchNode => node.kind === "branch" && asks(node.condition));

/** Assignments to a variable whose value names a flag; none where the word is not a variable. */
export const flagLines = ({ nodes }: EffectProgram, word: Value | null, flag: string): AssignNode[] =>
  word?.kind !== "name" ? [] : nodes.filter((node): node is AssignNode => node.kind === "assign" && render(node.target) === word.name && node.value !== null && namesIn(node.value).includes(flag));
