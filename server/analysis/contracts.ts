// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import { acquire, byResult, nameValue, objectText, release, withoutLast } from "./locks.ts";
import { isGeneric, isHeld, type State } from "./state.ts";
import { assume } from "./truth.ts";

type Bound<K extends BoundEffect["kind"]> = Extract<BoundEffect, { kind: K }>;

const flagOf = (result: string, flag: string): Value => ({ kind: "binary", operator: "&", left: nameValue(result), right: nameValue(flag), at: 0 });

/** Fault flags that say that the lock was given up. */
const DROP_FLAGS = { retry: ["VM_FAULT_RETRY"], "retry-or-completed": ["VM_FAULT_RETRY", "VM_FAULT_COMPLETED"] } as const;

/** A callee that gives up a lock of its caller: states in which it did, and in which it did not, as far as its value tells them apart. */
export function dropLock(state: State, effect: Bound<"dropsLock">, result: string | null): State[] {
  // Which object the argument leads to (a VMA, a fault) is not said for classes of mm: the innermost is meant.
  const object = isGeneric(effect.lock) ? objectText(effect.object) : "";
  if (effect.onReturn === "held" || !isHeld(state, effect.lock, object)) return [state];
  const dropped = (one: State): State => release(one, effect.lock, object);
  switch (effect.when) {
    case "always":
      return [dropped(state)];
    case "zero":
    case "nonzero":
      return result === null ? [state, dropped(state)] : byResult(state, result, effect.when, dropped);
    case "retry":
    case "retry-or-completed": {
      if (result === null) return [state, dropped(state)];
      const flags = DROP_FLAGS[effect.when];
      const kept = flags.reduce((one, flag) => assume(one, flagOf(result, flag), false), state);
      return [kept, ...flags.map((flag) => dropped(assume(state, flagOf(result, flag), true)))];
    }
    case "locked-cleared": {
      // Whoever does not want to know keeps the lock: mm/gup.c:1456,1631 (6.1.192).
      if (effect.tells && render(effect.tells) === "NULL") return [state];
      const told = effect.tells ? pointee(effect.tells) : null;
      return told ? [assume(state, told, true), dropped(assume(state, told, false))] : [state, dropped(state)];
    }
    case "failure":
    case "sometimes":
      return [state, dropped(state)];
  }
}

const pointee = (pointer: Value): Value =>
  pointer.kind === "unary" && pointer.operator === "&" ? pointer.of : { kind: "unary", operator: "*", of: pointer, at: pointer.at };

/** `field` of the structure that the argument points to: `vmf->ptl`, and `vmf.ptl` for `&vmf`. */
export const fieldOf = (structure: Value, field: string): string =>
  structure.kind === "unary" && structure.operator === "&" ? `${render(structure.of)}.${field}` : `${render(structure)}->${field}`;

/** A callee that unmaps, and unlocks, an entry of its caller. */
export function consume(state: State, { pte, ptl, when, through }: Bound<"consumes">, result: string | null): State[] {
  const place = (argument: Value, field: string): string => (through === "vm_fault" ? fieldOf(argument, field) : objectText(argument));
  const consumed = (one: State): State => {
    const unmapped = pte ? { ...one, mapped: one.mapped.filter((entry) => entry.pte !== place(pte, "pte")) } : one;
    const mapped = one.mapped.find((entry) => pte !== null && entry.pte === place(pte, "pte"));
    const left = mapped?.rcu === true ? { ...unmapped, atomic: withoutLast(unmapped.atomic, (atomic) => atomic.reason === "pte-map") } : unmapped;
    return ptl ? release(left, "ptl", place(ptl, "ptl")) : left;
  };
  if (when === "always") return [consumed(state)];
  return result === null ? [state, consumed(state)] : byResult(state, result, "nonzero", consumed);
}

/**
 * `page_vma_mapped_walk()`: each turn lets go of what the turn before held. A true value is an entry with its page-table
 * lock held, mapped unless it is a huge one, which `pvmw.pte` tells; false, or the end of the walk, leaves nothing.
 */
export function walkMapped(state: State, { walk, step }: Bound<"walkMapped">, node: CallNode, id: NodeId): State[] {
  if (step === "fill") return [state];
  const [pte, ptl] = [fieldOf(walk, "pte"), fieldOf(walk, "ptl")];
  const had = isHeld(state, "ptl", ptl) && state.held.some((one) => one.object === ptl);
  const without: State = { ...state, mapped: state.mapped.filter((one) => one.pte !== pte) };
  const left = had ? release(without, "ptl", ptl) : without;
  if (step === "done" || node.result === null) return [left];
  const zero = assume(left, nameValue(node.result), false);
  const found = acquire(assume(left, nameValue(node.result), true), { lock: "ptl", object: ptl, mode: "exclusive", at: id, taken: true });
  const huge = assume(found, nameValue(pte), false);
  const mapped = assume({ ...found, mapped: [...found.mapped, { pte, at: id, rcu: false }] }, nameValue(pte), true);
  return [zero, mapped, huge];
}
