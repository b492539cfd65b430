// SPDX-License-Identifier: GPL-2.0-only
import { highPteSeverity } from "../kernel/high-pte.ts";
import { atLeast } from "../kernel/release.ts";
import { pteMapping } from "../scenarios/obligation/pte-mapping.ts";
import { checkObligation } from "./obligation-check.ts";
import type { Candidate, Rule, Site } from "./rule.ts";

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
      missing: "{function}() maps {name} and returns without unmapping it on some way",
      highpte: "{function}() maps {name} and returns without unmapping it on some way (kernels with CONFIG_HIGHPTE)",
    },
    scenarios: ["pte-left-mapped"],
    sources: [
      { thread: "Re: [PATCH 2/3] userfaultfd: UFFDIO_REMAP uABI", who: "Suren Baghdasaryan", date: "2023-09-15", link: null },
    ],
  },
  effects: ["mapPte"],
  *check(site: Site): Iterable<Candidate> {
    const { release } = site.target;
    const severity = highPteSeverity(site.target);
    const section = atLeast(release, "6.6");
    if (!section && severity === null) return;
    // Whatever leaves the section open leaves the mapping: it is asked first, because it nearly always says no.
    const left = [...checkObligation(this.meta.id, "highpte", pteMapping(release, "kernel-mapping"), site)];
    if (left.length === 0) return;
    const open = section ? [...checkObligation(this.meta.id, "missing", pteMapping(release, "rcu-section"), site)] : [];
    if (open.length > 0) yield* open;
    else if (severity !== null) yield* left.map((one) => ({ ...one, severity }));
  },
};
