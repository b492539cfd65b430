// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import { compare } from "../program/linear.ts";
import type { BoundEffect, EffectProgram } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { rangePlace } from "./obligation/notifier-range.ts";

/*
 * What a range says of an entry, as far as the text of both tells it for certain.
 */

/** Why a started range does not tell those who have the entry mapped. */
export type NotCovering = "other-mm" | "outside" | "weaker-event";

export interface Changed {
  readonly space: Value;
  readonly address: Value;
}

type Init = BoundEffect & { readonly kind: "notifierInit" };

/** Why no initialization of the range covers the entry; null: one may. */
export function whyNotCovering(program: EffectProgram, place: string, changed: Changed): NotCovering | null {
  const inits = program.nodes.flatMap((node) =>
    node.kind === "call" ? node.effects.filter((effect): effect is Init => effect.kind === "notifierInit" && rangePlace(effect.range) === place) : []);
  const why = inits.map((init) => whyNot(program, init, changed));
  // What is assigned to a field of the range is not followed.
  if (program.nodes.some((node) => node.kind === "assign" && render(node.target).startsWith(`${place}.`))) return null;
  return why.length > 0 && why.every((one) => one !== null) ? (why[0] ?? null) : null;
}

/**
 * Listeners need not look at the page table: all is said by the protection of the VMA, or page and access stay what they are
 * (include/linux/mmu_notifier.h, enum mmu_notifier_event).
 */
const WEAKER = /^MMU_NOTIFY_(?:PROTECTION_VMA|SOFT_DIRTY)$/;

function whyNot(program: EffectProgram, init: Init, { space, address }: Changed): NotCovering | null {
  if (isOtherMm(program, init.mm, space)) return "other-mm";
  if (isFixed(program, address) && isFixed(program, init.start) && compare(address, init.start) === -1) return "outside";
  if (init.end && isFixed(program, address) && isFixed(program, init.end) && (compare(address, init.end) ?? -1) >= 0) return "outside";
  return init.event && WEAKER.test(render(init.event)) ? "weaker-event" : null;
}

/** Two different parameters: a caller that always passes the same mm twice would pass one. */
function isOtherMm(program: EffectProgram, one: Value, other: Value): boolean {
  const isMm = (value: Value): value is Value & { kind: "name" } => {
    const variable = value.kind === "name" ? program.variables.get(value.name) : undefined;
    return variable !== undefined && variable.isParameter && variable.type === "mm_struct" && variable.pointers === 1;
  };
  return isMm(one) && isMm(other) && one.name !== other.name && isFixed(program, one) && isFixed(program, other);
}

/** True where the names of a value have one value in the whole function. */
const isFixed = (program: EffectProgram, value: Value): boolean => namesIn(value).every((name) => timesGiven(program, name) <= 1);

function timesGiven(program: EffectProgram, name: string): number {
  const variable = program.variables.get(name);
  const given = program.nodes.filter((node) => (node.kind === "assign" && render(node.target) === name) || (node.kind === "call" && (node.result === name || node.args.some((arg) => arg.kind === "unary" && arg.operator === "&" && render(arg.of) === name))));
  return given.length + (variable?.isParameter ? 1 : 0);
}
