// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { namesIn, render } from "../../program/render.ts";
import { insertBefore, synthetic } from "../rewrite.ts";
import { addressesOf } from "./handed.ts";
import { isOfPages } from "./world.ts";
import type { UserPages } from "./names.ts";

/*
 * What a function does with the data of the pages: writes of its own, through an address that it made of a page; a device
 * that it gives them to, and waits for.
 */

export type DataUse = "writes" | "device-on" | "address-on" | "device-off" | "waits" | "marks-dirty";

const WRITE = "a store through the address of a page";

export interface PageData {
  /** What the effect is to the data of the pages, or null. */
  useOf(effect: BoundEffect, call: CallNode): DataUse | null;
}

const WRITES_MEMORY: ReadonlySet<string> = new Set(["DMA_FROM_DEVICE", "DMA_BIDIRECTIONAL"]);

/** The program with a call in front of every plain store to a page. */
export function withStores(program: EffectProgram, found: UserPages): EffectProgram {
  const addresses = addressesOf(program, placesOf(found), "virtual");
  return insertBefore(program, (node) => (node.kind === "assign" && isStoreTo(node.target, addresses) ? [{ ...synthetic("", { kind: "maySleep" }), name: WRITE }] : []));
}

const placesOf = ({ arrays, pages }: UserPages): ReadonlySet<string> => new Set([...arrays, ...pages]);

/** `*kaddr`, `kaddr[0]`, `hdr->len`. */
function isStoreTo(target: Value, addresses: ReadonlySet<string>): boolean {
  if (target.kind === "unary" && target.operator === "*") return namesIn(target.of).some((name) => addresses.has(name));
  if (target.kind === "index") return addresses.has(render(target.of));
  return target.kind === "member" && target.arrow && addresses.has(render(target.of));
}

/** Lists that the pages are entered in for a device. */
function listsOf(program: EffectProgram, found: UserPages): ReadonlySet<string> {
  const places = placesOf(found);
  return new Set(
    program.nodes.flatMap((node) => {
      if (node.kind !== "call") return [];
      const isEntry = node.effects.some((effect) => effect.kind === "transfersReference" && effect.to === "scatterlist" && namesOf(effect.object).some((name) => places.has(name)));
      return isEntry && node.args[0] ? namesIn(node.args[0]).slice(0, 1) : [];
    }),
  );
}

/** The names in a value, and the value as a place. */
const namesOf = (value: Value): readonly string[] => [render(value), ...namesIn(value)];

export function pageData(program: EffectProgram, found: UserPages): PageData {
  const addresses = addressesOf(program, placesOf(found), "virtual");
  const frames = addressesOf(program, placesOf(found), "physical");
  const lists = listsOf(program, found);
  const isPage = (value: Value): boolean => isOfPages(found, { pages: value, count: null });
  const isMemory = (value: Value): boolean => isPage(value) || namesIn(value).slice(0, 1).some((name) => lists.has(name));
  return {
    useOf(effect, call) {
      if (call.at < 0) return call.name === WRITE ? "writes" : null;
      switch (effect.kind) {
        case "writesMemory":
          return (effect.form === "page" ? isPage(effect.to) : namesIn(effect.to).some((name) => addresses.has(name))) ? "writes" : null;
        case "deviceAccess":
          if (effect.form === "address") return namesIn(effect.memory).some((name) => frames.has(name)) ? "address-on" : null;
          return isMemory(effect.memory) && effect.direction !== null && WRITES_MEMORY.has(render(effect.direction)) ? "device-on" : null;
        case "deviceAccessEnd":
          return isMemory(effect.memory) ? "device-off" : null;
        case "waitsForOthers":
          return "waits";
        case "marksDirty":
          return isPage(effect.page) ? "marks-dirty" : null;
        case "unpin":
          return effect.dirty && !/^(?:0|false)$/.test(render(effect.dirty)) && isOfPages(found, { pages: effect.pages, count: effect.count ?? null }) ? "marks-dirty" : null;
        default:
          return null;
      }
    },
  };
}
