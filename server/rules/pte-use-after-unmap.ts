// SPDX-License-Identifier: GPL-2.0-only
import { highPteSeverity } from "../kernel/high-pte.ts";
import { atLeast } from "../kernel/release.ts";
import { nameOf, type ObligationKind } from "../scenarios/obligation/obligation.ts";
import { pteRole } from "../scenarios/obligation/pte-mapping.ts";
import type { Proof } from "../scenarios/prove.ts";
import { pteUse } from "../scenarios/obligation/pte-use.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { laterEndFixes } from "./fix/later-end.ts";
import { checkObligation, lastCall, lastCallNode } from "./obligation-check.ts";
import type { Candidate, Fix, Rule, Site } from "./rule.ts";

export const pteUseAfterUnmap: Rule = {
  meta: {
    id: "pte-use-after-unmap",
    title: "page table entry used after pte_unmap()",
    severity: "error",
    since: "2.6.12",
    until: null,
    why:
      "Since 6.6 the RCU section of a mapped entry is what keeps its table: khugepaged takes the tables of file mappings away without mmap_lock " +
      "and frees them after a grace period. Before, a use after pte_unmap() reads an address that kernels with CONFIG_HIGHPTE no longer map.",
    messages: {
      freed: "{function}() uses {name} after its unmap: the page table may be freed by then",
      unmapped: "{function}() uses {name} after its unmap: the address is mapped no more (kernels with CONFIG_HIGHPTE)",
    },
    offersEdits: true,
    scenarios: ["pte-used-after-unmap"],
    sources: [{ thread: "Re: [PATCH 2/3] userfaultfd: UFFDIO_REMAP uABI", who: "Suren Baghdasaryan", date: "2023-09-15", link: null }],
  },
  effects: ["mapPte"],
  *check(site: Site): Iterable<Candidate> {
    const { call, effect, target, program } = site;
    const role = pteRole(effect, call);
    const name = role?.does === "begin" ? nameOf(role, call) : null;
    const severity = highPteSeverity(target);
    const keeps = atLeast(target.release, "6.6");
    if (name === null || (!keeps && severity === null)) return;
    const check = (messageId: string, kind: ObligationKind): Candidate[] => [
      ...checkObligation(this.meta.id, messageId, kind, site, (proof) => lastCall(program, proof), { mends: (proof) => laterUnmaps(program, proof, kind) }),
    ];
    // Whatever is used after the table is freed is used after its unmap: that is asked first, because it nearly always says no.
    const unmapped = check("unmapped", pteUse(target.release, name, "kernel-mapping"));
    if (unmapped.length === 0) return;
    const freed = keeps && !callersKeepTables(site) ? check("freed", pteUse(target.release, name, "rcu-section")) : [];
    if (freed.length > 0) yield* freed;
    else if (severity !== null) yield* unmapped.map((one) => ({ ...one, severity }));
  },
};

/** The unmap behind the last use. */
function laterUnmaps(program: EffectProgram, proof: Proof, kind: ObligationKind): readonly Fix[] {
  const use = lastCallNode(program, proof);
  const does = (role: "use" | "end") => (one: CallNode): boolean => one.effects.some((effect) => kind.role(effect, one)?.does === role);
  return use ? laterEndFixes(program, use, does("end"), does("use")) : [];
}

/** True where every caller is in an RCU section, or holds a spinning lock: then no grace period ends. */
const callersKeepTables = ({ states }: Site): boolean =>
  states.length > 0 && states.every(({ state }) => state.atomic.some(({ at }) => at < 0) || state.mapped.some(({ at }) => at < 0));
