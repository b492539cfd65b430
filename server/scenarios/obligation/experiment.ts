// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { modelBuilder, type ThreadBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { eq, ne, not, TRUE, type Expression, type Field } from "../../simulator/expression.ts";
import type { Alternative, Check } from "../../simulator/model.ts";
import { someIn } from "../doubt.ts";
import type { Experiment } from "../experiment.ts";
import { lift } from "../lift.ts";
import { insertAtEnd, synthetic, without } from "../rewrite.ts";
import type { LiftedStep, Lifting, World } from "../world.ts";
import { guessedNames } from "./guessed.ts";
import { isSite, type BadState, type Handle, type ObligationKind, type Role, type Site } from "./obligation.ts";

/** Values of pointers in the model: 0 is NULL, 1 is something else, this is what the site began. */
const FOCUS = 2;

/** States of what the site began. */
const NEVER = 0;
const OPEN = 1;
const ENDED = 2;

/** Explores one function for what one call of it begins: whether every way through ends it once, and uses it in between. */
export function obligationExperiment(kind: ObligationKind, site: Site): Experiment {
  const role = kind.role(site.effect, site.call);
  if (role?.does !== "begin") throw new Error("the site begins something");
  const name = nameOf(role, site);
  const bad = [kind.leftOpen, kind.endedTwice, kind.begunAgain, kind.usedAfter].flatMap((one) => (one ? [one.property] : []));
  const added = kind.ending(name, site);
  const isAdded = (call: CallNode): boolean => added !== null && call.at < 0 && call.shown === added.shown;
  return {
    name: kind.scenario,
    primary: bad,
    secondary: [],
    bounds: "one thread, every way through the function, loops unbounded",
    build(program, release) {
      const model = modelBuilder(kind.scenario);
      const lifted = lift(model, program, release, (thread) => world(kind, site, role, name, program, thread, isAdded));
      const begins = [...lifted.stepsOf].flatMap(([id, steps]) => {
        const node = program.nodes[id];
        return node?.kind === "call" && isSite(site, node) && steps[0] !== undefined ? [steps[0]] : [];
      });
      if (begins.length === 0) return null;
      for (const step of begins) model.reach(lifted.thread, step, "the call that begins it");
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix: (program) => added && { title: kind.fixTitle(name), program: insertAtEnd(program, [synthetic(added.shown, added.effect)]) },
    mutate: (fixed) => without(fixed, (node) => node.kind === "call" && isAdded(node)),
    wrongFixes: [],
  };
}

/** What the text calls the thing. */
function nameOf(role: Role & { does: "begin" }, site: Site): string {
  if (role.place !== null) return role.place;
  if (role.received !== null && typeof role.received === "object") return render(role.received.by);
  return site.call.result ?? site.call.name;
}

function world(kind: ObligationKind, site: Site, begin: Role & { does: "begin" }, name: string, program: EffectProgram, thread: ThreadBuilder, isAdded: (call: CallNode) => boolean): World {
  const state = thread.local(kind.shown(name), NEVER, { labels: { [NEVER]: "not begun", [OPEN]: kind.states.open, [ENDED]: kind.states.ended } });
  const check = (bad: BadState | null, holds: Expression): Check[] => (bad ? [{ holds, property: bad.property, message: bad.message(name) }] : []);
  const guessed = guessedNames(program);
  /** Role of an effect for what the site began; null: none. */
  const roleOf = (effect: BoundEffect, call: CallNode): Role | null => {
    const role = kind.role(effect, call);
    if (role === null) return null;
    if (role.does === "begin") return isSite(site, call) || (begin.place !== null && role.place === begin.place) ? role : null;
    return role.handle.by === "place" && role.handle.place !== begin.place ? null : role;
  };
  return {
    sees: (effect, call) => roleOf(effect, call) !== null,
    reads: (effect, call) => {
      const role = roleOf(effect, call);
      return role && role.does !== "begin" && role.handle.by === "value" ? [role.handle.of] : [];
    },
    refine(effect, call, lifting) {
      const role = roleOf(effect, call);
      switch (role?.does) {
        case "begin":
          return [beginning(role, call, lifting, state, check(kind.begunAgain, ne(state, OPEN)))];
        case "end":
          return isAdded(call) ? [{ alternatives: [{ guard: eq(state, OPEN), effect: [assign(state, ENDED)] }, { guard: ne(state, OPEN), note: "not on this way" }] }] : [touching(role.handle, lifting, check(kind.endedTwice, ne(state, ENDED)), [assign(state, ENDED)])];
        case "use":
          return [touching(role.handle, lifting, check(kind.usedAfter, ne(state, ENDED)), [])];
        default:
          return [];
      }
    },
    place: () => null,
    meaning: () => null,
    // What code that is not visible did with it is not known: it is looked at no more.
    unseen: () => [{ text: name, hidden: true, alternatives: [{ effect: [assign(state, NEVER)] }] }],
    decidedBy: (value) => someIn(value, (part) => guessed.has(render(part))),
    leaving: () => check(kind.leftOpen, ne(state, OPEN)),
  };
}

function beginning(role: Role & { does: "begin" }, call: CallNode, lifting: Lifting, state: Field, checks: readonly Check[]): LiftedStep {
  const pointer = (value: number) => (role.received !== null && typeof role.received === "object" ? lifting.set(render(pointee(role.received.by)), value) : []);
  const success = role.received === "value" ? FOCUS : role.failure === "nonzero" ? 0 : 1;
  const begun: Alternative = { checks, effect: [assign(state, OPEN), ...lifting.set(call.result, success), ...pointer(FOCUS)], note: role.words.begun };
  if (role.failure === null) return { alternatives: [begun] };
  const failed: Alternative = { effect: lifting.set(call.result, role.failure === "nonzero" ? 1 : 0), note: role.words.failed };
  return { alternatives: [begun, failed] };
}

const pointee = (value: Value): Value => (value.kind === "unary" && value.operator === "&" ? value.of : value);

/** A step that ends or uses what its handle means at that moment. */
function touching(handle: Handle, lifting: Lifting, checks: readonly Check[], effect: Alternative["effect"] & object): LiftedStep {
  if (handle.by === "place") return { alternatives: [{ checks, effect }] };
  const value = lifting.translate(handle.of);
  // A pointer that is not followed may be any: it ends what it may mean, and is no use of it.
  if (value === null) return { alternatives: [{ effect }], hidden: effect.length === 0 };
  const isFocus = value.kind === "constant" ? (value.value === FOCUS ? TRUE : null) : eq(value, FOCUS);
  if (isFocus === null) return { alternatives: [{}], hidden: true };
  return { alternatives: [{ guard: isFocus, checks, effect }, { guard: not(isFocus), note: "another one" }] };
}
