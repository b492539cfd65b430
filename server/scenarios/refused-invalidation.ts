// SPDX-License-Identifier: GPL-2.0-only
import { spins } from "../kernel/lock-order.ts";
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder, type StepPart, type ThreadBuilder } from "../simulator/build.ts";
import { assign, decrement, increment } from "../simulator/effect.ts";
import { and, eq, gt, lt, ne, or, plus, TRUE, type Field } from "../simulator/expression.ts";
import { atomicContext, enterAtomic, mightSleep, type Context } from "../simulator/objects/context.ts";
import { entry, isPresent, OF_DEVICE, SWAP, type Entry } from "../simulator/objects/entry.ts";
import type { Assignment } from "../simulator/model.ts";
import { kvmSubscriber, mappingIsFresh, type KvmSubscriber } from "../simulator/objects/notifier.ts";
import { entryPointers, rangeEntry, type EntryPointers } from "./entries.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { someIn } from "./doubt.ts";
import { lift } from "./lift.ts";
import { insertAtEnd, insertAtStart, without } from "./rewrite.ts";
import { kindOf } from "./translate.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * A subscriber refuses a non-blocking invalidation, the caller goes on all the same, and KVM's mapping goes stale.
 * `mn_itree_invalidate()` runs before the list of subscribers: an interval subscriber (i915, mlx5, amdgpu, ...) that
 * refuses ends the start with -EAGAIN before KVM was called (mm/mmu_notifier.c, __mmu_notifier_invalidate_range_start()).
 */

/** The page of the scenario, and a second one that a function may install. */
const PAGES = ["X", "Y"];

const BOUNDS = "environment {interval subscriber that may refuse, KVM vCPU}, loops unbounded, SC";

/** Who has a second mapping of the page and must be told. */
export interface Mirror {
  readonly thread: string;
  readonly mapping: string;
  readonly who: string;
  /** What is said of a refusal. */
  readonly refused: string;
  readonly stores: string;
  readonly faults: string;
}

/** KVM is on the list: where an interval subscriber refuses, it is not called. */
export const KVM_GUEST: Mirror = {
  thread: "KVM vCPU",
  mapping: "spte",
  who: "the guest",
  refused: "a subscriber refuses: -EAGAIN, KVM is not called",
  stores: "guest stores through its mapping",
  faults: "kvm_faultin_pfn(): maps the page",
};

/** A device whose driver refuses itself: it goes on where all threads of the process are gone. */
export const DEVICE: Mirror = {
  thread: "device",
  mapping: "mapping of the device",
  who: "the device",
  refused: "the driver of a device refuses: -EAGAIN",
  stores: "the device writes through its mapping",
  faults: "hmm_range_fault(): maps the page",
};

/** What the invalidations of a function mean to one entry and the one who mirrors it. */
export interface InvalidationSetting {
  readonly scenario: string;
  /** Name of the entry that the mirror has mapped. */
  readonly entry: string;
  readonly mirror: Mirror;
  /** Missing: every start and end tells the mirror. */
  covers?(range: string): boolean;
  /** What an entry holds that is set to a value that is not followed: the same as before, or a page. Missing: a page, or none. */
  readonly unfollowed?: "kept" | "page";
  /** What the entry holds at first; missing: a page. */
  readonly holds?: "device-entry";
}

/** States of one range on the caller's side. */
const ENDED = 0;
const STARTED = 1;
const REFUSED = 2;

interface Objects {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly pointers: EntryPointers;
  readonly invalidated: Entry;
  readonly kvm: KvmSubscriber;
  /** Set when an invalidation ends: a fault that began before must retry. */
  readonly retry: Field;
  readonly setting: InvalidationSetting;
}

/** The range that a program starts without blocking, and the entry that it invalidates; null where none is found. */
export function rangeOf(program: EffectProgram): { range: string; entry: string } | null {
  const start = program.nodes.find(
    (node): node is CallNode => node.kind === "call" && node.effects.some((effect) => effect.kind === "notifierStart"),
  );
  const effect = start?.effects.find((one) => one.kind === "notifierStart");
  if (!effect) return null;
  const range = rangeKey(effect.range);
  const pointers = entryPointers(program);
  const cleared = new Set(program.nodes.flatMap((node) => (node.kind === "call" ? node.effects.flatMap((one) => clearedBy(one, pointers) ?? []) : [])));
  const candidates = pointers.entries.filter((one) => cleared.has(one.name));
  const init = initOf(program, range);
  const [address, mm] = init ? [render(init.start), render(init.mm)] : [null, null];
  const matching =
    candidates.find((one) => one.address === address && one.mm === mm) ??
    candidates.find((one) => one.address === address) ??
    candidates.find((one) => one.mm === mm) ??
    candidates[0];
  return matching ? { range, entry: matching.name } : null;
}

/** Name of the entry that an effect removes, or null. */
function clearedBy(effect: BoundEffect, pointers: EntryPointers): string | null {
  if (effect.kind === "clearRange") return rangeEntry(effect.vma);
  return effect.kind === "clearEntry" ? pointers.entryOf(effect.pte) : null;
}

const rangeKey = (range: Value): string =>
  range.kind === "unary" && range.operator === "&" ? render(range.of) : render(range);

function initOf(program: EffectProgram, range: string): (BoundEffect & { kind: "notifierInit" }) | null {
  for (const node of program.nodes)
    if (node.kind === "call")
      for (const effect of node.effects) if (effect.kind === "notifierInit" && rangeKey(effect.range) === range) return effect;
  return null;
}

function objectsOf(model: ModelBuilder, program: EffectProgram, setting: InvalidationSetting): Objects {
  const { entry: invalidated, mirror } = setting;
  const first = setting.holds === "device-entry" ? OF_DEVICE : 1;
  const pointers = entryPointers(program);
  const entries = new Map(
    pointers.entries.map(({ name }) => [name, entry(model, `entry(${name})`, name === invalidated ? first : 0, PAGES)] as const),
  );
  const slot = entries.get(invalidated);
  if (!slot) throw new Error("the invalidated entry is one of the mapped ones");
  return { entries, pointers, invalidated: slot, kvm: kvmSubscriber(model, first, PAGES, mirror.mapping), retry: model.field("fault must retry", 0, { hidden: true }), setting };
}

/** Leaves an atomic section. Where the start of the function is not visible, it may be one that was entered there. */
const leave = (context: Context): Assignment => assign(context, { kind: "binary", operator: "-", left: { kind: "field", field: context }, right: gt(context, 0) });

/** Bits of an entry that say nothing about which page it maps. */
const FREE_BIT = /^(?:pte|pmd|huge_pte)_(?:swp_)?(?:trans_huge|huge|leaf|bad|young|dirty|write|special|soft_dirty|uffd_wp|devmap|protnone|exclusive|accessible)$/;

/** True where a value is made from what the start returned, or from an entry of the scenario. */
const asksResultOrEntry = (program: EffectProgram, value: Value, names: ReadonlySet<string>, isEntry: (pointer: Value) => boolean): boolean =>
  someIn(
    value,
    // What state the page is in (locked, large) is not what the entry maps.
    (part) => (names.has(render(part)) && kindOf(program, part) !== "folio") || (part.kind === "unary" && part.operator === "*" && isEntry(part.of)) || (part.kind === "call" && part.args[0] !== undefined && isEntry(part.args[0])),
    (part) => part.kind === "call" && FREE_BIT.test(part.name),
  );

/** A range or a page-table lock that a call is handed. */
function handedRange(program: EffectProgram, call: CallNode): string | null {
  for (const arg of call.args) {
    const place = arg.kind === "unary" && arg.operator === "&" ? arg.of : arg;
    const type = place.kind === "name" ? program.variables.get(place.name)?.type : undefined;
    if (type === "mmu_notifier_range" || type === "spinlock_t") return render(place);
  }
  return null;
}

function world(program: EffectProgram, thread: ThreadBuilder, objects: Objects): World {
  const context = atomicContext(thread);
  const state = thread.local("range", ENDED, { labels: { 0: "not started", 1: "started", 2: "refused" } });
  const seen = new Set<BoundEffect["kind"]>([
    "mapPte", "unmapPte", "enterAtomic", "leaveAtomic", "notifierStart", "notifierEnd", "clearEntry", "clearRange", "setEntry", "lockEntryTable",
  ]);
  const entryAt = (pointer: Parameters<EntryPointers["entryOf"]>[0]): Entry | null => {
    const name = objects.pointers.entryOf(pointer);
    return name === null ? null : (objects.entries.get(name) ?? null);
  };
  const isSpin = (effect: BoundEffect): boolean => (effect.kind === "acquire" || effect.kind === "release") && spins(effect.lock);
  return {
    sees: (effect) => seen.has(effect.kind) || isSpin(effect),
    reads: (effect) => (effect.kind === "setEntry" ? [effect.value] : []),
    refine: (effect, call, lifting) => refine(effect, call, lifting, objects, context, state, entryAt),
    decidedBy: (value, names) => asksResultOrEntry(program, value, names, (pointer) => entryAt(pointer) !== null),
    handed: (call) => handedRange(program, call),
    place: (value) => (value.kind === "unary" && value.operator === "*" ? entryAt(value.of) : null),
    meaning(pure, args, translate) {
      const first = args[0];
      if (!first) return null;
      const field = translate(first);
      switch (pure.meaning) {
        case "load-entry":
          return entryAt(first) ? { kind: "field", field: entryAt(first)! } : null;
        case "entry-none":
          return field && eq(field, 0);
        case "entry-present":
          return field && and(and(ne(field, 0), ne(field, SWAP)), ne(field, OF_DEVICE));
        case "entry-device":
          return field && eq(field, OF_DEVICE);
        case "entry-same": {
          const other = args[1] ? translate(args[1]) : null;
          return field && other && eq(field, other);
        }
        // X is anonymous and mapped once: what a mover wants to see.
        case "folio-mapcount":
        case "folio-anon":
          return TRUE;
        default:
          return null;
      }
    },
  };
}

function refine(
  effect: BoundEffect,
  call: CallNode,
  lifting: Lifting,
  objects: Objects,
  context: Context,
  state: Field,
  entryAt: (pointer: Parameters<EntryPointers["entryOf"]>[0]) => Entry | null,
): LiftedStep[] {
  const quiet = (part: StepPart): LiftedStep => ({ ...part, hidden: true });
  switch (effect.kind) {
    case "mapPte": {
      const map = { effect: [...lifting.set(call.result, 1), ...(effect.rcu ? [increment(context)] : []), ...(effect.locks ? [increment(context)] : [])] };
      const entered = effect.rcu ? "mapped, enters RCU" : effect.locks ? "mapped and locked" : "mapped";
      if (!effect.mayFail) return [{ alternatives: [{ ...map, note: entered }] }];
      return [{ alternatives: [{ ...map, note: entered }, { effect: lifting.set(call.result, 0), note: "NULL: the table is gone" }] }];
    }
    case "unmapPte":
      return [
        {
          alternatives: [{ effect: [...(effect.rcu ? [leave(context)] : []), ...(effect.ptl ? [leave(context)] : [])] }],
        },
      ];
    case "acquire":
      if (effect.held !== "always")
        return [{ alternatives: [{ effect: [...lifting.set(call.result, 1), increment(context)], note: "acquired" }, { effect: lifting.set(call.result, 0), note: "busy" }] }];
      return [enterAtomic(context)];
    case "lockEntryTable":
      return [enterAtomic(context)];
    case "release":
    case "leaveAtomic":
      return [{ alternatives: [{ effect: [leave(context)] }] }];
    case "enterAtomic":
      return [enterAtomic(context)];
    case "notifierStart":
      if (!isCovered(objects, effect)) return [quiet({ alternatives: [{ effect: lifting.set(call.result, 0) }] })];
      return effect.blocking ? blockingStart(objects, context, state, call) : nonblockingStart(objects, state, call, lifting);
    case "notifierEnd":
      if (!isCovered(objects, effect)) return [quiet({ alternatives: [{}] })];
      return endOf(objects, context, state, call);
    case "clearEntry": {
      const slot = entryAt(effect.pte);
      if (!slot) return [quiet({ alternatives: [{}] })];
      return [{ alternatives: [{ effect: [...lifting.set(call.result, slot), assign(slot, 0)] }] }];
    }
    case "clearRange": {
      const slot = objects.entries.get(rangeEntry(effect.vma));
      return slot ? [{ alternatives: [{ effect: [assign(slot, 0)] }] }] : [];
    }
    case "setEntry": {
      const slot = entryAt(effect.pte);
      const value = lifting.translate(effect.value);
      if (!slot) return [quiet({ alternatives: [{}] })];
      if (value === null && objects.setting.unfollowed === "kept") return [quiet({ alternatives: [{}] })];
      if (value === null && objects.setting.unfollowed === "page") return [{ alternatives: [{ effect: [assign(slot, 1)] }] }];
      // A value that is not followed is some page of the caller's, or none.
      const values = value === null ? [eq(0, 1), TRUE] : [value];
      return [{ alternatives: values.map((one) => ({ effect: [assign(slot, one)] })) }];
    }
    default:
      return [];
  }
}

const isCovered = ({ setting }: Objects, { range }: { readonly range: Value }): boolean => setting.covers?.(rangeKey(range)) ?? true;

/** A non-blocking start: the interval subscriber accepts or refuses; KVM is called only when it accepts. */
function nonblockingStart(objects: Objects, state: Field, call: CallNode, lifting: Lifting): LiftedStep[] {
  return [
    {
      alternatives: [
        {
          effect: [assign(state, REFUSED), ...lifting.set(call.result, 1)],
          note: objects.setting.mirror.refused,
        },
        {
          effect: [assign(state, STARTED), increment(objects.kvm.inProgress), assign(objects.kvm.spte, 0), ...lifting.set(call.result, 0)],
          note: "all subscribers accept",
        },
      ],
    },
  ];
}

/** One more invalidation; a loop that starts again and again does not come back to none. */
const counted = (count: Field): Assignment => assign(count, plus(count, lt(count, 100)));

function blockingStart(objects: Objects, context: Context, state: Field, call: CallNode): LiftedStep[] {
  return [
    {
      alternatives: [
        {
          checks: [mightSleep(context, `${call.name}()`)],
          effect: [assign(state, STARTED), counted(objects.kvm.inProgress), assign(objects.kvm.spte, 0)],
        },
      ],
      acquires: [{ lock: objects.kvm.spte, name: "the started invalidation" }],
    },
  ];
}

function endOf(objects: Objects, context: Context, state: Field, call: CallNode): LiftedStep[] {
  const { kvm, retry } = objects;
  return [
    {
      alternatives: [
        {
          checks: [
            { holds: gt(kvm.inProgress, 0), property: "notifier-imbalance", message: "KVM sees the end of an invalidation whose start it did not see: mmu_invalidate_in_progress < 0" },
            { holds: or(eq(context, 0), eq(state, REFUSED)), property: "sleep-in-atomic", message: `${call.name}() of a blockable range may sleep in atomic context` },
          ],
          effect: [assign(state, ENDED), decrement(kvm.inProgress), assign(retry, 1)],
        },
      ],
      releases: [{ lock: kvm.spte }],
    },
  ];
}

/** The guest (or the device) runs for as long as it likes: it stores through its mapping, or faults the mapping in. */
export function addMirror(model: ModelBuilder, mirror: Mirror, { kvm, retry, invalidated }: Pick<Objects, "kvm" | "retry" | "invalidated">): { thread: ThreadBuilder; store: number } {
  const thread = model.thread(mirror.thread, "daemon");
  const folio = thread.local("folio faulted", 0, { hidden: true });
  thread.label("run");
  const store = thread.step({
    text: mirror.stores,
    alternatives: [
      { guard: ne(kvm.spte, 0), checks: [mappingIsFresh(kvm.spte, invalidated, mirror.who)], to: "run" },
      { guard: and(eq(kvm.spte, 0), isPresent(invalidated)), effect: [assign(folio, invalidated), assign(retry, 0)], note: "not mapped: faults", to: "fault" },
    ],
  });
  thread.label("fault");
  thread.step({
    text: mirror.faults,
    alternatives: [
      { guard: and(eq(kvm.inProgress, 0), eq(retry, 0)), effect: [assign(kvm.spte, folio)], to: "run" },
      { guard: or(gt(kvm.inProgress, 0), eq(retry, 1)), note: "an invalidation runs or has run: retries", to: "run" },
    ],
  });
  return { thread, store };
}

/** The model of one program: its thread, the mirror, and what a pass must have reached. */
export function buildInvalidation(program: EffectProgram, release: Release, setting: InvalidationSetting): BuiltModel {
  const model = modelBuilder(setting.scenario);
  const objects = objectsOf(model, program, setting);
  const { pointers } = objects;
  const lifted = lift(model, program, release, (thread) => world(program, thread, objects));
  const guest = addMirror(model, setting.mirror, objects);
  for (const [id, steps] of lifted.stepsOf) {
    const node = program.nodes[id];
    const clears = node?.kind === "call" && node.effects.some((effect) => clearedBy(effect, pointers) === setting.entry);
    if (clears && steps[0] !== undefined) model.reach(lifted.thread, steps[0], "the entry is cleared");
  }
  model.reach(guest.thread, guest.store, `${setting.mirror.who} stores`);
  return { model: model.finish(), assumptions: lifted.assumptions };
}

function build(program: EffectProgram, release: Release): BuiltModel | null {
  const bound = rangeOf(program);
  return bound && buildInvalidation(program, release, { scenario: "refused-invalidation", entry: bound.entry, mirror: KVM_GUEST });
}

const isStart = (node: ProgramNode): node is CallNode => node.kind === "call" && node.effects.some((effect) => effect.kind === "notifierStart");
const isEnd = (node: ProgramNode): node is CallNode => node.kind === "call" && node.effects.some((effect) => effect.kind === "notifierEnd");
const isInit = (node: ProgramNode): node is CallNode => node.kind === "call" && node.effects.some((effect) => effect.kind === "notifierInit");

/** The same call with the other kind of start; a blocking one has no value. */
function withBlocking(node: CallNode, blocking: boolean): CallNode {
  const name = blocking ? "mmu_notifier_invalidate_range_start" : "mmu_notifier_invalidate_range_start_nonblock";
  return {
    ...node,
    name,
    shown: `${name}(${node.args.map(render).join(", ")})`,
    effects: node.effects.map((effect) => (effect.kind === "notifierStart" ? { ...effect, blocking } : effect)),
  };
}

/** A blocking start in the place of the non-blocking one: what the name suggests and what does not work under a PTE map. */
export const blockingInPlace = (program: EffectProgram): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node) => (isStart(node) ? { ...withBlocking(node, true) } : node)),
});

/** Undoes the blocking of the reference fix: must fail again. */
export const nonblockingAgain = (program: EffectProgram): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node) => (isStart(node) ? withBlocking(node, false) : node)),
});

/**
 * Reference fix: one blocking start before anything is mapped or locked (above every label from which a map can be
 * reached again), one end as the last thing before each return, after the unmaps.
 */
export function hoistBlockingStart(program: EffectProgram): EffectProgram | null {
  const start = program.nodes.find(isStart);
  const init = program.nodes.find(isInit);
  const end = program.nodes.find(isEnd);
  if (!start || !init) return null;
  const shown = (node: CallNode): CallNode => ({ ...node, result: null, at: -1, end: -1, shown: `${node.name}(${node.args.map(render).join(", ")})` });
  const close = shown(end ?? { ...start, name: "mmu_notifier_invalidate_range_end", effects: [{ kind: "notifierEnd", range: rangeArgument(start) }] });
  const bare = without(program, (node) => isStart(node) || isEnd(node) || isInit(node));
  return insertAtStart(insertAtEnd(bare, [close]), [shown(init), shown(withBlocking(start, true))]);
}

function rangeArgument(start: CallNode): Value {
  const effect = start.effects.find((one) => one.kind === "notifierStart");
  if (effect?.kind !== "notifierStart") throw new Error("a start has its effect");
  return effect.range;
}

/** How the rule proves a dropped result. */
export const refusedInvalidation: Experiment = {
  name: "refused-invalidation",
  primary: ["stale-secondary-mapping"],
  secondary: ["notifier-imbalance", "sleep-in-atomic"],
  bounds: BOUNDS,
  build,
  fix: (program) => {
    const fixed = hoistBlockingStart(program);
    return fixed && { title: "blocking start before anything is mapped or locked, end after the last unmap", program: fixed };
  },
  mutate: nonblockingAgain,
  wrongFixes: [
    {
      title: "the blocking start in the same place",
      program: blockingInPlace,
    },
  ],
};

/** The result is looked at, but the range is ended although its start was refused: KVM sees an end too many. */
export const endAfterRefusal: Experiment = {
  ...refusedInvalidation,
  primary: ["notifier-imbalance"],
  secondary: ["stale-secondary-mapping", "sleep-in-atomic"],
};
