// SPDX-License-Identifier: GPL-2.0-only
import { nameValue } from "../analysis/locks.ts";
import type { State } from "../analysis/state.ts";
import { truthOf } from "../analysis/truth.ts";
import { makesTable, namesKernelTable } from "../kernel/missing-table.ts";
import { atLeast } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { partsOf } from "../program/value-parts.ts";
import { pointerOf } from "../scenarios/obligation/handed-on.ts";
import { pointee } from "../scenarios/obligation/obligation.ts";
import { hardAnswers, softerFixes, type HardAnswer } from "./map-failure.ts";
import { resultWays, whereNull, type ResultHere } from "./result-ways.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { placeOf } from "./rule.ts";

export const pteMapUnchecked: Rule = {
  meta: {
    id: "pte-map-unchecked",
    title: "page table entry that could not be mapped is used, or taken for an error",
    severity: "error",
    since: "2.6.12",
    until: null,
    why:
      "Since 6.5 pte_offset_map() and its kin return NULL where the page table went away or became a huge page in the meantime; those that allocate a table always " +
      "could. NULL is to be tested for, and it is no fault of the address: whoever looks again finds what is there now.",
    messages: {
      unchecked: "{function}() uses {name} where {call}() returned NULL: {reason}",
      hard: "{function}() answers {code} where {call}() returned NULL: since 6.5 that says that the page table went away or became huge in the meantime; with -EAGAIN the caller looks again",
      bug: "{function}() stops the kernel where {call}() returned NULL: since 6.5 that says that the page table went away or became huge in the meantime, which is no bug",
      warn: "{function}() warns where {call}() returned NULL: since 6.5 that says that the page table went away or became huge in the meantime, which users can bring about",
    },
    offersEdits: true,
    scenarios: [],
    sources: [
      { thread: "pte_offset_map() may return NULL", who: "commit 0d940a9b270b", date: "6.5", link: null },
      { thread: "userfaultfd: UFFDIO_MOVE uABI", who: "commit adef440691ba", date: "6.8", link: null },
    ],
  },
  effects: ["mapPte"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, effect, target } = site;
    if (effect.kind !== "mapPte" || !effect.mayFail || effect.pteOut || call.result === null || isKept(effect.pmd, program)) return;
    const allocates = call.effects.some(({ kind }) => kind === "maySleep");
    const answers = allocates || !atLeast(target.release, "6.5") || isSettled(site) ? [] : hardAnswers(site);
    if (answers.length > 0) yield* answers.map((answer) => hard(site, answer));
    else yield* unchecked(site, allocates);
  },
};

/** A table that nobody takes away: `&_pmd` is one that nobody else knows, and tables of the kernel stay. */
const isKept = (pmd: Value, program: EffectProgram): boolean =>
  (pmd.kind === "unary" && pmd.operator === "&" && pmd.of.kind === "name") || names(program).some(namesKernelTable);

/** Names of everything that the function calls or reads. */
const names = ({ nodes }: EffectProgram): readonly string[] =>
  nodes.flatMap((node) => {
    if (node.kind === "call") return [node.name, ...node.args.flatMap(namesIn)];
    return node.kind === "assign" && node.value ? [...namesIn(node.value), ...callsIn(node.value)] : [];
  });

const callsIn = (value: Value): readonly string[] => [...(value.kind === "call" ? [value.name] : []), ...partsOf(value).flatMap(callsIn)];

/** True where the table was made here, or what keeps it is locked: the entry that points to it, or its own lock. */
const isSettled = (site: Site): boolean =>
  names(site.program).some(makesTable) || (site.states.length > 0 && site.states.every(({ state }) => locksEntry(site.program, state))) || assertsTableLock(site);

/** True for a function that asserts the lock of the table that it maps: its caller holds it, and the table is there. */
function assertsTableLock({ program, effect }: Site): boolean {
  if (effect.kind !== "mapPte" || effect.locks || effect.ptlOut === null) return false;
  const lock = render(pointee(effect.ptlOut));
  return program.nodes.some((node) => node.kind === "call" && node.effects.some((one) => one.kind === "assertHeld" && one.object !== null && render(one.object) === lock));
}

const locksEntry = ({ nodes }: EffectProgram, { held }: State): boolean =>
  held.some(({ lock, at }) => {
    const node = nodes[at];
    return lock === "ptl" && node?.kind === "call" && node.effects.some(({ kind }) => kind === "lockEntryTable");
  });

function hard({ program, call }: Site, { code, place, how }: HardAnswer): Candidate {
  return {
    ruleId: "pte-map-unchecked",
    messageId: how === "error" ? "hard" : how,
    severity: how === "bug" ? "error" : "warning",
    data: { function: program.name, call: call.name, code },
    place,
    related: place.at === call.at ? [] : [{ message: "the entry is mapped here", place: placeOf(program, call) }],
    prove: null,
    fixes: () => (how === "error" ? softerFixes(program, code, place) : []),
  };
}

/** The first use, in order of text, that control can come to with NULL. */
function unchecked(site: Site, allocates: boolean): readonly Candidate[] {
  const { program, call } = site;
  const use = firstUse(site);
  if (!use || (allocates ? onlyClears(site) : assertsTableLock(site)) || site.states.every(({ state }) => !allocates && locksEntry(program, state))) return [];
  return [{
    ruleId: "pte-map-unchecked",
    messageId: "unchecked",
    data: { function: program.name, name: use.name, call: call.name, reason: allocates ? "there may be no memory for a table" : "since 6.5 that says that the page table went away or became huge in the meantime" },
    place: placeOf(program, call),
    related: [{ message: `${use.name} is used here`, place: placeOf(program, use.call) }],
    prove: null,
  }];
}

/** True where nothing is done with the entry but to clear it: somebody set it, and its table is there. */
const onlyClears = ({ program, call }: Site): boolean =>
  program.nodes.every((node) => node.kind !== "call" || node === call || !node.args.some((arg) => namesIn(arg).includes(call.result ?? "")) || node.effects.some(({ kind }) => kind === "clearEntry" || kind === "unmapPte"));

function firstUse({ program, node, fn }: Site): { readonly call: CallNode; readonly name: string } | null {
  const mapped = program.nodes[node];
  const ways = resultWays(program, node, whereNull, ({ id, names }) => id === node || stops(program, id, names));
  const hits = ways.flatMap(({ id, names }) => {
    const one = program.nodes[id];
    const name = one?.kind === "call" && one !== mapped ? usedName(one, names) : null;
    if (one?.kind !== "call" || name === null) return [];
    const isReached = fn.contexts.some(({ interpretation }) => (interpretation.before[id] ?? []).some((state) => isNull(state, names)));
    return isReached ? [{ call: one, name }] : [];
  });
  return hits.toSorted((a, b) => a.call.at - b.call.at)[0] ?? null;
}

const isNull = (state: State, names: ResultHere["names"]): boolean => [...names].some((name) => truthOf(state, nameValue(name)) === false);

/** The variable that a call reads or writes an entry through, or unmaps. */
function usedName({ effects }: CallNode, names: ResultHere["names"]): string | null {
  for (const effect of effects) {
    const isUse = effect.kind === "accessEntry" || effect.kind === "clearEntry" || effect.kind === "setEntry" || effect.kind === "unmapPte";
    const name = isUse ? render(pointerOf(effect.pte)) : null;
    if (name !== null && names.has(name)) return name;
  }
  return null;
}

/** What ends a way: an assertion, a use, and a callee that may do the testing. */
function stops(program: EffectProgram, id: NodeId, names: ResultHere["names"]): boolean {
  const node = program.nodes[id];
  if (node?.kind !== "call") return node?.kind === "unseen";
  const takes = (value: CallNode["args"][number]): boolean => namesIn(value).some((name) => names.has(name));
  return node.effects.some(({ kind }) => kind === "bugIf") ? node.args.some(takes) : usedName(node, names) !== null || (node.effects.length === 0 && node.args.some(takes));
}
