// SPDX-License-Identifier: GPL-2.0-only
import type { GupEra } from "../kernel/era.ts";
import type { Release } from "../kernel/release.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import { written } from "../program/written.ts";
import type { Value } from "../program/code.ts";
import { asksForCow, maskedWord } from "../program/vma-flags.ts";
import type { ModelBuilder, ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, FALSE, ne, not, or, TRUE, type Expression, type Field } from "../simulator/expression.ts";
import type { Alternative, Assignment } from "../simulator/model.ts";
import { drop, grab, gupFaults, isReady, isWritable, pageLabels, pageOf, type GupRequest, type Initially, type PrivateMapping } from "./gup-era.ts";
import { FAILED, mayGiveBack, withFailures } from "./kept-pins.ts";
import { lift, type LiftedThread } from "./lift.ts";
import { ALL_PAGES, countComparison, ERROR, givesBack, gupAt, pageCount, pagePlaces, SOME_PAGES, type Gup } from "./pinned-pages.ts";
import { insertAtStart, synthetic } from "./rewrite.ts";
import { userPages } from "./user-pages/names.ts";
import { pageData, withStores, type DataUse, type PageData } from "./user-pages/page-data.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * A function that pins user pages, lifted, and the device that works with what it pinned. The call's page is the one at
 * the address of the scenario; further turns of a loop are about other pages.
 */

/** Which call, and under which circumstances. */
export interface PinFocus {
  readonly node: NodeId;
  /**
   * When the device works with the page. `return`: after the function has returned with the page still pinned;
   * `pin`: from the pin on, until the function gives the page back; `access`: from where the function gives it to a device,
   * and where it writes the page itself.
   */
  readonly device: "return" | "pin" | "access";
  /** Overrides the era of the release: release candidates of 5.9 had one of their own. */
  readonly era?: GupEra;
}

export interface PinObjects {
  readonly mapping: PrivateMapping;
  /** Page that the call holds, 0 for none. */
  readonly pinned: Field;
  /** Page that the device works with, 0 for none. */
  readonly device: Field;
  /** 1 once the past of the scenario is over and the function may start. */
  readonly begun: Field;
  /** 1 where the pinned page is in memory that must stay movable; a long-term pin moves it out first. */
  readonly movable?: Field;
  /** 1 once the process may write the mapping: a write fault before that is one that FOLL_FORCE asked for. */
  readonly writable?: Field;
}

const GATE = "begin";

/** The lifted function, started once the scenario's past is over. */
export function liftPinningDriver(model: ModelBuilder, program: EffectProgram, release: Release, focus: PinFocus, objects: PinObjects): LiftedThread | null {
  const found = gupAt(program, focus.node);
  if (!found) return null;
  const told = toldOf(program, found.gup, focus);
  const used = focus.device === "access" ? userPages(told, focus.node) : null;
  if (focus.device === "access" && !used) return null;
  const data = used && pageData(told, used);
  const gated = insertAtStart(told, [{ ...synthetic("", { kind: "maySleep" }), name: GATE }]);
  const lifted = lift(model, gated, release, () => world(gated, found, focus, objects, data), { next: "handed" });
  if (focus.device === "return") handOver(lifted.thread, objects, "returns with the page pinned: the device goes on using it");
  else lifted.thread.label("handed");
  for (const step of lifted.stepsOf.get(focus.node) ?? []) model.reach(lifted.thread, step, "the pin");
  return lifted;
}

/** The program with marks for what the circumstances make of it. */
function toldOf(program: EffectProgram, gup: Gup, { node, device }: PinFocus): EffectProgram {
  if (device === "pin") return program;
  const told = unknownWhereHanded(program, pagePlaces(program, gup));
  if (device === "return") return withFailures(told);
  const used = userPages(told, node);
  return used ? withStores(told, used) : told;
}

/** A helper that the input defines, but not so that all of it is known, is as good as unknown to the pages. */
const unknownWhereHanded = (program: EffectProgram, places: ReadonlySet<string>): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node) => (node.kind === "call" && mayGiveBack(node, places) ? { ...node, knowledge: "unknown" } : node)),
});

export const pinObjects = (model: ModelBuilder, mapping: PrivateMapping, initially: Initially, begun: boolean): PinObjects => ({
  mapping,
  pinned: model.field("pinned page", 0, { labels: pageLabels(initially) }),
  device: model.field("page of the device", 0, { labels: pageLabels(initially) }),
  begun: model.field("begun", begun ? 1 : 0, { hidden: true }),
});

/** Where the lifted function ends: what is still pinned then belongs to the device. `also`: what its caller does there. */
export function handOver(thread: ThreadBuilder, { pinned, device }: PinObjects, text: string, also: readonly Assignment[] = []): void {
  thread.label("handed");
  thread.step({
    text,
    alternatives: [
      { guard: ne(pinned, 0), effect: [...also, assign(device, pinned)] },
      { guard: eq(pinned, 0), effect: also, to: "END", note: "nothing is pinned" },
    ],
  });
}

function world(program: EffectProgram, { gup, ...found }: { call: CallNode; gup: Gup }, focus: PinFocus, objects: PinObjects, data: PageData | null): World {
  const places = pagePlaces(program, gup);
  // Marks in front of a call make a copy of it.
  const here = program.nodes[focus.node];
  const call = here?.kind === "call" ? here : found.call;
  const isGate = (node: CallNode): boolean => node.at < 0 && node.name === GATE;
  const isFailure = (node: CallNode): boolean => node.at < 0 && node.name === FAILED;
  const watches = focus.device !== "pin";
  return {
    sees: (effect, node) => isGate(node) || isAccess(data?.useOf(effect, node) ?? null) || isFailure(node) || (node === call && effect.kind === "gup") || givesBack(effect, places),
    reads: (effect) => (effect.kind === "gup" && effect.write ? [effect.write] : []),
    readsFlags: (effect, node) => (node === call && effect.kind === "gup" ? flagsRead(effect) : []),
    refine(effect, node, lifting) {
      if (isGate(node)) return [{ alternatives: [{ guard: eq(objects.begun, 1) }], hidden: true }];
      if (isFailure(node)) return [{ alternatives: [{ effect: [assign(objects.pinned, 0)] }], hidden: true }];
      const use = data?.useOf(effect, node) ?? null;
      if (isAccess(use)) return accessSteps(use, effect, node, lifting, objects);
      if (effect.kind === "gup") return pinSteps(effect, node, lifting, focus, objects);
      return unpinSteps(objects, gup);
    },
    handed: (node) => handedVma(program, node),
    place: ofPrivateMapping,
    meaning: (pure) => (pure.meaning === "cow-mapping" ? TRUE : null),
    compare: countComparison(program, call, gup),
    unknownCall: (node, lifting) => (watches && mayGiveBack(node, places) ? handedSteps(node.name, node.result, lifting, objects, gup) : null),
    unseen: (where, lifting) => (watches && where !== "start" ? handedSteps("code that is not visible", null, lifting, objects, gup) : []),
  };
}

/** The VMA that a call is handed; null: none. */
function handedVma(program: EffectProgram, call: CallNode): string | null {
  const vma = call.args.find((arg) => arg.kind === "name" && program.variables.get(arg.name)?.type === "vm_area_struct");
  return vma ? render(vma) : null;
}

/** The mapping of the scenario is a private one, and may be written. */
function ofPrivateMapping(value: Value): number | null {
  const cow = asksForCow(value);
  if (cow !== null) return cow ? 1 : 0;
  const asked = value.kind === "binary" && value.left.kind === "member" && value.left.field === "vm_flags" ? maskedWord(value)?.names : undefined;
  return asked?.length === 1 && (asked[0] === "VM_SHARED" || asked[0] === "VM_MAYSHARE") ? 0 : null;
}

const flagsRead = ({ flags, impliesLongterm }: Gup): { word: Value; bit: string }[] =>
  flags ? [{ word: flags, bit: "FOLL_WRITE" }, { word: flags, bit: "FOLL_FORCE" }, ...(impliesLongterm ? [] : [{ word: flags, bit: "FOLL_LONGTERM" }])] : [];

function pinSteps(gup: Gup, call: CallNode, lifting: Lifting, focus: PinFocus, objects: PinObjects): LiftedStep[] {
  const { mapping, pinned, device } = objects;
  const write = gup.flags ? lifting.flag(gup.flags, "FOLL_WRITE") : gup.write && truth(lifting.translate(gup.write));
  const request: GupRequest = {
    write: write ?? FALSE,
    pin: gup.reference === "pin",
    longterm: gup.impliesLongterm ? TRUE : ((gup.flags && lifting.flag(gup.flags, "FOLL_LONGTERM")) ?? FALSE),
  };
  const outside = write === null ? { assumed: "FOLL_WRITE comes from outside" } : {};
  const again = lifting.label("again");
  const forced = (objects.writable && gup.flags && lifting.flag(gup.flags, "FOLL_FORCE")) ?? FALSE;
  const isOverride = objects.writable ? and(request.write, eq(objects.writable, 0)) : FALSE;
  // Without FOLL_FORCE, asking for write access to such a mapping is an error.
  const allowed = or(not(isOverride), forced);
  const message = "GUP takes a write fault in a mapping that the process may only read: soft-dirty tracking and userfaultfd see a write that nobody made";
  const permission = objects.writable ? { checks: [{ holds: not(isOverride), property: "permission-overridden", message }] } : {};
  const isFirst = eq(pinned, 0);
  const page = pageOf(mapping.entry);
  const moved = objects.movable ? [assign(objects.movable, not(request.longterm ?? FALSE))] : [];
  const takes = [...grab(mapping, page, request.pin), assign(pinned, page), ...moved, ...(focus.device === "pin" ? [assign(device, page)] : [])];
  const counts = isSinglePage(call, gup) ? [ALL_PAGES] : [ALL_PAGES, SOME_PAGES];
  const part = (count: number): string => (count === SOME_PAGES ? ", but not all pages" : "");
  const take = (when: Expression, note: string): Alternative[] =>
    counts.map((count) => ({
      guard: and(isFirst, isReady(mapping, request), when),
      effect: [...takes, ...lifting.set(call.result, count)],
      note: `${note}${part(count)}`,
      ...outside,
    }));
  const more = counts.map((count): Alternative => ({ guard: ne(pinned, 0), effect: lifting.set(call.result, count), note: `other pages of the range${part(count)}` }));
  return [
    {
      label: again,
      alternatives: [
        ...gupFaults(mapping, request).map((one) => ({ ...one, ...permission, guard: and(one.guard ?? TRUE, isFirst, allowed), to: again, ...outside })),
        ...take(isWritable(mapping.entry), "the entry is writable: takes the page"),
        ...take(isReadOnlyEntry(mapping), "the entry is read-only: takes the page as it is mapped"),
        ...more,
        { effect: lifting.set(call.result, ERROR), note: "fails" },
      ],
    },
  ];
}

type Access = "writes" | "device-on" | "address-on" | "device-off";

const isAccess = (use: DataUse | null): use is Access => use === "writes" || use === "device-on" || use === "address-on" || use === "device-off";

/** What the function does with the page, or has a device do with it. */
function accessSteps(use: Access, effect: BoundEffect, call: CallNode, lifting: Lifting, { mapping, pinned, device }: PinObjects): LiftedStep[] {
  if (use === "device-off") return [{ alternatives: [{ effect: [assign(device, 0)] }] }];
  if (use === "writes") {
    const holds = or(eq(pinned, 0), eq(pinned, pageOf(mapping.entry)));
    const checks = [{ holds, property: "lost-dma", message: "the function writes to a page that the process no longer has at the address: the data never arrives" }];
    return [{ ...(call.at < 0 ? { text: "stores to the page" } : {}), alternatives: [{ checks, effect: lifting.set(call.result, 0) }] }];
  }
  const failure = effect.kind === "deviceAccess" ? effect.failure : null;
  const given = { guard: ne(pinned, 0), effect: [assign(device, pinned), ...lifting.set(call.result, failure === "zero" ? 1 : 0)], note: "the device has the page" };
  const nothing = { guard: eq(pinned, 0), effect: lifting.set(call.result, failure === "zero" ? 1 : 0) };
  return [{ alternatives: failure === null ? [given, nothing] : [given, nothing, { effect: lifting.set(call.result, failure === "zero" ? 0 : 1), note: "fails" }] }];
}

const isReadOnlyEntry = ({ entry }: PrivateMapping): Expression => eq(isWritable(entry), 0);

const truth = (value: Expression | null): Expression | null => (value === null ? null : ne(value, 0));

function isSinglePage(call: CallNode, gup: Gup): boolean {
  const count = pageCount(call, gup);
  return count !== null && render(count) === "1";
}

function unpinSteps({ mapping, pinned, device }: PinObjects, gup: Gup): LiftedStep[] {
  return [
    {
      alternatives: [
        { guard: ne(pinned, 0), effect: [...drop(mapping, pinned, gup.reference === "pin"), assign(pinned, 0), assign(device, 0)] },
        { guard: eq(pinned, 0), note: "nothing is pinned" },
      ],
    },
  ];
}

/** Something that is not known may give the pages back; that it does not is no more than an assumption. */
function handedSteps(who: string, result: string | null, lifting: Lifting, objects: PinObjects, gup: Gup): LiftedStep[] {
  const { mapping, pinned, device } = objects;
  const isTracked = lifting.set(result, 1).length > 0;
  const name = result === null && who.includes(" ") ? who : `${who}()`;
  const values = isTracked ? [1, 0].map((value) => ({ set: lifting.set(result, value), doubt: `${name} may return either` })) : [{ set: [], doubt: null }];
  return [
    {
      alternatives: values.flatMap(({ set, doubt }): Alternative[] => [
        {
          guard: ne(pinned, 0), effect: set, note: "leaves the pages pinned",
          assumed: [`${name} keeps the pages`, ...(doubt === null ? [] : [doubt])].join("; "),
        },
        { guard: ne(pinned, 0), effect: [...drop(mapping, pinned, gup.reference === "pin"), assign(pinned, 0), assign(device, 0), ...set], note: "gives the pages back" },
        { guard: eq(pinned, 0), effect: set, ...(doubt === null ? {} : { assumed: doubt }) },
      ]),
    },
  ];
}

/** The device works on its page and must find there what the process has at the address. `isNeeded`: a run without it shows nothing. */
export function dmaDevice(model: ModelBuilder, { mapping, device }: PinObjects, text: string, message: string, isNeeded = true): void {
  const thread = model.thread("device", "daemon");
  const step = thread.step({
    text,
    alternatives: [{ guard: ne(device, 0), checks: [{ holds: eq(device, pageOf(mapping.entry)), property: "lost-dma", message }] }],
  });
  if (isNeeded) model.reach(thread, step, "the device works");
}

/** FOLL_WRITE that the reference fix added. */
const ADDED: Value = { kind: "name", name: "FOLL_WRITE", at: -1 };
const ADDED_NUMBER: Value = { kind: "number", value: 1, at: -1 };

/** The call at the node with other flags. */
function withFlags(program: EffectProgram, node: NodeId, change: (gup: Gup) => Gup): EffectProgram {
  const found = gupAt(program, node);
  if (!found) return program;
  const changed = change(found.gup);
  const replace = (arg: Value): Value => (arg === found.gup.flags ? (changed.flags ?? arg) : arg === found.gup.write ? (changed.write ?? arg) : arg);
  const args = found.call.args.map(replace);
  const text = `${found.call.name}(${args.map((arg) => written(program, arg)).join(", ")})`;
  const call: CallNode = {
    ...found.call,
    args,
    effects: found.call.effects.map((effect) => (effect === found.gup ? changed : effect)),
    shown: found.call.result === null || found.call.result.startsWith("$") ? text : `${found.call.result} = ${text}`,
  };
  return { ...program, nodes: program.nodes.map((one, id) => (id === node ? call : one)) };
}

const union = (flags: Value, flag: Value): Value => ({ kind: "binary", operator: "|", left: flags, right: flag, at: -1 });

/** The call at the node with one more flag, by name. */
export const withFlag = (program: EffectProgram, node: NodeId, flag: string): EffectProgram =>
  withFlags(program, node, (gup) => ({ ...gup, flags: gup.flags && union(gup.flags, { kind: "name", name: flag, at: -1 }) }));

/** The call at the node with one flag and no other. */
export const withOnlyFlag = (program: EffectProgram, node: NodeId, flag: string): EffectProgram =>
  withFlags(program, node, (gup) => ({ ...gup, flags: { kind: "name", name: flag, at: -1 } }));

/** The call at the node as it is in another program. */
export const withCallOf = (program: EffectProgram, node: NodeId, original: EffectProgram): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((one, id) => (id === node ? (original.nodes[id] ?? one) : one)),
});

/** `get_user_pages*()` as `pin_user_pages*()`; what gives the pages back then is `unpin_user_pages()`. */
export function asPin(program: EffectProgram, node: NodeId): { readonly name: string; readonly program: EffectProgram } | null {
  const found = gupAt(program, node);
  if (!found || found.gup.reference === "pin" || !found.call.name.startsWith("get_user_pages")) return null;
  const name = found.call.name.replace(/^get_/, "pin_");
  const changed = withFlags({ ...program, nodes: program.nodes.map((one, id) => (id === node && one.kind === "call" ? { ...one, name } : one)) }, node, (gup) => ({ ...gup, reference: "pin" }));
  return { name, program: changed };
}

/** Reference fix: the pin asks for write access. */
export const askForWrite = (program: EffectProgram, node: NodeId): EffectProgram =>
  withFlags(program, node, (gup) => ({ ...gup, flags: gup.flags && union(gup.flags, ADDED), write: gup.write && ADDED_NUMBER }));

/** Takes it out again. */
export const askForReadAgain = (program: EffectProgram, node: NodeId): EffectProgram =>
  withFlags(program, node, (gup) => ({
    ...gup,
    flags: gup.flags?.kind === "binary" && gup.flags.right === ADDED ? gup.flags.left : gup.flags,
    write: gup.write === ADDED_NUMBER ? { ...ADDED_NUMBER, value: 0 } : gup.write,
  }));

/** FOLL_FORCE alone overrides the VMA's permission to read and breaks no COW; null where the call takes no flag word. */
export function forceOnly(program: EffectProgram, node: NodeId): EffectProgram | null {
  const found = gupAt(program, node);
  if (!found?.gup.flags) return null;
  return withFlags(program, node, (gup) => ({ ...gup, flags: gup.flags && union(gup.flags, { kind: "name", name: "FOLL_FORCE", at: -1 }) }));
}
