// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram, ProgramNode } from "../../program/program.ts";
import { asWritten, insertAtEnd, insertBefore, without } from "../rewrite.ts";

/*
 * The reference fix for things that live in a place: whatever is open is ended before it is begun again and on every way
 * out, and what is not open is not ended. The calls of the fix say what they are by their words.
 */

type Added = Omit<CallNode, "next">;

const isCall = (node: ProgramNode, test: (call: CallNode) => boolean): node is CallNode => node.kind === "call" && test(node);

/** `begins`: calls that begin it or prepare its place; `ends`: the text's own calls that end it. */
export function endOnce(program: EffectProgram, added: Added, begins: (call: CallNode) => boolean, ends: (call: CallNode) => boolean): EffectProgram {
  const guarded = { ...program, nodes: program.nodes.map((node) => (isCall(node, ends) ? { ...node, shown: added.shown ?? "" } : node)) };
  return insertAtEnd(insertBefore(guarded, (node) => (isCall(node, begins) ? [added] : [])), [added]);
}

/** The program without what `endOnce` did to it. */
export function undoEndOnce(fixed: EffectProgram, isAdded: (call: CallNode) => boolean): EffectProgram {
  const bare = without(fixed, (node) => isCall(node, isAdded) && node.at < 0);
  return { ...bare, nodes: bare.nodes.map((node) => (isCall(node, isAdded) ? asWritten(node) : node)) };
}
