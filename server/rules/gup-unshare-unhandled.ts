// SPDX-License-Identifier: GPL-2.0-only
import { callsWith, linesOf } from "./other-lines.ts";
import { provedCandidate, provenProperty } from "./proved-only.ts";
import { unshareLost } from "../scenarios/unshare-lost.ts";
import type { Candidate, Rule, Site } from "./rule.ts";

const ID = "gup-unshare-unhandled";

export const gupUnshareUnhandled: Rule = {
  meta: {
    id: ID,
    title: "-EMLINK of a lookup that is not answered with a fault that unshares",
    severity: "error",
    since: "5.19",
    until: null,
    why:
      "A lookup for a read-only pin returns -EMLINK where the page must be unshared first. GUP takes a fault with FAULT_FLAG_UNSHARE and looks again. " +
      "A fault without the flag changes nothing, so that the loop never ends; and no caller of GUP knows the code.",
    messages: {
      endless: "{function}() answers -EMLINK of {call}() with a fault that does not unshare: the entry stays as it is, and the lookup returns -EMLINK for ever",
      leaves: "{function}() passes -EMLINK of {call}() on: the caller gets an error for a page that only had to be unshared",
    },
    scenarios: ["unshare-lost"],
    sources: [
      { thread: "mm/gup: trigger FAULT_FLAG_UNSHARE when R/O-pinning a possibly shared anonymous page", who: "David Hildenbrand", date: "2022-05-09", link: "a7f226604170acd6b142b76472c1a49c12ebb83d" },
    ],
  },
  effects: ["gupFollow"],
  *check(site: Site): Iterable<Candidate> {
    const { program, node, effect, call } = site;
    if (effect.kind !== "gupFollow" || effect.path !== "normal" || call.result === null) return;
    // Who only looks up hands the code to somebody who faults.
    if (!program.nodes.some((one) => one.kind === "call" && one.effects.some(({ kind }) => kind === "gupFault"))) return;
    const experiment = unshareLost(node);
    const property = provenProperty(experiment, site);
    if (property === null) return;
    const isEndless = property === "livelock";
    yield {
      ...provedCandidate(site, ID, isEndless ? "endless" : "leaves", { function: program.name, call: call.name }, experiment),
      related: linesOf(isEndless ? "this fault does not unshare" : "the fault that would unshare", program, callsWith(program, ({ kind }) => kind === "gupFault")),
    };
  },
};
