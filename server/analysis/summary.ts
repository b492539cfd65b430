// SPDX-License-Identifier: GPL-2.0-only
import type { HeldWhen, LockClass, LockMode } from "../kernel/effect.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../program/program.ts";
import { namesIn, render, substitute } from "../program/render.ts";
import { uncertain } from "./alternatives.ts";
import { hasUnknownOrigin, nodesBy, takesFirst } from "./doubt.ts";
import { exitsOf, type Exit } from "./exits.ts";
import { interpret, type Interpretation } from "./interpret.ts";
import { objectText } from "./locks.ts";
import { NEVER_SLEEPS, sleepOf, type CalleeSleep, type Sleep } from "./sleep.ts";
import { EMPTY_STATE, isGeneric, isHeld, isSameLock, type Atomic, type Held, type State } from "./state.ts";

/** Which value of a call goes with a change; `sometimes`: no value tells. */
export type ChangeWhen = HeldWhen | "sometimes";

/** A lock of a function's contract, in the words of its parameters. */
export interface ContractLock {
  readonly lock: LockClass;
  readonly mode: LockMode | "any";
  /** Object in terms of parameters and globals; null: not expressible, any of the class may be meant. */
  readonly object: Value | null;
}

export interface LockChange extends ContractLock {
  readonly when: ChangeWhen;
  /** True where the function's value is the object. */
  readonly isValue: boolean;
}

/** A lock of the caller that is not held on return. */
export interface GivenUp extends LockChange {
  /** True where the function may as well give up only what it took itself: nothing is asked of the caller. */
  readonly isDoubtful: boolean;
}

export interface AtomicChange {
  readonly reason: "rcu" | "irq" | "preempt" | "lazy_mmu";
  readonly when: ChangeWhen;
}

/** What a caller has to know of a function whose body is at hand: its effects by exit, its sleep and its demands. */
export interface Summary {
  /** Held on return and not on entry. */
  readonly takes: readonly LockChange[];
  /** Held on entry and not on return. */
  readonly givesUp: readonly GivenUp[];
  /** Held on entry and on return, and not all the time between: what it protects is stale. */
  readonly drops: readonly ContractLock[];
  readonly enters: readonly AtomicChange[];
  readonly leaves: readonly AtomicChange[];
  /** Locks that must be held on entry: asserted, or given up without having been taken, whatever path is gone. */
  readonly requires: readonly ContractLock[];
  readonly sleeps: Sleep;
  /** False where something about the function is not known: unseen code, recursion, a budget. */
  readonly complete: boolean;
}

/** For functions of which nothing is known, and for those that come back to themselves. */
export const UNKNOWN_SUMMARY: Summary = { takes: [], givesUp: [], drops: [], enters: [], leaves: [], requires: [], sleeps: NEVER_SLEEPS, complete: false };

/** Effects that outlast the call that has them, or ask for something of the caller. */
const LASTING: ReadonlySet<BoundEffect["kind"]> = new Set(["acquire", "release", "assertHeld", "enterAtomic", "leaveAtomic", "mapPte", "unmapPte", "lockEntryTable", "consumes", "dropsLock"]);

/** The summary of a function whose callees carry the effects of theirs already. */
export function summarize(program: EffectProgram, calleeSleep: (name: string) => CalleeSleep | null): Summary {
  const sleeps = sleepOf(program, calleeSleep);
  const isWhole = !program.openStart && !program.openEnd && !program.assumptions.some((one) => one.kind === "not-lowered" || one.kind === "unseen-code");
  if (!program.nodes.some((node) => node.kind === "call" && node.effects.some((effect) => LASTING.has(effect.kind))))
    return { ...UNKNOWN_SUMMARY, sleeps, complete: isWhole };
  const first = interpret(program);
  const demanded = demandsOf(program, first);
  const { left: sections, unsure } = sectionsLeft(program, first);
  const entry: State = { ...EMPTY_STATE, held: demanded.map(({ held }) => held), atomic: sections.map((reason) => ({ reason, of: "", at: -1 })) };
  const asksNothing = demanded.length === 0 && sections.length === 0;
  let { exits, complete } = exitsOf(program, asksNothing ? first : interpret(program, entry));
  let changes = changesOf(program, exits, demanded);
  // Of a function that is cut off, no value tells more: what is found of it is uncertain whatever is followed.
  if (complete && first.complete && [...changes.takes, ...changes.givesUp].some((change) => change.when === "sometimes")) {
    ({ exits, complete } = exitsOf(program, interpret(program, entry, returnedNames(program))));
    changes = changesOf(program, exits, demanded);
  }
  const isKept = ({ held }: Demand): boolean => exits.every(({ state }) => isHeld(state, held.lock, held.object));
  const isAlwaysGone = ({ held }: Demand): boolean => !exits.some(({ state }) => isHeld(state, held.lock, held.object));
  const summary: Summary = {
    ...changes,
    drops: demanded.filter((one) => one.isGivenUp && !one.isDoubtful && isKept(one)).map(({ held, object }) => contractLock(program, held, object)),
    enters: entersOf(exits, [...sections, ...unsure]),
    leaves: sections.map((reason) => ({ reason, when: whenOf(exits, ({ state }) => !isIn(state, reason)) })).filter(({ reason }) => exits.some(({ state }) => !isIn(state, reason))),
    requires: demanded.filter((one) => one.isAsserted || (one.isNeeded && (isKept(one) || isAlwaysGone(one)))).map(({ held, object }) => contractLock(program, held, object)),
    sleeps,
    complete: complete && first.complete && isWhole,
  };
  return complete && first.complete ? summary : uncertain(summary, givenUpAnywhere(program), leftAnywhere(program));
}

/** Locks that some call of the function gives up, whether or not a path to it was followed. */
function givenUpAnywhere(program: EffectProgram): GivenUp[] {
  const uses = program.nodes.flatMap((node) => (node.kind === "call" ? node.effects.flatMap(usesOf) : []));
  return uses
    .filter(({ isGivenUp, lock, object }) => isGivenUp && !(isForeign(program, object) && takesOfItsOwn(program, lock)))
    .map(({ lock, mode, object }) => ({ lock, mode, object: contractObject(program, object), when: "sometimes", isValue: false, isDoubtful: true }));
}

/** Sections that some call of the function leaves. */
const leftAnywhere = (program: EffectProgram): AtomicChange[] =>
  program.nodes.flatMap((node) =>
    node.kind === "call" ? node.effects.flatMap((effect) => (effect.kind === "leaveAtomic" ? [{ reason: effect.reason, when: "sometimes" as const }] : [])) : [],
  );

/** A lock that the function needs from its caller, or gives up where the caller holds it. */
interface Demand {
  readonly held: Held;
  readonly object: Value | null;
  /** True where the function gives it up at some place; false where it only asserts. */
  readonly isGivenUp: boolean;
  readonly isAsserted: boolean;
  /** False where every place that gives it up does so by what it finds, and takes no harm where it is not held. */
  readonly isNeeded: boolean;
  /** True where the function may have taken all that it gives up. */
  readonly isDoubtful: boolean;
}

/** Locks that are asserted, or given up on a path that did not take them. */
function demandsOf(program: EffectProgram, { before, complete }: Interpretation): readonly Demand[] {
  const found = new Map<string, Demand>();
  const isTakenByItself = takesFirst(program, nodesBy(program, takenKeys), nodesBy(program, (effect) => usesOf(effect).map(keyOf)));
  program.nodes.forEach((node, id) => {
    if (node.kind !== "call") return;
    for (const use of node.effects.flatMap(usesOf)) {
      const { lock, mode, object, isGivenUp } = use;
      const text = objectText(object);
      const key = keyOf(use);
      const states = before[id] ?? [];
      const own = states.map((state) => state.held.find((one) => one.taken && isSameLock(one, lock, text))?.at);
      if (!own.includes(undefined) || (isForeign(program, object) && takesOfItsOwn(program, lock))) continue;
      const known = found.get(key);
      const isDoubtful = !complete || use.isDoubtful || hasUnknownOrigin(program, [object, use.tells].flatMap((value) => value ?? [])) || isTakenByItself(key, own);
      // An assertion does not say which kind of lock, or which mode: what gives the lock up does.
      const told = known && known.held.mode !== "any" && known.held.lock !== "lock" ? known.held : { lock, mode };
      found.set(key, {
        held: { lock: told.lock, object: text, mode: told.mode, at: -1, taken: false },
        object,
        isGivenUp: isGivenUp || known?.isGivenUp === true,
        isAsserted: (!isGivenUp && !isDoubtful) || known?.isAsserted === true,
        isNeeded: (use.isNeeded && !isDoubtful) || known?.isNeeded === true,
        isDoubtful: isDoubtful && known?.isDoubtful !== false,
      });
    }
  });
  // A lock of mm that is not named is the one of its class that is.
  const named = new Set([...found.values()].flatMap(({ held, object }) => (object === null || isGeneric(held.lock) ? [] : [held.lock])));
  return [...found.values()].filter(({ held, object }) => object !== null || !named.has(held.lock));
}

const keyOf = ({ lock, object }: ContractLock): string => `${isGeneric(lock) ? "" : lock} ${objectText(object)}`;

/** Locks that an effect takes; one whose object is not named is any of its class. */
const takenKeys = (effect: BoundEffect): readonly string[] => (effect.kind === "acquire" ? [keyOf(effect), ...(isGeneric(effect.lock) ? [] : [`${effect.lock} `])] : []);

const isForeign = (program: EffectProgram, object: Value | null): boolean => object !== null && contractObject(program, object) === null;

/** Objects of locals have many names: where the function takes such locks itself, one of them is the one that it gives up. */
const takesOfItsOwn = (program: EffectProgram, lock: LockClass): boolean =>
  program.nodes.some((node) => node.kind === "call" && node.effects.some((effect) => effect.kind === "acquire" && effect.lock === lock && (effect.object === null || isForeign(program, effect.object))));

/** Sections that the function leaves without having entered them; `unsure`: those that it may have entered itself. */
function sectionsLeft(program: EffectProgram, { before, complete }: Interpretation): { readonly left: readonly AtomicChange["reason"][]; readonly unsure: readonly AtomicChange["reason"][] } {
  const left = new Set<AtomicChange["reason"]>();
  const unsure = new Set<AtomicChange["reason"]>();
  const isEnteredByItself = takesFirst(program, new Map(), nodesBy(program, (effect) => (effect.kind === "leaveAtomic" ? [effect.reason] : [])));
  program.nodes.forEach((node, id) => {
    if (node.kind !== "call") return;
    for (const effect of node.effects) {
      if (effect.kind !== "leaveAtomic") continue;
      const { reason } = effect;
      const own = (before[id] ?? []).map((state) => state.atomic.find((one) => one.reason === reason)?.at);
      if (!own.includes(undefined)) continue;
      const isDoubtful = !complete || hasUnknownOrigin(program, node.args) || isEnteredByItself(reason, own);
      (isDoubtful ? unsure : left).add(reason);
    }
  });
  return { left: [...left].toSorted(), unsure: [...unsure] };
}

const isIn = (state: State, reason: AtomicChange["reason"]): boolean => state.atomic.some((one) => one.reason === reason);

interface Use extends ContractLock {
  readonly isGivenUp: boolean;
  /** False where the lock is given up only where it is held. */
  readonly isNeeded: boolean;
  readonly isDoubtful: boolean;
  /** What says afterwards whether it was given up: where that is a local, it is the function that decides. */
  readonly tells?: Value;
}

/** Locks that must be held where an effect happens. */
function usesOf(effect: BoundEffect): readonly Use[] {
  const certain = { isNeeded: true, isDoubtful: false };
  switch (effect.kind) {
    case "release":
      return [{ lock: effect.lock, mode: effect.mode, object: effect.object, isGivenUp: true, ...certain }];
    case "unmapPte":
      return effect.ptl ? [{ lock: "ptl", mode: "exclusive", object: effect.ptl, isGivenUp: true, ...certain }] : [];
    case "dropsLock":
      // Which object is meant is not said for classes of mm. A fault drops the lock under which it was handled, which is one of two: neither alone is needed.
      return [{ lock: effect.lock, mode: effect.mode, object: isGeneric(effect.lock) ? effect.object : null, isGivenUp: true, isNeeded: effect.when === "always", isDoubtful: effect.isDoubtful === true, ...(effect.tells ? { tells: effect.tells } : {}) }];
    case "assertHeld":
      return [{ lock: effect.lock, mode: effect.mode, object: effect.object, isGivenUp: false, ...certain }];
    default:
      return [];
  }
}

function changesOf(program: EffectProgram, exits: readonly Exit[], demanded: readonly Demand[]): Pick<Summary, "takes" | "givesUp"> {
  // A lock of mm that was given up without a name is taken again by its name.
  const isDemand = (held: Held): boolean =>
    demanded.some((one) => one.held.lock === held.lock && (one.held.object === held.object || (one.object === null && !isGeneric(held.lock))));
  const taken = new Map<string, Held>();
  for (const { state } of exits) for (const held of state.held) if (held.taken && !isDemand(held)) taken.set(`${held.lock} ${held.object} ${held.mode}`, held);
  const takes = [...taken.values()].map((held): LockChange => {
    const holds = (exit: Exit): boolean => exit.state.held.some((one) => one.lock === held.lock && one.object === held.object && one.mode === held.mode);
    const holding = exits.filter(holds);
    // What is locked is there: such an exit has a value that is not 0.
    const isValue = holding.length > 0 && holding.every((exit) => exit.returned !== null && exit.returned === held.object);
    return { ...contractLock(program, held, isValue ? null : objectAt(program, held)), when: whenOf(isValue ? exits.map((exit) => (holds(exit) ? { ...exit, value: "nonzero" } : exit)) : exits, holds), isValue };
  });
  const givesUp = demanded
    .filter(({ held }) => exits.some(({ state }) => !isHeld(state, held.lock, held.object)))
    .map(({ held, object, isDoubtful }): GivenUp => ({ ...contractLock(program, held, object), when: isDoubtful ? "sometimes" : whenOf(exits, ({ state }) => !isHeld(state, held.lock, held.object)), isValue: false, isDoubtful }));
  return { takes, givesUp };
}

/** Which value of the function goes with something that holds at some of its exits. */
function whenOf(exits: readonly Exit[], holds: (exit: Exit) => boolean): ChangeWhen {
  if (exits.every(holds)) return "always";
  const goesWith = (value: "zero" | "nonzero"): boolean => exits.every((exit) => exit.value !== null && (exit.value === value) === holds(exit));
  return goesWith("nonzero") ? "nonzero" : goesWith("zero") ? "zero" : "sometimes";
}

function entersOf(exits: readonly Exit[], left: readonly AtomicChange["reason"][]): readonly AtomicChange[] {
  const isSection = (atomic: Atomic): atomic is Atomic & { readonly reason: AtomicChange["reason"] } => atomic.reason !== "spinlock" && atomic.reason !== "pte-map";
  const reasons = new Set(exits.flatMap(({ state }) => state.atomic.filter(isSection).map((one) => one.reason)));
  return [...reasons].filter((reason) => !left.includes(reason)).toSorted().map((reason) => ({ reason, when: whenOf(exits, ({ state }) => isIn(state, reason)) }));
}

/** The value that names the object of a lock at the node that took it. */
function objectAt(program: EffectProgram, held: Held): Value | null {
  const node = program.nodes[held.at];
  if (node?.kind !== "call") return null;
  for (const effect of node.effects)
    for (const part of Object.values(effect) as unknown[])
      if (typeof part === "object" && part !== null && "kind" in part && objectText(part as Value) === held.object) return part as Value;
  return null;
}

/** In terms of parameters that keep their value, and of globals; null for any other. */
function contractObject(program: EffectProgram, object: Value | null): Value | null {
  const isFixed = (name: string): boolean => {
    const variable = program.variables.get(name);
    return variable === undefined || (variable.isParameter && !isAssigned(program, name));
  };
  const seen = object && substitute(object, program.aliases ?? new Map());
  return seen && namesIn(seen).length > 0 && namesIn(seen).every(isFixed) ? seen : null;
}

const contractLock = (program: EffectProgram, { lock, mode }: Held, object: Value | null): ContractLock => ({ lock, mode, object: contractObject(program, object) });

const isAssigned = (program: EffectProgram, name: string): boolean =>
  program.nodes.some((node) => (node.kind === "assign" && render(node.target) === name) || (node.kind === "call" && node.result === name));

const returnedNames = (program: EffectProgram): readonly string[] => [
  ...new Set(program.nodes.flatMap((node) => (node.kind === "return" && node.value?.kind === "name" ? [node.value.name] : []))),
];

/** A summary as the effects of one call: what the kernel's tables would say of the function. */
export function effectsOfCall(summary: Summary, call: CallNode, callee: EffectProgram): BoundEffect[] {
  const parameters = [...callee.variables.values()].filter((variable) => variable.isParameter);
  const given = new Map(parameters.flatMap((parameter, index) => (call.args[index] ? [[parameter.name, call.args[index]] as const] : [])));
  const objectOf = ({ object }: ContractLock): Value | null => object && substitute(object, given);
  const modeOf = (mode: LockMode | "any"): LockMode => (mode === "any" ? "exclusive" : mode);
  return [
    ...summary.givesUp.map((change): BoundEffect =>
      change.when === "always"
        ? { kind: "release", lock: change.lock, object: objectOf(change), mode: modeOf(change.mode) }
        : { kind: "dropsLock", lock: change.lock, object: objectOf(change), mode: change.mode, when: change.when, onReturn: "released", ...(change.isDoubtful ? { isDoubtful: true } : {}) },
    ),
    ...summary.takes.flatMap((change): BoundEffect[] =>
      change.when === "sometimes"
        ? []
        : [{ kind: "acquire", lock: change.lock, object: objectOf(change), mode: modeOf(change.mode), sleeps: false, held: change.when, ...(change.isValue ? { objectIsValue: true } : {}) }],
    ),
    ...summary.leaves.flatMap(({ reason, when }): BoundEffect[] => (when === "always" ? [{ kind: "leaveAtomic", reason }] : when === "sometimes" ? [{ kind: "leaveAtomic", reason, sometimes: true }] : [])),
    ...summary.enters.flatMap(({ reason, when }): BoundEffect[] => (when === "sometimes" ? [] : [{ kind: "enterAtomic", reason, held: when }])),
  ];
}
