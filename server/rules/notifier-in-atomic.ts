// SPDX-License-Identifier: GPL-2.0-only
import { render } from "../program/render.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { atomicCall } from "../scenarios/atomic-call.ts";
import { failsForCertain } from "../scenarios/prove.ts";
import { checkSleeper } from "./atomic-check.ts";
import { rangeAroundFixes } from "./fix/blocking-start.ts";
import { outOfSectionFixes } from "./fix/out-of-section.ts";
import { MAX_STATES } from "./budget.ts";
import { mappedBefore } from "./mapped-before.ts";
import { isForReaper, isNotifierCore } from "./oom-reaper.ts";
import { isAffordable, placeOf, type Candidate, type Rule, type Site } from "./rule.ts";

/** Ranges that the function starts, and may sleep over. */
const startsBlocking = (program: EffectProgram, range: string): boolean =>
  program.nodes.some((node) => node.kind === "call" && node.effects.some((effect) => effect.kind === "notifierStart" && effect.blocking && render(effect.range) === range));

/** A blocking start; the end of a range that was started so. */
const isBlocking = (program: EffectProgram, call: CallNode): boolean =>
  call.effects.some((effect) => (effect.kind === "notifierStart" && effect.blocking) || (effect.kind === "notifierEnd" && startsBlocking(program, render(effect.range))));

/** The starts of the range of a start or an end. */
const startsOf = (program: EffectProgram, { effects }: CallNode): readonly CallNode[] => {
  const ranges = effects.flatMap((effect) => (effect.kind === "notifierStart" || effect.kind === "notifierEnd" ? [render(effect.range)] : []));
  return program.nodes.filter((node): node is CallNode => node.kind === "call" && node.effects.some((effect) => effect.kind === "notifierStart" && ranges.includes(render(effect.range))));
};

export const notifierInAtomic: Rule = {
  meta: {
    id: "notifier-in-atomic",
    title: "blocking MMU notifier call in atomic context",
    severity: "error",
    since: "2.6.27",
    until: null,
    why:
      "Subscribers may sleep in the start of a blocking invalidation, and in its end: they take mutexes, wait for devices. " +
      "Under a page-table lock, in an RCU read-side section (a mapped PTE is one since 6.6) or with interrupts off nothing may sleep. " +
      "The range is started before anything is mapped or locked, and ended after all of it is undone.",
    messages: {
      sleeps: "{function}() calls {call}(), which may sleep, {context}",
      start:
        "{function}() starts the invalidation of {range} where nothing may sleep: the blocking form, which every process but an OOM victim needs, would sleep here; " +
        "it belongs above everything that is mapped or locked",
      end:
        "{function}() ends the invalidation of {range} where nothing may sleep: the end of a range that was started by the blocking form may sleep; " +
        "it belongs behind the last unmap and unlock",
    },
    offersEdits: true,
    scenarios: ["sleep-in-atomic"],
    sources: [
      {
        thread: "Re: [PATCH 2/3] userfaultfd: UFFDIO_REMAP uABI",
        who: "Suren Baghdasaryan",
        date: "2023-09-15",
        link: null,
      },
    ],
  },
  effects: ["notifierStart", "notifierEnd"],
  *check(site: Site): Iterable<Candidate> {
    yield* sleeping(site);
    yield* nonblockingIn(site);
  },
};

/** Each is explored: code starts a range in one place, hostile text in hundreds. */
const MAX_STARTS = 4;

/**
 * A range of a process that runs, started without blocking in a section that must not sleep: there it stands because the form
 * that blocks would sleep. Nothing sleeps as it is, so that no schedule shows it; that the blocking form would is explored.
 */
function* nonblockingIn(site: Site): Iterable<Candidate> {
  const { program, call, effect, target } = site;
  if ((effect.kind !== "notifierStart" && effect.kind !== "notifierEnd") || isNotifierCore(program)) return;
  const range = render(effect.range);
  const starts = startsOf(program, call);
  if (starts.length === 0 || starts.length > MAX_STARTS || startsBlocking(program, range) || !isAffordable(site)) return;
  const sleeps = (one: CallNode): boolean => failsForCertain(atomicCall((_, node) => program.nodes[node] === one, target), program, target.release, MAX_STATES);
  // An end alone is in nobody's way: the start may stand where it may sleep.
  if (!starts.some(sleeps) || !sleeps(call) || isForReaper(site)) return;
  const isStart = effect.kind === "notifierStart";
  yield {
    ruleId: "notifier-in-atomic",
    messageId: isStart ? "start" : "end",
    severity: "warning",
    data: { function: program.name, range: range.replace(/^&/, "") },
    place: placeOf(program, call),
    related: isStart ? mappedBefore(program, call) : starts.map((one) => ({ message: "the range is started here", place: placeOf(program, one) })),
    prove: null,
    fixes: () => starts.flatMap((start) => rangeAroundFixes(program, start)),
  };
}

const sleeping = (site: Site): Iterable<Candidate> =>
  checkSleeper("notifier-in-atomic", "sleeps", isBlocking, site, (program, call) => [...outOfSectionFixes(program, call), ...startsOf(program, call).flatMap((start) => rangeAroundFixes(program, start))]);
