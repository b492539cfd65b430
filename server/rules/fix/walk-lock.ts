// SPDX-License-Identifier: GPL-2.0-only
import { statesAt, type AnalyzedFunction } from "../../analysis/unit.ts";
import type { LockClass } from "../../kernel/effect.ts";
import { nestsInside, spins } from "../../kernel/lock-order.ts";
import { pmdSharingLocks } from "../../kernel/pmd-sharing.ts";
import { atLeast, type Release } from "../../kernel/release.ts";
import { functionText, type FunctionText } from "../../program/statements.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { usedPointer } from "../../scenarios/hugetlb-walk.ts";
import type { Fix } from "../rule.ts";
import { withoutLeftovers } from "./leftovers.ts";
import { aroundSection, stretchAround } from "./section.ts";
import { argumentsAt, calleeAt, joined, removeStatement, replaced, replaceCallee, statementAt, type Edits } from "./statement-edits.ts";

/** A walk that nothing keeps the table of. */
export interface BareWalk {
  readonly program: EffectProgram;
  readonly walk: NodeId;
  readonly call: CallNode;
  /** The VMA in the function's own words. */
  readonly vma: string;
  readonly fn: AnalyzedFunction;
  readonly release: Release;
}

/** One section of the lock that the release has, from before the lookup to behind the last use. */
export function walkLockFixes(walk: BareWalk): readonly Fix[] {
  const fn = functionText(walk.program);
  if (!fn || !isOwn(walk.program, walk.call) || mayLockElsewhere(walk)) return [];
  const { walker } = pmdSharingLocks(walk.release);
  const object = walker.of === "mapping" ? `${walk.vma}->vm_file->f_mapping` : walk.vma;
  const [take, drop] = [walker.take.replace("%", object), walker.drop.replace("%", object)];
  const inside = [...usesOf(walk), ...innerSections(walk, walker.lock)];
  const sectionAround = (offsets: readonly number[]): Edits => {
    const stretch = stretchAround(fn, offsets);
    return stretch && isKnown(walk, stretch) ? aroundSection(fn, { inside: offsets, before: [`${take};`], after: [`${drop};`] }) : null;
  };
  // What the sections that are there protect stays protected: one section takes their place.
  const former = formerSections(walk, walker.lock);
  const merged = former.length === 0 ? null : joined(...former.map((node) => removed(fn, node)), sectionAround([...inside, ...former.map((node) => node.at)]));
  const asserting = atLeast(walk.release, "6.3") ? lookupWithAssertion(fn, walk) : null;
  const title = `Hold ${take} from before the lookup to after the last use`;
  const asserted = `${title}, and look up with hugetlb_walk()`;
  const plain = sectionAround(inside);
  const ways: readonly (readonly [string, Edits])[] = [
    [asserted, asserting && joined(plain, asserting)], [title, plain],
    [asserted, asserting && joined(merged, asserting)], [title, merged],
  ];
  return ways.flatMap(([words, edits], index) => {
    const all = withoutLeftovers(fn, edits);
    return all ? [{ title: words, edits: all, ...(index > 0 ? { isFallback: true as const } : {}) }] : [];
  });
}

/** A callee that is not known and gets the VMA may take the lock: to take it twice is a deadlock. */
const mayLockElsewhere = ({ program, vma }: BareWalk): boolean =>
  program.nodes.some((node) => node.kind === "call" && node.knowledge === "unknown" && node.args.some((arg) => render(arg) === vma));

const isOwn = (program: EffectProgram, call: CallNode): boolean => call.inlined === undefined && call.at >= program.start && call.at < program.end;

function removed(fn: FunctionText, node: CallNode): Edits {
  const statement = statementAt(fn, node.at);
  return statement?.kind === "simple" && statement.at === node.at ? removeStatement(fn, statement) : null;
}

/** The lookup, and whatever goes through its pointer, or may. */
function usesOf({ program, call, walk, fn }: BareWalk): readonly number[] {
  const isUse = (node: CallNode, id: NodeId): boolean => {
    const handed = node.knowledge === "quiet" ? [] : node.args.map(render);
    const used = node.effects.flatMap((effect) => usedPointer(effect) ?? []).map(render);
    // A pointer that was looked up again is another one, whatever its name.
    return statesAt(fn, id).some(({ state }) => [...used, ...handed].some((pointer) => state.walks.get(pointer)?.walk === walk));
  };
  const uses = program.nodes.flatMap((node, id) => (node.kind === "call" && isOwn(program, node) && isUse(node, id) ? [node.at] : []));
  return [call.at, ...uses];
}

/** Sections around the walk that the lock must not be taken in: those that must not sleep, and locks that come after it in the order. */
function innerSections({ program, fn, walk }: BareWalk, lock: LockClass): readonly number[] {
  const states = statesAt(fn, walk).map(({ state }) => state);
  const reasons = new Set(states.flatMap((state) => state.atomic.map((one) => one.reason)));
  const inner = new Set(states.flatMap((state) => state.held.filter((held) => held.taken && (nestsInside(held.lock, lock) || spins(held.lock))).map((held) => held.lock)));
  const isEnd = (effect: BoundEffect): boolean =>
    effect.kind === "enterAtomic" || effect.kind === "leaveAtomic" ? reasons.has(effect.reason) : (effect.kind === "acquire" || effect.kind === "release") && inner.has(effect.lock);
  return program.nodes.flatMap((node) => (node.kind === "call" && isOwn(program, node) && node.effects.some(isEnd) ? [node.at] : []));
}

/** Calls that take or give up the same kind of lock in the function as it stands. */
const formerSections = ({ program }: BareWalk, lock: string): readonly CallNode[] =>
  program.nodes.filter(
    (node): node is CallNode =>
      node.kind === "call" && isOwn(program, node) && node.result === null && node.effects.some((effect) => (effect.kind === "acquire" || effect.kind === "release") && effect.lock === lock),
  );

/** True where the VMA has its value in front of the stretch, and keeps it. */
function isKnown({ program, vma }: BareWalk, { start, end }: { readonly start: number; readonly end: number }): boolean {
  const [name] = vma.match(/^\w+/) ?? [""];
  const variable = program.variables.get(name);
  if (!variable) return false;
  const given = program.nodes.flatMap((node) => {
    const target = node.kind === "assign" ? render(node.target) : node.kind === "call" ? node.result : null;
    return target !== null && (target === name || target === vma) && node.kind !== "exit" && "at" in node ? [node.at] : [];
  });
  if (given.some((at) => at >= start && at < end) || isAskedAbout(program, vma, { start, end })) return false;
  return variable.isParameter || given.some((at) => at < start);
}

/** True where the stretch asks whether there is a VMA, or one of hugetlb: its lock cannot be taken before the answer. */
function isAskedAbout({ nodes }: EffectProgram, vma: string, { start, end }: { readonly start: number; readonly end: number }): boolean {
  return nodes.some((node) => {
    if (node.kind !== "branch" || node.at < start || node.at >= end) return false;
    const { condition } = node;
    if (condition.kind === "binary") return /^[!=]=$/.test(condition.operator) && [condition.left, condition.right].some((side) => render(side) === vma);
    return render(condition) === vma || (condition.kind === "call" && condition.name.includes("hugetlb") && condition.args.some((arg) => render(arg) === vma));
  });
}

function lookupWithAssertion(fn: FunctionText, { call, vma }: BareWalk): Edits {
  const at = calleeAt(fn, call);
  const args = argumentsAt(fn, at)?.args ?? [];
  const first = args[0];
  if (!fn.code.startsWith("huge_pte_offset", at) || args.length !== 3 || !first) return null;
  return joined(replaceCallee(fn, at, "hugetlb_walk"), [replaced(first.at, first.end, vma)]);
}
