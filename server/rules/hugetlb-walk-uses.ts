// SPDX-License-Identifier: GPL-2.0-only
import type { State, WalkOrigin } from "../analysis/state.ts";
import { namesOfVma, vmaOfWalk } from "../analysis/mapping.ts";
import { isSafe } from "../analysis/protection.ts";
import { statesAt, type AnalyzedFunction, type CallingContext } from "../analysis/unit.ts";
import { architectureRows } from "../kernel/architecture.ts";
import { pmdSharingLocks } from "../kernel/pmd-sharing.ts";
import type { Release } from "../kernel/release.ts";
import { DEREFERENCE, type BoundEffect, type CallNode, type EffectProgram, type NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import type { Experiment } from "../scenarios/experiment.ts";
import { freeingAxes, type FreeingAxis } from "../scenarios/hugetlb-sharing.ts";
import { usedPointer, walksCurrentMm, type WalkFocus, type WalkKind as ExploredKind } from "../scenarios/hugetlb-walk.ts";
import { prove, type Proof } from "../scenarios/prove.ts";
import { isUnshare } from "../scenarios/unshare-world.ts";
import { asksCaller, linesAboveAreUnseen, onlyVma } from "./hugetlb-callers.ts";
import { unknownSection } from "./unknown-section.ts";
import type { BareWalk } from "./fix/walk-lock.ts";
import type { Candidate, Fix, Site, Standing } from "./rule.ts";
import { placeOf } from "./rule.ts";

/*
 * Uses of a hugetlb walk's pointer that nothing protects. One site belongs to one rule: an allocation, a lock that is taken
 * where only RCU or disabled interrupts keep the table, a table that is unshared, and everything else.
 */

/** A use of a walk's pointer while nothing keeps its table. */
export interface Use {
  readonly call: CallNode;
  readonly context: CallingContext;
  readonly state: State;
  /** The pointer under the name that the use has for it. */
  readonly pointer: string;
  /** True where the callee is not known and may or may not use the entry. */
  readonly unknown: boolean;
  /** False where the lookup was protected and the protection ended before the use. */
  readonly fromStart: boolean;
  /** True where lines between lookup and use are not visible. */
  readonly hasGap: boolean;
  /** The lock of a caller, or of lines that are not visible, that the function gave up before the use. */
  readonly givenUp: WalkOrigin["givenUp"];
}

/** Which rule a walk belongs to. `unshare`: the pointer goes to huge_pmd_unshare(), which asks for more than a walk does. */
export type WalkKind = ExploredKind | "unshare";

/** Functions that are the walk: they hand the pointer on, their callers are what the rules are about. */
const WALKERS = new Set(["huge_pte_offset", "hugetlb_walk", "__hugetlb_walk"]);

/** True for functions that are the walk themselves. */
export const isWalker = (name: string): boolean => WALKERS.has(name);

type Walk = BoundEffect & { readonly kind: "hugetlbWalk" };

/** A walk of which some use is not protected. */
export interface UnprotectedWalk {
  readonly site: Site;
  readonly effect: Walk;
  readonly kind: WalkKind;
  /** The use that shows it best, of those that the kind is about. */
  readonly use: Use;
  readonly axes: readonly FreeingAxis[];
  /** True where a caller that is not visible may hold what is needed, or nobody knows what `section` does. */
  readonly asks: boolean;
  /** The function that is not known and opens a section around the walk; null where none does. */
  readonly section: string | null;
}

/** The walk of a site with the worst of its uses; null where nothing can go wrong, or nothing is walked. */
export function unprotectedWalk(site: Site): UnprotectedWalk | null {
  const { fn, call, node, effect, target } = site;
  if (effect.kind !== "hugetlbWalk" || call.result === null || isWalker(fn.program.name)) return null;
  const axes = sharingAxes(site);
  if (axes.length === 0) return null;
  const uses = usesOf(fn, node);
  const locks = uses.filter((use) => takesTableLock(use) && isInSection(use.state));
  const kind = ALLOCATES.test(call.name) ? "allocation" : locks.length > 0 ? "lock-in-section" : "lookup";
  const use = worst(kind === "lock-in-section" ? locks : uses);
  if (!use) return null;
  const section = unknownSection(fn.program, node);
  const asks = section !== null || asksCaller(fn.program, node, use, target.release);
  const isUnshared = uses.some(({ call: one }) => one.inlined === undefined && one.effects.some(isUnshare));
  return { site, effect, kind: isUnshared && !asks ? "unshare" : kind, use, axes, asks, section };
}

const ALLOCATES = /_alloc$/;

/** The ways in which the target frees page tables, where it shares them at all. */
export const sharingAxes = ({ fn, node, target }: Site): readonly FreeingAxis[] =>
  architectureRows(target).filter((row) => row.hugePmdShare).flatMap((row) => freeingAxes(row, walksCurrentMm(fn.program, node), target.release));

const takesTableLock = ({ call }: Use): boolean => call.effects.some(({ kind }) => kind === "ptlOf" || kind === "lockEntryTable");

const isInSection = (state: State): boolean => sectionOf(state) !== null;

/** The section that a walk without a lock may rely on. */
export const sectionOf = (state: State): "rcu" | "irq" | null => {
  const reasons = state.atomic.map(({ reason }) => reason);
  return reasons.includes("irq") ? "irq" : reasons.includes("rcu") ? "rcu" : null;
};

/** What a rule adds to a candidate. */
interface Told {
  readonly ruleId: string;
  readonly messageId: string;
  readonly data?: Candidate["data"];
  /** Where it is reported. Missing: at the lookup, or at the use where the lookup was protected. */
  readonly at?: "use";
  /** Edits that may mend it. Missing: none are known. */
  mends?(walk: BareWalk): readonly Fix[];
  /** Experiments to run at one point of the axis, in the order in which they are told. */
  experiments(focus: WalkFocus, axis: FreeingAxis): readonly Experiment[];
}

/** What is said about a walk that some use of is not protected. */
export function walkCandidate({ site, effect, kind, use, axes, asks }: UnprotectedWalk, told: Told): Candidate {
  const { fn, call, node, target } = site;
  const isPartial = linesAboveAreUnseen(fn.program, node);
  const vma = vmaOfWalk(effect);
  const focus: WalkFocus = {
    walk: node,
    kind: kind === "unshare" ? "lookup" : kind,
    vma,
    alsoNamed: vma === null ? null : namesOfVma(fn.program, vma),
    name: nameOfVma(fn.program, vma),
    callerHolds: callerLocks(use, asks, isPartial),
    unknownUses: use.unknown,
  };
  const ownVma = nameOfVma(fn.program, vma) ?? onlyVma(fn.program);
  // A lookup in a helper is shown where its caller goes wrong.
  const atLookup = told.at !== "use" && use.fromStart && call.inlined === undefined;
  // Whoever only wants to know whether a caller must be asked pays nothing for exploring.
  let ran: Shown | null = null;
  const shown = (): Shown => (ran ??= runAxes(fn.program, focus, axes, target.release, told));
  return {
    ruleId: told.ruleId,
    messageId: told.messageId,
    data: {
      function: fn.program.name,
      // The question is for whoever calls the outermost function that is visible.
      outermost: use.context.chain.at(-1)?.name ?? fn.program.name,
      locks: pmdSharingLocks(target.release).words,
      vma: ownVma ?? "the mapping",
      pointer: use.pointer,
      use: use.call.name === DEREFERENCE ? `*${use.pointer}` : `${use.call.name}()`,
      ...told.data,
      get condition() {
        return shown().condition;
      },
    },
    place: placeOf(fn.program, atLookup ? call : use.call),
    related: [
      { message: atLookup ? `${use.pointer} used here` : `${use.pointer} ${kind === "allocation" ? "comes from" : "looked up"} here`, place: placeOf(fn.program, atLookup ? use.call : call) },
      ...use.context.chain.map((caller) => ({
        message: `called from ${caller.name}()`,
        place: { program: caller.program, at: caller.at, end: caller.at + fn.program.name.length },
      })),
    ],
    prove: () => shown().proof,
    asked: (code) => askedOf(code, fn.program, focus, axes, told),
    // Whoever asks about callers does not know which of them hold the lock: to take it twice is a deadlock.
    ...(asks || ownVma === null || !told.mends ? {} : { fixes: () => told.mends?.({ program: fn.program, walk: node, call, vma: ownVma, fn, release: target.release }) ?? [] }),
    ...(asks ? { severity: "warning" as const } : {}),
    asks,
  };
}

/** Every point of the axes, for the walk where it now stands. */
function askedOf(code: Standing, found: EffectProgram, focus: WalkFocus, axes: readonly FreeingAxis[], told: Told): ReturnType<NonNullable<Candidate["asked"]>> {
  const [program, walk] = [code.program(found), code.node(found, focus.walk)];
  const call = program && walk !== null ? program.nodes[walk] : undefined;
  const effect = call?.kind === "call" ? call.effects.find((one) => one.kind === "hugetlbWalk") : undefined;
  if (!program || walk === null || effect?.kind !== "hugetlbWalk") return null;
  const vma = vmaOfWalk(effect);
  const there: WalkFocus = { ...focus, walk, vma, alsoNamed: vma === null ? null : namesOfVma(program, vma), name: nameOfVma(program, vma) };
  return axes.flatMap((axis) => told.experiments(there, axis).map((experiment) => ({ experiment, program })));
}

/** The function's own word for a place. */
export function nameOfVma(program: EffectProgram, place: string | null): string | null {
  for (const [name, value] of program.aliases ?? []) if (render(value) === place) return name;
  return place;
}

/** Uses of the walk's pointer that nothing protects, over all states and contexts. */
function usesOf(fn: AnalyzedFunction, walk: NodeId): Use[] {
  const uses: Use[] = [];
  const looked = fn.program.nodes[walk];
  fn.program.nodes.forEach((call, id) => {
    if (call.kind !== "call" || id === walk) return;
    // Lookup and use in the same helper: the helper is analyzed on its own, with its callers.
    if (call.inlined !== undefined && looked?.kind === "call" && looked.inlined !== undefined) return;
    const known = call.effects.flatMap((effect) => {
      const pointer = usedPointer(effect);
      return pointer ? [render(pointer)] : [];
    });
    const unknown = call.knowledge === "unknown" || call.knowledge === "defined-here" ? call.args.map(render) : [];
    if (known.length === 0 && unknown.length === 0) return;
    for (const { context, state } of statesAt(fn, id)) {
      for (const pointer of [...known, ...unknown]) {
        const origin = state.walks.get(pointer);
        if (!origin || origin.walk !== walk || isSafe(state, origin)) continue;
        uses.push({ call, context, state, pointer, unknown: !known.includes(pointer), fromStart: !origin.protectedAtWalk, hasGap: origin.hasGap, givenUp: origin.givenUp });
      }
    }
  });
  return uses;
}

/** A use that is certain before one that is not, a caller that is known before one that is not, then in order of text. */
function worst(uses: readonly Use[]): Use | null {
  const rank = (use: Use): number =>
    (use.unknown ? 8 : 0) + (use.hasGap || (use.state.callerUnknown && use.fromStart) ? 4 : 0) + (use.fromStart ? 0 : 2) + (use.call.inlined === undefined ? 0 : 1);
  return uses.toSorted((a, b) => rank(a) - rank(b) || a.call.at - b.call.at)[0] ?? null;
}

/** Locks that a visible caller holds over the call; where none is visible, mmap_lock for read is assumed. */
function callerLocks(use: Use, asks: boolean, isPartial: boolean): WalkFocus["callerHolds"] {
  const unseen = isPartial ? "not shown" : "any caller";
  if (use.givenUp) return [{ ...use.givenUp, by: unseen, isGivenUp: true }];
  const by = use.context.chain[0]?.name;
  if (by === undefined) return asks ? [{ lock: "mmap_lock", mode: "read", by: unseen }] : [];
  const entry = use.context.interpretation.before[use.context.interpretation.program.entry]?.[0];
  return (entry?.held ?? []).flatMap((held) =>
    held.lock === "mmap_lock" ? [{ lock: held.lock, mode: held.mode === "write" ? ("write" as const) : ("read" as const), by: `${by}()` }] : [],
  );
}

interface Shown {
  /** First words of the message where only a setting that is not the default fails; else "". */
  readonly condition: string;
  readonly proof: Proof | null;
}

/** States that one run may cost. */
const SMALL = 300_000;

/** Runs every point of the axes; the default comes first, and what needs another one says so. */
function runAxes(program: EffectProgram, focus: WalkFocus, axes: readonly FreeingAxis[], release: Release, told: Told): Shown {
  const runs = axes.map((axis) => ({ axis, proof: firstFailing(told.experiments(focus, axis), program, release) }));
  const failing = runs.filter(({ proof }) => proof?.verdict === "fail");
  const chosen = failing.find(({ axis }) => axis.isDefault) ?? failing[0] ?? runs[0];
  const needs = chosen && failing.length > 0 && !chosen.axis.isDefault && runs.some(({ axis, proof }) => axis.isDefault && proof?.verdict !== "fail");
  const conditional = chosen !== undefined && failing.length > 0 && failing.length < runs.length && (needs || !runs.some(({ axis }) => axis.isDefault) && firstPasses(runs));
  const also = failing.length > 0 && failing.length < runs.length ? `; ${axesNote(runs)}` : "";
  return {
    condition: conditional ? `only on ${chosen.axis.phrase}: ` : "",
    proof: chosen?.proof ? { ...chosen.proof, bounds: chosen.proof.bounds + also } : null,
  };
}

/** The first experiment that fails; where none does, what the first one showed. */
function firstFailing(experiments: readonly Experiment[], program: EffectProgram, release: Release): Proof | null {
  let first: Proof | null = null;
  for (const experiment of experiments) {
    const proof = prove(experiment, program, release, SMALL);
    if (proof.verdict === "fail") return proof;
    first ??= proof;
  }
  return first;
}

interface Run {
  readonly axis: FreeingAxis;
  readonly proof: Proof | null;
}

/** The plain form of the architecture does not fail, so what fails needs a condition. */
const firstPasses = (runs: readonly Run[]): boolean => runs[0]?.proof?.verdict !== "fail";

const axesNote = (runs: readonly Run[]): string =>
  `fails on ${runs.filter(({ proof }) => proof?.verdict === "fail").map(({ axis }) => axisPhrase(axis)).join("; ")}; not on ${runs
    .filter(({ proof }) => proof?.verdict !== "fail")
    .map(({ axis }) => axisPhrase(axis))
    .join("; ")}`;

const axisPhrase = ({ phrase, unverified }: FreeingAxis): string => (unverified === "" ? phrase : `${phrase} (not verified)`);
