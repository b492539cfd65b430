// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, ProgramNode } from "../../program/program.ts";
import { namesIn, render } from "../../program/render.ts";
import { partsOf } from "../../program/value-parts.ts";
import { mayGiveBack } from "../kept-pins.ts";
import { insertBefore, synthetic } from "../rewrite.ts";
import type { UserPages } from "./names.ts";

/*
 * Where somebody else gets hold of the pages. `shared`: an object or a list knows them too, and may give them back later;
 * `lost`: code that is not known had them, so that nothing can be said of them any more.
 */

export type Handing = "shared" | "lost";

const NAMES: Readonly<Record<Handing, string>> = { shared: "keeps the pages elsewhere", lost: "hands the pages to somebody who is not known" };

export const handingOf = (call: CallNode): Handing | null => (call.at >= 0 ? null : call.name === NAMES.shared ? "shared" : call.name === NAMES.lost ? "lost" : null);

const marker = (handing: Handing) => ({ ...synthetic("", { kind: "maySleep" }), name: NAMES[handing], shown: NAMES[handing] });

/** Lists of pages for devices: what is in one is given back through it. */
const LISTS = /^(?:__)?sg_/;

/** The program with a mark in front of everything that hands the pages on. */
export function withHandings(program: EffectProgram, found: UserPages): EffectProgram {
  const { arrays, pages } = found;
  const places = new Set([...arrays, ...pages]);
  const numbers = addressesOf(program, places, "physical");
  const addresses = new Set([...numbers, ...addressesOf(program, places, "virtual")]);
  const isAddress = (value: Value): boolean => namesIn(value).some((name) => addresses.has(name));
  const isIt = (value: Value): boolean => places.has(render(value)) || (value.kind !== "call" && partsOf(value).some(isIt)) || (value.kind === "call" && value.args.some(isIt));
  const isLocalName = (name: string): boolean => program.variables.has(name) || name.startsWith("$");
  const isLocal = (target: Value): boolean => target.kind === "name" && isLocalName(target.name);
  const handing = (node: ProgramNode): Handing | null => {
    switch (node.kind) {
      case "return":
        return node.value !== null && (isIt(node.value) || isAddress(node.value)) && !isCompared(node.value) ? "shared" : null;
      case "assign":
        return node.value !== null && !isLocal(node.target) && (isPageValue(node.value, isIt) || (isAddress(node.value) && !isCompared(node.value))) ? "shared" : null;
      case "call":
        return ofCall(node);
      default:
        return null;
    }
  };
  const ofCall = (call: CallNode): Handing | null => {
    if (found.taking.has(call.at)) return null;
    if (call.result !== null && !isLocalName(call.result) && call.effects.some((effect) => effect.kind === "addressOfPage" && isIt(effect.page))) return "shared";
    const isNumber = (arg: Value): boolean => namesIn(arg).some((name) => numbers.has(name));
    if (mayGiveBack(call, places) || (call.knowledge === "unknown" && call.args.some((arg) => isNumber(arg) || isIt(arg)))) return "lost";
    if (call.effects.some((effect) => effect.kind === "transfersReference" && isNumber(effect.object))) return "lost";
    if (call.effects.some((effect) => effect.kind === "transfersReference" && isIt(effect.object))) return "shared";
    if (LISTS.test(call.name) && call.args.some(isIt)) return "shared";
    const isRelease = call.effects.some((effect) => effect.kind === "unpin" || effect.kind === "putReference");
    return !isRelease && call.args.some((arg) => arg.kind === "unary" && arg.operator === "&" && pages.has(render(arg.of))) ? "lost" : null;
  };
  return insertBefore(program, (node) => {
    const one = handing(node);
    return one === null ? [] : [marker(one)];
  });
}

/** A page or the array, not something that was found out about one. */
const isPageValue = (value: Value, isIt: (value: Value) => boolean): boolean => value.kind !== "call" && isIt(value) && !isCompared(value);

const isCompared = (value: Value): boolean => value.kind === "binary" && /^[<>=!&|]/.test(value.operator);

/** Names of addresses and frame numbers of the pages: who has one has the page. */
export function addressesOf(program: EffectProgram, places: ReadonlySet<string>, form: "virtual" | "physical"): ReadonlySet<string> {
  const isOf = (effect: BoundEffect): boolean => effect.kind === "addressOfPage" && effect.form === form && namesIn(effect.page).some((name) => places.has(name) || [...places].some((place) => place.startsWith(`${name}->`) || place.startsWith(`${name}.`)));
  const found = new Set<string>();
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const node of program.nodes) {
      if (node.kind === "call" && node.result !== null && node.effects.some(isOf)) found.add(node.result);
      if (node.kind === "assign" && node.value && namesIn(node.value).some((name) => found.has(name))) found.add(render(node.target));
    }
  }
  return found;
}
