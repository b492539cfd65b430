// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";
import type { DepthOf } from "./atomic-call.ts";
import { isUnknown } from "./doubt.ts";
import { mayChangeLock, type LockEvent } from "./obligation/lock-handed.ts";
import { pointee } from "./obligation/obligation.ts";

/** What a callee that nothing is known about is handed and may leave a section with, as text; null: nothing. */
export function handedSection(program: EffectProgram, depth: DepthOf): (call: CallNode) => string | null {
  const sections = new Map(callsOf(program).flatMap((call) => call.effects.flatMap((effect) => (depth(effect, call) === "enter" ? [[keyOf(effect), objectOf(effect)] as const] : []))));
  const eventsOf = (key: string) => (call: CallNode): readonly LockEvent[] =>
    call.effects.flatMap((effect): LockEvent[] => {
      const way = keyOf(effect) === key ? depth(effect, call) : null;
      return way === null ? [] : [way === "enter" ? "takes" : "releases"];
    });
  const changes = [...sections].map(([key, object]) => [key, mayChangeLock(program, object ? [object] : [], eventsOf(key))] as const);
  return (call) => handedLock(program, call) ?? changes.find(([, mayChange]) => mayChange(call))?.[0] ?? null;
}

const callsOf = (program: EffectProgram): readonly CallNode[] => program.nodes.flatMap((node) => (node.kind === "call" ? [node] : []));

const objectOf = (effect: BoundEffect): Value | null => (effect.kind === "acquire" || effect.kind === "release" ? effect.object : null);

/** Sections are left by what belongs to them: a lock by its name. What maps and unmaps entries is one kind. */
function keyOf(effect: BoundEffect): string {
  const object = objectOf(effect);
  if (object !== null) return render(pointee(object));
  return effect.kind === "enterAtomic" || effect.kind === "leaveAtomic" ? effect.reason : "page-table lock";
}

/** A lock, a mapped entry or a fault that a callee is handed: it may leave the section for its caller. */
function handedLock(program: EffectProgram, call: CallNode): string | null {
  if (!isUnknown(call) || call.keeps === true) return null;
  for (const arg of call.args) {
    const place = arg.kind === "unary" && arg.operator === "&" ? arg.of : arg;
    const type = place.kind === "name" ? program.variables.get(place.name)?.type : undefined;
    if (type !== undefined && LOCK_TYPES.has(type)) return render(place);
  }
  return null;
}

const LOCK_TYPES: ReadonlySet<string> = new Set(["spinlock_t", "pte_t", "vm_fault", "page_vma_mapped_walk"]);
