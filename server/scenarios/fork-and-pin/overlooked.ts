// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, gupEra } from "../../kernel/era.ts";
import { COPIES_OR_SHARES, PIN_TESTS, type PinCount } from "../../kernel/pinned-page.ts";
import type { Release } from "../../kernel/release.ts";
import type { Value } from "../../program/code.ts";
import type { CallNode, EffectProgram, NodeId, ProgramNode } from "../../program/program.ts";
import { modelBuilder } from "../../simulator/build.ts";
import { eq, ne } from "../../simulator/expression.ts";
import type { Alternative } from "../../simulator/model.ts";
import { together } from "../../simulator/combine.ts";
import { downWrite, upWrite } from "../../simulator/objects/rwsem.ts";
import { someIn } from "../doubt.ts";
import type { BuiltModel, Experiment } from "../experiment.ts";
import { lift } from "../lift.ts";
import { shareWithChild } from "../mechanism/fork.ts";
import { insertBefore, name, synthetic } from "../rewrite.ts";
import type { Lifting, World } from "../world.ts";
import { pinnedAnswers } from "./pinned-answers.ts";
import { addPin, addSurroundings, gated, isGate, objectsOf, type Objects } from "./surroundings.ts";

/*
 * fork() asks a pin test about a page that a device has pinned. "Maybe" is allowed, "no" is not: the child shares the page, and
 * the next store of the parent moves it away from the device. Everything that the test can ask of such a page has one answer
 * (kernel/pinned-page.ts), so that nothing is left to guess.
 */

/** The kernel's tests have a dozen: more is no test. */
const MAX_NODES = 300;

/** No name that C text has: it stands where the function returns. */
const RETURNED = "$returned";
const [SHARED, OVER] = ["shared", "over"];

/** Functions that fork() asks. */
export const ASKED: readonly string[] = [...PIN_TESTS, COPIES_OR_SHARES];

/** What the value of a function means to fork(); null: the function is none that it asks. */
export function askedByFork({ name: callee, nodes }: EffectProgram, release: Release): "pin test" | "copy" | null {
  if (nodes.length > MAX_NODES) return null;
  const { forkProtection } = ERAS[gupEra(release)];
  if (callee === COPIES_OR_SHARES) return forkProtection.startsWith("early-copy") ? "copy" : null;
  return PIN_TESTS.has(callee) && forkProtection !== "none" ? "pin test" : null;
}

/** How pins may be counted on the pages that the function is asked about. */
export const countsAsked = (asked: "pin test" | "copy"): readonly PinCount[] => (asked === "copy" ? ["small"] : ["small", "large"]);

const isReturned = (call: CallNode): boolean => call.name === RETURNED;

const answer = (value: Value, { at, end }: { readonly at: number; readonly end: number }): Omit<CallNode, "next"> => {
  const { shown: _, ...call } = synthetic("", { kind: "maySleep" });
  return { ...call, name: RETURNED, args: [value], at, end };
};

/** Where fork() goes with what the function returns. */
function ways(value: Value, asked: "pin test" | "copy", number: number | null, lifting: Lifting): readonly Alternative[] {
  const shares = { to: SHARED, note: "the child may share it" };
  const copies = { to: OVER, note: "it may be pinned" };
  if (asked === "copy") return [number !== null && number > 0 ? shares : { to: OVER, note: "not shared" }];
  const truth = lifting.translate(value);
  if (number !== null || truth === null) return [number === 0 ? shares : copies];
  return [{ guard: eq(truth, 0), ...shares }, { guard: ne(truth, 0), ...copies }];
}

function world(program: EffectProgram, asked: "pin test" | "copy", count: PinCount, { a, device }: Objects): World {
  const numberOf = pinnedAnswers(program, count);
  const known = (value: Value): 0 | 1 | null => {
    const number = numberOf(value);
    return number === null ? null : number === 0 ? 0 : 1;
  };
  return {
    sees: (_effect, call) => isGate(call) || isReturned(call),
    reads: (_effect, call) => (isReturned(call) ? call.args : []),
    refine(_effect, call, lifting) {
      const [value] = call.args;
      // The page is pinned when fork() comes to it.
      if (isGate(call)) return [{ hidden: true, ...together({ alternatives: [{ guard: ne(device.page, 0) }] }, downWrite(a.mmapLock)) }];
      return value ? [{ hidden: call.at < 0, alternatives: ways(value, asked, numberOf(value), lifting) }] : [];
    },
    place: known,
    shows: (condition) => known(condition) !== null,
    meaning: () => null,
    // What is not known of the page may be what tells that it is pinned.
    decidedBy: (value, names) => someIn(value, (part) => part.kind === "call" || part.kind === "member" || (part.kind === "name" && names.has(part.name))),
  };
}

const withAnswers = (program: EffectProgram): EffectProgram => insertBefore(program, (node) => (node.kind === "return" && node.value ? [answer(node.value, node)] : []));

/** The question about the page that is answered last, on the way that a pinned one takes: where to look if it is wrong. */
export function lastQuestion(program: EffectProgram, count: PinCount): { readonly at: number; readonly end: number } {
  const numberOf = pinnedAnswers(program, count);
  const isQuestion = (value: Value): boolean => numberOf(value) !== null && someIn(value, (part) => part.kind === "call" || (part.kind === "name" && program.variables.has(part.name)));
  let found = { at: program.start, end: program.start };
  const seen = new Set<NodeId>();
  for (let id: NodeId | null = program.entry; id !== null && !seen.has(id); ) {
    seen.add(id);
    const node: ProgramNode | undefined = program.nodes[id];
    const asked = node?.kind === "branch" ? node.condition : node?.kind === "assign" ? node.value : null;
    if (node && "at" in node && node.at >= 0 && "end" in node && node.end !== undefined && asked && isQuestion(asked)) found = { at: node.at, end: node.end };
    id = node === undefined ? null : following(node, numberOf);
  }
  return found;
}

/** The node that control comes to next; null where that is not known, or the function is left. */
function following(node: ProgramNode, numberOf: (value: Value) => number | null): NodeId | null {
  if (node.kind === "branch") {
    const number = numberOf(node.condition);
    return number === null ? null : number === 0 ? node.otherwise : node.then;
  }
  return "next" in node ? node.next : null;
}

const PINNED: Value & { readonly kind: "call" } = { kind: "call", name: "page_maybe_dma_pinned", args: [name("page")], at: -1, end: -1 };

/** Reference fix: the kernel's own test, before anything else is asked. */
function askFirst(program: EffectProgram, asked: "pin test" | "copy"): EffectProgram {
  const nodes: ProgramNode[] = [...program.nodes];
  const add = (node: ProgramNode): NodeId => nodes.push(node) - 1;
  const yes = add({ ...answer({ kind: "number", value: asked === "copy" ? 0 : 1, at: -1 }, PINNED), next: program.exit });
  const entry = add({ kind: "branch", condition: PINNED, negated: false, at: -1, end: -1, then: yes, otherwise: program.entry });
  return { ...program, nodes, entry };
}

const unasked = (fixed: EffectProgram): EffectProgram => {
  const first = fixed.nodes[fixed.entry];
  return first?.kind === "branch" && first.at < 0 ? { ...fixed, entry: first.otherwise } : fixed;
};

/** FORK-2: a pin test that says no for a page that is pinned. */
export const pinOverlooked = (asked: "pin test" | "copy", count: PinCount): Experiment => ({
  name: "pin-overlooked",
  primary: ["lost-dma"],
  secondary: [],
  bounds: `environment {pin_user_pages(FOLL_WRITE), one store of the parent, device}, one private anonymous ${count === "large" ? "huge " : ""}page, mmap_lock held for write, SC`,
  build(program, release): BuiltModel {
    const model = modelBuilder("pin-overlooked");
    const objects = objectsOf(model, release, count === "large" ? "thp" : "order-0");
    const { memory, a, b } = objects;
    const { thread, assumptions } = lift(model, gated(withAnswers(program)), release, () => world(program, asked, count, objects), { next: OVER });
    thread.label(SHARED);
    thread.step({ text: `${memory.behavior.names.fork}: not pinned: write-protects the entry, the child maps the page`, effect: shareWithChild(memory, a, b) });
    thread.label(OVER);
    const done = thread.step({ text: "dup_mmap(): mmap_write_unlock(A)", ...upWrite(a.mmapLock) });
    model.reach(thread, done, "fork is over");
    addPin(model, objects);
    addSurroundings(model, objects, false);
    return { model: model.finish(), assumptions: [...assumptions, `asked by fork() about ${count === "large" ? "a large" : "a small"} page that is pinned once`] };
  },
  fix: (program) => ({ title: "page_maybe_dma_pinned(): a large page has a count of pins, of a small one a pin is 1024 references", program: askFirst(program, asked) }),
  mutate: unasked,
  wrongFixes: [],
});
