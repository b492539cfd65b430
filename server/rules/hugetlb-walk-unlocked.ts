// SPDX-License-Identifier: GPL-2.0-only
import type { State, WalkOrigin } from "../analysis/state.ts";
import { namesOfVma, vmaOfWalk } from "../analysis/mapping.ts";
import { isSafe } from "../analysis/protection.ts";
import { statesAt, type AnalyzedFunction, type CallingContext } from "../analysis/unit.ts";
import { architectureRows } from "../kernel/architecture.ts";
import { pmdSharingLocks } from "../kernel/pmd-sharing.ts";
import type { Target } from "../kernel/target.ts";
import { DEREFERENCE, type CallNode, type EffectProgram, type NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import { freeingAxes, type FreeingAxis } from "../scenarios/hugetlb-sharing.ts";
import { hugetlbUnshareUaf, usedPointer, walksCurrentMm, type WalkFocus } from "../scenarios/hugetlb-unshare-uaf.ts";
import { prove, type Proof } from "../scenarios/prove.ts";
import { asksCaller, isAnswered, linesAboveAreUnseen, onlyVma } from "./hugetlb-callers.ts";
import { walkLockFixes } from "./fix/walk-lock.ts";
import type { Candidate, Rule, Site, Standing } from "./rule.ts";
import { placeOf } from "./rule.ts";

/** A use of a walk's pointer while nothing keeps its table. */
interface Use {
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

const ALLOCATES = /_alloc$/;

/** Functions that are the walk: they hand the pointer on, their callers are what the rule is about. */
const WALKERS = new Set(["huge_pte_offset", "hugetlb_walk", "__hugetlb_walk"]);

export const hugetlbWalkUnlocked: Rule = {
  meta: {
    id: "hugetlb-walk-unlocked",
    title: "hugetlb page-table walk without a lock that keeps shared PMD tables",
    severity: "error",
    since: "2.6.20",
    until: null,
    why:
      "A MAP_SHARED hugetlb mapping may share its PMD table with other processes. " +
      "Hole punch, truncation and rmap unshare it with the hugetlb vma lock and i_mmap_rwsem held for write, without mmap_lock; " +
      "the last other user then frees the table under whoever walks it with mmap_lock alone.",
    messages: {
      unlocked: "{condition}{function}() walks {vma} without {locks}: the PMD table can be unshared and freed before {use}",
      released: "{condition}{function}() uses {pointer} after giving up the lock that kept its PMD table: the table can be unshared and freed before {use}",
      question: "{condition}{function}() walks {vma} as its caller left it: does every caller of {outermost}() hold {locks}? Otherwise the PMD table can be unshared and freed before {use}",
      unseen: "{condition}{function}() walks {vma}, and the lines of {function}() above this hunk are not shown: do they hold {locks}? Otherwise the PMD table can be unshared and freed before {use}",
    },
    offersEdits: true,
    scenarios: ["hugetlb-unshare-uaf"],
    sources: [
      { thread: "Re: [PATCH RFC v2 00/12] mm/hugetlb: Make huge_pte_offset() thread-safe for pmd unshare", who: "Peter Xu", date: "2022-11-25", link: null },
    ],
  },
  effects: ["hugetlbWalk"],
  seesInlined: true,
  *check(site: Site): Iterable<Candidate> {
    const { fn, call, node, effect, target } = site;
    if (effect.kind !== "hugetlbWalk" || call.result === null || WALKERS.has(fn.program.name)) return;
    const axes = architectureRows(target).filter((row) => row.hugePmdShare).flatMap((row) => freeingAxes(row, walksCurrentMm(fn.program, node)));
    const use = worst(usesOf(fn, node));
    if (!use || axes.length === 0) return;
    // An allocation is no lockless walk: where it asks about callers that are not visible, it would ask everywhere.
    const asks = asksCaller(fn.program, node, use, target.release);
    // What the function itself answers is put to its callers only where a whole tree is at hand.
    if (asks && (ALLOCATES.test(call.name) || (!site.unit.follow && isAnswered(fn.program, node, use)))) return;
    const vma = vmaOfWalk(effect);
    yield candidate(this.meta.id, site, use, vma, axes, asks);
  },
};

function candidate(ruleId: string, site: Site, use: Use, vma: string | null, axes: readonly FreeingAxis[], asks: boolean): Candidate {
  const { fn, call, node, target } = site;
  const isPartial = linesAboveAreUnseen(fn.program, node);
  const focus: WalkFocus = { walk: node, vma, alsoNamed: vma === null ? null : namesOfVma(fn.program, vma), name: nameOf(fn.program, vma), callerHolds: callerLocks(use, asks, isPartial), unknownUses: use.unknown };
  const ownVma = nameOf(fn.program, vma) ?? onlyVma(fn.program);
  // A lookup in a helper is shown where its caller goes wrong.
  const atLookup = use.fromStart && call.inlined === undefined;
  // Whoever only wants to know whether a caller must be asked pays nothing for exploring.
  let ran: Shown | null = null;
  const shown = (): Shown => (ran ??= runAxes(fn.program, focus, axes, target));
  return {
    ruleId,
    messageId: asks ? (isPartial || use.hasGap ? "unseen" : "question") : use.fromStart ? "unlocked" : "released",
    data: {
      function: fn.program.name,
      // The question is for whoever calls the outermost function that is visible.
      outermost: use.context.chain.at(-1)?.name ?? fn.program.name,
      locks: pmdSharingLocks(target.release).words,
      vma: ownVma ?? "the mapping",
      pointer: use.pointer,
      use: use.call.name === DEREFERENCE ? `*${use.pointer}` : `${use.call.name}()`,
      get condition() {
        return shown().condition;
      },
    },
    place: placeOf(fn.program, atLookup ? call : use.call),
    related: [
      { message: atLookup ? `${use.pointer} used here` : `${use.pointer} looked up here`, place: placeOf(fn.program, atLookup ? use.call : call) },
      ...use.context.chain.map((caller) => ({
        message: `called from ${caller.name}()`,
        place: { program: caller.program, at: caller.at, end: caller.at + fn.program.name.length },
      })),
    ],
    prove: () => shown().proof,
    asked: (code) => askedOf(code, fn.program, focus, axes, target),
    // Whoever asks about callers does not know which of them hold the lock: to take it twice is a deadlock.
    ...(asks || ownVma === null ? {} : { fixes: () => walkLockFixes({ program: fn.program, walk: node, call, vma: ownVma, fn, release: target.release }) }),
    ...(asks ? { severity: "warning" as const } : {}),
    asks,
  };
}

const SMALL = 300_000;

/** Every point of the axes, for the walk where it now stands. */
function askedOf(code: Standing, found: EffectProgram, focus: WalkFocus, axes: readonly FreeingAxis[], target: Target): ReturnType<NonNullable<Candidate["asked"]>> {
  const [program, walk] = [code.program(found), code.node(found, focus.walk)];
  const call = program && walk !== null ? program.nodes[walk] : undefined;
  const effect = call?.kind === "call" ? call.effects.find((one) => one.kind === "hugetlbWalk") : undefined;
  if (!program || walk === null || effect?.kind !== "hugetlbWalk") return null;
  const vma = vmaOfWalk(effect);
  const there: WalkFocus = { ...focus, walk, vma, alsoNamed: vma === null ? null : namesOfVma(program, vma), name: nameOf(program, vma) };
  return axes.map((axis) => ({ experiment: hugetlbUnshareUaf(there, axis, target.release), program }));
}

/** The function's own word for a place. */
function nameOf(program: EffectProgram, place: string | null): string | null {
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

/** Runs every point of the axes; the default comes first, and what needs another one says so. */
function runAxes(program: EffectProgram, focus: WalkFocus, axes: readonly FreeingAxis[], target: Target): Shown {
  const runs = axes.map((axis) => ({ axis, proof: prove(hugetlbUnshareUaf(focus, axis, target.release), program, target.release, SMALL) }));
  const failing = runs.filter(({ proof }) => proof.verdict === "fail");
  const chosen = failing.find(({ axis }) => axis.isDefault) ?? failing[0] ?? runs[0];
  const needs = chosen && failing.length > 0 && !chosen.axis.isDefault && runs.some(({ axis, proof }) => axis.isDefault && proof.verdict !== "fail");
  const conditional = chosen !== undefined && failing.length > 0 && failing.length < runs.length && (needs || !runs.some(({ axis }) => axis.isDefault) && firstPasses(runs));
  const also = failing.length > 0 && failing.length < runs.length ? `; ${axesNote(runs)}` : "";
  return {
    condition: conditional ? `only on ${chosen.axis.phrase}: ` : "",
    proof: chosen ? { ...chosen.proof, bounds: chosen.proof.bounds + also } : null,
  };
}

/** The plain form of the architecture does not fail, so what fails needs a condition. */
const firstPasses = (runs: readonly { proof: Proof }[]): boolean => runs[0]?.proof.verdict !== "fail";

const axesNote = (runs: readonly { axis: FreeingAxis; proof: Proof }[]): string =>
  `fails on ${runs.filter(({ proof }) => proof.verdict === "fail").map(({ axis }) => axisPhrase(axis)).join("; ")}; not on ${runs
    .filter(({ proof }) => proof.verdict !== "fail")
    .map(({ axis }) => axisPhrase(axis))
    .join("; ")}`;

const axisPhrase = ({ phrase, unverified }: FreeingAxis): string => (unverified === "" ? phrase : `${phrase} (not verified)`);
