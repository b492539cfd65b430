// SPDX-License-Identifier: GPL-2.0-only
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { and, eq, expression, gt, lt, minus, ne, not, or, plus, TRUE, type Expression, type Field } from "../../simulator/expression.ts";
import type { Alternative, Assignment, Check } from "../../simulator/model.ts";
import { someIn } from "../doubt.ts";
import type { Experiment } from "../experiment.ts";
import { lift } from "../lift.ts";
import { whereThere } from "../followed-pointers.ts";
import { insertAtEnd, synthetic, without } from "../rewrite.ts";
import type { LiftedStep, Lifting, World } from "../world.ts";
import { endOnce, undoEndOnce } from "./end-once.ts";
import { guessedNames, unseenNames } from "./guessed.ts";
import { returnsError } from "./returned.ts";
import { ENDED, LENT, MISSED, NEVER, OPEN, REFUSED, UNSEEN } from "./states.ts";
import { twinsOf, type Twins } from "./twins.ts";
import { isSite, nameOf, placeOf, pointee, type BadState, type Handle, type ObligationKind, type Role, type SectionStep, type Site } from "./obligation.ts";

/** Values of pointers in the model: 0 is NULL, 1 is something else, this is what the site began. */
const FOCUS = 2;

/** Sections that are told apart when they nest; more are not undone one by one, which only hides defects. */
const DEEPEST = 8;

type Begin = Role & { does: "begin" };

/** Explores one function for what one call of it begins: whether every way through ends it once, and uses it in between. */
export function obligationExperiment(kind: ObligationKind, site: Site): Experiment {
  const role = kind.role(site.effect, site.call);
  if (role?.does !== "begin") throw new Error("the site begins something");
  const name = nameOf(role, site.call) ?? site.call.name;
  const bad = [kind.leftOpen, kind.endedTwice, kind.begunAgain, kind.usedAfter, kind.missed, kind.endedRefused, kind.endedUnbegun, kind.renewedOpen].flatMap((one) => (one ? [one.property] : []));
  const added = kind.ending(name, site);
  const isAdded = (call: CallNode): boolean => added !== null && call.shown === added.shown;
  const does = (call: CallNode, ...what: readonly Role["does"][]): boolean => call.effects.some((effect) => {
    const one = kind.role(effect, call);
    return one !== null && what.includes(one.does) && placeOf(one) === role.place;
  });
  return {
    name: kind.scenario,
    primary: bad,
    secondary: [],
    bounds: kind.environment?.bounds ?? "one thread, every way through the function, loops unbounded",
    build(program, release) {
      const model = modelBuilder(kind.scenario);
      const lifted = lift(model, program, release, (thread) => world({ kind, site, begin: role, name, program, isAdded }, model, thread));
      const begins = [...lifted.stepsOf].flatMap(([id, steps]) => {
        const node = program.nodes[id];
        return node?.kind === "call" && isSite(site, node) && steps[0] !== undefined ? [steps[0]] : [];
      });
      if (begins.length === 0) return null;
      for (const step of begins) model.reach(lifted.thread, step, "the call that begins it");
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix(program) {
      const repaired = kind.repair?.fix(program) ?? program;
      if (added === null) return kind.repair ? { title: kind.repair.title(name), program: repaired } : null;
      const ending = synthetic(added.shown, added.effect);
      const title = kind.repair?.title(name) ?? kind.fixTitle(name);
      if (role.place === null) return { title, program: insertAtEnd(repaired, [ending]) };
      return { title, program: endOnce(repaired, ending, (call) => does(call, "begin", "renew"), (call) => does(call, "end")) };
    },
    mutate(fixed) {
      const undone = kind.repair?.undo(fixed) ?? fixed;
      return role.place === null ? without(undone, (node) => node.kind === "call" && node.at < 0 && isAdded(node)) : undoEndOnce(undone, isAdded);
    },
    wrongFixes: [],
  };
}

interface Looked {
  readonly kind: ObligationKind;
  readonly site: Site;
  readonly begin: Begin;
  readonly name: string;
  readonly program: EffectProgram;
  readonly isAdded: (call: CallNode) => boolean;
}

function world({ kind, site, begin, name, program, isAdded }: Looked, model: ModelBuilder, thread: ThreadBuilder): World {
  const labels = { [NEVER]: "not begun", [OPEN]: kind.states.open, [ENDED]: kind.states.ended, [MISSED]: `still ${kind.states.open}`, [REFUSED]: "not begun", [LENT]: kind.states.ended, [UNSEEN]: "not visible" };
  const state = thread.local(kind.shown(name), NEVER, { labels });
  const section = kind.section ? model.field(kind.section.name, 0) : null;
  const others = section && kind.environment ? kind.environment.add(model, section) : { usable: ne(state, ENDED), begins: TRUE };
  const check = (bad: BadState | null | undefined, holds: Expression): Check[] => (bad ? [{ holds, property: bad.property, message: bad.message(name) }] : []);
  const guessed = guessedNames(program);
  const hides = unseenNames(program);
  const isFocus = (call: CallNode, role: Begin): boolean => isSite(site, call) || (begin.place !== null && role.place === begin.place);
  /** Role of an effect for what the site began; null: none. */
  const roleOf = (effect: BoundEffect, call: CallNode): Role | null => {
    const role = kind.role(effect, call);
    if (role?.does === "begin") return section !== null || isFocus(call, role) ? role : null;
    return role !== null && "handle" in role && role.handle.by === "place" && role.handle.place !== begin.place ? null : role;
  };
  const stepOf = (effect: BoundEffect, call: CallNode): SectionStep | null => kind.section?.step(effect, call) ?? null;
  const count = (...steps: readonly (SectionStep | null)[]): Assignment[] =>
    section === null ? [] : steps.flatMap((step) => (step === null ? [] : [assign(section, step === "enter" ? plus(section, lt(section, DEEPEST)) : minus(section, gt(section, 0)))]));
  // A function may give up for a while what its caller has: a kind that ends only what the function begins says so.
  const mayBeOfCaller = begin.place !== null && !kind.endedUnbegun;
  const notMissed = check(kind.missed, ne(state, MISSED));
  const twins = twinsOf(kind, begin.place, program, thread, state);
  return {
    sees: (effect, call) => roleOf(effect, call) !== null || twins.roleOf(effect, call) !== null || stepOf(effect, call) !== null,
    reads: (effect, call) => {
      const role = roleOf(effect, call);
      return role && "handle" in role && role.handle.by === "value" ? [role.handle.of] : [];
    },
    refine(effect, call, lifting) {
      const role = roleOf(effect, call);
      const twin = twins.roleOf(effect, call);
      if (twin !== null) return twins.steps(twin, call, lifting);
      switch (role?.does) {
        case "begin": {
          if (!isFocus(call, role)) return [beginning(role, call, lifting, { pointer: 1, guard: others.begins, lent: null, nested: null, effect: count("enter", stepOf(effect, call)), refused: { effect: [], unless: null }, checks: [] })];
          return [
            whereThere(role.place === null ? [] : call.args, lifting, beginning(role, call, lifting, {
              pointer: FOCUS,
              guard: others.begins,
              lent: mayBeOfCaller ? state : null,
              nested: begin.place !== null && !kind.begunAgain ? state : null,
              effect: [assign(state, OPEN), ...count("enter", stepOf(effect, call))],
              // What lives in a place is the same one, whether or not it could be begun.
              refused: kind.endedRefused ? { effect: [assign(state, REFUSED)], unless: or(eq(state, LENT), eq(state, OPEN)) } : { effect: role.place === null ? [] : [assign(state, NEVER)], unless: null },
              checks: [...check(kind.begunAgain, ne(state, OPEN)), ...notMissed],
            })),
          ];
        }
        case "end": {
          if (isAdded(call)) return [{ alternatives: [{ guard: eq(state, OPEN), effect: [assign(state, ENDED), ...count("leave")] }, { guard: ne(state, OPEN), note: "not on this way" }] }];
          // What is not it may be another one: the section is left all the same.
          const left = count("leave", stepOf(effect, call));
          const checks = [...check(kind.endedTwice, ne(state, ENDED)), ...check(kind.endedRefused, ne(state, REFUSED)), ...check(kind.endedUnbegun, ne(state, NEVER))];
          if (mayBeOfCaller) return [endingPlace(state, left, checks, twins)];
          return [touching(role.handle, lifting, { checks, effect: [assign(state, ENDED), ...left] }, left)];
        }
        case "may-end":
          return [mayEnd(role, lifting, state)];
        case "renew":
          return [{ alternatives: [{ checks: check(kind.renewedOpen, ne(state, OPEN)), effect: role.sets.flatMap((field) => lifting.set(field, 1)) }] }];
        case "use":
          return [touching(role.handle, lifting, { checks: check(kind.usedAfter, or(ne(state, ENDED), others.usable)), effect: [] }, [])];
        case "miss":
          return [{ alternatives: [{ guard: eq(state, OPEN), effect: [assign(state, MISSED)] }, { guard: ne(state, OPEN), note: "not on this way" }] }];
        case "forget":
          return [{ alternatives: [{ effect: [assign(state, NEVER), ...count("leave", stepOf(effect, call))] }] }];
        default: {
          const step = stepOf(effect, call);
          return step === null ? [] : [entering(effect, call, lifting, count(step))];
        }
      }
    },
    place: () => null,
    meaning: () => null,
    // What code that is not visible did with it is not known: it is looked at no more.
    unseen: () => [{ text: name, hidden: true, alternatives: [{ effect: [assign(state, UNSEEN)] }] }],
    ...(kind.handed ? { handed: (call: CallNode) => kind.handed?.(program, call, begin.place ?? "") ?? null } : {}),
    decidedBy: (value) => someIn(value, (part) => guessed.has(render(part)) || hides(render(part))),
    hides,
    readsReturns: kind.leftAt === "errors",
    leaving: (at, lifting) => {
      const isClosed = section === null ? ne(state, OPEN) : not(and(eq(state, OPEN), gt(section, 0)));
      const error = kind.leftAt === "errors" ? returnsError(program, at, lifting) : TRUE;
      return [...check(kind.leftOpen, error === TRUE ? isClosed : or(isClosed, not(error))), ...notMissed];
    },
  };
}

/** What a call that begins something does, by its two outcomes. */
interface Begun {
  readonly pointer: number;
  /** Where another one can be begun. */
  readonly guard: Expression;
  /** State of the thing where a caller may have begun it too; null: it is the function's own. */
  readonly lent: Field | null;
  /** State of the thing where it may be begun while it is open; then its ends are not told apart. null: that is no matter. */
  readonly nested: Field | null;
  readonly effect: readonly Assignment[];
  /** `unless`: it is begun already, or its caller is to have it back: that a try fails changes nothing. */
  readonly refused: { readonly effect: readonly Assignment[]; readonly unless: Expression | null };
  readonly checks: readonly Check[];
}

function beginning(role: Begin, call: CallNode, lifting: Lifting, { pointer, guard, lent, nested, effect, refused, checks }: Begun): LiftedStep {
  const receive = (value: number): readonly Assignment[] => (role.received !== null && typeof role.received === "object" ? lifting.set(render(pointee(role.received.by)), value) : []);
  const success = role.received === "value" ? pointer : role.failure === "nonzero" ? 0 : 1;
  const begun: Alternative = { ...(guard === TRUE ? {} : { guard }), checks, effect: [...effect, ...lifting.set(call.result, success), ...receive(pointer)], note: role.words.begun };
  // What the caller had begun is begun again for it.
  const again: Alternative[] = lent === null ? [] : [{ guard: eq(lent, LENT), effect: [assign(lent, NEVER), ...lifting.set(call.result, success)], note: role.words.begun }];
  const deeper: Alternative[] = nested === null ? [] : [{ guard: eq(nested, OPEN), effect: [assign(nested, UNSEEN), ...lifting.set(call.result, success)], note: role.words.begun }];
  const isOther = [...(lent === null ? [] : [ne(lent, LENT)]), ...(nested === null ? [] : [ne(nested, OPEN)])];
  const first: Alternative = isOther.length === 0 ? begun : { ...begun, guard: isOther.reduce((all, one) => (all === TRUE ? one : and(all, one)), guard) };
  if (role.failure === null) return { alternatives: [first, ...again, ...deeper] };
  const told = lifting.set(call.result, role.failure === "nonzero" ? 1 : 0);
  const failed: Alternative = { ...(refused.unless ? { guard: not(refused.unless) } : {}), effect: [...refused.effect, ...told], note: role.words.failed };
  const unchanged: Alternative[] = refused.unless ? [{ guard: refused.unless, effect: told, note: role.words.failed }] : [];
  return { alternatives: [first, ...again, ...deeper, failed, ...unchanged] };
}

/** Ends what lives in a place: the function's own, or for a while what its caller began. */
function endingPlace(state: Field, counted: readonly Assignment[], checks: readonly Check[], { begun, forget }: Twins): LiftedStep {
  const isKnown = and(ne(state, NEVER), ne(state, UNSEEN));
  // What was begun under another name may be what is ended.
  const another = begun === null ? null : and(begun, or(eq(state, ENDED), eq(state, REFUSED)));
  return {
    alternatives: [
      { guard: another === null ? isKnown : and(isKnown, not(another)), checks, effect: [assign(state, ENDED), ...counted] },
      { guard: eq(state, UNSEEN), effect: counted },
      { guard: eq(state, NEVER), effect: [assign(state, LENT), ...counted], note: "of the caller" },
      ...(another === null ? [] : [{ guard: another, effect: [assign(state, UNSEEN), ...forget, ...counted] }]),
    ],
  };
}

/** One alternative for each outcome; what the caller had begun is not the function's to count. */
const mayEnd = ({ outcomes }: Role & { does: "may-end" }, lifting: Lifting, state: Field): LiftedStep => ({
  alternatives: outcomes.map(({ ends, tells, note }) => ({
    effect: [...(ends ? [assign(state, { kind: "binary", operator: "+", left: expression(state), right: eq(state, OPEN) })] : []), ...tells.flatMap(({ key, value }) => lifting.set(key, value))],
    note,
  })),
});

/** A call that only counts; one whose value says whether it happened has both values. */
function entering(effect: BoundEffect, call: CallNode, lifting: Lifting, counted: readonly Assignment[]): LiftedStep {
  const held = "held" in effect ? effect.held : undefined;
  if (held === undefined || held === "always") return { alternatives: [{ effect: [...counted, ...lifting.set(call.result, 1)] }] };
  const [yes, no] = held === "nonzero" ? [1, 0] : [0, 1];
  return { alternatives: [{ effect: [...counted, ...lifting.set(call.result, yes)] }, { effect: lifting.set(call.result, no), note: "not taken" }] };
}

/** A step that ends or uses what its handle means at that moment; `otherwise`: where it means another one. */
function touching(handle: Handle, lifting: Lifting, { checks, effect }: { readonly checks: readonly Check[]; readonly effect: readonly Assignment[] }, otherwise: readonly Assignment[]): LiftedStep {
  if (handle.by === "place") return { alternatives: [{ checks, effect }] };
  const value = lifting.translate(handle.of);
  // A pointer that is not followed may be any: it ends what it may mean, and is no use of it.
  if (value === null) return { alternatives: [{ effect }], hidden: effect.length === 0 };
  const isFocus = value.kind === "constant" ? (value.value === FOCUS ? TRUE : null) : eq(value, FOCUS);
  if (isFocus === null) return { alternatives: [{ effect: otherwise }], hidden: true };
  return { alternatives: [{ guard: isFocus, checks, effect }, { guard: not(isFocus), effect: otherwise, note: "another one" }] };
}
