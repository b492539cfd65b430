// SPDX-License-Identifier: GPL-2.0-only
import type { LockClass } from "../kernel/effect.ts";
import { spins } from "../kernel/lock-order.ts";
import type { EffectProgram, NodeId } from "../program/program.ts";
import { successors } from "../program/program.ts";
import { render } from "../program/render.ts";
import { objectText } from "./locks.ts";
import type { Atomic, Held, State } from "./state.ts";

/** A lock, a section or a mapped entry, in the words of the function that it holds in. */
export interface HeldFact {
  /**
   * `sleeping`: a lock under which sleeping is allowed. `spinning` and `section` make the context atomic. `asserted`: a
   * lock of which only an assertion tells, and not which kind it is.
   */
  readonly kind: "sleeping" | "asserted" | "spinning" | "section" | "mapped";
  /** Class of a lock; null for sections and mapped entries. */
  readonly lock: LockClass | null;
  /** Object of a lock or name of the rest; "" where it has no name here. */
  readonly name: string;
  readonly mode: "R" | "W" | null;
  /** False where only some of the paths, or some of the callers, hold it. */
  readonly isCertain: boolean;
  /** `assertion`: nothing but an assertion says so. */
  readonly from: "here" | "assertion" | "caller";
}

/** What holds where control reaches some nodes. */
export interface HeldHere {
  readonly facts: readonly HeldFact[];
  /** False where callers may hold more than is said. */
  readonly callersKnown: boolean;
}

/**
 * The nodes through which control enters a part of the program, for example the nodes of one line: those with a
 * predecessor outside of it.
 */
export function entriesOf(program: EffectProgram, part: ReadonlySet<NodeId>): readonly NodeId[] {
  const entries = new Set<NodeId>(part.has(program.entry) ? [program.entry] : []);
  program.nodes.forEach((node, id) => {
    if (!part.has(id)) for (const next of successors(node)) if (part.has(next)) entries.add(next);
  });
  return [...entries].toSorted((a, b) => a - b);
}

/**
 * Joins the states of all paths and callers; null where control does not come. `complete`: false where paths were cut off,
 * so that there may be others, on which nothing of it holds.
 */
export function heldIn(program: EffectProgram, states: readonly State[], complete: boolean): HeldHere | null {
  if (states.length === 0) return null;
  const byState = states.map((state) => factsOf(program, state));
  const exact = joined(byState);
  const certain = joined(byState.map(inAnyMode)).filter((fact) => fact.isCertain && fact.lock !== null);
  const isTold = (fact: HeldFact): boolean => exact.some((one) => one.isCertain && one.lock === fact.lock && one.name === fact.name);
  const open = certain.filter((fact) => !isTold(fact));
  const facts = withoutNameless([...exact.filter((fact) => !open.some((one) => one.lock === fact.lock && one.name === fact.name)), ...open], byState);
  return { facts: complete ? facts : facts.map((fact) => ({ ...fact, isCertain: false })), callersKnown: complete && states.every((state) => !state.callerUnknown) };
}

/** A lock that has a name on some paths and has lost it on others is one lock: of no name, and certain if all of them hold one. */
function withoutNameless(facts: readonly HeldFact[], states: readonly (readonly HeldFact[])[]): readonly HeldFact[] {
  return facts.flatMap((fact) => {
    if (fact.lock === null || fact.name !== "" || fact.isCertain) return [fact];
    const isAlike = (one: HeldFact): boolean => one.lock === fact.lock && one.mode === fact.mode;
    if (facts.some((one) => one !== fact && isAlike(one) && one.isCertain)) return [fact];
    if (states.every((state) => state.some(isAlike))) return [{ ...fact, isCertain: true }];
    return facts.some((one) => one !== fact && isAlike(one)) ? [] : [fact];
  });
}

/** Facts of all states, each once, certain where every state has it. */
function joined(states: readonly (readonly HeldFact[])[]): readonly HeldFact[] {
  const count = new Map<string, { fact: HeldFact; times: number }>();
  for (const state of states) {
    const seen = new Set<string>();
    for (const fact of state) {
      const key = `${fact.kind} ${fact.lock ?? ""} ${fact.name} ${fact.mode ?? ""}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const known = count.get(key);
      count.set(key, { fact: known && known.fact.from !== fact.from ? { ...fact, from: "assertion" } : fact, times: (known?.times ?? 0) + 1 });
    }
  }
  return [...count.values()].map(({ fact, times }) => ({ ...fact, isCertain: times === states.length }));
}

/** Held for reading on some paths and for writing, or in a mode that an assertion leaves open, on the others: held. */
function inAnyMode(state: readonly HeldFact[]): readonly HeldFact[] {
  return state.map((fact) => (fact.lock === null ? fact : { ...fact, mode: null }));
}

function factsOf(program: EffectProgram, state: State): readonly HeldFact[] {
  return [
    ...state.held.map((held) => lockFact(program, held)),
    ...state.atomic.flatMap((atomic) => sectionFact(atomic)),
    ...state.mapped.map(({ pte }): HeldFact => ({ kind: "mapped", lock: null, name: asWritten(pte), mode: null, isCertain: true, from: "here" })),
  ];
}

/** Names of a helper that was put in the place of its call, as the helper has them; temporaries have none. */
const asWritten = (name: string): string => (name.includes("$") ? "" : name.replace(/\b([A-Za-z_]\w*?)__\d+\b/g, "$1"));

const MODES = { read: "R", write: "W", exclusive: null, any: null } as const;

function lockFact(program: EffectProgram, held: Held): HeldFact {
  return {
    kind: held.lock === "lock" ? "asserted" : spins(held.lock) ? "spinning" : "sleeping",
    lock: held.lock,
    name: asWritten(held.lock === "ptl" ? (tableOf(program, held) ?? held.object) : held.object),
    mode: held.lock === "spinlock" ? null : MODES[held.mode],
    isCertain: true,
    from: held.at < 0 ? "caller" : held.taken ? "here" : "assertion",
  };
}

/** A mapped entry is an RCU read-side section from 6.6 on; a spin lock is said as a lock. */
const SECTIONS = { rcu: "rcu", "pte-map": "rcu", irq: "irqs off", preempt: "preempt off", lazy_mmu: "lazy_mmu", spinlock: null } as const;

function sectionFact({ reason, at }: Atomic): HeldFact[] {
  const name = SECTIONS[reason];
  return name === null ? [] : [{ kind: "section", lock: null, name, mode: null, isCertain: true, from: at < 0 ? "caller" : "here" }];
}

/** The page table whose lock it is, as the call that took or found it names it. */
function tableOf(program: EffectProgram, { at, object }: Held): string | null {
  const taken = at < 0 ? null : tableAt(program, at, object);
  if (taken !== null) return taken;
  for (const [id, node] of program.nodes.entries()) {
    if (node.kind !== "call" || node.result !== object) continue;
    const found = tableAt(program, id, object);
    if (found !== null) return found;
  }
  return null;
}

function tableAt(program: EffectProgram, id: NodeId, lock: string): string | null {
  const node = program.nodes[id];
  if (node?.kind !== "call") return null;
  for (const effect of node.effects) {
    if (effect.kind === "mapPte" && effect.ptlOut && objectText(effect.ptlOut) === lock) return render(effect.pmd);
    if (effect.kind === "lockEntryTable") return render(effect.pte);
    if (effect.kind === "ptlOf") return render(effect.of);
  }
  return null;
}
