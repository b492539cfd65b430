// SPDX-License-Identifier: GPL-2.0-only
import type { Held, State } from "../analysis/state.ts";
import type { Value } from "../program/code.ts";
import type { CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import type { Experiment } from "../scenarios/experiment.ts";
import { gupTakesLockAgain, gupWithoutLock } from "../scenarios/gup-under-lock.ts";
import { proofOf } from "../scenarios/prove.ts";
import { checkSleeper } from "./atomic-check.ts";
import { heldFormFixes, lockedCallFixes } from "./fix/gup-form.ts";
import { callsWith, linesOf } from "./other-lines.ts";
import { askedOfCall } from "./pages-asked.ts";
import type { Candidate, Fix, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";

const MAX_STATES = 50_000;

export const gupLockContext: Rule = {
  meta: {
    id: "gup-lock-context",
    title: "GUP called with the wrong locks",
    severity: "error",
    since: "4.0",
    until: null,
    why:
      "The plain and remote forms of GUP walk VMAs that only mmap_lock keeps. The fast and unlocked forms take mmap_lock themselves, which deadlocks behind a queued writer where it is held already. " +
      "All but the fast-only forms sleep; FOLL_NOWAIT only keeps them from waiting for I/O. Marking pages dirty under the page lock sleeps too.",
    messages: {
      notHeld: "{function}() calls {call}() without mmap_lock: munmap() may free the VMA that it walks",
      held: "{function}() calls {call}() with mmap_lock held: where a page is missing it takes the lock again and waits {behind}",
      atomic: "{function}() calls {call}() in atomic context: it may sleep",
      nowait: "{function}() calls {call}() in atomic context: with FOLL_NOWAIT it waits for no I/O, and may sleep all the same",
      release: "{function}() calls {call}() in atomic context: it waits for page locks",
    },
    offersEdits: true,
    scenarios: ["gup-without-mmap-lock", "gup-takes-mmap-lock-again", "sleep-in-atomic"],
    sources: [
      { thread: "mmap_assert_locked(), might_lock_read()", who: "mm/gup.c:2280-2370, 3040-3070", date: "6.1.192", link: null },
      { thread: "Use get_user_pages_unlocked() call to handle mmap assert", who: "commit 3a0152b21952", date: "5.16", link: null },
    ],
  },
  effects: ["gup", "unpin", "marksDirty"],
  *check(site: Site): Iterable<Candidate> {
    const { program, effect, states, node } = site;
    if (!isAffordable(site)) return;
    if (effect.kind === "unpin" || effect.kind === "marksDirty") {
      yield* inSection(site, checkSleeper("gup-lock-context", "release", locksPages, site));
      return;
    }
    if (effect.kind !== "gup" || effect.form === "fast-only") return;
    const isNowait = effect.flags !== null && /\bFOLL_NOWAIT\b/.test(render(effect.flags));
    yield* inSection(site, checkSleeper("gup-lock-context", isNowait ? "nowait" : "atomic", isSleepingGup, site));
    if (effect.form === "fast" || effect.form === "unlocked") {
      if (states.some(({ state }) => holdsCurrent(program, state))) yield* found(site, "held", { behind: waitsBehind(site) }, heldLines(site), gupTakesLockAgain(node, program), () => heldFormFixes(program, site.call, effect, site.target.release));
      return;
    }
    // Above the first line that is shown the lock may be taken on the very ways that come here.
    if (program.openStart && givenUpLines(site).length === 0) return;
    // What `*locked` says is not followed.
    if (effect.locked && render(effect.locked) !== "NULL") return;
    if (states.some(({ state }) => !state.held.some(({ lock }) => lock === "mmap_lock"))) yield* found(site, "notHeld", {}, givenUpLines(site), gupWithoutLock(node), () => lockedCallFixes(program, site.call, effect, site.target.release));
  },
};

/** Where the section begins that must not sleep. */
function* inSection({ program, states }: Site, candidates: Iterable<Candidate>): Iterable<Candidate> {
  const begins = states.flatMap(({ state }) => state.atomic.flatMap(({ at }) => callAt(program, at)));
  for (const candidate of candidates) yield { ...candidate, related: linesOf("no sleeping from here on", program, begins) };
}

const callAt = ({ nodes }: EffectProgram, id: NodeId): CallNode[] => {
  const node = nodes[id];
  return node?.kind === "call" && node.inlined === undefined ? [node] : [];
};

const heldLines = ({ program, states }: Site): Candidate["related"] =>
  linesOf("mmap_lock is taken here", program, states.flatMap(({ state }) => state.held.flatMap((held) => (held.lock === "mmap_lock" && held.taken ? callAt(program, held.at) : []))));

const givenUpLines = ({ program, call }: Site): Candidate["related"] =>
  linesOf("mmap_lock is given up here", program, callsWith(program, (effect) => effect.kind === "release" && effect.lock === "mmap_lock").filter(({ at }) => at < call.at));

const waitsBehind = ({ program, states }: Site): string =>
  states.some(({ state }) => state.held.some(({ lock, mode, taken }) => lock === "mmap_lock" && taken && mode !== "write")) ? `behind a writer that waits for ${program.name}()` : "for itself";

function* found(site: Site, messageId: string, more: Candidate["data"], related: Candidate["related"], experiment: Experiment, fixes: () => readonly Fix[]): Iterable<Candidate> {
  const { program, call, target } = site;
  const proof = proofOf(experiment, program, target.release, MAX_STATES);
  if (!proof) return;
  // The right form is one thing with the lock, another one without it.
  yield { ruleId: "gup-lock-context", messageId, data: { function: program.name, call: call.name, ...more }, place: placeOf(program, call), related, prove: () => proof, asked: askedOfCall(site, gupWithoutLock, gupTakesLockAgain), fixes };
}

const isSleepingGup = (_: EffectProgram, call: CallNode): boolean => call.effects.some((effect) => effect.kind === "gup" && effect.form !== "fast-only");

/** True for what marks pages dirty under their lock. */
const locksPages = (_: EffectProgram, call: CallNode): boolean =>
  call.effects.some((effect) => (effect.kind === "marksDirty" ? effect.locks : effect.kind === "unpin" && effect.dirty !== undefined && /^(?:1|true)$/.test(render(effect.dirty))));

/** True where the function itself took mmap_lock of the current process: that of another one may be held. */
const holdsCurrent = (program: EffectProgram, state: State): boolean => state.held.some((held) => held.lock === "mmap_lock" && held.taken && held.at >= 0 && isCurrent(program, held));

function isCurrent(program: EffectProgram, { object }: Held): boolean {
  if (object === "current->mm") return true;
  const given = program.nodes.flatMap((node): readonly (Value | null)[] => (node.kind === "assign" && render(node.target) === object ? [node.value] : []));
  return given.length > 0 && given.every((value) => value !== null && render(value) === "current->mm");
}
