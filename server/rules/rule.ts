// SPDX-License-Identifier: GPL-2.0-only
import type { State } from "../analysis/state.ts";
import type { AnalyzedFunction, CallingContext, Unit } from "../analysis/unit.ts";
import type { Effect } from "../kernel/effect.ts";
import type { Target } from "../kernel/target.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId } from "../program/program.ts";
import type { Asked, Proof } from "../scenarios/prove.ts";
import type { CommitMessage } from "../patch/commit-message.ts";
import type { TextEdit } from "../text/text-edit.ts";
import type { RuleMeta } from "./meta.ts";

/** A place in a program that a message points at. */
export interface At {
  readonly program: EffectProgram;
  /** Offsets in the image's text. */
  readonly at: number;
  readonly end: number;
}

/** A line of the commit message: it stands in no file. */
export interface MessageLine {
  /** Document line. */
  readonly line: number;
}

/** What the simulator is asked about a candidate: it returns what it found, or null where nothing can be explored. */
export type Prove = (maxStates: number) => Proof | null;

/** Edits that would mend a defect, in the text of the image of its place. */
export interface Fix {
  /** What to do, as an order. */
  readonly title: string;
  readonly edits: readonly TextEdit[];
  /** True for one that counts only where none of those before it holds. */
  readonly isFallback?: true;
}

/** Code in which a candidate can be looked for again: that in which it was found, or the same with a fix. */
export interface Standing {
  readonly unit: Unit;
  /** The program of the function here; null where it is not there. */
  program(found: EffectProgram): EffectProgram | null;
  /** The call here that stands at the place of a call of that program; null where it is gone. */
  node(found: EffectProgram, id: NodeId): NodeId | null;
}

/** A defect that the abstract interpreter found possible. */
export interface Candidate {
  readonly ruleId: string;
  readonly messageId: string;
  /** Values for the placeholders of the message. */
  readonly data: Readonly<Record<string, string>>;
  readonly place: At;
  readonly related: readonly { readonly message: string; readonly place: At | MessageLine }[];
  /** Overrides the rule's severity, where it depends on the release or the configuration. */
  readonly severity?: RuleMeta["severity"];
  /** null: a contract that no schedule can show. */
  readonly prove: Prove | null;
  /** What the simulator is asked about the candidate, always in the same order; null where code is missing. */
  readonly asked?: (code: Standing) => readonly Asked[] | null;
  /** Edits that would mend it, the best first. Nobody has checked them. */
  readonly fixes?: () => readonly Fix[];
  /** What the patch has to do with it, where the rule knows better than a comparison of both sides. */
  readonly origin?: "introduced" | "incomplete-fix";
  /** True where the finding rests on code that is not visible: never above `contract`. */
  readonly asks?: boolean;
}

/** An obligation of a mechanism that the patch implements. */
export interface ObligationCheck {
  readonly id: string;
  readonly ruleId: string;
  /** `undecided`: the code asks for something that the rule cannot judge. */
  readonly status: "holds" | "broken" | "undecided" | "not-visible";
  readonly message: string;
  readonly places: readonly At[];
}

/** A call with an effect that a rule asked for, in every state in which control reaches it. */
export interface Site {
  readonly unit: Unit;
  readonly target: Target;
  readonly program: EffectProgram;
  /** The function in all its calling contexts; computed when it is first asked for. */
  readonly fn: AnalyzedFunction;
  readonly node: NodeId;
  readonly call: CallNode;
  readonly effect: BoundEffect;
  /** States in which control reaches the call; computed when they are first asked for. */
  readonly states: readonly { readonly context: CallingContext; readonly state: State }[];
}

/** Both sides of one patch; `old` is null for a C file. */
export interface Subject {
  readonly target: Target;
  readonly unit: Unit;
  readonly old: Unit | null;
  readonly patch?: PatchFacts;
}

/** What is known of a patch besides the code that it shows. */
export interface PatchFacts {
  readonly files: readonly string[];
  /** Whether these are all: no series, no quoted part. */
  readonly isWhole: boolean;
  readonly message: CommitMessage;
  /** Lines of comments that the patch adds: document line, text, and the code below. */
  readonly comments: readonly { readonly path: string | null; readonly line: number; readonly text: string; readonly below: string }[];
  /** False where nothing but the date of the mail tells for which release the patch is. */
  readonly namesRelease: boolean;
  /** A file of the tree that all of the patch applies to; null: it has none of this name, or it is not at hand. Absent: no tree. */
  readonly treeFile?: (path: string) => string | null;
}

/** A rule: what it says about itself, what it wants to see, and how it decides. Pure. */
export interface Rule {
  readonly meta: RuleMeta;
  /** The engine calls `check` at every call with one of these effects. */
  readonly effects: readonly Effect["kind"][];
  /** Words of a patch, besides calls with these effects, at which the rule wants to see it. */
  readonly words?: readonly string[];
  /** True for a patch that the rule wants to see whatever calls it has. */
  wantsToSee?(patch: Pick<PatchFacts, "message" | "comments">): boolean;
  /** True for a rule that also wants the calls of helpers that were put in the place of their calls; default: own text only. */
  readonly seesInlined?: boolean;
  /** What the rule reads of a file besides its functions, as a text: equal texts, equal answers. */
  readsOfFile?(text: string): string;
  check?(site: Site): Iterable<Candidate>;
  /** For rules about a mechanism as a whole: once per patch. */
  checkSubject?(subject: Subject): { readonly candidates: readonly Candidate[]; readonly obligations: readonly ObligationCheck[] };
}

/** Proofs that one function may cost: code has one or two such calls, hostile text has hundreds. */
const MAX_PROOFS = 8;

/** True where the call is among the first with its effect in the function, so that a proof is affordable. */
export const isAffordable = ({ program, node, effect }: Site): boolean =>
  program.nodes.filter((one, id) => id > node && one.kind === "call" && one.effects.some(({ kind }) => kind === effect.kind)).length < MAX_PROOFS;

/** The place of a call. */
export const placeOf = (program: EffectProgram, call: { readonly at: number; readonly end: number }): At => ({ program, at: call.at, end: call.end });

/** The place of a call; of one inside a helper, where the function gets its value, or calls the helper. */
export function calledPlace(program: EffectProgram, call: CallNode): At {
  if (call.calledAt) return placeOf(program, call.calledAt);
  if (program.start <= call.at && call.at < program.end) return placeOf(program, call);
  // A helper that is one expression stands in the place of its call.
  const given = program.nodes.find((node) => node.kind === "assign" && node.value?.kind === "name" && node.value.name === call.result);
  return placeOf(program, given?.kind === "assign" && program.start <= given.at && given.at < program.end ? given : call);
}
