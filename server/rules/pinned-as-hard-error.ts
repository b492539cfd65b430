// SPDX-License-Identifier: GPL-2.0-only
import { proofOf } from "../scenarios/prove.ts";
import { hardRefusals, refusedForPin } from "../scenarios/refused-for-pin.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";

export const pinnedAsHardError: Rule = {
  meta: {
    id: "pinned-as-hard-error",
    title: "A page that may be pinned becomes an error that nobody retries",
    severity: "warning",
    since: "5.7",
    until: null,
    why:
      "folio_maybe_dma_pinned() is a guess: 1024 references of a small page look like a pin, and GUP-fast takes pins that it gives back at once. " +
      "An error for it is fit for -EBUSY or -EAGAIN; any other code tells user space of a fault that is none.",
    messages: {
      hard: "{function}() fails with -{code} for a page that only may be pinned: -EBUSY or -EAGAIN lets the caller try again",
    },
    scenarios: ["refused-for-pin"],
    sources: [],
  },
  effects: ["asksPins"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, target } = site;
    if (call.result === null || !isAffordable(site)) return;
    for (const refusal of hardRefusals(program, call.result)) {
      const proof = proofOf(refusedForPin(refusal), program, target.release, MAX_STATES);
      if (!proof) continue;
      yield {
        ruleId: this.meta.id,
        messageId: "hard",
        data: { function: program.name, code: refusal.code },
        place: { program, at: refusal.at, end: refusal.end },
        related: [],
        prove: () => proof,
      };
    }
  },
};
