// SPDX-License-Identifier: GPL-2.0-only
import { spins } from "../kernel/lock-order.ts";
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder, type StepPart, type ThreadBuilder } from "../simulator/build.ts";
import { assign, decrement, increment } from "../simulator/effect.ts";
import { and, eq, gt, lt, ne, or, plus, TRUE, type Field } from "../simulator/expression.ts";
import { atomicContext, type Context, enterAtomic, leaveIfEntered, mightSleep } from "../simulator/objects/context.ts";
import { entry, OF_DEVICE, SWAP, type Entry } from "../simulator/objects/entry.ts";
import type { Assignment } from "../simulator/model.ts";
import { kvmSubscriber } from "../simulator/objects/notifier.ts";
import { someIn } from "./doubt.ts";
import { entryPointers, isProtection, rangeEntry, type EntryPointers } from "./entries.ts";
import type { BuiltModel } from "./experiment.ts";
import { lift } from "./lift.ts";
import { addMirror, type Mirror, type Mirrored } from "./mirror.ts";
import { rangePlace } from "./obligation/notifier-range.ts";
import { kindOf } from "./translate.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * The function that changes entries, and who has a page of one of them mapped a second time: what starts and ends of
 * invalidations tell the one who mirrors it.
 */

/** The page of the scenario, and a second one that a function may install. */
const PAGES = ["X", "Y"];

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
  /** True where the mirror writes, and the entry means the right to: write protection takes it away, the page stays. */
  readonly isAboutWriting?: boolean;
}

/** States of one range on the caller's side. */
const ENDED = 0;
const STARTED = 1;
const REFUSED = 2;

interface Objects extends Mirrored {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly pointers: EntryPointers;
  readonly setting: InvalidationSetting;
}

/** Name of the entry that an effect removes, or null. */
export function clearedBy(effect: BoundEffect, pointers: EntryPointers): string | null {
  if (effect.kind === "clearRange") return rangeEntry(effect.vma);
  return effect.kind === "clearEntry" ? pointers.entryOf(effect.pte) : null;
}

/** A slot that maps a page, or what the function lets write to it. */
const entryOf = (model: ModelBuilder, name: string, first: number, { isAboutWriting }: InvalidationSetting): Entry =>
  isAboutWriting === true ? model.field(`entry(${name})`, first, { labels: { 0: "write-protected", 1: "X, writable" } }) : entry(model, `entry(${name})`, first, PAGES);

function objectsOf(model: ModelBuilder, program: EffectProgram, setting: InvalidationSetting): Objects {
  const { entry: invalidated, mirror } = setting;
  const first = setting.holds === "device-entry" ? OF_DEVICE : 1;
  const pointers = entryPointers(program);
  const entries = new Map(
    pointers.entries.map(({ name }) => [name, entryOf(model, name, name === invalidated ? first : 0, setting)] as const),
  );
  const slot = entries.get(invalidated);
  if (!slot) throw new Error("the invalidated entry is one of the mapped ones");
  return { entries, pointers, invalidated: slot, kvm: kvmSubscriber(model, first, PAGES, mirror.mapping), retry: model.field("fault must retry", 0, { hidden: true }), setting };
}

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
  const isAboutWriting = objects.setting.isAboutWriting === true;
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
    sees: (effect) => seen.has(effect.kind) || isSpin(effect) || (isAboutWriting && isProtection(effect)),
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
          alternatives: [{ effect: [...(effect.rcu ? [leaveIfEntered(context)] : []), ...(effect.ptl ? [leaveIfEntered(context)] : [])] }],
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
      return [{ alternatives: [{ effect: [leaveIfEntered(context)] }] }];
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
    case "modifyEntry": {
      const slot = entryAt(effect.pte);
      return slot ? [{ alternatives: [{ effect: [assign(slot, 0)] }] }] : [];
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

const isCovered = ({ setting }: Objects, { range }: { readonly range: Value }): boolean => setting.covers?.(rangePlace(range)) ?? true;

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

/** The model of one program: its thread, the mirror, and what a pass must have reached. */
export function buildInvalidation(program: EffectProgram, release: Release, setting: InvalidationSetting): BuiltModel {
  const model = modelBuilder(setting.scenario);
  const objects = objectsOf(model, program, setting);
  const { pointers } = objects;
  const lifted = lift(model, program, release, (thread) => world(program, thread, objects));
  const guest = addMirror(model, setting.mirror, objects);
  for (const [id, steps] of lifted.stepsOf) {
    const node = program.nodes[id];
    const clears = node?.kind === "call" && node.effects.some((effect) => clearedBy(effect, pointers) === setting.entry || (setting.isAboutWriting && isProtection(effect) && pointers.entryOf(effect.pte) === setting.entry));
    if (clears && steps[0] !== undefined) model.reach(lifted.thread, steps[0], setting.isAboutWriting ? "the entry is write-protected" : "the entry is cleared");
  }
  model.reach(guest.thread, guest.store, `${setting.mirror.who} stores`);
  return { model: model.finish(), assumptions: lifted.assumptions };
}
