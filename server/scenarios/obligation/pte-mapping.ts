// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../../kernel/release.ts";
import { atLeast } from "../../kernel/release.ts";
import type { Value } from "../../program/code.ts";
import type { BoundEffect, CallNode } from "../../program/program.ts";
import { pointerOf } from "./handed-on.ts";
import type { ObligationKind, Role } from "./obligation.ts";

/*
 * A mapped page table entry. From 6.6 on (146b42e07494) every mapping is an RCU read-side section, which any pte_unmap()
 * leaves, whatever it is handed. With CONFIG_HIGHPTE it is a temporary kernel mapping in every release (kmap_atomic() up
 * to 6.4, kmap_local_page() after), which only pte_unmap() of an address in it undoes.
 */

/** What is left of a mapping that nobody undoes. */
export type MappingIs = "rcu-section" | "kernel-mapping";

/** `&orig_pte`: the address of an object that is in no page table. */
export const isAddressOfObject = (value: Value): boolean => value.kind === "unary" && value.operator === "&" && (value.of.kind === "name" || value.of.kind === "member");

/** What each effect does to mapped entries. */
export function pteRole(effect: BoundEffect, call: CallNode): Role | null {
  switch (effect.kind) {
    case "mapPte":
      return {
        does: "begin",
        failure: !effect.mayFail ? null : effect.pteOut ? "nonzero" : "zero",
        received: effect.pteOut ? { by: effect.pteOut } : call.result === null ? null : "value",
        place: null,
        words: { begun: effect.locks ? "mapped and locked" : "mapped", failed: "not mapped" },
      };
    case "unmapPte":
      return isAddressOfObject(effect.pte) ? { does: "forget" } : { does: "end", handle: { by: "value", of: pointerOf(effect.pte) } };
    case "consumes":
      return effect.pte === null ? null : { does: "end", handle: { by: "value", of: effect.pte } };
    default:
      return null;
  }
}

/** What an entry that stays mapped means. */
const leftOpen = (release: Release, is: MappingIs): string => {
  if (is === "rcu-section") return "the RCU read-side section that it entered never ends";
  return atLeast(release, "6.5")
    ? "with CONFIG_HIGHPTE the temporary mapping of its table is never undone"
    : "with CONFIG_HIGHPTE its table stays mapped by kmap_atomic(), with page faults and preemption off";
};

/** `pte_unmap(name)` as a fix adds it. */
export const unmapCall = (release: Release, name: string): { readonly shown: string; readonly effect: BoundEffect } => ({
  shown: `pte_unmap(${name})`,
  effect: { kind: "unmapPte", pte: { kind: "name", name, at: -1 }, ptl: null, rcu: atLeast(release, "6.6") },
});

/** What is common to everything that is asked about mapped entries: nothing is looked for yet. */
export const pteObligation = (release: Release): ObligationKind => ({
  scenario: "pte-left-mapped",
  shown: (name) => `mapping(${name})`,
  states: { open: "mapped", ended: "unmapped" },
  role: pteRole,
  leftOpen: null,
  endedTwice: null,
  begunAgain: null,
  usedAfter: null,
  ending: (name) => unmapCall(release, name),
  fixTitle: (name) => `pte_unmap(${name}) on every way out that has it mapped`,
});

/** Left mapped when the function returns. */
export const pteMapping = (release: Release, is: MappingIs): ObligationKind => ({
  ...pteObligation(release),
  leftOpen: { property: "pte-left-mapped", message: (name) => `the function returns with ${name} mapped: ${leftOpen(release, is)}` },
  ...(is === "rcu-section" ? { section: { name: "RCU sections of mapped entries", step: () => null } } : {}),
});
