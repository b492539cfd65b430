// SPDX-License-Identifier: GPL-2.0-only
import { namesOfVma } from "../analysis/mapping.ts";
import { heldMode, isSafe, saysPrivate } from "../analysis/protection.ts";
import type { State } from "../analysis/state.ts";
import type { CallingContext } from "../analysis/unit.ts";
import { nestsInside } from "../kernel/lock-order.ts";
import { pmdSharingLocks } from "../kernel/pmd-sharing.ts";
import type { Release } from "../kernel/release.ts";
import { runsUnderRmapWalk } from "../kernel/rmap-callback.ts";
import { successors, type CallNode, type EffectProgram, type NodeId, type ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import type { Experiment } from "../scenarios/experiment.ts";
import { isProved, prove, type Proof } from "../scenarios/prove.ts";
import { dropsMapping, unshareFlushedLate } from "../scenarios/unshare-flushed-late.ts";
import { unshareNotSynced } from "../scenarios/unshare-not-synced.ts";
import { flushesTlb, gatherOf, isUnshare, waitsForWalkers, type UnshareFocus } from "../scenarios/unshare-world.ts";
import { unshareWithoutLocks, type MissingLock } from "../scenarios/unshare-without-locks.ts";
import { asksCaller } from "./hugetlb-callers.ts";
import { nameOfVma, sharingAxes } from "./hugetlb-walk-uses.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";

/** States that one run may cost. */
const SMALL = 300_000;

/** huge_pmd_unshare() in a state in which locks are missing. */
interface Unlocked {
  readonly context: CallingContext;
  readonly state: State;
  readonly missing: readonly MissingLock[];
  /** True where a caller that is not visible may hold them. */
  readonly asks: boolean;
}

const WORDS: Readonly<Record<MissingLock["lock"], string>> = { hugetlb_vma_lock: "the hugetlb vma lock", i_mmap_rwsem: "i_mmap_rwsem" };

export const hugetlbUnshareLocking: Rule = {
  meta: {
    id: "hugetlb-unshare-locking",
    title: "hugetlb PMD table unshared without its locks, or flushed after them",
    severity: "error",
    since: "2.6.20",
    until: null,
    why:
      "Who walks a shared PMD table holds the hugetlb vma lock or i_mmap_rwsem: unsharing needs both for writing, so that no walker is left with a table that goes away and no process shares it anew. " +
      "CPUs still use the table until the TLB is flushed. Only i_mmap_rwsem keeps its last user from freeing it before that.",
    messages: {
      unlocked: "{function}() calls huge_pmd_unshare() without {missing} held for writing: {loses}",
      notSynced:
        "{condition}{function}() drops i_mmap_rwsem after huge_pmd_unshare() and before huge_pmd_unshare_flush(): the TLB flush waits for no walker, and GUP-fast can find what the last user of the PMD table puts there next",
      flushedLate: "{function}() drops i_mmap_rwsem after huge_pmd_unshare() and before a TLB flush: the last user of the PMD table can free it while CPUs still walk it",
    },
    scenarios: ["unshare-without-locks", "unshare-flushed-late", "unshare-not-synced"],
    sources: [
      { thread: "Re: [PATCH RFC v2 00/12] mm/hugetlb: Make huge_pte_offset() thread-safe for pmd unshare", who: "Peter Xu", date: "2022-11-25", link: null },
    ],
  },
  effects: ["unshareTable"],
  *check(site: Site): Iterable<Candidate> {
    const { effect, call, program } = site;
    if (!isUnshare(effect) || program.name.includes(call.name)) return;
    const vma = vmaOf(site);
    if (sharingAxes(site).length === 0 || site.states.every(({ state }) => saysPrivate(state, vma))) return;
    const missing = worst(unlocked(site, vma));
    // Callers that are not visible are asked where they can be followed, and nowhere else.
    if (missing && (!missing.asks || site.unit.follow)) yield withoutLocks(this.meta.id, site, vma, missing);
    if (missing === null) yield* flushedLate(this.meta.id, site, vma);
  },
};

/** The VMA of the call; null in the form that takes an mm only. */
const vmaOf = ({ effect }: Site): string | null => (effect.kind === "unshareTable" && effect.vma !== null ? render(effect.vma) : null);

function unlocked(site: Site, vma: string | null): Unlocked[] {
  const { states, fn, target } = site;
  const alsoNamed = vma === null ? null : namesOfVma(fn.program, vma);
  const locks = pmdSharingLocks(target.release).hasVmaLock ? (["hugetlb_vma_lock", "i_mmap_rwsem"] as const) : (["i_mmap_rwsem"] as const);
  return states.flatMap(({ context, state }): Unlocked[] => {
    if (saysPrivate(state, vma)) return [];
    const missing = locks.flatMap((lock): MissingLock[] => {
      const mode = heldMode(state, lock, { vma, alsoNamed });
      return mode === "write" ? [] : [{ lock, instead: mode }];
    });
    if (missing.length === 0) return [];
    const isKnown = !state.callerUnknown || walksUnprotected(site, context, state);
    const certain = isKnown ? missing : missing.filter((one) => isCertain(fn.program, state, one));
    const names = [fn.program.name, ...context.chain.map(({ name }) => name)];
    const asks = certain.length === 0 || names.some(runsUnderRmapWalk);
    return [{ context, state, missing: asks ? missing : certain, asks }];
  });
}

/**
 * True where no caller can hold the lock: the function waits for it itself, in the other mode, or for one that comes before it
 * in the documented order. The reverse map tries only: there i_mmap_rwsem is held around the lock of the VMA.
 */
const isCertain = (program: EffectProgram, state: State, { lock, instead }: MissingLock): boolean =>
  state.held.some((held) => held.taken && waits(program.nodes[held.at]) && ((instead !== null && held.lock === lock) || nestsInside(lock, held.lock)));

/** True where the pointer was looked up with neither lock, and no caller can hold one: hugetlb-walk-unlocked leaves it to this rule. */
function walksUnprotected({ fn, effect, target }: Site, context: CallingContext, state: State): boolean {
  const origin = effect.kind === "unshareTable" ? state.walks.get(render(effect.pte)) : undefined;
  if (!origin || isSafe(state, origin)) return false;
  return !asksCaller(fn.program, origin.walk, { context, state, fromStart: !origin.protectedAtWalk, hasGap: origin.hasGap }, target.release);
}

const waits = (node: EffectProgram["nodes"][number] | undefined): boolean => node?.kind === "call" && node.effects.some((effect) => effect.kind === "acquire" && effect.sleeps);

/** What is certain before what asks, most locks first; null: nothing is missing. */
const worst = (found: readonly Unlocked[]): Unlocked | null => found.toSorted((a, b) => Number(a.asks) - Number(b.asks) || b.missing.length - a.missing.length)[0] ?? null;

function focusOf({ fn, node }: Site, vma: string | null, callerHolds: UnshareFocus["callerHolds"]): UnshareFocus {
  return { walk: node, unshare: node, kind: "lookup", vma, alsoNamed: vma === null ? null : namesOfVma(fn.program, vma), name: nameOfVma(fn.program, vma), callerHolds, unknownUses: false };
}

/** Locks of callers, as steps around the function: what an assertion leaves open is held for writing. */
function callerLocks({ context, state }: Pick<Unlocked, "context" | "state">): UnshareFocus["callerHolds"] {
  const by = context.chain[0] ? `${context.chain[0].name}()` : "any caller";
  return state.held.flatMap(({ lock, mode, at, taken }) =>
    (at < 0 || !taken) && (lock === "mmap_lock" || lock === "hugetlb_vma_lock" || lock === "i_mmap_rwsem") ? [{ lock, mode: mode === "read" ? ("read" as const) : ("write" as const), by }] : [],
  );
}

function withoutLocks(ruleId: string, site: Site, vma: string | null, found: Unlocked): Candidate {
  const { fn, call, target } = site;
  const { missing, state, context, asks } = found;
  const mmapIsKnown = !state.callerUnknown || state.held.some(({ lock }) => lock === "mmap_lock");
  const focus = { ...focusOf(site, vma, callerLocks(found)), missing };
  const run = (): Proof | null => firstProved(sharingAxes(site).slice(0, 1).flatMap((axis) => unshareWithoutLocks(focus, axis, target.release, mmapIsKnown)), fn.program, target.release);
  return {
    ruleId,
    messageId: "unlocked",
    data: {
      function: fn.program.name,
      missing: missing.map(({ lock }) => WORDS[lock]).join(" and "),
      loses: losesWithout(missing),
    },
    place: placeOf(fn.program, call),
    related: [...takenForReading(fn.program, found), ...context.chain.map((caller) => ({ message: `called from ${caller.name}()`, place: { program: caller.program, at: caller.at, end: caller.at + fn.program.name.length } }))],
    prove: isAffordable(site) ? run : null,
    ...(asks ? { severity: "warning" as const } : {}),
    asks,
  };
}

/** What can happen where locks are missing. */
function losesWithout(missing: readonly MissingLock[]): string {
  if (!missing.some(({ lock }) => lock === "hugetlb_vma_lock")) return "another process can share the table again meanwhile";
  return `a walker that holds ${missing.length > 1 ? "one of them" : "it"} for reading is left with a table that can be freed`;
}

/** Where the function took what is missing, for reading only. */
const takenForReading = (program: EffectProgram, { state, missing }: Unlocked): Candidate["related"] =>
  state.held.flatMap(({ lock, mode, at, taken }) => {
    const node = program.nodes[at];
    return taken && mode === "read" && node?.kind === "call" && missing.some((one) => one.lock === lock) ? [{ message: "taken for reading only", place: placeOf(program, node) }] : [];
  });

/** Where the function drops i_mmap_rwsem itself with no flush on the way, and a schedule fails: else nothing is said. */
function* flushedLate(ruleId: string, site: Site, vma: string | null): Iterable<Candidate> {
  const { fn: { program }, call, node, states: [first], target: { release } } = site;
  if (!first || !isAffordable(site)) return;
  const focus = focusOf(site, vma, callerLocks(first));
  const late = dropWithout(flushesTlb, program, node);
  const gather = gatherOf(program, call);
  const drop = late ?? (gather === null ? null : dropWithout(waitsForWalkers, program, node));
  if (!drop) return;
  for (const axis of sharingAxes(site)) {
    const experiment = late ? unshareFlushedLate(focus, axis, release) : unshareNotSynced(focus, axis, release, render(call.args[0]!));
    const proof = experiment && prove(experiment, program, release, SMALL);
    if (!proof || !isProved(proof)) continue;
    yield {
      ruleId,
      messageId: late ? "flushedLate" : "notSynced",
      data: { function: program.name, condition: axis.isDefault || site.target.archIsSet ? "" : `only on ${axis.phrase}: ` },
      place: placeOf(program, drop),
      related: [{ message: "unshared here", place: placeOf(program, call) }],
      prove: () => proof,
    };
    return;
  }
}

/** The first place behind the call, in order of text, at which i_mmap_rwsem is dropped with none of these in between. */
function dropWithout(flushes: (node: ProgramNode) => boolean, program: EffectProgram, from: NodeId): CallNode | null {
  const seen = new Set<NodeId>([from]);
  const work: NodeId[] = [from];
  const drops: CallNode[] = [];
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = program.nodes[id];
    if (!node) continue;
    if (id !== from && node.kind === "call") {
      if (dropsMapping(node)) drops.push(node);
      // A callee that is not known, or whose body does more than its summary says, may flush.
      if (dropsMapping(node) || flushes(node) || node.knowledge === "unknown" || node.knowledge === "defined-here") continue;
    }
    if (node.kind === "unseen") return null;
    const next = successors(node).filter((one) => !seen.has(one));
    for (const one of next) seen.add(one);
    work.push(...next);
  }
  return drops.toSorted((a, b) => a.at - b.at)[0] ?? null;
}

/** The first experiment that proves it; where none does, the first that fails, else what the first one showed. */
function firstProved(experiments: readonly Experiment[], program: EffectProgram, release: Release): Proof | null {
  const proofs: Proof[] = [];
  for (const experiment of experiments) {
    const proof = prove(experiment, program, release, SMALL);
    if (isProved(proof)) return proof;
    proofs.push(proof);
  }
  return proofs.find(({ verdict }) => verdict === "fail") ?? proofs[0] ?? null;
}
