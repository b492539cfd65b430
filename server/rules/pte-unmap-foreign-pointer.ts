// SPDX-License-Identifier: GPL-2.0-only
import { highPteSeverity } from "../kernel/high-pte.ts";
import { atLeast } from "../kernel/release.ts";
import { obligationExperiment } from "../scenarios/obligation/experiment.ts";
import { foreignPointer, mapsOf, missedUnmap, sourceOf, unmapWithoutMap, type Foreign } from "../scenarios/obligation/foreign-unmap.ts";
import { isHandedOn } from "../scenarios/obligation/handed-on.ts";
import { isProved, prove, type Proof } from "../scenarios/prove.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";

export const pteUnmapForeignPointer: Rule = {
  meta: {
    id: "pte-unmap-foreign-pointer",
    title: "pte_unmap() of something that is no mapped page table entry",
    severity: "error",
    since: "2.6.12",
    until: null,
    why:
      "pte_unmap() undoes what pte_offset_map() did, for the table that its argument points into. " +
      "The address of a copy points to the stack: with CONFIG_HIGHPTE nothing is unmapped, and each retry leaves one more temporary mapping.",
    messages: {
      copy: "{function}() hands {call}() the address {name} of a copy: {pointer} stays mapped (kernels with CONFIG_HIGHPTE)",
      "copy-only": "{function}() hands {call}() the address {name} of an object, which is in no page table",
      level: "{function}() hands {call}() {name}, a {type} * that no pte_offset_map() gave",
    },
    scenarios: ["pte-unmap-of-copy"],
    sources: [],
  },
  effects: ["unmapPte"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, effect, target } = site;
    if (effect.kind !== "unmapPte") return;
    const foreign = foreignPointer(program, effect.pte);
    if (!foreign) return;
    const [messageId, severity, data, run] = foreign.is === "object" ? ofObject(site, foreign) : ofLevel(site, foreign);
    if (severity === null) return;
    yield {
      ruleId: this.meta.id,
      messageId,
      severity,
      data: { function: program.name, call: call.name, name: foreign.text, ...data },
      place: placeOf(program, call),
      related: [],
      // What a target without high page tables would show is nothing: the call is wrong all the same.
      prove: run && highPteSeverity(target) === null && foreign.is === "object" ? null : run,
    };
  },
};

type Judged = readonly [messageId: string, severity: "error" | "warning" | "info" | null, data: Record<string, string>, prove: ((maxStates: number) => Proof) | null];

function ofObject(site: Site, foreign: Foreign): Judged {
  const { program, call, effect, target } = site;
  const severity = highPteSeverity(target) ?? "info";
  const pointer = sourceOf(program, foreign.text.slice(1));
  if (pointer === null || program.openEnd || !isAffordable(site) || isHandedOn(program, pointer)) return ["copy-only", severity, {}, null];
  const kind = missedUnmap(target.release, { call, effect }, pointer);
  const maps = mapsOf(program, pointer);
  if (maps.length === 0) return ["copy-only", severity, {}, null];
  return [
    "copy",
    severity,
    { pointer },
    (maxStates) => {
      const proofs = maps.map((map) => prove(obligationExperiment(kind, map), program, target.release, maxStates));
      return proofs.find(isProved) ?? proofs[0]!;
    },
  ];
}

function ofLevel({ program, call, effect, target }: Site, foreign: Foreign): Judged {
  const data = { type: foreign.is === "upper-level" ? foreign.type : "" };
  if (!atLeast(target.release, "6.6")) return ["level", highPteSeverity(target), data, null];
  return ["level", "error", data, (maxStates) => prove(unmapWithoutMap({ call, effect }), program, target.release, maxStates)];
}
