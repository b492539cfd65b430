// SPDX-License-Identifier: GPL-2.0-only
import type { ThreadBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { and, TRUE, type Expression } from "../../simulator/expression.ts";
import type { Alternative, Assignment } from "../../simulator/model.ts";
import { unmapFolio } from "../../simulator/objects/folio.ts";
import { folioOf, isMapped, isNone } from "../../simulator/objects/pte.ts";
import type { AddressSpace, Memory } from "../mechanism/memory.ts";

/** Effect of taking a mapping away: `zap_pte_range()`. */
export const zap = ({ folios }: Memory, { pte }: AddressSpace): Assignment[] => [
  ...unmapFolio(folios, folioOf(pte)),
  assign(pte.value, 0),
];

/** A process unmaps the page: `exit_mmap()`, `munmap()`. Where nothing is mapped it does nothing. */
export const addUnmap = (
  thread: ThreadBuilder, memory: Memory, at: AddressSpace,
  { text, after, done = [] }: { readonly text: string; readonly after: Expression; readonly done?: readonly Assignment[] },
): number => {
  const ways: Alternative[] = [
    { guard: isMapped(at.pte), effect: [...zap(memory, at), ...done] },
    { guard: isNone(at.pte), effect: done },
  ];
  return thread.step({ text, alternatives: ways.map((way) => ({ ...way, guard: and(way.guard ?? TRUE, after) })) });
};
