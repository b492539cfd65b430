// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import type { ModelBuilder } from "../../simulator/build.ts";
import type { Expression, Field } from "../../simulator/expression.ts";

/*
 * Much of what reviewers enforce has one shape: a call begins something (maps an entry, starts a range, takes a lock or a
 * reference) that another call must end exactly once before the function is left, and that may be used in between only.
 */

/**
 * Which of the things of its kind a call means. `value`: the one that a pointer has at that moment, whatever its name;
 * `place`: the one that lives in a place (a range, a lock), by the text of the place.
 */
export type Handle = { readonly by: "value"; readonly of: Value } | { readonly by: "place"; readonly place: string };

/** What one effect has to do with obligations of a kind. */
export type Role =
  | {
      readonly does: "begin";
      /** Value of the call when it did not begin; null: it always begins, or no value tells. */
      readonly failure: "zero" | "nonzero" | null;
      /** Where the pointer is received: the call's value, a variable whose address it was handed, or none. */
      readonly received: "value" | { readonly by: Value } | null;
      /** The place that names it; null: the pointer does. */
      readonly place: string | null;
      /** What is said of the two outcomes. */
      readonly words: { readonly begun: string; readonly failed: string };
    }
  | { readonly does: "end"; readonly handle: Handle }
  | { readonly does: "use"; readonly handle: Handle }
  /** Ends it on some of its outcomes, and says so. */
  | { readonly does: "may-end"; readonly handle: Handle & { readonly by: "place" }; readonly outcomes: readonly Outcome[] }
  /** Prepares the place for another one: `sets` says which of its fields are not 0 from then on. */
  | { readonly does: "renew"; readonly handle: Handle & { readonly by: "place" }; readonly sets: readonly string[] }
  /** Should have ended it, and does not: it stays open for good. */
  | { readonly does: "miss" }
  /** Wrong in a way that another rule says: it is looked at no more. */
  | { readonly does: "forget" };

/** One way in which a call may come back: what is told by it, as values of variables and of bits (`word/BIT`). */
export interface Outcome {
  readonly ends: boolean;
  readonly tells: readonly { readonly key: string; readonly value: 0 | 1 }[];
  readonly note: string;
}

/** What a call does to the section that things of the kind are (an RCU section, a count), whichever thing it means. */
export type SectionStep = "enter" | "leave";

/** What the rest of the kernel may do to something that was begun. */
export interface ObligationEnvironment {
  /** Threads of the environment, in words, and when it may be used. */
  readonly bounds: string;
  /** `usable`: it is still there; `begins`: another one can be begun. */
  add(model: ModelBuilder, section: Field): { readonly usable: Expression; readonly begins: Expression };
}

/** A bad state and what it means, one sentence without a full stop. */
export interface BadState {
  readonly property: string;
  /** `name`: the thing in the words of the text. */
  readonly message: (name: string) => string;
}

/** A kind of thing that is begun and ended. */
export interface ObligationKind {
  /** Name of the scenario, kebab-case. */
  readonly scenario: string;
  /** What a reader sees of its state, for example `mapping of pte`. */
  readonly shown: (name: string) => string;
  readonly states: { readonly open: string; readonly ended: string };
  role(effect: BoundEffect, call: CallNode): Role | null;
  /** Left open when the function returns; null: that is no defect. */
  readonly leftOpen: BadState | null;
  /** Ended a second time; null: not looked at. */
  readonly endedTwice: BadState | null;
  /** Ended on a way on which the call did not begin it (a trylock that failed). Missing: not looked at. */
  readonly endedRefused?: BadState;
  /** Where it must not be left open. `errors`: where the function returns an error, or nothing. Missing: everywhere. */
  readonly leftAt?: "errors";
  /** Begun again while it is open, by the same place; null: that nests. */
  readonly begunAgain: BadState | null;
  /** Used after its end; null: not looked at. */
  readonly usedAfter: BadState | null;
  /** Ended where nothing was begun, or where its beginning failed. Missing: not looked at. */
  readonly endedUnbegun?: BadState | null;
  /** The place is prepared for another one while it is open. Missing: not looked at. */
  readonly renewedOpen?: BadState | null;
  /** A call that should have ended it did not, seen when it is begun again or the function is left. Missing: not looked at. */
  readonly missed?: BadState;
  /**
   * What things of the kind have in common: they are counted, and what is left open is a defect only where the count is
   * above 0. `step`: calls that count besides those that begin and end something of the kind.
   */
  readonly section?: { readonly name: string; step(effect: BoundEffect, call: CallNode): SectionStep | null };
  /** Whether two places may be one: what is done to the other may be done to the one that is looked at. Missing: they never are. */
  mayBeOne?(place: string, other: string): boolean;
  /** What a callee that nothing is known about is handed and may end or leave; `place`: what is looked at, "" for a pointer. Missing: nothing. */
  handed?(program: EffectProgram, call: CallNode, place: string): string | null;
  /** Missing: it may be used until its end. */
  readonly environment?: ObligationEnvironment;
  /** A reference fix that is no call at the end; `undo` takes it out of the fixed program. */
  readonly repair?: { readonly title: (name: string) => string; fix(program: EffectProgram): EffectProgram; undo(fixed: EffectProgram): EffectProgram };
  /** The call that ends it, as the reference fix adds it. */
  ending(name: string, begin: { readonly effect: BoundEffect; readonly call: CallNode }): { readonly shown: string; readonly effect: BoundEffect } | null;
  /** What a fix is called. */
  readonly fixTitle: (name: string) => string;
}

/** The call that began what is looked at. It is found again by its place: fixes renumber nothing, but copy nodes. */
export interface Site {
  readonly call: CallNode;
  readonly effect: BoundEffect;
}

export const isSite = (site: Site, call: CallNode): boolean => call.at === site.call.at && call.end === site.call.end && call.name === site.call.name;

export const pointee = (value: Value): Value => (value.kind === "unary" && value.operator === "&" ? value.of : value);

/** What the text calls the thing that a call begins; null: nothing names it. */
export function nameOf(role: Role & { does: "begin" }, call: CallNode): string | null {
  if (role.place !== null) return role.place;
  return role.received !== null && typeof role.received === "object" ? render(pointee(role.received.by)) : call.result;
}

/** The place that a role is about; null: a pointer says, or it is about none. */
export function placeOf(role: Role): string | null {
  if (role.does === "begin") return role.place;
  return "handle" in role && role.handle.by === "place" ? role.handle.place : null;
}
