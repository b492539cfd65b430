// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../../kernel/release.ts";
import type { Value } from "../../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId, ProgramNode } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { modelBuilder, type ThreadBuilder } from "../../simulator/build.ts";
import { assign, decrementAt } from "../../simulator/effect.ts";
import { and, eq, FALSE, ne, not, or, plus, TRUE, type Expression, type Field } from "../../simulator/expression.ts";
import type { Check } from "../../simulator/model.ts";
import { isExclusive } from "../../simulator/objects/folio.ts";
import { folioOf, isWritablePte } from "../../simulator/objects/pte.ts";
import { someIn } from "../doubt.ts";
import type { BuiltModel } from "../experiment.ts";
import { lift } from "../lift.ts";
import { grab } from "../mechanism/gup.ts";
import { insertBefore, synthetic } from "../rewrite.ts";
import type { LiftedStep, Lifting, World } from "../world.ts";
import { asksNote, counterNamed, notesPins } from "./protocol-words.ts";
import { addSurroundings, gated, isGate, objectsOf, PIN, type Objects } from "./surroundings.ts";

export const RETURNED = "returned";

interface Walk extends Objects {
  /** The call that walks. */
  readonly walk: NodeId;
  readonly program: EffectProgram;
  /** Page that the walk holds, 0 for none. */
  readonly taken: Field;
  /** The counter as the walk has read it: twice the sections that began, and 1 inside of one. */
  readonly seen: Field;
}

const counter = ({ seq }: Objects): Expression => plus(plus(seq.count, seq.count), seq.open);

/** fork() spares pins only: a walk for references is none of the scenario's. */
const pins = (call: CallNode, lifting: Lifting): Expression => {
  const effect = call.effects.find((one) => one.kind === "gupFastWalk");
  return (effect?.kind === "gupFastWalk" ? lifting.flag(effect.write, "FOLL_PIN") : null) ?? TRUE;
};

const take = ({ memory, a, taken }: Walk) => [assign(taken, folioOf(a.pte)), ...grab(memory, folioOf(a.pte), PIN)];

const drop = ({ memory, taken }: Walk) => [decrementAt(memory.folios.refcount, taken), decrementAt(memory.folios.pincount, taken), assign(taken, 0)];

/** Values of the call: 0 is no page. */
const got = (lifting: Lifting, call: CallNode, any: boolean) => lifting.set(call.result, any ? 1 : 0);

/** `lockless_pages_from_mm()` as the release has it, in two steps. */
function wholeWalk(walk: Walk, call: CallNode, lifting: Lifting): LiftedStep[] {
  const { a, seq, taken, seen } = walk;
  const may = and(eq(seq.open, 0), isWritablePte(a.pte), eq(taken, 0), pins(call, lifting));
  const over = lifting.label("over");
  return [
    {
      alternatives: [
        { guard: may, effect: [...take(walk), assign(seen, counter(walk))], note: "write_protect_seq is even; takes the page" },
        { guard: not(may), effect: got(lifting, call, false), to: over, note: "takes nothing" },
      ],
    },
    {
      text: "read_seqcount_retry(&mm->write_protect_seq)",
      alternatives: [
        { guard: eq(counter(walk), seen), effect: got(lifting, call, true), note: "unchanged" },
        { guard: ne(counter(walk), seen), effect: [...drop(walk), ...got(lifting, call, false)], note: "changed: the pages are given back" },
      ],
    },
    { label: over, hidden: true, alternatives: [{}] },
  ];
}

/** A call inside of the walk: entry read, page taken, entry read again. */
function bareWalk(walk: Walk, call: CallNode, lifting: Lifting): LiftedStep[] {
  const may = and(isWritablePte(walk.a.pte), eq(walk.taken, 0), pins(call, lifting));
  return [
    {
      alternatives: [
        { guard: may, effect: [...take(walk), ...got(lifting, call, true)], note: "the entry is writable: pins the page" },
        { guard: not(may), effect: got(lifting, call, false), note: "takes nothing" },
      ],
    },
  ];
}

/** True for a release of pins, as many as there are: one page less, or a reference instead, leaves a pin behind. */
const givesAllBack = (effect: BoundEffect & { kind: "unpin" }): boolean =>
  effect.reference === "pin" && (effect.count === undefined || effect.count.kind === "name" || effect.count.kind === "member");

/** `sanity_check_pinned_pages()`. */
const staysExclusive = ({ memory, taken }: Walk, call: CallNode): Check => ({
  holds: isExclusive(memory.folios, taken),
  property: "bug-on",
  message: `${call.name}() finds that the page is not exclusive: fork() has shared it meanwhile (VM_BUG_ON_PAGE() with CONFIG_DEBUG_VM)`,
});

const isSeqcount = (program: EffectProgram, value: Value): boolean => value.kind === "call" && value.args[0] !== undefined && counterNamed(program, value.args[0]).is === "write_protect_seq";

const READS = /^(?:raw_)?read_seqcount(?:_begin|_retry)?$|^__read_seqcount_(?:begin|retry)$/;

/** A counter that is not known may be this one. */
const readsUnknown = (program: EffectProgram): boolean =>
  program.nodes.some((node) => {
    const value = node.kind === "assign" ? node.value : node.kind === "branch" ? node.condition : null;
    return value !== null && someIn(value, (part) => part.kind === "call" && READS.test(part.name) && part.args[0] !== undefined && counterNamed(program, part.args[0]).is === "unknown");
  });

function walkWorld(walk: Walk, isWhole: boolean, isTold: boolean): World {
  const { program, a, taken } = walk;
  const isWalk = (call: CallNode): boolean => program.nodes[walk.walk] === call;
  return {
    sees: (effect, call) => isGate(call) || (call.at < 0 && call.name === RETURNED) || isWalk(call) || notesPins(effect) || effect.kind === "unpin",
    reads: () => [],
    readsFlags: (effect) => (effect.kind === "gupFastWalk" ? [{ word: effect.write, bit: "FOLL_PIN" }] : []),
    refine(effect, call, lifting): readonly LiftedStep[] {
      if (isGate(call)) return [{ alternatives: [{ effect: isTold ? [assign(a.hasPinned, 1)] : [] }], hidden: true }];
      if (call.at < 0 && call.name === RETURNED) return [emptyHanded(taken)];
      if (notesPins(effect)) return [{ alternatives: [{ effect: [assign(a.hasPinned, 1)] }] }];
      if (effect.kind === "unpin" && !givesAllBack(effect)) return [{ alternatives: [{ note: "not all that was pinned" }] }];
      if (effect.kind === "unpin") {
        const checks = effect.asserts === "exclusive" ? [staysExclusive(walk, call)] : [];
        return [{ alternatives: [{ guard: ne(taken, 0), effect: drop(walk), checks }, { guard: eq(taken, 0), note: "nothing is pinned" }] }];
      }
      return isWhole ? wholeWalk(walk, call, lifting) : bareWalk(walk, call, lifting);
    },
    place: (value) => {
      if (asksNote(value)) return a.hasPinned;
      if (!isSeqcount(program, value) || value.kind !== "call") return null;
      if (/^(?:raw_)?read_seqcount(?:_begin)?$|^raw_read_seqcount$/.test(value.name)) return counter(walk);
      return null;
    },
    meaning: () => null,
    compare: (of, translate) => hasMoved(program, of, translate) ?? aboutCounter(of, translate) ?? outsideMask(of),
    parameter: (name, bit) => (bit !== null && name.endsWith("flags") ? (["FOLL_PIN", "FOLL_WRITE"].includes(bit) ? 1 : 0) : null),
  };
}

/** The function returns 0: its caller gives nothing back. */
const emptyHanded = (taken: Field): LiftedStep => ({
  text: "return 0",
  alternatives: [{ checks: [{ holds: eq(taken, 0), property: "leak", message: "the walk returns without pages and keeps one pinned: nobody gives it back" }], to: "END" }],
});

/** `seq & 1`: inside of a write section, in which the walk must not begin. */
function aboutCounter(of: Value & { kind: "binary" }, translate: (value: Value) => Expression | null): Expression | null {
  if (of.operator !== "&" || of.right.kind !== "number" || of.right.value !== 1) return null;
  const value = translate(of.left);
  return value && or(eq(value, 1), eq(value, 3));
}

/** The counter against what was read of it. */
function hasMoved(program: EffectProgram, of: Value & { kind: "binary" }, translate: (value: Value) => Expression | null): Expression | null {
  if (of.operator !== "!=" || !isSeqcount(program, of.left)) return null;
  const [now, seen] = [translate(of.left), translate(of.right)];
  return now && seen && ne(now, seen);
}

/** `flags & ~(A | B)`: flags that no caller passes. */
const outsideMask = (of: Value & { kind: "binary" }): Expression | null => (of.operator === "&" && of.right.kind === "unary" && of.right.operator === "~" ? FALSE : null);

/** The program with `read_seqcount_retry()` as a comparison, so that its second argument is read. */
const withRetry = (program: EffectProgram): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node): ProgramNode => {
    if (node.kind !== "branch" || node.condition.kind !== "call" || !/^(?:__)?read_seqcount_retry$/.test(node.condition.name)) return node;
    const [place, seen] = node.condition.args;
    if (!place || !seen) return node;
    const now: Value = { kind: "call", name: "raw_read_seqcount", args: [place], at: node.condition.at, end: node.condition.end };
    return { ...node, condition: { kind: "binary", operator: "!=", left: now, right: seen, at: node.condition.at } };
  }),
});

/** Returns of 0 are seen: the caller is told that there is nothing. */
function withEmptyReturns(program: EffectProgram): EffectProgram {
  const zero = new Set(program.nodes.flatMap((node) => (node.kind === "assign" && node.operator === "=" && node.value?.kind === "number" && node.value.value === 0 ? [render(node.target)] : [])));
  return insertBefore(program, (node) => (node.kind === "return" && node.value?.kind === "name" && node.value.name.startsWith("$") && zero.has(node.value.name) ? [{ ...synthetic("", { kind: "maySleep" }), name: RETURNED }] : []));
}

export function buildWalk(name: string, program: EffectProgram, release: Release, walk: NodeId, isWhole: boolean, isTold: boolean): BuiltModel | null {
  if (program.nodes[walk]?.kind !== "call" || readsUnknown(program)) return null;
  const model = modelBuilder(name);
  const objects = objectsOf(model, release);
  const ready = withRetry(gated(isWhole ? program : withEmptyReturns(program)));
  const registers = (thread: ThreadBuilder): Walk => ({ ...objects, walk, program: ready, taken: thread.local("pinned page", 0, { hidden: true }), seen: thread.local("seq read", 0, { hidden: true }) });
  let made: Walk | null = null;
  const lifted = lift(model, ready, release, (thread) => walkWorld((made = registers(thread)), isWhole, isTold), { next: "handed" });
  const { taken } = made as unknown as Walk;
  lifted.thread.label("handed");
  const gives = lifted.thread.step({
    text: "the caller's device gets the page",
    alternatives: [{ guard: ne(taken, 0), effect: [assign(objects.device.page, taken)] }, { guard: eq(taken, 0), to: "END", note: "the slow path waits for mmap_lock" }],
  });
  for (const step of lifted.stepsOf.get(walk) ?? []) if (step === lifted.stepsOf.get(walk)?.[0]) model.reach(lifted.thread, step, "the walk");
  model.reach(lifted.thread, gives, "the function returns");
  addSurroundings(model, objects, true);
  return { model: model.finish(), assumptions: [...lifted.assumptions, "called for a FOLL_PIN | FOLL_WRITE reference"] };
}

export const WALK_BOUNDS = "environment {fork, one store of the parent, device}, one private anonymous page, FOLL_PIN | FOLL_WRITE, SC";
