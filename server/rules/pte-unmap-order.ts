// SPDX-License-Identifier: GPL-2.0-only
import type { State } from "../analysis/state.ts";
import { nameValue } from "../analysis/locks.ts";
import { truthOf } from "../analysis/truth.ts";
import { highPteSeverity } from "../kernel/high-pte.ts";
import { successors, type CallNode, type EffectProgram, type NodeId, type ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { isHandedOn, namesOf, pointerOf } from "../scenarios/obligation/handed-on.ts";
import { swappedFixes } from "./fix/swap.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { placeOf } from "./rule.ts";

export const pteUnmapOrder: Rule = {
  meta: {
    id: "pte-unmap-order",
    title: "page table entries unmapped in the order in which they were mapped",
    severity: "warning",
    since: "6.5",
    until: null,
    why:
      "With CONFIG_HIGHPTE an entry is mapped by kmap_local_page() since 6.5, and temporary mappings of a task are a stack. " +
      "kunmap_local() of one that is not the last warns, and takes the last one away in its place.",
    messages: {
      order: "{function}() unmaps {first} while {second}, which was mapped after it, is still mapped: temporary mappings are undone last one first (kernels with CONFIG_HIGHPTE)",
    },
    offersEdits: true,
    scenarios: [],
    sources: [
      { thread: "mm/userfaultfd: fix kmap_local LIFO ordering for CONFIG_HIGHPTE", who: "CVE-2025-39899", date: "6.17", link: null },
    ],
  },
  effects: ["unmapPte"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, effect, target } = site;
    const severity = highPteSeverity(target);
    if (effect.kind !== "unmapPte" || severity === null || mapsIn(program) < 2) return;
    const found = stillMapped(site, render(pointerOf(effect.pte)));
    if (!found) return;
    const { first, second, later } = found;
    yield {
      ruleId: this.meta.id,
      messageId: "order",
      severity,
      data: { function: program.name, first: first.name, second: second.name },
      place: placeOf(program, call),
      related: [
        { message: `${first.name} is mapped here`, place: placeOf(program, first.map) },
        { message: `${second.name} is mapped after it`, place: placeOf(program, second.map) },
        { message: `${second.name} is unmapped only here`, place: placeOf(program, later) },
      ],
      prove: null,
      fixes: () => swappedFixes(program, call, later, `Unmap ${second.name} first, which was mapped last`),
    };
  },
};

interface Mapped {
  readonly name: string;
  readonly map: CallNode;
}

interface OutOfOrder {
  readonly first: Mapped;
  readonly second: Mapped;
  /** Where the one that was mapped last is unmapped, too late. */
  readonly later: CallNode;
}

const mapsIn = ({ nodes }: EffectProgram): number => nodes.filter((node) => node.kind === "call" && node.effects.some(({ kind }) => kind === "mapPte")).length;

/** An entry that was mapped after the one that a pointer names, and is unmapped after it, in whatever way control comes here. */
function stillMapped({ program, node, states }: Site, pointer: string): OutOfOrder | null {
  const of = (entry: State["mapped"][number]): Mapped | null => {
    const map = program.nodes[entry.at];
    return map?.kind === "call" ? { name: entry.pte, map } : null;
  };
  for (const { state } of states) {
    const [own, ...others] = state.mapped.filter(({ pte }) => namesOf(program, pte).has(pointer));
    const first = own && others.length === 0 ? of(own) : null;
    // A pointer that somebody else may have unmapped is no evidence.
    if (!own || !first || isGone(state, own.pte) || isHandedOn(program, own.pte)) continue;
    for (const entry of state.mapped.slice(state.mapped.indexOf(own) + 1)) {
      const second = of(entry);
      const later = second && unmapBehind(program, node, entry.pte);
      if (!later || isGone(state, entry.pte) || isHandedOn(program, entry.pte)) continue;
      if (states.every((one) => isMappedBefore(one.state, own.pte, entry.pte))) return { first, second, later };
    }
  }
  return null;
}

const isGone = (state: State, pte: string): boolean => truthOf(state, nameValue(pte)) === false;

/** True unless both are mapped the other way round. */
function isMappedBefore({ mapped }: State, first: string, second: string): boolean {
  const [one, other] = [first, second].map((name) => mapped.findIndex(({ pte }) => pte === name));
  return one === undefined || other === undefined || one < 0 || other < 0 || one < other;
}

/** The first unmap of an entry behind a node, before it is mapped again. */
function unmapBehind(program: EffectProgram, from: NodeId, pte: string): CallNode | null {
  const names = namesOf(program, pte);
  const unmaps = (node: ProgramNode): node is CallNode => node.kind === "call" && node.effects.some((effect) => effect.kind === "unmapPte" && names.has(render(pointerOf(effect.pte))));
  const gives = (node: ProgramNode): boolean => (node.kind === "call" && node.result === pte) || (node.kind === "assign" && node.operator === "=" && render(node.target) === pte);
  const seen = new Set<NodeId>([from]);
  const work = [from];
  for (let id = work.shift(); id !== undefined; id = work.shift()) {
    const node = program.nodes[id];
    if (!node) continue;
    if (id !== from && unmaps(node)) return node;
    if (id !== from && gives(node)) continue;
    for (const next of successors(node)) {
      if (seen.has(next)) continue;
      seen.add(next);
      work.push(next);
    }
  }
  return null;
}
