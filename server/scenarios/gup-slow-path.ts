// SPDX-License-Identifier: GPL-2.0-only
import type { PureMeaning } from "../kernel/effect.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../program/program.ts";
import { namesIn } from "../program/render.ts";
import { asksForCow } from "../program/vma-flags.ts";
import { and, FALSE, not, or, TRUE, type Expression } from "../simulator/expression.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";
import { pointee } from "./obligation/obligation.ts";

/*
 * What the scenarios about GUP's own implementation share: `__get_user_pages()` is lifted; looking a page up and faulting
 * it in are steps of the scenario; the predicates that decide about a lookup are lifted too, as conditions.
 */

/** The steps that a scenario gives to the calls inside GUP. */
export interface GupSteps {
  /** `follow_page_mask()`, `follow_hugetlb_page()`: gives the page, or NULL where a fault is needed. */
  follow(path: "normal" | "hugetlb", flags: FlagWord, call: CallNode, lifting: Lifting): readonly LiftedStep[];
  /** `faultin_page()`. */
  fault(flags: FlagWord, call: CallNode, lifting: Lifting): readonly LiftedStep[];
}

/** The flag word that a call inside GUP is given. */
export interface FlagWord {
  readonly word: Value;
  bit(name: string): Expression;
}

/** Bits of the word that decide something here. */
const BITS = ["FOLL_WRITE", "FOLL_FORCE", "FOLL_COW"] as const;

/** The world of `__get_user_pages()`. `request`: flags that the caller passes; `path`: kind of mapping. */
export function gupWorld(steps: GupSteps, request: ReadonlySet<string>, path: "normal" | "hugetlb"): World {
  const word = (value: Value, lifting: Lifting): FlagWord => ({
    word: pointee(value),
    // A bit that the text does not determine is one that the caller did not ask for.
    bit: (name) => lifting.flag(pointee(value), name) ?? (request.has(name) ? TRUE : FALSE),
  });
  return {
    sees: (effect) => effect.kind === "gupFollow" || effect.kind === "gupFault",
    reads: () => [],
    readsFlags: (effect) =>
      effect.kind === "gupFollow" || effect.kind === "gupFault" ? BITS.map((bit) => ({ word: pointee(effect.flags), bit })) : [],
    refine(effect: BoundEffect, call: CallNode, lifting: Lifting) {
      if (effect.kind === "gupFollow") return steps.follow(effect.path, word(effect.flags, lifting), call, lifting);
      if (effect.kind === "gupFault") return steps.fault(word(effect.flags, lifting), call, lifting);
      return [];
    },
    place: (value) => {
      if (value.kind === "call" && value.name === "check_vma_flags") return 0;
      // The mapping of these scenarios is a COW mapping, however the code asks for it.
      const cow = asksForCow(value);
      return cow === null ? null : cow ? 1 : 0;
    },
    meaning: (pure: PureMeaning) => (pure.meaning === "hugetlb-vma" ? (path === "hugetlb" ? TRUE : FALSE) : pure.meaning === "cow-mapping" ? TRUE : null),
    parameter: (name, bit) => (bit === null ? (name === "tsk" || name === "mm" ? 1 : null) : name === "gup_flags" ? (request.has(bit) ? 1 : 0) : null),
  };
}

/** State that the predicates about an entry read. */
export interface EntryBits {
  readonly writable: Expression;
  readonly dirty: Expression;
}

/**
 * `can_follow_write_pte(pte, flags)` as an expression over the model, from the text of the patch; null where the text
 * asks for something that the model has not.
 */
export function followPredicate(value: Value, entry: EntryBits, flags: FlagWord): Expression | null {
  const again = (inner: Value): Expression | null => followPredicate(inner, entry, flags);
  switch (value.kind) {
    case "number":
      return value.value === 0 ? FALSE : TRUE;
    case "unary":
      return value.operator === "!" ? map(again(value.of), (of) => not(of)) : null;
    case "call":
      if (/^(?:pte|pmd)_write$/.test(value.name)) return entry.writable;
      if (/^(?:pte|pmd)_dirty$/.test(value.name)) return entry.dirty;
      return /^(?:un)?likely$/.test(value.name) && value.args[0] ? again(value.args[0]) : null;
    case "conditional": {
      const [condition, then, otherwise] = [again(value.condition), value.then && again(value.then), again(value.otherwise)];
      return condition && then && otherwise && or(and(condition, then), and(not(condition), otherwise));
    }
    case "binary": {
      if (value.operator === "&") {
        const bit = namesIn(value).find((name) => name.startsWith("FOLL_"));
        return bit === undefined ? null : flags.bit(bit);
      }
      const [left, right] = [again(value.left), again(value.right)];
      if (!left || !right) return null;
      return value.operator === "&&" ? and(left, right) : value.operator === "||" ? or(left, right) : null;
    }
    default:
      return null;
  }
}

const map = (value: Expression | null, change: (value: Expression) => Expression): Expression | null => (value === null ? null : change(value));

/** The upstream predicate of the forced break: writable, or dirty after this call's own COW cycle (17839856fd58). */
export const upstreamPredicate = (entry: EntryBits, flags: FlagWord): Expression =>
  or(entry.writable, and(flags.bit("FOLL_COW"), entry.dirty));

/** GUP's slow path, in every release. */
export const SLOW_GUP = "__get_user_pages";

/** True where a program looks pages up by a flag word, as that path does. */
export const looksPagesUp = (program: EffectProgram): boolean =>
  program.nodes.some((node) => node.kind === "call" && node.effects.some((effect) => effect.kind === "gupFollow"));
