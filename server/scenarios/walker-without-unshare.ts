// SPDX-License-Identifier: GPL-2.0-only
import { gupEra } from "../kernel/era.ts";
import { atLeast, type Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, element, eq, FALSE, ne, TRUE, type Expression, type Field } from "../simulator/expression.ts";
import type { Alternative } from "../simulator/model.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { drop, grab, isWritable, mustUnshare, pageOf, privateMapping, type GupRequest, type PrivateMapping } from "./gup-era.ts";
import { lift } from "./lift.ts";
import { givesBack } from "./pinned-pages.ts";
import { dmaDevice, handOver, pinObjects, type PinObjects } from "./pinning-driver.ts";
import { LOST, processThatForked } from "./read-only-pin-lost.ts";
import { insertAtStart, invoke, name, synthetic } from "./rewrite.ts";
import { entryOfPage, grabAt, entryLevel, grabbedNames, writeTestOf, type Grab } from "./walked-page.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * From 5.19 on: a walker of GUP is asked for a read-only FOLL_PIN reference to a page that was shared with a child. The
 * child is gone, but the page is not exclusive; without gup_must_unshare() the next write of the process copies it away
 * from under the pin (c89357e27f20, a7f226604170).
 */

const GATE = "begin";

/** What the walker is asked for. */
const READ_ONLY_PIN: GupRequest = { write: FALSE, pin: true, longterm: FALSE };

interface Walk {
  readonly program: EffectProgram;
  readonly call: CallNode;
  readonly grab: Grab;
  readonly entry: Value;
  readonly names: ReadonlySet<string>;
}

function walkOf(program: EffectProgram, node: NodeId): Walk | null {
  const found = grabAt(program, node);
  const entry = found && entryOfPage(program, found.grab.page);
  return found && entry && { program, ...found, entry, names: grabbedNames(program, found) };
}

export type WalkerObjects = PinObjects & { readonly ptl: Field };
type Objects = WalkerObjects;

function world(walk: Walk, objects: Objects, request: GupRequest): World {
  const { mapping } = objects;
  const { program, call, entry } = walk;
  const isGate = (node: CallNode): boolean => node.at < 0 && node.name === GATE;
  // An entry that the walker is handed, or has read where the hunk does not show it: as it is when the walker starts.
  const handed = [render(entry), ...walk.names].filter((one) => program.openStart || program.variables.get(one)?.isParameter);
  const page = (value: Value | undefined, translate: (value: Value) => Expression | null): Expression =>
    pageOf((value && translate(value)) ?? translate(entry) ?? mapping.entry);
  return {
    sees: (effect, node) =>
      isGate(node) || (node === call && effect.kind === "grabPage") || givesBack(effect, walk.names) || locks(effect) !== null || (effect.kind === "accessEntry" && !effect.write && node.result !== null),
    reads: (effect, node) => (node === call && effect.kind === "grabPage" ? [effect.page, entry] : []),
    refine(effect, node, lifting) {
      if (isGate(node)) {
        const given = handed.flatMap((one) => lifting.set(one, mapping.entry));
        const locked = callerLocks(program) ? [assign(objects.ptl, 1)] : [];
        return [{ alternatives: [{ guard: eq(objects.begun, 1), effect: [...given, ...locked] }], hidden: true }];
      }
      const lock = locks(effect);
      if (lock !== null) return [lockStep(effect, node, lifting, objects, lock)];
      if (effect.kind === "grabPage") return [grabStep(effect, node, lifting, objects, page(effect.page, lifting.translate))];
      if (effect.kind === "accessEntry") return [{ alternatives: [{ effect: lifting.set(node.result, mapping.entry) }] }];
      return [putStep(node, objects)];
    },
    place: (value) => {
      const level = entryLevel(program, value);
      if (level === null || level === entryLevel(program, entry)) return value.kind === "unary" && level !== null ? mapping.entry : null;
      // Tables above stay as they are.
      return 1;
    },
    meaning(pure, args, translate) {
      const first = args[0] ? translate(args[0]) : null;
      switch (pure.meaning) {
        case "load-entry":
          return { kind: "field", field: mapping.entry };
        case "entry-write":
          return first && isWritable(first);
        case "entry-present":
          return first && ne(first, 0);
        case "entry-none":
          return first && eq(first, 0);
        case "folio-anon":
          return eq(element(mapping.anonymous, page(args[0], translate)), 1);
        case "must-unshare":
          return mustUnshare(mapping, page(args[1], translate), request);
        default:
          return null;
      }
    },
    compare: (of, translate) => secondLook(of, translate),
    parameter(name, bit) {
      if (bit !== null) return bit === "FOLL_PIN" ? 1 : bit === "FOLL_WRITE" ? (request.write === FALSE ? 0 : 1) : null;
      return handed.includes(name) ? 0 : null;
    },
  };
}

/** True where the function says that its caller holds the page-table lock. */
const callerLocks = (program: EffectProgram): boolean =>
  program.nodes.some((node) => node.kind === "call" && node.effects.some((effect) => effect.kind === "assertHeld" && (effect.lock === "ptl" || effect.lock === "spinlock")));

/** `pte_val(pte) != pte_val(*ptep)`: the second look compares whole entries. */
function secondLook(of: Value & { kind: "binary" }, translate: (value: Value) => Expression | null): Expression | null {
  const isEntry = (value: Value): boolean => value.kind === "call" && /^(?:pte|pmd|pud)_val$/.test(value.name);
  if ((of.operator !== "==" && of.operator !== "!=") || !isEntry(of.left) || !isEntry(of.right)) return null;
  const [left, right] = [translate(of.left), translate(of.right)];
  if (!left || !right) return null;
  return of.operator === "==" ? eq(left, right) : ne(left, right);
}

/** 1: the effect takes the page-table lock, 0: it gives it up, null: neither. */
function locks(effect: BoundEffect): 0 | 1 | null {
  if (effect.kind === "mapPte" && effect.locks) return 1;
  if (effect.kind === "unmapPte" && effect.ptl) return 0;
  if (effect.kind === "lockEntryTable") return 1;
  return (effect.kind === "acquire" || effect.kind === "release") && effect.lock === "ptl" ? (effect.kind === "acquire" ? 1 : 0) : null;
}

function lockStep(effect: BoundEffect, node: CallNode, lifting: Lifting, { ptl }: Objects, lock: 0 | 1): LiftedStep {
  const mayFail = effect.kind === "mapPte" && effect.mayFail;
  return {
    alternatives: [
      { effect: [assign(ptl, lock), ...(lock === 1 ? lifting.set(node.result, 1) : [])] },
      ...(mayFail ? [{ effect: lifting.set(node.result, 0), note: "NULL: the table is gone" }] : []),
    ],
  };
}

function grabStep(effect: Grab, node: CallNode, lifting: Lifting, { mapping, pinned }: Objects, page: Expression): LiftedStep {
  const [held, failed] = effect.held === "zero" ? [0, 1] : [1, 0];
  return {
    alternatives: [
      { guard: eq(pinned, 0), effect: [assign(pinned, page), ...grab(mapping, pinned, true), ...lifting.set(node.result, held)], note: "FOLL_PIN: pins the page" },
      { guard: ne(pinned, 0), effect: lifting.set(node.result, held), note: "another page" },
      { effect: lifting.set(node.result, failed), note: "fails" },
    ],
  };
}

function putStep(node: CallNode, { mapping, pinned, ptl }: Objects): LiftedStep {
  // What the reference fix gives back, it gives back on its way out.
  const leave = node.at < 0 ? [assign(ptl, 0)] : [];
  return {
    alternatives: [
      { guard: ne(pinned, 0), effect: [...drop(mapping, pinned, true), assign(pinned, 0), ...leave] },
      { guard: eq(pinned, 0), effect: leave, note: "nothing is pinned" },
    ],
  };
}

/** A fault takes the page-table lock; a store that does not fault takes nothing. */
export const waitsForLock = (one: Alternative, { ptl }: Objects): Alternative =>
  one.effect === undefined ? one : { ...one, guard: and(one.guard ?? TRUE, eq(ptl, 0)) };

/** Reference fix: a page of a read-only entry is given back where it must be unshared first; the slow path does that. */
function askToUnshare(program: EffectProgram, node: NodeId, release: Release): EffectProgram | null {
  const walk = walkOf(program, node);
  if (!walk) return null;
  const { call, grab: { page, flags }, entry } = walk;
  const nodes: ProgramNode[] = [...program.nodes];
  const put = nodes.push({ ...synthetic(`gup_put_folio(${render(page)}, 1, ${render(flags)})`, { kind: "unpin", reference: "pin", pages: page, flags }), next: program.exit }) - 1;
  const args = atLeast(release, "6.2") ? [name("NULL"), flags, page] : [flags, page];
  const ask = nodes.push({ kind: "branch", condition: invoke("gup_must_unshare", args), negated: false, at: -1, end: -1, then: put, otherwise: call.next }) - 1;
  const test = nodes.push({ kind: "branch", condition: invoke(writeTestOf(program, entry), [entry]), negated: true, at: -1, end: -1, then: call.next, otherwise: ask }) - 1;
  nodes[node] = { ...call, next: test };
  return { ...program, nodes };
}

/** Takes the question out again. */
const keepUnasked = (fixed: EffectProgram): EffectProgram => ({
  ...fixed,
  nodes: fixed.nodes.map((node) =>
    node.kind === "branch" && node.at < 0 && node.condition.kind === "call" && node.condition.name.endsWith("_write") ? { kind: "label", name: null, at: -1, next: node.then } : node,
  ),
});

/** A walker as the code has it, begun when the past of the scenario is over; what it pins goes to the device. */
export function liftWalker(
  model: ModelBuilder, program: EffectProgram, node: NodeId, release: Release, mapping: PrivateMapping, request: GupRequest, begun: boolean,
): { readonly objects: WalkerObjects; readonly assumptions: readonly string[] } | null {
  const gated = insertAtStart(program, [{ ...synthetic("", { kind: "maySleep" }), name: GATE }]);
  const walk = walkOf(gated, node);
  if (!walk) return null;
  const objects: Objects = { ...pinObjects(model, mapping, "anonymous", begun), ptl: model.field("page-table lock", 0, { labels: { 0: "free", 1: "held" } }) };
  const lifted = lift(model, gated, release, () => world(walk, objects, request), { next: "handed" });
  handOver(lifted.thread, objects, "returns with the page pinned: a driver gives it to its device", callerLocks(program) ? [assign(objects.ptl, 0)] : []);
  for (const step of lifted.stepsOf.get(node) ?? []) model.reach(lifted.thread, step, "the grab");
  return { objects, assumptions: lifted.assumptions };
}

export function walkerWithoutUnshare(node: NodeId, target: Release): Experiment {
  const build = (program: EffectProgram, release: Release): BuiltModel | null => {
    const model = modelBuilder("walker-without-unshare");
    const mapping = privateMapping(model, gupEra(release), "anonymous");
    const lifted = liftWalker(model, program, node, release, mapping, READ_ONLY_PIN, false);
    if (!lifted) return null;
    const { objects } = lifted;
    processThatForked(model, mapping, objects.begun, "exited", (one) => waitsForLock(one, objects));
    dmaDevice(model, objects, "DMA on the pinned page", LOST);
    return { model: model.finish(), assumptions: [...lifted.assumptions, "called for a read-only FOLL_PIN reference"] };
  };
  return {
    name: "walker-without-unshare",
    primary: ["lost-dma"],
    secondary: [],
    bounds: "environment {fork before the call, child exits, one write of the process, device}, private anonymous page, loops unbounded, SC",
    build,
    fix(program) {
      const fixed = askToUnshare(program, node, target);
      return fixed && { title: "a page of a read-only entry is given back where gup_must_unshare() says so", program: fixed };
    },
    mutate: keepUnasked,
    wrongFixes: [],
  };
}
