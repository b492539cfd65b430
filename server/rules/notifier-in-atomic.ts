// SPDX-License-Identifier: GPL-2.0-only
import { render } from "../program/render.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { checkSleeper } from "./atomic-check.ts";
import { rangeAroundFixes } from "./fix/blocking-start.ts";
import { outOfSectionFixes } from "./fix/out-of-section.ts";
import type { Candidate, Rule, Site } from "./rule.ts";

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
    messages: { sleeps: "{function}() calls {call}(), which may sleep, {context}" },
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
  check: (site: Site): Iterable<Candidate> => checkSleeper("notifier-in-atomic", "sleeps", isBlocking, site, (program, call) => [...outOfSectionFixes(program, call), ...startsOf(program, call).flatMap((start) => rangeAroundFixes(program, start))]),
};
