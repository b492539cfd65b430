// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../../kernel/release.ts";
import { atLeast } from "../../kernel/release.ts";
import type { ObligationKind } from "./obligation.ts";

/*
 * A mapped page table entry: from 6.6 on (146b42e07494) an RCU read-side section, with HIGHPTE a kernel mapping in every
 * release. pte_unmap() ends both.
 */

/** What an entry that stays mapped means. */
const leftOpen = (release: Release): string =>
  atLeast(release, "6.6")
    ? "the RCU read-side section that it entered never ends"
    : "with HIGHPTE the kernel mapping of its table is never undone";

export const pteMapping = (release: Release): ObligationKind => ({
  scenario: "pte-left-mapped",
  shown: (name) => `mapping(${name})`,
  states: { open: "mapped", ended: "unmapped" },
  role(effect, call) {
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
        return { does: "end", handle: { by: "value", of: effect.pte } };
      case "consumes":
        return effect.pte === null ? null : { does: "end", handle: { by: "value", of: effect.pte } };
      default:
        return null;
    }
  },
  leftOpen: { property: "pte-left-mapped", message: (name) => `the function returns with ${name} mapped: ${leftOpen(release)}` },
  endedTwice: null,
  begunAgain: null,
  usedAfter: null,
  ending: (name) => ({
    shown: `pte_unmap(${name})`,
    effect: { kind: "unmapPte", pte: { kind: "name", name, at: -1 }, ptl: null, rcu: atLeast(release, "6.6") },
  }),
  fixTitle: (name) => `pte_unmap(${name}) on every way out that has it mapped`,
});
