// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { EffectProgram, NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import { partsOf } from "../program/value-parts.ts";
import { entryRecheck, type Stale } from "../scenarios/entry-recheck.ts";
import { mapsOf } from "../scenarios/obligation/foreign-unmap.ts";
import { pointerOf } from "../scenarios/obligation/handed-on.ts";
import type { Site as EntrySite } from "../scenarios/obligation/obligation.ts";
import { proofOf, type Proof } from "../scenarios/prove.ts";
import { MAX_STATES } from "./budget.ts";
import { heldBefore } from "./held-before.ts";
import { mmapLockAt } from "./mmap-lock.ts";
import { placeOf, type Candidate, type Site } from "./rule.ts";
import { tableMappingAt } from "./table-mapping.ts";

/*
 * An entry that is set although the table that it is in may be gone. Before 6.13 the comment over pte_offset_map_nolock()
 * asks that the pmd be compared again once the lock is taken, unless mmap_lock is held for writing or the contents are
 * compared; that an entry is none as it was before is the one comparison of contents that a table which is gone passes, too.
 */

/** Each is explored: code writes an entry in three or four places, hostile text in hundreds. */
const MAX_WRITES = 8;

/** One finding for each mapped entry, at what is taken for enough; null for calls that set it later in the text. */
export function detachedTable(site: Site, stale: Stale & { is: "table" }): Candidate | null {
  const { program, call } = site;
  const writes = writesTo(program, stale.pointer);
  if (writes.length > MAX_WRITES) return null;
  if (writes.some((one) => one.call.at < call.at && proofAt(site, one, stale)) || !proofAt(site, site, stale)) return null;
  const reached = reachOf(site, stale);
  if (!reached) return null;
  const failing = writes.filter((one) => one.call.at >= call.at && proofAt(site, one, stale));
  const compared = unique(failing.flatMap((one) => comparisons(program, program.nodes.indexOf(one.call), stale.pointer)));
  // Who compares nothing may hold what keeps the table: that is certain only where others are known to run.
  if (compared.length === 0 && reached.tier !== "proved") return null;
  const own = compared.filter(({ at }) => at >= program.start && at < program.end);
  const map = mapsOf(program, stale.pointer)[0]?.call;
  const place = own[0] ?? (call.inlined === undefined ? call : (map ?? call));
  const others = [
    ...(map && map !== place ? [{ message: `${stale.pointer} is mapped here`, place: placeOf(program, map) }] : []),
    ...compared.filter((one) => one !== place).map((one) => ({ message: "this comparison says nothing of the table", place: placeOf(program, one) })),
    ...failing.filter((one) => one.call !== place).map((one) => ({ message: `${stale.pointer} is written here`, place: placeOf(program, one.call) })),
  ];
  return {
    ruleId: "pte-recheck-missing",
    messageId: reached.tier === "kept" ? "kept" : "table",
    data: { function: program.name, pointer: stale.pointer, pmd: stale.pmd },
    place: placeOf(program, place),
    related: others.toSorted((a, b) => a.place.at - b.place.at),
    ...(reached.tier === "proved" ? {} : { severity: "warning" as const }),
    ...(reached.tier === "asked" ? { asks: true } : {}),
    prove: reached.tier === "kept" ? null : () => proofAt(site, site, stale),
  };
}

const proofAt = ({ program, target }: Site, { call, effect }: EntrySite, stale: Stale): Proof | null =>
  proofOf(entryRecheck({ call, effect }, stale), program, target.release, MAX_STATES);

/** Calls that set the entry behind a pointer, in order of text. */
const writesTo = (program: EffectProgram, pointer: string): readonly EntrySite[] =>
  program.nodes
    .flatMap((node) => (node.kind === "call" ? node.effects.flatMap((effect) => (effect.kind === "setEntry" && render(pointerOf(effect.pte)) === pointer ? [{ call: node, effect }] : [])) : []))
    .toSorted((a, b) => a.call.at - b.call.at);

/**
 * Who can come to the table: `proved` where a reader of the mmap lock is known to meet whoever takes it away, `asked` where
 * that is not visible, `kept` where nobody takes it away in this release; null: nobody may.
 */
function reachOf(site: Site, { by }: Stale & { is: "table" }): { readonly tier: "proved" | "asked" | "kept" } | null {
  const mode = mmapLockAt(site);
  if (mode === "write") return null;
  const mapping = by === "reclaim" ? "file" : tableMappingAt(site);
  if (mapping === "anonymous") return { tier: "kept" };
  return { tier: mode === "read" && mapping === "file" ? "proved" : "asked" };
}

/** A condition that compares an entry, and where it stands. */
interface Comparison {
  readonly at: number;
  readonly end: number;
}

const unique = (all: readonly Comparison[]): readonly Comparison[] => [...new Map(all.map((one) => [one.at, one])).values()].toSorted((a, b) => a.at - b.at);

/** Conditions between the lock and a write that ask what the entry is, of what was read of it there. */
function comparisons(program: EffectProgram, write: NodeId, pointer: string): readonly Comparison[] {
  const held = heldBefore(program, write);
  const read = new Set(held.flatMap((id) => resultsReading(program.nodes[id], pointer)));
  const isEntry = (value: Value): boolean => read.has(render(value)) || (value.kind === "unary" && value.operator === "*" && render(pointerOf(value.of)) === pointer);
  const isCompared = (value: Value): boolean => (value.kind === "call" && /^pte_(?:same|none|val)$/.test(value.name) && value.args.some(isEntry)) || partsOf(value).some(isCompared);
  return held.flatMap((id) => {
    const node = program.nodes[id];
    return node?.kind === "branch" && isCompared(node.condition) ? [node] : [];
  });
}

const resultsReading = (node: EffectProgram["nodes"][number] | undefined, pointer: string): readonly string[] =>
  node?.kind === "call" && node.result !== null && node.effects.some((effect) => effect.kind === "accessEntry" && render(pointerOf(effect.pte)) === pointer) ? [node.result] : [];
