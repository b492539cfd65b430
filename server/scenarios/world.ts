// SPDX-License-Identifier: GPL-2.0-only
import type { PureMeaning } from "../kernel/effect.ts";
import type { Value } from "../program/code.ts";
import type { AssignNode, BoundEffect, CallNode, EffectProgram, ReturnNode, UnseenNode } from "../program/program.ts";
import type { StepPart, ThreadBuilder } from "../simulator/build.ts";
import type { Expression, Operand } from "../simulator/expression.ts";
import type { Assignment, Check } from "../simulator/model.ts";

/** What kind of thing a C value is to the model. Scalars are only ever zero or not zero. */
export type ValueKind = "entry" | "folio" | "pointer" | "scalar";

/** What the steps of an effect can ask of the lifting. */
export interface Lifting {
  readonly program: EffectProgram;
  readonly thread: ThreadBuilder;
  /** The value of an expression in the model, or null where nothing is known of it. */
  translate(value: Value): Expression | null;
  /** The number that an expression is, where the world counts; else null. */
  number(value: Value): Expression | null;
  /** Effect of giving a variable a value; nothing where the slice does not track the variable. */
  set(key: string | null, value: Operand): readonly Assignment[];
  /** A label that belongs to the node being lifted. */
  label(name: string): string;
  /** The bit of a flag word as it stands before the call. */
  flag(word: Value, bit: string): Expression | null;
}

/** One atomic step that an effect unfolds into. */
export interface LiftedStep extends StepPart {
  /** Missing: the source text of the call. */
  readonly text?: string;
  readonly hidden?: boolean;
  /** Label to put before the step. */
  readonly label?: string;
}

/**
 * A scenario's view of the code: which effects it sees, what they do to its objects, and what conditions mean on them.
 * Everything that it does not see is sliced away.
 */
export interface World {
  /** True where the effect does something to the objects of the scenario. */
  sees(effect: BoundEffect, call: CallNode): boolean;
  /** The atomic steps of an effect that it sees, refined by Target. */
  refine(effect: BoundEffect, call: CallNode, lifting: Lifting): readonly LiftedStep[];
  /** Values that the effect reads when it happens: the slice keeps what decides them. */
  reads(effect: BoundEffect, call: CallNode): readonly Value[];
  /** Flag bits that the effect reads. */
  readsFlags?(effect: BoundEffect, call: CallNode): readonly { readonly word: Value; readonly bit: string }[];
  /** The model's object behind a C place such as `*src_pte` or `vma->vm_flags & VM_MAYSHARE`; null: not modelled. */
  place(value: Value): Operand | null;
  /** What a pure call means on the objects; null: not modelled. */
  meaning(pure: PureMeaning, args: readonly Value[], translate: (value: Value) => Expression | null): Expression | null;
  /**
   * A comparison of values that mean more to the scenario than zero or not: how many pages a pin got, a second look at
   * an entry. null: decided as any other comparison is.
   */
  compare?(of: Value & { kind: "binary" }, translate: (value: Value) => Expression | null): Expression | null;
  /**
   * True for a variable whose value is a number that matters exactly: how many pages a call took, which element of an array
   * is meant. The model follows such numbers as signed bytes through assignments, sums and comparisons.
   */
  counts?(key: string): boolean;
  /** Numbers that one may be where the text does not tell; `assumed`: why that is no more than a guess. Missing: 0 or -1, assumed. */
  unknownNumbers?(key: string): readonly { readonly value: number; readonly assumed?: string }[];
  /** The number behind an expression that is not made of such variables and literals; null: not known. */
  number?(value: Value, numberOf: (value: Value) => Expression | null): Operand | null;
  /** A call whose body is not known and that is handed something the scenario cares about: null, or its steps. */
  unknownCall?(call: CallNode, lifting: Lifting): readonly LiftedStep[] | null;
  /** What code that is not visible did to the scenario's objects; missing: nothing. */
  unseen?(where: UnseenNode["where"], lifting: Lifting): readonly LiftedStep[];
  /**
   * True where a condition (or a value that may become one) is about the scenario's objects: if the lifting cannot
   * read it, either outcome is an assumption. `names`: variables whose values are about them. Missing: flag words are.
   */
  decidedBy?(value: Value, names: ReadonlySet<string>): boolean;
  /** What a callee that nothing is known about is handed and may lock, unlock or change, as text; null: nothing. */
  handed?(call: CallNode): string | null;
  /** The value of a pointer after a step (`pte++`, `pte += n`); null or missing: it stays what it points into. */
  moved?(node: AssignNode, before: Expression): Expression | null;
  /** Variables that are not followed: what hangs on them is not decided. Missing: none. */
  hides?(key: string): boolean;
  /** The step of a node that gives a variable an object which the scenario follows from then on; null: any other node. */
  origin?(node: CallNode | AssignNode, lifting: Lifting): LiftedStep | null;
  /** What must hold at every return (null: at the end of the function). Missing: nothing. */
  leaving?(at: ReturnNode | null, lifting: Lifting): readonly Check[];
  /** True where `leaving` asks what is returned. */
  readonly readsReturns?: boolean;
  /** True for a condition that is decided and gets a row all the same: its outcome is what the scenario is about. Missing: none is. */
  shows?(condition: Value): boolean;
  /** Initial value of a parameter, where the scenario fixes it. */
  parameter?(name: string, bit: string | null): number | null;
}
