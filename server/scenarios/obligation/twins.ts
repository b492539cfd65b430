// SPDX-License-Identifier: GPL-2.0-only
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import type { ThreadBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { and, eq, ne, not, or, type Expression, type Field } from "../../simulator/expression.ts";
import type { Alternative, Assignment } from "../../simulator/model.ts";
import type { LiftedStep, Lifting } from "../world.ts";
import { placeOf, type ObligationKind, type Role } from "./obligation.ts";
import { LENT, NEVER, OPEN, UNSEEN } from "./states.ts";

/*
 * One thing may have several names: `held = ptl; ... spin_unlock(held)`. What the function began under another name is
 * ended under that name. An end that has no beginning may be that of the thing that is looked at, and so may a beginning
 * without an end: from then on nothing is known of it.
 */

/** Names that are told apart; of the others, nothing is known once one of them was begun. */
const MOST = 6;

/** Things of other names that may be the one that is looked at. */
export interface Twins {
  /** Role of an effect for one of them; null: none. */
  roleOf(effect: BoundEffect, call: CallNode): Role | null;
  steps(role: Role, call: CallNode, lifting: Lifting): readonly LiftedStep[];
  /** Something was begun under another name and not ended; null: there is no other name. */
  readonly begun: Expression | null;
  /** After the end of what may have been any of them. */
  readonly forget: readonly Assignment[];
}

/** `state`: of the thing that is looked at, which lives in `place`; null: a pointer has it, and its name means nothing. */
export function twinsOf(kind: ObligationKind, place: string | null, program: EffectProgram, thread: ThreadBuilder, state: Field): Twins {
  const roleOf = (effect: BoundEffect, call: CallNode): Role | null => {
    const role = place === null || kind.mayBeOne === undefined ? null : kind.role(effect, call);
    const other = role && placeOf(role);
    return role !== null && other !== null && other !== place && kind.mayBeOne?.(place ?? "", other) === true ? role : null;
  };
  const names = new Set(program.nodes.flatMap((node) => (node.kind !== "call" ? [] : node.effects.flatMap((effect) => {
    const role = roleOf(effect, node);
    return role?.does === "begin" && role.place !== null ? [role.place] : [];
  }))));
  const fields = new Map([...names].slice(0, MOST).map((name) => [name, thread.local(`begun: ${name}`, 0, { hidden: true })] as const));
  const rest = names.size > MOST ? thread.local("begun: another", 0, { hidden: true }) : null;
  const all = [...fields.values(), ...(rest ? [rest] : [])];
  return {
    roleOf,
    steps(role, call, lifting) {
      const name = placeOf(role) ?? "";
      if (role.does === "begin") return [beginning(role, call, lifting, fields.get(name) ?? rest)];
      if (role.does === "end") return [{ alternatives: ends(state, fields.get(name) ?? null), hidden: true }];
      if (role.does !== "may-end") return [];
      return [{ alternatives: role.outcomes.flatMap((outcome) => {
        const told = outcome.tells.flatMap(({ key, value }) => lifting.set(key, value));
        return (outcome.ends ? ends(state, fields.get(name) ?? null) : [{}]).map((way): Alternative => ({ ...way, effect: [...(way.effect ?? []), ...told], note: outcome.note }));
      }) }];
    },
    begun: all.length === 0 ? null : or(...all.map((field) => eq(field, 1))),
    forget: all.map((field) => assign(field, 0)),
  };
}

function beginning(role: Role & { does: "begin" }, call: CallNode, lifting: Lifting, field: Field | null): LiftedStep {
  const success: Alternative = { effect: [...(field ? [assign(field, 1)] : []), ...lifting.set(call.result, role.failure === "nonzero" ? 0 : 1)] };
  if (role.failure === null) return { alternatives: [success], hidden: true };
  return { alternatives: [{ ...success, note: role.words.begun }, { effect: lifting.set(call.result, role.failure === "nonzero" ? 1 : 0), note: role.words.failed }] };
}

/** `field`: whether it was begun under this name; null: nobody can tell. */
function ends(state: Field, field: Field | null): Alternative[] {
  const alone = (guard: Expression): Expression => (field ? and(eq(field, 0), guard) : guard);
  return [
    ...(field ? [{ guard: eq(field, 1), effect: [assign(field, 0)] }] : []),
    { guard: alone(eq(state, OPEN)), effect: [assign(state, UNSEEN)] },
    { guard: alone(eq(state, NEVER)), effect: [assign(state, LENT)] },
    { guard: alone(and(ne(state, OPEN), not(eq(state, NEVER)))), effect: [] },
  ];
}
