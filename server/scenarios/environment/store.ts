// SPDX-License-Identifier: GPL-2.0-only
import { together } from "../../simulator/combine.ts";
import type { ThreadBuilder } from "../../simulator/build.ts";
import { assignAt } from "../../simulator/effect.ts";
import { and, not, TRUE, type Expression } from "../../simulator/expression.ts";
import { folioOf, isWritablePte } from "../../simulator/objects/pte.ts";
import { downRead, upRead } from "../../simulator/objects/rwsem.ts";
import { addFault, type FaultRegisters } from "../mechanism/fault.ts";
import type { AddressSpace, Memory } from "../mechanism/memory.ts";

export interface StorePlan {
  readonly registers: FaultRegisters;
  /** What is stored, as a content; missing: contents are of no interest. */
  readonly value?: number;
  readonly text?: string;
  /** The process stores when this holds. */
  readonly after?: Expression;
}

/** A process stores to the address; the fault is taken as often as the store needs it. Returns the store. */
export function addStore(thread: ThreadBuilder, memory: Memory, at: AddressSpace, plan: StorePlan): number {
  const { registers, value, text = "stores to va", after = TRUE } = plan;
  const writable = isWritablePte(at.pte);
  const effect = value === undefined ? [] : [assignAt(memory.folios.content, folioOf(at.pte), value)];
  thread.label("store");
  const store = thread.step({
    text,
    alternatives: [
      { guard: and(after, writable), effect, to: "stored" },
      { guard: and(after, not(writable)), note: "write fault" },
    ],
  });
  thread.step({ text: `mmap_read_lock(${at.name})`, ...downRead(at.mmapLock) });
  addFault(thread, memory, at, registers, { kind: "write", done: "fault handled" });
  thread.label("fault handled");
  thread.step({ text: `mmap_read_unlock(${at.name})`, ...together(upRead(at.mmapLock), { alternatives: [{ to: "store" }] }) });
  thread.label("stored");
  return store;
}
