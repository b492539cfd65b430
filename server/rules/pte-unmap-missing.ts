// SPDX-License-Identifier: GPL-2.0-only
import { highPteSeverity } from "../kernel/high-pte.ts";
import { atLeast } from "../kernel/release.ts";
import { pteMapping, pteRole } from "../scenarios/obligation/pte-mapping.ts";
import { isOwnWalk, mappedWalk } from "../scenarios/obligation/mapped-walk.ts";
import { isHandedOn } from "../scenarios/obligation/handed-on.ts";
import { nameOf } from "../scenarios/obligation/obligation.ts";
import { isMoved, unmapOutside } from "../scenarios/obligation/pte-position.ts";
import { proofOf } from "../scenarios/prove.ts";
import { checkObligation, lastCall } from "./obligation-check.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { placeOf } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";

export const pteUnmapMissing: Rule = {
  meta: {
    id: "pte-unmap-missing",
    title: "page table entry still mapped when the function returns",
    severity: "error",
    since: "2.6.12",
    until: null,
    why:
      "pte_offset_map() and its kin map a page table for use; since 6.6 they also enter an RCU read-side section. " +
      "pte_unmap() ends both. A way out that forgets it leaves the section open: the next thing that sleeps does so in it, and RCU stalls.",
    messages: {
      missing: "{function}() returns with {name} mapped: the RCU read-side section of the mapping stays open, and whatever sleeps next does so in it",
      outside: "{function}() unmaps {name} by a pointer that may be outside of its table by then: the mapping of the table stays (kernels with CONFIG_HIGHPTE)",
      walk: "{function}() returns in the middle of the walk of {name}: the entry stays mapped, and its page-table lock held",
      highpte: "{function}() returns with {name} mapped: its temporary mapping is never undone (kernels with CONFIG_HIGHPTE)",
    },
    offersEdits: true,
    scenarios: ["pte-left-mapped", "pte-unmap-outside"],
    sources: [
      { thread: "Re: [PATCH 2/3] userfaultfd: UFFDIO_REMAP uABI", who: "Suren Baghdasaryan", date: "2023-09-15", link: null },
    ],
  },
  effects: ["mapPte", "walkMapped"],
  *check(site: Site): Iterable<Candidate> {
    if (site.effect.kind === "walkMapped") {
      if (isOwnWalk(site.program, site.effect.walk)) yield* checkObligation(this.meta.id, "walk", mappedWalk, site, undefined, { begun: "walked" });
      return;
    }
    const { release } = site.target;
    const severity = highPteSeverity(site.target);
    const section = atLeast(release, "6.6");
    if (!section && severity === null) return;
    if (severity !== null) yield* outside(this.meta.id, site, severity);
    // Whatever leaves the section open leaves the mapping: it is asked first, because it nearly always says no.
    const left = [...checkObligation(this.meta.id, "highpte", pteMapping(release, "kernel-mapping"), site)];
    if (left.length === 0) return;
    const open = section ? [...checkObligation(this.meta.id, "missing", pteMapping(release, "rcu-section"), site)] : [];
    if (open.length > 0) yield* open;
    else if (severity !== null) yield* left.map((one) => ({ ...one, severity }));
  },
};

/** Unmapped by a pointer that a loop has moved out of the table. */
function* outside(ruleId: string, site: Site, severity: Candidate["severity"] & string): Iterable<Candidate> {
  const { program, call, effect, target } = site;
  const role = pteRole(effect, call);
  const name = role?.does === "begin" ? nameOf(role, call) : null;
  if (name === null || program.openStart || program.openEnd || !isMoved(program, name) || isHandedOn(program, name)) return;
  const experiment = unmapOutside({ call, effect });
  const proof = experiment && proofOf(experiment, program, target.release, MAX_STATES);
  if (!proof) return;
  yield { ruleId, messageId: "outside", severity, data: { function: program.name, name }, place: lastCall(program, proof) ?? placeOf(program, call), related: [{ message: `${name} mapped here`, place: placeOf(program, call) }], prove: () => proof };
}
