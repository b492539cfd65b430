// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { and, eq, FALSE, gt, lt, minus, ne, not, or, plus, TRUE, type Expression } from "../../simulator/expression.ts";
import type { Alternative, Assignment, Check } from "../../simulator/model.ts";
import { someIn } from "../doubt.ts";
import type { Experiment } from "../experiment.ts";
import { lift } from "../lift.ts";
import { guessedNames, unseenNames } from "../obligation/guessed.ts";
import { isSite, type Site } from "../obligation/obligation.ts";
import { returnsError } from "../obligation/returned.ts";
import { asInText, insertAtEnd, synthetic } from "../rewrite.ts";
import { isPointer } from "../translate.ts";
import type { LiftedStep, Lifting, World } from "../world.ts";
import { addKeeper, type Keeper } from "./keeper.ts";
import { aliasesOf, countedIn, pointerNamed, type Origin } from "./object.ts";

/*
 * One reference that a function takes, from the call that takes it to the end of the function. The object is followed by
 * value: a pointer variable is NULL, something else, an error, or the object that the site is about.
 */

const OTHER = 1;
const OBJECT = 2;
const ERROR = 3;

/** States of the function's reference. */
const NEVER = 0;
const TAKEN = 1;
const PUT = 2;

/** What is asked about one reference. */
export interface Questions {
  /** Whether a way that fails leaves with it. */
  readonly leaked: boolean;
  /** Whether it is put more often than it was taken. */
  readonly twice: boolean;
  /** Who else keeps the object once it was put; null: it is not asked whether it is used then. */
  readonly keeper: Keeper | null;
}

export interface Reference {
  readonly site: Site;
  /** Variable that names the object at the site. */
  readonly name: string;
  /** What readers know the object as, where that variable is one of a helper in the place of its call. */
  readonly shown?: string;
  /** Where that variable got it; null: from the call at the site. */
  readonly origin: Origin | null;
}

/** The object that an effect puts, takes or uses, as a local pointer. */
const puts = (program: EffectProgram, effect: BoundEffect): string | null => (effect.kind === "putReference" ? pointerNamed(program, effect.object) : null);

/** Locks that live in the object. */
function usedBy(effect: BoundEffect): Value | null {
  if (effect.kind !== "acquire" && effect.kind !== "release") return null;
  return effect.lock === "folio_lock" || effect.lock === "mmap_lock" ? effect.object : null;
}

/** True where a node uses what one of the names means. */
export const isUsed = (program: EffectProgram, names: ReadonlySet<string>): boolean => program.nodes.some((node) => node.kind === "call" && node.effects.some((effect) => {
  const used = usedBy(effect);
  return used !== null && names.has(pointerNamed(program, used) ?? "");
}));

/** The first call that puts what one of the names means. */
export const putIn = (program: EffectProgram, names: ReadonlySet<string>): CallNode | null =>
  program.nodes.find((node): node is CallNode => node.kind === "call" && node.effects.some((effect) => names.has(puts(program, effect) ?? ""))) ?? null;

const LATER = "/* put at the end */";

/** Explores one function for what becomes of one reference that it takes. */
export function referenceExperiment(reference: Reference, questions: Questions): Experiment {
  const { name, shown = name, site } = reference;
  const primary = [...(questions.leaked ? ["reference-leaked"] : []), ...(questions.twice ? ["double-free"] : []), ...(questions.keeper ? ["uaf"] : [])];
  const beside = questions.keeper ? `environment {${questions.keeper.thread}}, loops unbounded, SC` : "one thread, every way through the function, loops unbounded";
  return {
    name: "reference-imbalance",
    primary,
    secondary: [],
    bounds: beside,
    build(program, release) {
      const model = modelBuilder("reference-imbalance");
      const lifted = lift(model, program, release, (thread) => world({ program, reference, questions }, model, thread));
      const taken = [...lifted.stepsOf].flatMap(([id, steps]) => {
        const node = program.nodes[id];
        return node?.kind === "call" && isSite(site, node) && steps[0] !== undefined ? [steps[0]] : [];
      });
      if (taken.length === 0) return null;
      for (const step of taken) model.reach(lifted.thread, step, "the call that takes it");
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix(program) {
      const names = aliasesOf(program, name);
      const put = putIn(program, names)?.name;
      if (put === undefined) return null;
      const later = program.nodes.map((node) =>
        node.kind === "call" && node.effects.some((effect) => names.has(puts(program, effect) ?? "")) ? { ...node, shown: LATER } : node,
      );
      const effect: BoundEffect = { kind: "putReference", object: { kind: "name", name, at: -1 } };
      return { title: `${put}(${shown}) once, as the last thing on every way out`, program: insertAtEnd({ ...program, nodes: later }, [synthetic(`${put}(${shown})`, effect)]) };
    },
    mutate: (fixed) => ({ ...fixed, nodes: fixed.nodes.map((node) => (node.kind !== "call" ? node : node.shown === LATER ? asInText(node) : node.at < 0 ? { ...node, effects: [], shown: "/* not put */" } : node)) }),
    wrongFixes: [],
  };
}

interface Looked {
  readonly program: EffectProgram;
  readonly reference: Reference;
  readonly questions: Questions;
}

function world({ program, reference: { site, name, shown = name, origin }, questions }: Looked, model: ModelBuilder, thread: ThreadBuilder): World {
  const { keeper } = questions;
  const names = aliasesOf(program, name);
  const state = model.field(`reference to ${shown}`, NEVER, { labels: { [NEVER]: "none", [TAKEN]: "taken", [PUT]: "put" } });
  const section = keeper?.section == null ? null : model.field(keeper.section, 0);
  const kept = keeper ? model.field("kept by others", 1, { labels: { 0: "no more", 1: "yes" } }) : null;
  // Whether it was found under a lock that keeps the others from giving theirs up.
  const known = keeper?.foundUnder === true ? thread.local("found under its lock", 0, { hidden: true }) : null;
  if (keeper && kept) addKeeper(model, keeper, kept, section, eq(state, PUT));
  const guessed = guessedNames(program);
  const hides = unseenNames(program);

  const isAlive = kept === null ? TRUE : or(ne(state, PUT), eq(kept, 1), ...(known ? [eq(known, 0)] : []));
  const uses: Check[] = kept === null ? [] : [{ holds: isAlive, property: "uaf", message: `${shown} is used after its reference was put, and whoever else kept it has given it up` }];
  const second: Check[] = questions.twice ? [{ holds: ne(state, PUT), property: "double-free", message: `the reference to ${shown} is put a second time: it is freed under whoever still has one` }] : [];
  const isOurs = (value: Value): boolean => names.has(pointerNamed(program, value) ?? "");
  const used = (effect: BoundEffect): Value | null => {
    const value = kept === null ? null : usedBy(effect);
    return value !== null && isOurs(value) ? value : null;
  };
  const put = (effect: BoundEffect): Value | null => (effect.kind === "putReference" && isOurs(effect.object) ? countedIn(effect.object) : null);
  const counts = (effect: BoundEffect): boolean => section !== null && keeper !== null && (keeper.enters(effect) || keeper.leaves(effect));
  const counted = (effect: BoundEffect): Assignment[] => {
    if (section === null || keeper === null) return [];
    // With the lock taken again, a second look may tell whether the object is still kept.
    if (keeper.enters(effect)) return [assign(section, plus(section, lt(section, DEEPEST))), ...(known ? [assign(known, and(eq(known, 1), ne(state, PUT)))] : [])];
    return keeper.leaves(effect) ? [assign(section, minus(section, gt(section, 0)))] : [];
  };
  const begins = (effect: BoundEffect, call: CallNode): boolean => isSite(site, call) && effect.kind === site.effect.kind;
  /** The other names mean what was found before. */
  const renewed = (lifting: Lifting): Assignment[] => [
    ...[...names].flatMap((one) => {
      const value = lifting.translate({ kind: "name", name: one, at: -1 });
      return value === null ? [] : lifting.set(one, minus(value, eq(value, OBJECT)));
    }),
    assign(state, NEVER),
  ];
  const took = (lifting: Lifting): Assignment[] => [
    assign(state, TAKEN),
    ...(kept ? [assign(kept, 1)] : []),
    ...(known && section ? [assign(known, gt(section, 0))] : []),
    ...counted(site.effect),
    ...(origin === null ? lifting.set(name, OBJECT) : []),
  ];
  return {
    sees: (effect, call) => begins(effect, call) || put(effect) !== null || used(effect) !== null || counts(effect),
    reads: (effect, call) => [put(effect), used(effect), begins(effect, call) ? { kind: "name", name, at: -1 } as const : null].flatMap((value) => (value === null ? [] : [value])),
    refine(effect, call, lifting) {
      if (begins(effect, call)) return [effect.kind === "getReference" ? takes(program, effect, call, lifting, took(lifting), state) : finds(effect, call, lifting, renewed(lifting), took(lifting))];
      const ended = put(effect);
      if (ended !== null) return [putting(ended, call, lifting, { state, second })];
      const touched = used(effect);
      const at = touched === null ? null : lifting.translate(touched);
      if (at !== null && isIt(at) !== FALSE && effect.kind === "release") return [{ alternatives: [{ guard: isIt(at), checks: uses, effect: counted(effect) }, { guard: not(isIt(at)), effect: counted(effect), note: "another one" }] }];
      return counts(effect) || touched !== null ? [entering(effect, call, lifting, counted(effect), at === null ? [] : uses.map((check) => ({ ...check, holds: or(not(isIt(at)), check.holds) })))] : [];
    },
    origin(node, lifting) {
      if (origin?.is !== "node" || node.at !== origin.node.at || node.kind !== origin.node.kind) return null;
      const key = node.kind === "call" ? node.result : render(node.target);
      const before = renewed(lifting);
      return { alternatives: [{ effect: [...before, ...lifting.set(key, OBJECT)], note: "found" }, { effect: [...before, ...lifting.set(key, 0)], note: "NULL" }], hidden: true };
    },
    parameter: (key, bit) => (origin?.is === "parameter" && bit === null && isOrigin(program, key, name) ? OBJECT : null),
    place: () => null,
    meaning(pure, args, translate) {
      const [first] = args;
      // Of those that a mapping keeps, it is one that no page cache has.
      if (pure.meaning === "folio-anon" && keeper?.id === "mapping" && first && isOurs(first)) return TRUE;
      if (!first || !isOurs(first) || (pure.meaning !== "error-pointer" && pure.meaning !== "null-or-error-pointer")) return null;
      const value = translate(first);
      return value && (pure.meaning === "error-pointer" ? eq(value, ERROR) : or(eq(value, ERROR), eq(value, 0)));
    },
    unseen: () => [{ text: shown, hidden: true, alternatives: [{ effect: [assign(state, NEVER)] }] }],
    decidedBy: (value) => someIn(value, (part) => guessed.has(render(part)) || hides(render(part)) || (part.kind === "call" && TELLS_FAILURE.test(part.name) && part.args.some(isOurs))),
    hides,
    readsReturns: questions.leaked,
    leaving: (at, lifting) => {
      if (!questions.leaked) return [];
      const error = returnsError(program, at, lifting);
      if (error === FALSE) return [];
      return [{ holds: or(ne(state, TAKEN), not(error)), property: "reference-leaked", message: `the function fails with a reference to ${shown} that nobody puts: it is never freed` }];
    },
  };
}

/** Locks that are told apart when they nest. */
const DEEPEST = 8;

/** Calls that say whether a pointer is one. */
const TELLS_FAILURE = /^(?:PTR_ERR|PTR_ERR_OR_ZERO|IS_ERR_VALUE|xa_is_value|xa_is_err|radix_tree_exceptional_entry)$/;

const isIt = (value: Expression): Expression => (value.kind === "constant" ? (value.value === OBJECT ? TRUE : FALSE) : eq(value, OBJECT));

/** A parameter that the object came in by. */
const isOrigin = (program: EffectProgram, key: string, name: string): boolean => program.variables.get(key)?.isParameter === true && aliasesOf(program, name).has(key);

/** Takes one more reference to an object that is there. What is taken twice is not followed. */
function takes(program: EffectProgram, effect: BoundEffect & { kind: "getReference" }, call: CallNode, lifting: Lifting, took: readonly Assignment[], state: Assignment["target"]): LiftedStep {
  const at = lifting.translate(countedIn(effect.object));
  const isPointerValue = call.result !== null && isPointer(program, { kind: "name", name: call.result, at: -1 });
  const success = effect.held === "zero" ? 0 : isPointerValue ? (at ?? OTHER) : 1;
  const way = (guard: Expression, effects: readonly Assignment[], note?: string): Alternative => ({ guard, effect: [...effects, ...lifting.set(call.result, success)], ...(note === undefined ? {} : { note }) });
  const is = at === null ? FALSE : isIt(at);
  const fresh = and(is, ne(state, TAKEN));
  return {
    alternatives: [
      way(fresh, took, effect.held === undefined || effect.held === "always" ? undefined : "taken"),
      way(and(is, eq(state, TAKEN)), [assign(state, NEVER)], "once more"),
      way(not(is), [], "another one"),
      ...(effect.held === undefined || effect.held === "always" ? [] : [{ effect: lifting.set(call.result, effect.held === "zero" ? 1 : 0), note: "not taken" }]),
    ],
  };
}

/** A call whose value carries the reference. */
function finds(effect: BoundEffect, call: CallNode, lifting: Lifting, renewed: readonly Assignment[], took: readonly Assignment[]): LiftedStep {
  const failure = effect.kind === "returnsReference" ? effect.failure : "null";
  const failed = [...(failure === "null" || failure === "null-or-error" ? [{ value: 0, note: "NULL" }] : []), ...(failure === "error-pointer" || failure === "null-or-error" ? [{ value: ERROR, note: "an error" }] : [])];
  return {
    alternatives: [
      { effect: [...renewed, ...took], note: "found" },
      ...failed.map(({ value, note }) => ({ effect: [...renewed, ...lifting.set(call.result, value)], note })),
    ],
  };
}

function putting(of: Value, call: CallNode, lifting: Lifting, { state, second }: { readonly state: Assignment["target"]; readonly second: readonly Check[] }): LiftedStep {
  if (call.shown === LATER) return { alternatives: [{}], hidden: true };
  const at = lifting.translate(of);
  if (call.at < 0) return { alternatives: [{ guard: eq(state, TAKEN), effect: [assign(state, PUT)] }, { guard: ne(state, TAKEN), note: "not on this way" }] };
  // A pointer that is not followed may be any.
  if (at === null) return { alternatives: [{ effect: [assign(state, NEVER)] }] };
  const is = isIt(at);
  return {
    alternatives: [
      { guard: and(is, ne(state, NEVER)), checks: second, effect: [assign(state, PUT)] },
      { guard: and(is, eq(state, NEVER)), note: "of the caller" },
      { guard: not(is), note: "another one" },
    ],
  };
}

/** A call that takes or gives up a lock; one whose value says whether it did has both values. */
function entering(effect: BoundEffect, call: CallNode, lifting: Lifting, counted: readonly Assignment[], checks: readonly Check[]): LiftedStep {
  if (effect.kind === "mapPte" && effect.mayFail) {
    const [yes, no] = effect.pteOut ? [0, 1] : [1, 0];
    const pointer = (value: number): readonly Assignment[] => (effect.pteOut?.kind === "unary" ? lifting.set(render(effect.pteOut.of), value) : []);
    return { alternatives: [{ checks, effect: [...counted, ...lifting.set(call.result, yes), ...pointer(1)] }, { effect: lifting.set(call.result, no), note: "not mapped" }] };
  }
  const held = "held" in effect ? effect.held : undefined;
  if (held === undefined || held === "always") return { alternatives: [{ checks, effect: [...counted, ...lifting.set(call.result, 1)] }] };
  const [yes, no] = held === "nonzero" ? [1, 0] : [0, 1];
  return { alternatives: [{ checks, effect: [...counted, ...lifting.set(call.result, yes)], note: "acquired" }, { checks, effect: lifting.set(call.result, no), note: "not acquired" }] };
}
