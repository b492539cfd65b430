// SPDX-License-Identifier: GPL-2.0-only
import type { Expression, Field } from "./expression.ts";

/** `target := value`; the target is a scalar field, or an element of an array field. */
export interface Assignment {
  readonly target: Field;
  readonly index: Expression | null;
  readonly value: Expression;
}

/** A bad state is an event on a step: evaluated before the effect; when `holds` is false the run ends there. */
export interface Check {
  readonly holds: Expression;
  /** Kebab-case property, for example `stale-secondary-mapping`, `uaf`, `sleep-in-atomic`. */
  readonly property: string;
  /** What went wrong, one sentence without a full stop. */
  readonly message: string;
}

/** One of the ways in which a step may be taken. One alternative = one transition. */
export interface Alternative {
  /** The step is enabled in this way when the guard is not 0. Missing: always. */
  readonly guard?: Expression;
  readonly effect?: readonly Assignment[];
  /** All checks are evaluated, in order, before the effect. */
  readonly checks?: readonly Check[];
  /** Label to go on at; missing: the next step; "END": the thread ends. */
  readonly to?: string;
  /** Said beside the step when this alternative is taken, for example `refused: -EAGAIN`. */
  readonly note?: string;
  /** Why this branch is possible although the code does not say so; shown with the verdict. Missing: the code justifies it. */
  readonly assumed?: string;
}

/** Where a step comes from in the document under review. */
export interface StepSource {
  /** 1-based document line; null for a line that only the tree shows, which has its place in the file instead. */
  readonly line: number | null;
  readonly file?: string | null;
  readonly fileLine?: number | null;
  readonly side: "old" | "new";
}

/** One atomic step: one transition of the state graph, one row on screen. */
export interface Step {
  /** One line for a reader: the statement of the code, or the action of the environment. */
  readonly text: string;
  /** null for environment steps and for steps that a template owns. */
  readonly source: StepSource | null;
  /** True for a step that the fix adds: a fixed model without these steps must fail again. */
  readonly isFix?: true;
  /** Bookkeeping that a reader does not want to see (jumps, register copies). */
  readonly hidden: boolean;
  readonly alternatives: readonly Alternative[];
  /** Lock fields that this step takes or gives up, for "held by" explanations. */
  readonly acquires?: readonly { readonly lock: Field; readonly name: string }[];
  readonly releases?: readonly { readonly lock: Field }[];
}

export interface ThreadSpec {
  readonly name: string;
  /** `review`: the code under review; `environment`: an adversary (may be dropped); `daemon`: an adversary that need not finish. */
  readonly role: "review" | "environment" | "daemon";
  readonly locals: readonly Field[];
  readonly steps: readonly Step[];
  /** Label -> index of the step it stands before (`steps.length` = end). */
  readonly labels: Readonly<Record<string, number>>;
}

/** A closed program: everything the explorer needs. Plain data. */
export interface Model {
  readonly name: string;
  readonly globals: readonly Field[];
  readonly threads: readonly ThreadSpec[];
  /**
   * Steps that must be taken somewhere in the explored graph, else a PASS is VACUOUS. Steps with the same `what` are one
   * obligation: one of them is enough.
   */
  readonly reach: readonly { readonly thread: number; readonly step: number; readonly what: string }[];
}
