// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { isUnknown } from "../doubt.ts";
import { aliasesOf, carries, pointerNamed } from "./object.ts";

/** Effects that may take, give up or keep a reference in a way that is not counted here. */
const COUNTS_OTHERWISE: ReadonlySet<BoundEffect["kind"]> = new Set<BoundEffect["kind"]>(["transfersReference", "setEntry", "grabPage", "unpin", "gup", "getAnonVma"]);

const isLocal = (program: EffectProgram, name: string): boolean => name.startsWith("$") || program.variables.has(name);

/** True where a callee that nothing is known about gets the object: it may take or give up references. */
export const isHandedToUnknown = (program: EffectProgram, name: string): boolean => {
  const names = aliasesOf(program, name);
  return program.nodes.some((node) => node.kind === "call" && isUnknown(node) && node.keeps !== true && node.args.some((arg) => carries(arg, names)));
};

/**
 * True where the reference may outlive what the function does with it: it is returned, kept in an object, an entry or a
 * list, or handed to a callee that may keep it. Whoever has it then gives it back.
 */
export function isHandedOver(program: EffectProgram, name: string): boolean {
  const names = aliasesOf(program, name);
  const made = derivedFrom(program, names);
  if ([...names].some((one) => !isLocal(program, one))) return true;
  return program.nodes.some((node) => {
    switch (node.kind) {
      case "return":
        return node.value !== null && carries(node.value, made);
      case "call":
        return (isUnknown(node) && node.keeps !== true && node.args.some((arg) => carries(arg, made))) || countsOtherwise(node, made) || (node.result !== null && !isLocal(program, node.result) && node.args.some((arg) => carries(arg, names)));
      case "assign":
        return node.value !== null && carries(node.value, made) && !isLocal(program, render(node.target));
      default:
        return false;
    }
  });
}

/** True where a reference is put by a pointer that is made of the object and is none of its names: it may be the same one. */
export function isPutByOther(program: EffectProgram, name: string): boolean {
  const names = aliasesOf(program, name);
  const made = derivedFrom(program, names);
  return program.nodes.some((node) => node.kind === "call" && node.effects.some((effect) => effect.kind === "putReference" && !names.has(pointerNamed(program, effect.object) ?? "") && carries(effect.object, made)));
}

const countsOtherwise = (call: CallNode, names: ReadonlySet<string>): boolean =>
  call.effects.some((effect) => COUNTS_OTHERWISE.has(effect.kind) && Object.values(effect).some((part) => isValue(part) && carries(part, names)));

const isValue = (part: unknown): part is Value => typeof part === "object" && part !== null && "kind" in part && "at" in part;

/** The names, and whatever is made of them: entries, lists, structures. */
function derivedFrom(program: EffectProgram, names: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set(names);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const node of program.nodes) if (node.kind === "assign" && node.value && isMadeOf(program, node.target, node.value, found)) found.add(render(node.target));
  }
  return found;
}

/** Numbers and flags are read from an object; entries, pointers and structures may carry it. */
const isMadeOf = (program: EffectProgram, target: Value, value: Value, names: ReadonlySet<string>): boolean => {
  if (target.kind !== "name") return false;
  const variable = program.variables.get(target.name);
  const isScalar = variable !== undefined && variable.pointers === 0 && /^(?:bool|int|long|unsigned|u\d+|s\d+|size_t|unsigned (?:int|long)|vm_fault_t|pgoff_t)$/.test(variable.type);
  return !isScalar && carries(value, names);
};
