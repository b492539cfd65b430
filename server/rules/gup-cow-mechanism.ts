// SPDX-License-Identifier: GPL-2.0-only
import type { Unit } from "../analysis/unit.ts";
import type { FunctionCode, Value } from "../program/code.ts";
import { returnedValue } from "../program/helper-body.ts";
import { successors, type AssignNode, type CallNode, type EffectProgram, type NodeId } from "../program/program.ts";
import { reachableBy } from "../program/reach.ts";
import { namesIn, render } from "../program/render.ts";
import { flagAtom, truthFor, type Atoms } from "../program/truth-table.ts";
import { asksForCow } from "../program/vma-flags.ts";
import { looksPagesUp, SLOW_GUP } from "../scenarios/gup-slow-path.ts";

/*
 * The forced COW break of 17839856fd58 (5.8, stable 4.4 to 5.7) as a patch shows it. Everything that the two rules about
 * it judge is found here once: the predicate, the places where it sets the bit, the words that lookups get, and the
 * predicates that accept a page.
 */

/** A helper that returns a condition. */
export interface Helper {
  readonly code: FunctionCode;
  readonly program: EffectProgram;
  readonly value: Value;
}

/** `word |= FOLL_WRITE` under the predicate. */
export interface Forcing {
  readonly node: NodeId;
  readonly assign: AssignNode;
  readonly target: string;
}

/** A call that looks a page up by a flag word. */
export interface Lookup {
  readonly node: NodeId;
  readonly call: CallNode;
  readonly word: Value;
}

/** The slow path, as far as the patch shows it. */
export interface SlowPath {
  readonly program: EffectProgram;
  readonly forcings: readonly Forcing[];
  readonly normal: Lookup | null;
  readonly hugetlb: Lookup | null;
  /** The label of the retry loop. */
  readonly retry: NodeId | null;
}

export interface CowMechanism {
  readonly force: Helper;
  readonly slow: SlowPath | null;
  readonly follow: readonly Helper[];
}

const FORCE = "should_force_cow_break";
const FOLLOW = ["can_follow_write_pte", "can_follow_write_pmd"];

/** The mechanism in one side of a patch; null where the side has no predicate that forces the break. */
export function cowMechanismOf(unit: Unit): CowMechanism | null {
  const force = helperIn(unit, FORCE);
  if (!force) return null;
  const slow = slowProgramsOf(unit).find((program) => forcingsOf(program).length + lookupsOf(program).length > 0);
  return {
    force,
    slow: slow ? slowPathOf(slow) : null,
    follow: FOLLOW.flatMap((name) => helperIn(unit, name) ?? []),
  };
}

/** Slow paths that a side shows, with or without a predicate. */
export const slowPathsOf = (unit: Unit): SlowPath[] => slowProgramsOf(unit).map(slowPathOf);

const slowProgramsOf = (unit: Unit): readonly EffectProgram[] => unit.named(SLOW_GUP).filter(looksPagesUp);

/** A helper of this name in a side, where it is one expression. */
export function helperIn(unit: Unit, name: string): Helper | null {
  const code = unit.definitions.get(name);
  const value = code && returnedValue(code.body);
  const [program] = value ? unit.named(name) : [];
  return code && program && value ? { code, program, value } : null;
}

function slowPathOf(program: EffectProgram): SlowPath {
  const lookups = lookupsOf(program);
  const retry = program.nodes.findIndex((node) => node.kind === "label" && node.name === "retry");
  return {
    program,
    forcings: forcingsOf(program),
    normal: lookups.find((lookup) => lookup.call.effects.some((effect) => effect.kind === "gupFollow" && effect.path === "normal")) ?? null,
    hugetlb: lookups.find((lookup) => lookup.call.effects.some((effect) => effect.kind === "gupFollow" && effect.path === "hugetlb")) ?? null,
    retry: retry < 0 ? null : retry,
  };
}

const forcingsOf = (program: EffectProgram): Forcing[] =>
  program.nodes.flatMap((assign, node) =>
    assign.kind === "assign" && assign.at >= 0 && assign.value && namesIn(assign.value).includes("FOLL_WRITE") && (assign.operator === "|=" || assign.operator === "=")
      ? [{ node, assign, target: render(assign.target) }]
      : [],
  );

const lookupsOf = (program: EffectProgram): Lookup[] =>
  program.nodes.flatMap((call, node) => {
    if (call.kind !== "call") return [];
    const effect = call.effects.find((one) => one.kind === "gupFollow");
    if (effect?.kind !== "gupFollow") return [];
    // The signature changed within releases: the flag word is the argument that is called so.
    const word = call.args.find((arg) => arg.kind === "name" && arg.name.endsWith("flags")) ?? effect.flags;
    return [{ node, call, word }];
  });

/** What a lookup is about, as far as conditions can ask. */
export interface Circumstances {
  readonly cow: boolean;
  readonly hugetlb: boolean;
  readonly flags: readonly string[];
}

/** Conditions about the mapping and the flag word; null: about something else. */
const atomsOf = ({ cow, hugetlb, flags }: Circumstances, isWord: (word: Value) => boolean): Atoms => (value) => {
  const asked = asksForCow(value);
  if (asked !== null) return asked === cow;
  if (value.kind === "call" && value.name === "is_vm_hugetlb_page") return hugetlb;
  return flagAtom(value, isWord, (flag) => flags.includes(flag));
};

/** Words that are the flag word of the lookup (or the caller's, from which it is made). */
const isFlagWord = (word: Value): boolean => word.kind === "name" && word.name.endsWith("flags") && word.name !== "vm_flags";

/** Nodes that control reaches under the circumstances without passing one of the others; undecided tests go both ways. */
export function reachableWhen(
  program: EffectProgram,
  from: NodeId,
  circumstances: Circumstances,
  avoiding: ReadonlySet<NodeId>,
): ReadonlySet<NodeId> {
  const atoms = atomsOf(circumstances, isFlagWord);
  return reachableBy(program, from, avoiding, (node) => {
    const truth = node.kind === "branch" ? truthFor(node.condition, atoms) : null;
    return node.kind !== "branch" || truth === null ? successors(node) : [truth ? node.then : node.otherwise];
  });
}

/** Truth of the predicate that forces the break, for a mapping and a set of flags; null: it depends on something else. */
export const forces = (helper: Helper, cow: boolean, flags: readonly string[]): boolean | null =>
  truthFor(helper.value, atomsOf({ cow, hugetlb: false, flags }, isFlagWord));

/** Truth of a predicate that accepts an entry; null: it depends on something else. */
export const accepts = (helper: Helper, writable: boolean, dirty: boolean, flags: readonly string[]): boolean | null =>
  truthFor(helper.value, (value) => {
    if (value.kind === "call" && /^(?:pte|pmd)_write$/.test(value.name)) return writable;
    if (value.kind === "call" && /^(?:pte|pmd)_dirty$/.test(value.name)) return dirty;
    return flagAtom(value, isFlagWord, (flag) => flags.includes(flag));
  });

/** Tests that stand directly in front of a node: control comes from them to it through tests alone. */
export function guardsOf(program: EffectProgram, node: NodeId): ReadonlySet<NodeId> {
  const guards = new Set<NodeId>();
  const leads = (to: NodeId): boolean => {
    const target = program.nodes[to];
    return to === node || guards.has(to) || (target?.kind === "label" && target.name === null && leads(target.next));
  };
  for (let size = -1; size !== guards.size; ) {
    size = guards.size;
    program.nodes.forEach((one, id) => {
      if (one.kind === "branch" && (leads(one.then) || leads(one.otherwise))) guards.add(id);
    });
  }
  return guards;
}
