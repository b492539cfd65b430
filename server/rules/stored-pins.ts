// SPDX-License-Identifier: GPL-2.0-only
import type { CallingContext } from "../analysis/unit.ts";
import type { Value } from "../program/code.ts";
import type { AssignNode, EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";
import { pagePlaces, placeBehind, type Gup } from "../scenarios/pinned-pages.ts";

/*
 * What drivers do with pins that several rules ask about: whether they keep them, and whether they hear of changes.
 */

/** True where a pin goes into an object that somebody handed in: it outlives the function unless the function gives it back. */
export const isStored = (program: EffectProgram, gup: Gup): boolean => storesOf(program, gup).length > 0;

/** Where that happens. */
export function storesOf(program: EffectProgram, gup: Gup): AssignNode[] {
  if (gup.reference !== "pin" || gup.flags === null || gup.pages === null) return [];
  const places = pagePlaces(program, gup);
  return program.nodes.filter((node): node is AssignNode => {
    if (node.kind !== "assign" || node.operator !== "=" || node.value === null) return false;
    const { target, value } = node;
    // What comes out of an object was there before: `m->dma = m->pages + n` stores no pin.
    return reachesObject(program, target) && !reachesObject(program, value) && places.has(render(placeBehind(target))) && places.has(render(placeBehind(value)));
  });
}

/** `win->page`: a field behind a pointer parameter. */
function reachesObject(program: EffectProgram, target: Value): boolean {
  const place = placeBehind(target);
  if (place.kind !== "member") return false;
  let base = place.of;
  while (base.kind === "member" || base.kind === "index") base = base.of;
  return base.kind === "name" && (program.variables.get(base.name)?.isParameter ?? false);
}

const NOTIFIER = /\bmmu_interval_(?:read_begin|read_retry|notifier_insert(?:_locked)?)\s*\(/g;

const subscribers = new WeakMap<EffectProgram["image"], boolean>();

/** Users of an interval notifier are told when the page at the address changes, and pin again. */
export function followsChanges({ image }: EffectProgram): boolean {
  const known = subscribers.get(image);
  if (known !== undefined) return known;
  const found = usesNotifier(image.text);
  subscribers.set(image, found);
  return found;
}

/** Subscribing to changes of an address space, by the kernel's functions or a driver's own around them (`toy_mmu_cache_insert()`). */
const SUBSCRIBES = /^(?:__)?mmu_notifier_(?:register|get)(?:_locked)?$|^mmu_interval_notifier_insert|(?:^|_)mmu_(?:\w+_)?(?:register|insert)$/;

/** True where a caller on the way to the pin registers it with something that is told of changes. */
export const callerFollowsChanges = ({ chain }: CallingContext): boolean =>
  chain.some(({ program }) => program.nodes.some((node) => node.kind === "call" && SUBSCRIBES.test(node.name)));

export const usesNotifier = (text: string): boolean => [...text.matchAll(NOTIFIER)].some(({ index }) => !isComment(text, index));

/** True inside a block comment, or on a line that began one with two slashes. */
function isComment(text: string, at: number): boolean {
  const opened = text.lastIndexOf("/*", at);
  if (opened >= 0 && text.lastIndexOf("*/", at) < opened) return true;
  return text.slice(text.lastIndexOf("\n", at) + 1, at).includes("//");
}
