// SPDX-License-Identifier: GPL-2.0-only
import type { EffectProgram } from "../program/program.ts";
import { proofOf } from "../scenarios/prove.ts";
import { isHard, refusals, refusedForPin, type Refusal } from "../scenarios/refused-for-pin.ts";
import type { Candidate, Fix, Rule, Site, Standing } from "./rule.ts";
import { isAffordable } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";
import { linesOf } from "./other-lines.ts";

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
      hard: "{function}() fails with -{code} where {asked}() says yes, which may be other references or a pin that GUP-fast gives back at once: -EBUSY or -EAGAIN lets the caller try again",
    },
    offersEdits: true,
    scenarios: ["refused-for-pin"],
    sources: [
      { thread: "Re: [PATCH 3/3] mm/uffd: Detect pgtable allocation failures", who: "David Hildenbrand", date: "2023-01-05", link: null },
      { thread: "false positives are possible, false negatives are not", who: "include/linux/mm.h:1585", date: "6.1.192", link: null },
      { thread: "userfaultfd: UFFDIO_MOVE uABI", who: "commit adef440691ba", date: "6.8", link: null },
    ],
  },
  effects: ["asksPins"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, target } = site;
    if (call.result === null || !isAffordable(site)) return;
    for (const [index, refusal] of refusals(program, call.result).entries()) {
      if (!isHard(refusal)) continue;
      const proof = proofOf(refusedForPin(refusal), program, target.release, MAX_STATES);
      if (!proof) continue;
      yield {
        ruleId: this.meta.id,
        messageId: "hard",
        data: { function: program.name, code: refusal.code, asked: call.name },
        place: { program, at: refusal.at, end: refusal.end },
        related: linesOf("this may say yes although nobody has the page pinned", program, [call]),
        prove: () => proof,
        asked: (code) => askedOf(code, site, index),
        fixes: () => softer(program, refusal),
      };
    }
  },
};

/** The same question, and the same of its errors. */
function askedOf(code: Standing, { program, node }: Site, index: number): ReturnType<NonNullable<Candidate["asked"]>> {
  const [there, id] = [code.program(program), code.node(program, node)];
  const call = there && id !== null ? there.nodes[id] : undefined;
  const refusal = there && call?.kind === "call" && call.result !== null ? refusals(there, call.result)[index] : undefined;
  return there && refusal ? [{ experiment: refusedForPin(refusal), program: there }] : null;
}

/** The error that says "again". */
function softer({ image }: EffectProgram, { at, end, code }: Refusal): readonly Fix[] {
  const place = image.text.slice(at, end).search(new RegExp(`-\\s*${code}\\b`));
  return place < 0 ? [] : [{ title: "Fail with -EBUSY: the caller may try again", edits: [{ at: at + place, end: at + place + /^-\s*\w+/.exec(image.text.slice(at + place))![0].length, text: "-EBUSY" }] }];
}
