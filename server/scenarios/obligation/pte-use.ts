// SPDX-License-Identifier: GPL-2.0-only
import { spins } from "../../kernel/lock-order.ts";
import type { Release } from "../../kernel/release.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import type { ModelBuilder } from "../../simulator/build.ts";
import { eq, type Field } from "../../simulator/expression.ts";
import { pageTable } from "../../simulator/objects/page-table.ts";
import { spinlock } from "../../simulator/objects/spinlock.ts";
import { addRemover } from "../catalogue/mapped/table-and-owner.ts";
import { insertAtEnd, synthetic } from "../rewrite.ts";
import { namesOf, pointerOf } from "./handed-on.ts";
import type { ObligationKind, Role, SectionStep } from "./obligation.ts";
import { pteObligation, pteRole, unmapCall, type MappingIs } from "./pte-mapping.ts";

/*
 * An entry that is used after pte_unmap(). From 6.6 on the RCU section is what keeps the table: khugepaged takes tables of
 * file mappings away without the mmap lock (mm/khugepaged.c, retract_page_tables(), under pmd lock and page-table lock)
 * and frees them after a grace period (pte_free_defer()). Before, only a kernel with CONFIG_HIGHPTE notices.
 */

function role(effect: BoundEffect, call: CallNode): Role | null {
  if (effect.kind === "accessEntry" || effect.kind === "clearEntry" || effect.kind === "setEntry") return { does: "use", handle: { by: "value", of: pointerOf(effect.pte) } };
  return pteRole(effect, call);
}

/** Whatever a grace period waits for: RCU, interrupts or preemption off, spinning locks (4.20: one flavor of RCU). */
function keepsTable(effect: BoundEffect): SectionStep | null {
  switch (effect.kind) {
    case "enterAtomic":
      return effect.reason === "lazy_mmu" ? null : "enter";
    case "leaveAtomic":
      return effect.reason === "lazy_mmu" ? null : "leave";
    case "acquire":
      return spins(effect.lock) || effect.lock === "i_mmap_rwsem" ? "enter" : null;
    case "release":
      return spins(effect.lock) || effect.lock === "i_mmap_rwsem" ? "leave" : null;
    case "lockEntryTable":
      return "enter";
    case "mapPte":
      return effect.locks ? "enter" : null;
    case "unmapPte":
      return effect.ptl === null ? null : "leave";
    default:
      return null;
  }
}

const remover = (model: ModelBuilder, section: Field) => {
  const table = pageTable(model, "the page table", 1);
  const pmd = model.field("pmd", 1, { labels: { 0: "none", 1: "table" } });
  addRemover({ model, table, pmd, pmdLock: spinlock(model, "pmd lock"), ptl: spinlock(model, "page-table lock"), readers: section }, "khugepaged", "retract_page_tables(): pmdp_collapse_flush()");
  return { usable: eq(table.freed, 0), begins: eq(pmd, 1) };
};

/** A lock that a callee which is not known may take or give up. */
const handedLock = (program: EffectProgram, call: CallNode): string | null => {
  const lock = call.args.find((arg) => arg.kind === "name" && program.variables.get(arg.name)?.type === "spinlock_t");
  return lock ? render(lock) : null;
};

/** The unmap where the function is left, and not before the last use. */
function unmapAtEnd(release: Release, name: string): NonNullable<ObligationKind["repair"]> {
  const unmaps = (names: ReadonlySet<string>) => (effect: BoundEffect): boolean => effect.kind === "unmapPte" && names.has(render(pointerOf(effect.pte)));
  const later = (call: CallNode, isUnmap: (effect: BoundEffect) => boolean): CallNode => {
    const unmap = call.effects.find((effect) => effect.kind === "unmapPte");
    const ptl = unmap?.kind === "unmapPte" ? unmap.ptl : null;
    const unlock: BoundEffect[] = ptl ? [{ kind: "release", lock: "ptl", object: ptl, mode: "exclusive" }] : [];
    return { ...call, effects: [...call.effects.filter((effect) => !isUnmap(effect)), ...unlock], shown: ptl ? `spin_unlock(${render(ptl)})` : "/* unmapped later */" };
  };
  const taken = new Map<string, CallNode>();
  const placeOf = (call: CallNode): string => `${call.at} ${call.name}`;
  return {
    title: () => `pte_unmap(${name}) after the last use`,
    fix(program) {
      const isUnmap = unmaps(namesOf(program, name));
      const nodes = program.nodes.map((node) => {
        if (node.kind !== "call" || !node.effects.some(isUnmap)) return node;
        taken.set(placeOf(node), node);
        return later(node, isUnmap);
      });
      const { shown, effect } = unmapCall(release, name);
      return insertAtEnd({ ...program, nodes }, [synthetic(shown, effect)]);
    },
    undo: (fixed) => ({
      ...fixed,
      nodes: fixed.nodes.map((node) => {
        const before = node.kind === "call" ? taken.get(placeOf(node)) : undefined;
        return node.kind === "call" && before ? { ...before, next: node.next } : node;
      }),
    }),
  };
}

/** Used after its unmap. */
export function pteUse(release: Release, name: string, is: MappingIs): ObligationKind {
  const plain: ObligationKind = { ...pteObligation(release), scenario: "pte-used-after-unmap", role, repair: unmapAtEnd(release, name) };
  if (is === "kernel-mapping")
    return { ...plain, usedAfter: { property: "use-after-unmap", message: () => `with CONFIG_HIGHPTE ${name} points to a kernel address that is mapped no more` } };
  return {
    ...plain,
    usedAfter: { property: "uaf", message: () => `an entry of the page table is used through ${name} after the table was freed` },
    section: { name: "RCU readers", step: keepsTable },
    handed: handedLock,
    environment: { bounds: "environment {khugepaged that takes the table of a file mapping away, RCU}, loops unbounded, SC", add: remover },
  };
}
