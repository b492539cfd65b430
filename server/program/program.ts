// SPDX-License-Identifier: GPL-2.0-only
import type { Effect } from "../kernel/effect.ts";
import type { Image } from "../source/image.ts";
import type { Value, Variable } from "./code.ts";
import type { Leftover } from "./leftovers.ts";

/** Index into `EffectProgram.nodes`. */
export type NodeId = number;

type BindArguments<E> = {
  readonly [K in keyof E]: E[K] extends number ? Value : Extract<E[K], number> extends never ? E[K] : Exclude<E[K], number> | Value;
};
type Distribute<E> = E extends unknown ? BindArguments<E> : never;

/** An effect of one call: argument positions replaced by the call's arguments, generic locks by their class. */
export type BoundEffect = Distribute<Effect>;

/** How much is known about a callee. */
export type Knowledge = "effects" | "quiet" | "defined-here" | "inlined" | "unknown";

/** Name of the call node that stands for reading or writing an entry through a plain pointer (`*ptep`). */
export const DEREFERENCE = "*";

export interface CallNode {
  readonly kind: "call";
  readonly name: string;
  readonly args: readonly Value[];
  /** Key (`render`) of the variable or place that receives the value; null where the value is dropped. */
  readonly result: string | null;
  readonly effects: readonly BoundEffect[];
  readonly knowledge: Knowledge;
  /** What to show where the call is not in the text (a reference fix added it); missing: the source text. */
  readonly shown?: string;
  /** Helper from whose body this call was copied into its caller; missing: the function's own text. */
  readonly inlined?: string;
  /** Where the function of the program calls that helper, or the one that calls it. */
  readonly calledAt?: { readonly at: number; readonly end: number };
  /** True where the callee's whole body is known to give back nothing that it is handed. */
  readonly keeps?: true;
  /** What the callee, whose body is known and not in the place of the call, leaves otherwise than it found it; missing: nothing. */
  readonly leaves?: readonly Leftover[];
  /** Offset in the image's text; -1 where the call is not in the text. */
  readonly at: number;
  readonly end: number;
  next: NodeId;
}

/** True for a call that only asserts: whatever it is handed decides nothing that comes later. */
export const onlyAsserts = (call: CallNode): boolean => call.effects.length > 0 && call.effects.every(({ kind }) => kind === "bugIf" || kind === "neverReturns");

/** `target operator value`; a null value is one that is not known. `++` stands for `--` too, and has none. */
export interface AssignNode {
  readonly kind: "assign";
  readonly target: Value;
  readonly operator: string;
  readonly value: Value | null;
  /** True for `--`. */
  readonly down?: true;
  readonly at: number;
  readonly end: number;
  next: NodeId;
}

/** One atomic condition: `&&`, `||`, `!`, `?:` and the comma are control flow already. */
export interface BranchNode {
  readonly kind: "branch";
  readonly condition: Value;
  /** True where the source has the condition under an odd number of `!`. */
  readonly negated: boolean;
  /** What to show where the text has no such condition (a case of a switch); missing: the source text. */
  readonly shown?: string;
  readonly at: number;
  readonly end: number;
  then: NodeId;
  otherwise: NodeId;
}

/** A decision that the text does not make: switch, iterator, code that is not visible. */
export interface ChoiceNode {
  readonly kind: "choice";
  readonly reason: "switch" | "iterate" | "unseen";
  readonly text: string;
  /** What a switch decides on. */
  readonly on?: Value;
  readonly at: number;
  readonly outs: readonly { readonly label: string; readonly next: NodeId }[];
}

export interface ReturnNode {
  readonly kind: "return";
  readonly value: Value | null;
  readonly at: number;
  readonly end: number;
  next: NodeId;
}

/** A label, or a point where paths meet. */
export interface LabelNode {
  readonly kind: "label";
  readonly name: string | null;
  at: number;
  /** Where the node marks a statement. */
  readonly end?: number;
  next: NodeId;
}

/** Code that the hunk does not show stands here. */
export interface UnseenNode {
  readonly kind: "unseen";
  /** `middle`: between two hunks of the function. */
  readonly where: "start" | "middle" | "end";
  next: NodeId;
}

export interface ExitNode {
  readonly kind: "exit";
}

/** Where a call was that does not come back: nothing is asked of such a way any more. */
export interface StopNode {
  readonly kind: "stop";
}

export type ProgramNode = CallNode | AssignNode | BranchNode | ChoiceNode | ReturnNode | LabelNode | UnseenNode | ExitNode | StopNode;

/** Something that a verdict rests on although the text does not say it. */
export interface Assumption {
  readonly kind: "unknown-callee" | "fact-of-other-release" | "unseen-code" | "cut-loop" | "not-lowered";
  readonly text: string;
  /** Offset in the image's text, or -1. */
  readonly at: number;
}

/** One function as a control-flow graph of ops with abstract effects: what both interpreters run. */
export interface EffectProgram {
  readonly name: string;
  readonly isStatic: boolean;
  readonly image: Image;
  /** Offsets of the definition in the image's text. */
  readonly start: number;
  readonly end: number;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly nodes: readonly ProgramNode[];
  readonly entry: NodeId;
  readonly exit: NodeId;
  readonly assumptions: readonly Assumption[];
  /** Locals that are another word for a place, by name; effects and tests of `vm_flags` say the place. */
  readonly aliases?: ReadonlyMap<string, Value>;
  /** True where the start (or the end) of the function is not visible. */
  readonly openStart: boolean;
  readonly openEnd: boolean;
}

/** Successors of a node, in declaration order. */
export function successors(node: ProgramNode): readonly NodeId[] {
  switch (node.kind) {
    case "branch":
      return [node.then, node.otherwise];
    case "choice":
      return node.outs.map((out) => out.next);
    case "exit":
    case "stop":
      return [];
    default:
      return [node.next];
  }
}
