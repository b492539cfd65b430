// SPDX-License-Identifier: GPL-2.0-only
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
    messages: { missing: "{function}() maps {name} and returns without unmapping it on some way" },
    scenarios: ["pte-left-mapped"],
    sources: [],
  },
  effects: ["mapPte"],
  check: (site: Site): Iterable<Candidate> => checkObligation("pte-unmap-missing", "missing", pteMapping(site.target.release), site),
};
