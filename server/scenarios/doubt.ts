// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import { sortsOf } from "../program/leftovers.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { partsOf } from "../program/value-parts.ts";
import type { World } from "./world.ts";

/** Why an outcome that the lifting could not decide is not a free choice of the environment. */
export interface Doubt {
  /** Of a condition, or of a value that may become one; null: both outcomes are really possible. */
  of(value: Value): string | null;
  /** Of the value of a call whose steps the scenario does not know. */
  ofResult(call: CallNode): string | null;
}

const OPEN = "the text does not decide this";
const UNREAD = "this is about the scenario's objects and was not understood: taken to be possible";

/** What cannot be known about the values of a program in a world. */
export function doubtOf(program: EffectProgram, world: World): Doubt {
  const unknown = closed(program, (node) => isUnknown(node), () => false);
  const about = world.decidedBy?.bind(world) ?? asksFlags;
  const decided: Set<string> = closed(
    program,
    (node, names) => about(asValue(node), names) || node.effects.some((effect) => effect.kind === "notifierStart"),
    (value, names) => about(value, names),
  );
  const of = (value: Value): string | null =>
    about(value, decided) ? UNREAD : namesIn(value).some((name) => unknown.has(name)) ? OPEN : null;
  return {
    of,
    ofResult: (call) => (isUnknown(call) ? `${call.name}() may return either` : of(asValue(call))),
  };
}

/** The value of a call as an expression: some calls have an effect and a meaning (`ptep_get()`). */
export const asValue = (call: CallNode): Value => ({ kind: "call", name: call.name, args: call.args, at: call.at, end: call.end });

export const isUnknown = (call: CallNode): boolean => call.knowledge === "unknown" || call.knowledge === "defined-here";

/**
 * Why a run past a call rests on the callee's doing nothing to what the scenario follows: it is not known and is handed
 * some of it, or is known to leave a lock or an entry otherwise than it found it, but does not stand in the place of the
 * call. null: no such call.
 */
export function taintOf(program: EffectProgram, world: World): (call: CallNode) => string | null {
  let seen: ReadonlySet<string> | null = null;
  const sees = (sort: string): boolean =>
    (seen ??= new Set(program.nodes.flatMap((node) => (node.kind === "call" ? node.effects.flatMap((effect) => (world.sees(effect, node) ? sortsOf(effect, node) : [])) : [])))).has(sort);
  return (call) => {
    if (!isUnknown(call)) return null;
    const what = world.handed?.(call) ?? null;
    if (what !== null) return `${call.name}() is not known and is handed ${what}: taken not to lock, unlock or change it`;
    return call.leaves?.some(sees) === true ? `${call.name}() may take or give up what its caller has: taken not to do so` : null;
  };
}

/** Where nothing else is said, a test of the flags of a mapping or a request is about what is modelled. */
export function asksFlags(value: Value, names: ReadonlySet<string>): boolean {
  return someIn(
    value,
    (part) => (part.kind === "name" ? names.has(part.name) || FLAG.test(part.name) : part.kind === "member" && part.field === "vm_flags"),
    // What a function makes of the flags that it is handed is its own value.
    (part) => part.kind === "call" && part.name !== "is_cow_mapping",
  );
}

const FLAG = /^(?:FOLL|VM|FAULT_FLAG)_[A-Z]/;

/** True where a part of a value, or the value itself, passes; parts of what `skip` passes are not looked at. */
export function someIn(value: Value, test: (part: Value) => boolean, skip: (part: Value) => boolean = () => false): boolean {
  return !skip(value) && (test(value) || partsOf(value).some((part) => someIn(part, test, skip)));
}

/** Names that get their value from such calls or values, and from each other. */
function closed(
  program: EffectProgram,
  fromCall: (call: CallNode, names: ReadonlySet<string>) => boolean,
  fromValue: (value: Value, names: ReadonlySet<string>) => boolean,
): Set<string> {
  const found = new Set<string>();
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const node of program.nodes) {
      if (node.kind === "call" && node.result !== null && fromCall(node, found)) found.add(node.result);
      if (node.kind === "assign" && node.value && (fromValue(node.value, found) || mentions(node.value, found))) found.add(render(node.target));
    }
  }
  return found;
}

/** True where the value is, or is made of, one of the names or places. */
const mentions = (value: Value, names: ReadonlySet<string>): boolean => names.has(render(value)) || namesIn(value).some((name) => names.has(name));
