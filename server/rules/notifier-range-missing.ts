// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import { successors, type BoundEffect, type CallNode, type EffectProgram, type NodeId, type ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { isUnknown, someIn } from "../scenarios/doubt.ts";
import { entryPointers, isProtection } from "../scenarios/entries.ts";
import { whyNotCovering, type NotCovering } from "../scenarios/coverage.ts";
import { missingRange } from "../scenarios/missing-range.ts";
import { isOwnRange, rangePlace } from "../scenarios/obligation/notifier-range.ts";
import { proofOf, type Proof } from "../scenarios/prove.ts";
import { doesTo } from "./notifier-doing.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { shownCalls } from "./shown-calls.ts";
import { MAX_STATES } from "./budget.ts";

export const notifierRangeMissing: Rule = {
  meta: {
    id: "notifier-range-missing",
    title: "entry removed or write-protected outside of an invalidation",
    severity: "error",
    since: "2.6.27",
    until: null,
    why:
      "KVM, IOMMUs and devices map pages of a process by themselves. Before an entry is removed or write-protected they must be told, and until that is done " +
      "they must not map the page again: both is what start and end of an invalidation are for. Else they go on with a page that was freed or moved, or write to it.",
    messages: {
      none: "{function}() {does} with {call}() and starts no invalidation: {loses}",
      early: "{function}() {does} with {call}() before its invalidation is started: until then {loses}",
      late: "{function}() {does} with {call}() after its invalidation was ended: KVM and devices may have mapped the page again by then",
      "other-mm": "{function}() {does} of {space} with {call}(), and its invalidation is one of {mm}: {loses}",
      outside: "{function}() {does} at {address} with {call}(), outside of its invalidation of [{start}, {end}): {loses}",
      device: "{function}() replaces an entry that a device has present with {call}() outside of an invalidation that tells the device: it goes on with its mapping",
      "weaker-event": "{function}() {does} with {call}() under {event}, with which listeners need not look at the page table: {loses}",
    },
    scenarios: ["invalidation-missing"],
    sources: [
      { thread: "mm/khugepaged: invoke MMU notifiers in shmem/file collapse paths", who: "commit f268f6cf875f", date: "6.1", link: null },
      { thread: "start and end are paired, with mmap_lock or the locks of the reverse map held", who: "include/linux/mmu_notifier.h:135-137", date: "6.1.192", link: null },
    ],
  },
  effects: ["clearEntry", "setEntry", "modifyEntry"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, effect, target } = site;
    const how = howChanged(effect);
    if (how === null || (effect.kind !== "clearEntry" && effect.kind !== "setEntry" && effect.kind !== "modifyEntry")) return;
    const isOfDevice = how === "set";
    if (isOfDevice && !program.nodes.some(asksForDevice)) return;
    const changed = call.effects.find((one) => one.kind === "modifyEntry" && one.how === how);
    if (changed?.kind !== "modifyEntry" || changed.space === null || changed.address === null) return;
    if (isOfKernel(program, changed.space) || walksOtherEntries(program)) return;
    if (program.openStart || program.openEnd || isCoveredByCaller(program) || isOfDetachedTable(program, changed.level)) return;
    const places = startedRanges(program);
    if (places === null || places.some((place) => isConditional(program, place)) || (places.length === 0 && findsAddressSpace(program, changed.space) === null) || !isAffordable(site)) return;
    const why = new Map(places.map((place) => [place, heeded(how, whyNotCovering(program, place, { space: changed.space!, address: changed.address! }))]));
    const entry = entryPointers(program).entryOf(effect.pte);
    if (entry === null) return;
    const reason = places.length === 0 ? "none" : ([...why.values()].find((one) => one !== null) ?? "order");
    if (reason === "weaker-event" && isSetAgain(program, entry)) return;
    const experiment = missingRange(entry, { covers: (range) => (why.get(range) ?? null) === null, mirror: isOfDevice ? "owner" : how === "protect" ? "writer" : reason === "weaker-event" ? "reader" : "guest" });
    const proof = proofOf(experiment, program, target.release, MAX_STATES);
    if (!proof) return;
    const range = places.find((place) => why.get(place) === reason) ?? places[0] ?? null;
    yield {
      ruleId: this.meta.id,
      messageId: isOfDevice ? "device" : reason === "order" ? whenRemoved(program, places, proof) : reason,
      data: { function: program.name, call: call.name, ...TOLD[how], space: render(changed.space), address: render(changed.address), ...wordsOf(program, range) },
      place: placeOf(program, call),
      related: [...(isOfDevice ? asksDevice(program) : []), ...(range === null ? withoutCaller(program, changed.space) : aroundRange(program, range))],
      prove: () => proof,
    };
  },
};

type How = "clear" | "protect" | "set";

/** What an effect does to an entry that others may have mapped; null: nothing that the rule is about. */
const howChanged = (effect: BoundEffect): How | null =>
  effect.kind === "clearEntry" ? "clear" : effect.kind === "setEntry" ? "set" : effect.kind === "modifyEntry" && isProtection(effect) ? "protect" : null;

/** Whoever only writes is told by an event about protection. */
const heeded = (how: How, why: NotCovering | null): NotCovering | null => (how === "protect" && why === "weaker-event" ? null : why);

/** What is done to the entry, and what is lost where nobody is told. */
const TOLD: Readonly<Record<How, Readonly<Record<"does" | "loses", string>>>> = {
  clear: { does: "removes the entry", loses: "KVM and devices keep their mapping of a page that is freed or moved" },
  protect: { does: "write-protects the entry", loses: "KVM and devices write on through their mappings" },
  set: { does: "replaces the entry", loses: "the device keeps its mapping of the page" },
};

type Init = BoundEffect & { readonly kind: "notifierInit" };

/** What the first initialization of a range says. */
function wordsOf(program: EffectProgram, range: string | null): Readonly<Record<string, string>> {
  const init = program.nodes.flatMap((node) => (node.kind === "call" ? node.effects.filter((one): one is Init => one.kind === "notifierInit" && rangePlace(one.range) === range) : []))[0];
  return init ? { mm: render(init.mm), start: render(init.start), end: init.end ? render(init.end) : "...", event: init.event ? render(init.event) : "this event" } : {};
}

/** The calls that set a range up, start and end it, in order of text. */
const aroundRange = (program: EffectProgram, range: string | null): Candidate["related"] =>
  program.nodes.flatMap((node) => {
    const does = node.kind === "call" && range !== null ? doesTo(node, range) : null;
    return node.kind === "call" && does !== null ? [{ message: `${range} is ${{ renews: "set up", begins: "started", ends: "ended" }[does]} here`, place: placeOf(program, node) }] : [];
  }).toSorted((a, b) => a.place.at - b.place.at);

/** Why no caller can have started an invalidation. */
function withoutCaller(program: EffectProgram, space: Value): Candidate["related"] {
  const found = findsAddressSpace(program, space);
  const isWalk = found?.effects.some(({ kind }) => kind === "walkMapped") === true;
  return found ? [{ message: isWalk ? "mappings of any process are walked from here" : "mmap_lock is taken here: no caller has an invalidation", place: placeOf(program, found) }] : [];
}

/** The first test that says that a device has the entry. */
const asksDevice = (program: EffectProgram): Candidate["related"] =>
  program.nodes.flatMap((node) => (node.kind === "branch" && asksForDevice(node) ? [{ message: "a device has the entry present", place: placeOf(program, node) }] : [])).slice(0, 1);

/** Whether the failing schedule removes the entry before the start or after the end. */
const whenRemoved = (program: EffectProgram, places: readonly string[], { schedule }: Proof): "early" | "late" =>
  // The schedule goes on until somebody uses the old mapping: an end of it comes before the removal, or not at all.
  shownCalls(program, schedule).some(({ call }, index, all) => places.some((place) => doesTo(call, place) === "ends") && all.slice(index).some(({ call: other }) => other.effects.some((one) => howChanged(one) !== null))) ? "late" : "early";

const DEVICE_ENTRY = /^is_device_(?:exclusive|private)_entry$/;

/** True for a test whether an entry is one that a device has present. */
const asksForDevice = (node: ProgramNode): boolean => node.kind === "branch" && someIn(node.condition, (part) => part.kind === "call" && DEVICE_ENTRY.test(part.name));

const OF_CALLER: ReadonlySet<string> = new Set(["mmu_notifier_range", "mmu_gather", "mm_walk"]);

/** True where a caller has, or may have, the invalidation: it passes what belongs to one, or a callee may be one by its name. */
const isCoveredByCaller = (program: EffectProgram): boolean =>
  [...program.variables.values()].some(({ isParameter, type }) => isParameter && OF_CALLER.has(type)) ||
  program.nodes.some((node) => node.kind === "call" && isUnknown(node) && /notif|invalidat|gather/i.test(node.name));

/** Entries of a table that was taken out of the page table before: nobody can map what they map. */
const isOfDetachedTable = (program: EffectProgram, level: string): boolean =>
  level === "pte" && program.nodes.some((node) => node.kind === "call" && node.effects.some((one) => one.kind === "modifyEntry" && one.how === "clear" && one.level !== "pte" && one.level !== "hugetlb"));

/** True where an end can be come to without a start: what decides may be another word for what is changed. */
function isConditional(program: EffectProgram, place: string): boolean {
  if (!program.nodes.some((node) => node.kind === "call" && doesTo(node, place) === "begins")) return false;
  const found = new Set<NodeId>([program.entry]);
  const work = [program.entry];
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = program.nodes[id];
    const does = node?.kind === "call" ? doesTo(node, place) : null;
    if (does === "ends") return true;
    for (const next of node && does !== "begins" ? successors(node) : []) {
      if (found.has(next)) continue;
      found.add(next);
      work.push(next);
    }
  }
  return false;
}

/** Ranges that the function starts; null: one of them is not its own, or may be refused, which has rules of its own. */
function startedRanges(program: EffectProgram): readonly string[] | null {
  if (program.nodes.some((node) => node.kind === "call" && node.effects.some((one) => one.kind === "notifierStart" && !one.blocking))) return null;
  const places = new Set(program.nodes.flatMap((node) => (node.kind === "call" ? node.effects.flatMap((one) => (one.kind === "notifierStart" || one.kind === "notifierEnd" ? [rangePlace(one.range)] : [])) : [])));
  return [...places].every((place) => isOwnRange(program, place)) ? [...places] : null;
}

/**
 * The call by which the function comes to the address space by itself, so that no caller can have started an invalidation there: it
 * takes mmap_lock, which whoever starts one holds, or walks the mappings of a page. Only a reader can try while it is held. Null: there is none.
 */
const findsAddressSpace = (program: EffectProgram, space: Value): CallNode | null =>
  program.nodes.find((node): node is CallNode => node.kind === "call" && node.effects.some((one) => {
    if (one.kind === "walkMapped") return one.step !== "done";
    return one.kind === "acquire" && one.lock === "mmap_lock" && (one.sleeps || one.mode === "write") && one.object !== null && isOfSpace(program, space, render(one.object));
  })) ?? null;

/** True where the entry's mm, or the VMA that it was looked up in, is that of the lock. */
function isOfSpace(program: EffectProgram, space: Value, mm: string): boolean {
  const text = render(space);
  const isFrom = (value: Value): boolean => render(value) === mm || render(value) === `${text}->vm_mm`;
  if (text === mm || mm === `${text}->vm_mm`) return true;
  return program.nodes.some((node) => {
    if (node.kind === "call") return node.result === text && node.args.some(isFrom);
    if (node.kind !== "assign" || node.value === null) return false;
    const target = render(node.target);
    return (target === mm && render(node.value) === `${text}->vm_mm`) || (target === text && (render(node.value) === mm || (node.value.kind === "call" && node.value.args.some(isFrom))));
  });
}

/** A page table of the kernel (`&init_mm`) has no subscribers. */
const isOfKernel = (program: EffectProgram, space: Value): boolean =>
  space.kind === "unary" || program.nodes.some((node) => node.kind === "assign" && render(node.target) === render(space) && node.value?.kind === "unary" && node.value.operator === "&");

/** A walk that is asked for migration entries only comes to nothing that is present. */
const walksOtherEntries = (program: EffectProgram): boolean => program.image.text.slice(program.start, program.end).includes("PVMW_MIGRATION");

const isSetAgain = (program: EffectProgram, entry: string): boolean => {
  const pointers = entryPointers(program);
  return program.nodes.some((node) => node.kind === "call" && node.effects.some((one) => one.kind === "setEntry" && pointers.entryOf(one.pte) === entry));
};
