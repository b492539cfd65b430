// SPDX-License-Identifier: GPL-2.0-only
import type { EraBehavior } from "../../../kernel/era.ts";
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, ne, TRUE, type Expression, type Field } from "../../../simulator/expression.ts";
import type { Model } from "../../../simulator/model.ts";
import { seqcount, type Seqcount } from "../../../simulator/objects/seqcount.ts";
import { addDma, addProgramming, dmaDevice, type Device } from "../../environment/device.ts";
import { addUnmap } from "../../environment/exit.ts";
import { addStore } from "../../environment/store.ts";
import { faultRegisters } from "../../mechanism/fault.ts";
import { addFork } from "../../mechanism/fork.ts";
import { addFastGup, type FastPlan } from "../../mechanism/gup-fast.ts";
import { addSlowGup, faultsForWrite, type GupRequest } from "../../mechanism/gup.ts";
import { addressSpace, privateMemory, type AddressSpace, type Memory } from "../../mechanism/memory.ts";
import type { PageKind } from "../../mechanism/page-behavior.ts";

/*
 * Process A has a buffer of one private anonymous page X. A driver pins it for a device, A forks a child B, A stores to the
 * buffer, the device transfers. What a scenario fixes is the order of fork and pin, and whether B is still alive.
 */

export interface BufferPlan {
  readonly name: string;
  readonly era: EraBehavior;
  readonly kind?: PageKind;
  readonly request: GupRequest;
  /** What comes first; the rest interleaves. */
  readonly order: "fork-first" | "pin-first" | "any";
  /**
   * `exits`: B is gone before A stores (and before a pin that comes after the fork); `may-exit`: at any time; `stores`: B stays
   * and stores before A does.
   */
  readonly child: "exits" | "stays" | "may-exit" | "stores";
  /** madvise() before fork(): MADV_DONTFORK, or that and MADV_DOFORK, which takes it back. */
  readonly advice?: "dontfork" | "dofork";
  /** The pin tries without locks first. */
  readonly fast?: FastWalk;
}

/** How the lockless walk and fork() keep out of each other's way. */
export interface FastWalk extends Pick<FastPlan, "retry" | "tells"> {
  readonly seqcount: boolean;
}

/** How far the run is, and what each thread waits for. */
interface Progress {
  readonly forked: Field;
  readonly childIsDone: Field;
}

interface World extends Progress {
  readonly memory: Memory;
  readonly a: AddressSpace;
  readonly b: AddressSpace;
  readonly device: Device;
  readonly seq: Seqcount | null;
}

const begin = (model: ModelBuilder, { era, kind = "order-0", fast }: BufferPlan): World => {
  const memory = privateMemory(model, era, { kind });
  return {
    memory,
    a: addressSpace(memory, "A", 2),
    b: addressSpace(memory, "B", 0),
    device: dmaDevice(memory),
    forked: model.field("forked", 0, { hidden: true }),
    childIsDone: model.field("B is done", 0, { hidden: true }),
    seq: fast?.seqcount ? seqcount(model, "write_protect_seq") : null,
  };
};

/** The past of the scenario: the fork, and B's part where B comes first. */
const forkIsOver = ({ child }: BufferPlan, { forked, childIsDone }: Progress): Expression => eq(child === "exits" || child === "stores" ? childIsDone : forked, 1);

function addForkThread(model: ModelBuilder, plan: BufferPlan, { memory, a, b, forked, device, seq }: World): void {
  const thread = model.thread("fork of A", "environment");
  const dontCopy = plan.advice ? model.field("VM_DONTCOPY", 0, { labels: { 0: "no", 1: "yes" } }) : undefined;
  const after = plan.order === "pin-first" ? ne(device.page, 0) : TRUE;
  if (dontCopy) thread.step({ text: "madvise(MADV_DONTFORK)", isFix: true, effect: [assign(dontCopy, 1)] });
  if (dontCopy && plan.advice === "dofork") thread.step({ text: "madvise(MADV_DOFORK)", effect: [assign(dontCopy, 0)] });
  addFork(thread, memory, { parent: a, child: b, after, done: [assign(forked, 1)], ...(dontCopy ? { dontCopy } : {}), ...(seq ? { seq } : {}) });
}

function addPin(model: ModelBuilder, plan: BufferPlan, world: World): void {
  const { memory, a, device, seq } = world;
  const { request, fast } = plan;
  const thread = model.thread(`${request.pin ? "pin_user_pages" : "get_user_pages"}${fast ? "_fast" : ""}()`, "review");
  const page = thread.local("page", 0, { hidden: true });
  const call = { request, page, registers: faultRegisters(thread), prefix: "gup" };
  if (fast) addFastPin(model, thread, memory, a, { ...call, ...fast, walksForWrite: faultsForWrite(memory, request), ...(seq ? { seq } : {}) });
  else addSlowGup(thread, memory, a, { ...call, after: plan.order === "fork-first" ? forkIsOver(plan, world) : TRUE });
  model.reach(thread, addProgramming(thread, device, page), "the page is pinned");
}

function addFastPin(model: ModelBuilder, thread: ThreadBuilder, memory: Memory, a: AddressSpace, plan: FastPlan): void {
  const { fast, slow } = addFastGup(thread, memory, a, plan);
  model.reach(thread, fast, "the lockless walk takes the page");
  model.reach(thread, slow, "the slow path takes over");
}

function addChild(model: ModelBuilder, { child }: BufferPlan, { memory, b, forked, childIsDone }: World): void {
  if (child === "stays") return;
  const thread = model.thread("child B", "environment");
  const done = [assign(childIsDone, 1)];
  if (child === "stores") {
    addStore(thread, memory, b, { registers: faultRegisters(thread), after: eq(forked, 1) });
    thread.step({ text: "B has stored", hidden: true, effect: done });
    return;
  }
  const exits = addUnmap(thread, memory, b, { text: "exit_mmap(B)", after: eq(forked, 1), done });
  if (child === "exits") model.reach(thread, exits, "B exits");
}

function addStores(model: ModelBuilder, plan: BufferPlan, world: World): void {
  const thread = model.thread("thread of A", "environment");
  const after = plan.order === "any" ? TRUE : forkIsOver(plan, world);
  const store = addStore(thread, world.memory, world.a, { registers: faultRegisters(thread), after });
  model.reach(thread, store, "A stores to its buffer");
}

export function pinnedBuffer(plan: BufferPlan): Model {
  const model = modelBuilder(plan.name);
  const world = begin(model, plan);
  addPin(model, plan, world);
  addForkThread(model, plan, world);
  addChild(model, plan, world);
  addStores(model, plan, world);
  addDma(model, world.device, world.a);
  return model.finish();
}
