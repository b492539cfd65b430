// SPDX-License-Identifier: GPL-2.0-only
import { highPteSeverity } from "../kernel/high-pte.ts";
import { atLeast } from "../kernel/release.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";
import type { Experiment } from "../scenarios/experiment.ts";
import { obligationExperiment } from "../scenarios/obligation/experiment.ts";
import { foreignPointer, mapsOf, missedUnmap, sourceOf, unmapWithoutMap, type Foreign } from "../scenarios/obligation/foreign-unmap.ts";
import { isHandedOn } from "../scenarios/obligation/handed-on.ts";
import type { Site as Mapped } from "../scenarios/obligation/obligation.ts";
import { isProved, prove, type Proof } from "../scenarios/prove.ts";
import { unlockAloneFixes, unmapPointerFixes } from "./fix/unmap-argument.ts";
import type { At, Candidate, Fix, Rule, Site, Standing } from "./rule.ts";
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
      level: "{function}() hands {call}() {name}, a {type} * that no pte_offset_map() gave: since 6.6 that leaves an RCU read-side section that nobody entered",
      "level-highpte": "{function}() hands {call}() {name}, a {type} * that no pte_offset_map() gave: a temporary mapping is undone that nobody made (kernels with CONFIG_HIGHPTE)",
    },
    offersEdits: true,
    scenarios: ["pte-unmap-of-copy"],
    sources: [
      { thread: "userfaultfd: fix PTE unmapping stack-allocated PTE copies", who: "commit 927e926d72d9", date: "6.14", link: null },
    ],
  },
  effects: ["unmapPte"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, effect, target } = site;
    if (effect.kind !== "unmapPte") return;
    const foreign = foreignPointer(program, effect.pte);
    if (!foreign) return;
    const { messageId, severity, data, run, related = [], asked, fixes } = foreign.is === "object" ? ofObject(site, foreign) : ofLevel(site, foreign);
    if (severity === null) return;
    const canShow = highPteSeverity(target) !== null || foreign.is !== "object";
    yield {
      ruleId: this.meta.id,
      messageId,
      severity,
      data: { function: program.name, call: call.name, name: foreign.text, ...data },
      place: placeOf(program, call),
      related,
      // What a target without high page tables would show is nothing: the call is wrong all the same.
      prove: canShow ? run : null,
      ...(asked && canShow ? { asked } : {}),
      ...(fixes ? { fixes } : {}),
    };
  },
};

interface Judged extends Pick<Candidate, "asked" | "fixes">, Partial<Pick<Candidate, "related">> {
  readonly messageId: string;
  readonly severity: "error" | "warning" | "info" | null;
  readonly data: Record<string, string>;
  readonly run: ((maxStates: number) => Proof) | null;
}

function ofObject(site: Site, foreign: Foreign): Judged {
  const { program, call, effect, target } = site;
  const severity = highPteSeverity(target) ?? "info";
  const only: Judged = { messageId: "copy-only", severity, data: {}, run: null };
  const pointer = sourceOf(program, foreign.text.slice(1));
  if (pointer === null || program.openEnd || !isAffordable(site) || isHandedOn(program, pointer)) return only;
  const maps = mapsOf(program, pointer);
  if (maps.length === 0) return only;
  const experimentsOf = (unmap: Mapped, mapped: readonly Mapped[]): readonly Experiment[] => mapped.map((map) => obligationExperiment(missedUnmap(target.release, unmap, pointer), map));
  return {
    messageId: "copy",
    severity,
    data: { pointer },
    related: [
      ...maps.slice(0, 1).map((map) => ({ message: `${pointer} mapped here`, place: placeOf(program, map.call) })),
      ...copiesOf(program, foreign.text.slice(1)).map((place) => ({ message: `${foreign.text.slice(1)} copied here`, place })),
    ],
    run: (maxStates) => {
      const proofs = experimentsOf({ call, effect }, maps).map((experiment) => prove(experiment, program, target.release, maxStates));
      return proofs.find(isProved) ?? proofs[0]!;
    },
    asked: (code) => {
      const [there, unmap] = [code.program(program), callThere(code, site)];
      return there && unmap ? experimentsOf({ call: unmap, effect }, mapsOf(there, pointer)).map((experiment) => ({ experiment, program: there })) : null;
    },
    fixes: () => unmapPointerFixes(program, call, pointer),
  };
}

/** Where a variable first gets its value. */
function copiesOf(program: EffectProgram, name: string): readonly At[] {
  const given = program.nodes.find((node) => (node.kind === "assign" && node.at >= 0 && render(node.target) === name) || (node.kind === "call" && node.at >= 0 && node.result === name));
  return given?.kind === "assign" || given?.kind === "call" ? [placeOf(program, given)] : [];
}

/** The call in code that may have been edited. */
function callThere(code: Standing, { program, node }: Site): CallNode | null {
  const id = code.node(program, node);
  const call = id === null ? undefined : code.program(program)?.nodes[id];
  return call?.kind === "call" ? call : null;
}

function ofLevel(site: Site, foreign: Foreign): Judged {
  const { program, call, effect, target } = site;
  const data = { type: foreign.is === "upper-level" ? foreign.type : "" };
  const fixes = (): readonly Fix[] => unlockAloneFixes(program, call);
  const related = copiesOf(program, foreign.text).map((place) => ({ message: `${foreign.text} comes from here`, place }));
  // Before, only kernels with high page tables notice, and few of those have leaves above a table.
  if (!atLeast(target.release, "6.6")) return { messageId: "level-highpte", severity: target.config["HIGHPTE"] === true ? "error" : null, data, related, run: null, fixes };
  const experiment = unmapWithoutMap({ call, effect });
  return {
    messageId: "level",
    severity: "error",
    data,
    related,
    run: (maxStates) => prove(experiment, program, target.release, maxStates),
    asked: (code) => {
      const there = code.program(program);
      return there ? [{ experiment, program: there }] : null;
    },
    fixes,
  };
}
