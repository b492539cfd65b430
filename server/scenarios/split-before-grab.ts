// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign, assignAt, decrementAt, incrementAt } from "../simulator/effect.ts";
import { and, element, eq, gt, ne, type Expression, type Field } from "../simulator/expression.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { lift } from "./lift.ts";
import { insertBefore, invoke, name, synthetic } from "./rewrite.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * GUP-fast takes its reference on the head of a page that it has found in an entry. It holds nothing that keeps the two together:
 * between the look for the head and the reference the huge page may be split, and its entries map the same pages as before
 * (split_huge_page_to_list() puts them back behind its migration entries). Then the reference is on a page that has nothing to
 * do with the one that the caller gets (c24d37322548, 5.14).
 */

const HEAD = 1;
const TAIL = 2;
const RETURNED = "returned";
/** The kernel's own functions have a dozen. */
const MAX_NODES = 300;
const LOOKS = /^(?:compound_head|page_folio|_compound_head)$/;

type Take = BoundEffect & { kind: "getReference" };

interface Objects {
  /** The page whose reference count stands for the tail: its head, later itself. */
  readonly headOf: Field;
  readonly refcount: Field;
  /** The entry of the tail. */
  readonly mapped: Field;
}

const objectsOf = (model: ModelBuilder): Objects => ({
  headOf: model.field("head of T", HEAD, { labels: { [HEAD]: "H", [TAIL]: "T" } }),
  refcount: model.array("refcount", [0, 2, 0], { elements: ["none", "H", "T"].map((one) => `refcount(${one})`) }),
  mapped: model.field("pte", 1, { labels: { 0: "none", 1: "T" } }),
});

/** The reference at a node that is taken on the head of a page which the function was handed; the page and the head. */
export function headTaken(program: EffectProgram, node: NodeId): { readonly page: Value; readonly head: Value; readonly call: CallNode } | null {
  const call = program.nodes.length <= MAX_NODES ? program.nodes[node] : undefined;
  const take = call?.kind === "call" ? call.effects.find((effect): effect is Take => effect.kind === "getReference" && effect.held === "nonzero") : undefined;
  if (call?.kind !== "call" || !take || call.result === null || take.object.kind !== "name") return null;
  const head = take.object;
  const looks = program.nodes.flatMap((one) => (one.kind === "assign" && render(one.target) === head.name ? [one.value] : []));
  const [page] = looks.map((value) => (value?.kind === "call" && LOOKS.test(value.name) ? value.args[0] : undefined));
  if (page?.kind !== "name" || looks.some((value) => !value || render(value) !== render(looks[0] ?? value))) return null;
  const variable = program.variables.get(page.name);
  return variable?.isParameter && variable.type === "page" && variable.pointers === 1 && givesOut(program, head.name) ? { page, head, call } : null;
}

/** True where the function returns the head: its caller relies on the reference. */
const givesOut = (program: EffectProgram, head: string): boolean =>
  program.nodes.some((node) => (node.kind === "return" && node.value && render(node.value) === head) || (node.kind === "assign" && node.value && render(node.target).startsWith("$") && render(node.value) === head));

const isReturned = (call: CallNode): boolean => call.at < 0 && call.name === RETURNED;
const puts = (effect: BoundEffect): Value | null => (effect.kind === "putReference" ? effect.object : effect.kind === "unpin" ? effect.pages : null);

function world(page: Value, head: Value, site: CallNode, { headOf, refcount }: Objects): World {
  const isHead = (value: Value): boolean => render(value).replace(/^&|(?:->|\.)page$/g, "") === render(head);
  const isLook = (value: Value): boolean => value.kind === "call" && LOOKS.test(value.name) && value.args.length === 1 && render(value.args[0] ?? value) === render(page);
  const takes = (effect: BoundEffect, call: CallNode): boolean => effect.kind === "getReference" && call.at === site.at && call.name === site.name;
  const isPut = (effect: BoundEffect): boolean => {
    const object = puts(effect);
    return object !== null && isHead(object);
  };
  const headNow = (lifting: Lifting): Expression => lifting.translate(head) ?? { kind: "constant", value: HEAD };
  return {
    sees: (effect, call) => isReturned(call) || takes(effect, call) || isPut(effect),
    reads: (_effect, call) => [head, ...(isReturned(call) ? call.args : [])],
    refine(effect, call, lifting): readonly LiftedStep[] {
      if (isReturned(call)) {
        const value = call.args[0] ? lifting.translate(call.args[0]) : null;
        // What the function returns instead of a page is none.
        return [{ hidden: true, alternatives: value ? [{ guard: ne(value, 0) }, { guard: eq(value, 0), to: "END" }] : [{ to: "END" }] }];
      }
      const at = headNow(lifting);
      if (!takes(effect, call)) return [{ alternatives: [{ guard: gt(element(refcount, at), 0), effect: [decrementAt(refcount, at)], ...(call.at < 0 ? { to: "END" } : {}) }] }];
      return [
        {
          alternatives: [
            { guard: gt(element(refcount, at), 0), effect: [incrementAt(refcount, at), ...lifting.set(call.result, 1)] },
            { guard: eq(element(refcount, at), 0), effect: lifting.set(call.result, 0), note: "is being freed" },
          ],
        },
      ];
    },
    place: (value) => (isLook(value) ? headOf : null),
    meaning: () => null,
    compare(of, translate) {
      if ((of.operator !== "==" && of.operator !== "!=") || !(isLook(of.left) || isLook(of.right))) return null;
      const [left, right] = [translate(of.left), translate(of.right)];
      return left && right && (of.operator === "==" ? eq(left, right) : ne(left, right));
    },
  };
}

/** Returns are seen: the caller is told which page it has a reference to. */
const withReturns = (program: EffectProgram): EffectProgram =>
  insertBefore(program, (node) => (node.kind === "return" && node.value ? [{ ...synthetic("", { kind: "maySleep" }), name: RETURNED, args: [node.value] }] : []));

/** A split needs that nobody but the entries has a reference (page_ref_freeze()). */
function addSplit(model: ModelBuilder, { headOf, refcount, mapped }: Objects): void {
  model.thread("split_huge_page()", "environment").step({
    text: "no other references: splits the page, its entries map the same pages again",
    guard: and(eq(headOf, HEAD), eq(mapped, 1), eq(element(refcount, HEAD), 2)),
    effect: [assign(headOf, TAIL), assignAt(refcount, HEAD, 1), assignAt(refcount, TAIL, 1)],
  });
}

function addUnmap(model: ModelBuilder, { headOf, refcount, mapped }: Objects): void {
  model.thread("munmap()", "environment").step({ text: "zap_pte_range(): T is unmapped, and its reference put", guard: eq(mapped, 1), effect: [decrementAt(refcount, headOf), assign(mapped, 0)] });
}

/** The walk that called: it looks at the entry again, and gives the page to whoever asked for it. */
function addCaller(model: ModelBuilder, thread: ThreadBuilder, { headOf, refcount, mapped }: Objects): void {
  thread.label("handed");
  thread.step({
    text: "gup_pte_range(): the entry again",
    alternatives: [{ guard: eq(mapped, 1), note: "the same: pages[nr] = T" }, { guard: eq(mapped, 0), to: "END", note: "another: the reference is put" }],
  });
  const used = thread.step({
    text: "the caller of get_user_pages_fast() uses T",
    checks: [{ holds: gt(element(refcount, headOf), 0), property: "uaf", message: "the page is used after it was freed: the reference is on the page that was its head" }],
  });
  model.reach(thread, used, "the page is used");
}

/** Reference fix: the head is asked for again once there is a reference. */
function lookAgain(program: EffectProgram, node: NodeId): EffectProgram | null {
  const taken = headTaken(program, node);
  if (!taken) return null;
  const { page, head, call } = taken;
  const nodes: ProgramNode[] = [...program.nodes];
  const add = (one: ProgramNode): NodeId => nodes.push(one) - 1;
  const put = add({ ...synthetic(`folio_put_refs(${render(head)}, refs)`, { kind: "putReference", object: head }), next: program.exit });
  const moved: Value = { kind: "binary", operator: "!=", left: invoke("compound_head", [page]), right: head, at: -1 };
  const look = add({ kind: "branch", condition: moved, negated: false, at: -1, end: -1, then: put, otherwise: call.next });
  nodes[node] = { ...call, next: add({ kind: "branch", condition: name(call.result ?? ""), negated: false, at: -1, end: -1, then: look, otherwise: call.next }) };
  return { ...program, nodes };
}

const lookOnce = (fixed: EffectProgram): EffectProgram => ({
  ...fixed,
  nodes: fixed.nodes.map((node): ProgramNode => (node.kind === "branch" && node.at < 0 && node.condition.kind === "binary" ? { kind: "label", name: null, at: -1, next: node.otherwise } : node)),
});

/** FAST-2: the head is looked up before there is a reference, and not again. */
export const splitBeforeGrab = (node: NodeId): Experiment => ({
  name: "split-before-grab",
  primary: ["uaf"],
  secondary: [],
  bounds: "environment {split of the huge page, munmap() of the page}, one huge page of two pages that entries map, loops unbounded, SC",
  build(program: EffectProgram, release: Release): BuiltModel | null {
    const taken = headTaken(program, node);
    if (!taken) return null;
    const model = modelBuilder("split-before-grab");
    const objects = objectsOf(model);
    const lifted = lift(model, withReturns(program), release, () => world(taken.page, taken.head, taken.call, objects), { next: "handed" });
    for (const step of lifted.stepsOf.get(node) ?? []) model.reach(lifted.thread, step, "the reference");
    addCaller(model, lifted.thread, objects);
    addSplit(model, objects);
    addUnmap(model, objects);
    return { model: model.finish(), assumptions: [...lifted.assumptions, "called by GUP-fast for a page that it has found in an entry"] };
  },
  fix(program) {
    const fixed = lookAgain(program, node);
    return fixed && { title: "compound_head() asked again behind the reference (c24d37322548)", program: fixed };
  },
  mutate: lookOnce,
  wrongFixes: [],
});
