// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { CallNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { modelBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, ne, type Expression } from "../simulator/expression.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { gupWorld } from "./gup-slow-path.ts";
import { lift } from "./lift.ts";
import { synthetic } from "./rewrite.ts";
import type { World } from "./world.ts";

/*
 * From 5.19 on a lookup for a read-only pin returns -EMLINK where the page must be unshared first (a7f226604170): GUP itself takes
 * a fault with FAULT_FLAG_UNSHARE and looks again. Taken for "nothing mapped", the fault changes nothing and the lookup says the
 * same again; taken for an error, it ends up with a caller that does not know it.
 */

/** Values of the lookup: 0 is NULL. */
const PAGE = 1;
const EMLINK = 2;

/** Position of `unshare` in faultin_page(vma, address, flags, unshare, locked). */
const UNSHARE = 3;

/** `PTR_ERR(page) == -EMLINK`; other codes do not occur. */
function isCode(of: Value & { kind: "binary" }, translate: (value: Value) => Expression | null): Expression | null {
  if ((of.operator !== "==" && of.operator !== "!=") || of.right.kind !== "unary" || of.right.operator !== "-" || of.right.of.kind !== "name") return null;
  const isPointer = of.left.kind === "call" && of.left.name === "PTR_ERR" && of.left.args[0];
  const value = isPointer ? translate(isPointer) : null;
  if (value === null) return null;
  const same = of.right.of.name === "EMLINK" ? eq(value, EMLINK) : eq(value, 255);
  return of.operator === "==" ? same : eq(same, 0);
}

const TRUTHS: Readonly<Record<string, 0 | 1>> = { true: 1, false: 0 };

function placeOf(value: Value): 0 | 1 | null {
  if (value.kind === "name") return TRUTHS[value.name] ?? null;
  // A killed task ends the loop; the others must be able to.
  return value.kind === "call" && value.name === "fatal_signal_pending" ? 0 : null;
}

/** Reference fix: -EMLINK is a fault that unshares, and another lookup. */
function unshareAndRetry(program: EffectProgram, node: NodeId): EffectProgram | null {
  const call = program.nodes[node];
  const follow = call?.kind === "call" ? call.effects.find((effect) => effect.kind === "gupFollow") : undefined;
  if (call?.kind !== "call" || follow?.kind !== "gupFollow" || call.result === null) return null;
  const nodes: ProgramNode[] = [...program.nodes];
  const name = (text: string): Value => ({ kind: "name", name: text, at: -1 });
  const fault: CallNode = {
    ...synthetic("faultin_page(vma, start, &foll_flags, true, locked)", { kind: "gupFault", flags: follow.flags }),
    args: [name("vma"), name("start"), follow.flags, { kind: "number", value: 1, at: -1 }, name("locked")],
    next: node,
  };
  const condition: Value = {
    kind: "binary", operator: "==", left: { kind: "call", name: "PTR_ERR", args: [name(call.result)], at: -1, end: -1 }, right: { kind: "unary", operator: "-", of: name("EMLINK"), at: -1 }, at: -1,
  };
  const ask = nodes.push({ kind: "branch", condition, negated: false, at: -1, end: -1, then: nodes.push(fault) - 1, otherwise: call.next }) - 1;
  nodes[node] = { ...call, next: ask };
  return { ...program, nodes };
}

/** The fix taken out again. */
const forget = (fixed: EffectProgram): EffectProgram => ({
  ...fixed,
  nodes: fixed.nodes.map((node): ProgramNode => (node.kind === "branch" && node.at < 0 && node.condition.kind === "binary" && node.condition.left.kind === "call" && node.condition.left.name === "PTR_ERR" ? { kind: "label", name: null, at: -1, next: node.otherwise } : node)),
});

/** B:S6 as GUP of today can have it. `node`: the lookup. */
export const unshareLost = (node: NodeId): Experiment => ({
  name: "unshare-lost",
  primary: ["livelock", "lost-error"],
  secondary: [],
  bounds: "one thread; anonymous page that was shared with a child, read-only FOLL_PIN, no signal, SC",
  livelock: true,
  build(program, release): BuiltModel {
    const model = modelBuilder("unshare-lost");
    const exclusive = model.field("AnonExclusive", 0, { labels: { 0: "no", 1: "yes" } });
    const taken = model.field("page taken", 0, { labels: { 0: "no", 1: "yes" } });
    const pending = model.field("-EMLINK", 0, { labels: { 0: "no", 1: "returned by the lookup" } });
    const base = gupWorld(
      {
        follow: (path, _, call, lifting) => {
          const result = (value: number) => lifting.set(call.result, value);
          if (path !== "normal") return [{ alternatives: [{ effect: result(PAGE) }] }];
          return [
            {
              alternatives: [
                { guard: and(eq(taken, 0), eq(exclusive, 1)), effect: [assign(taken, 1), ...result(PAGE)], note: "the page is exclusive: takes it" },
                { guard: and(eq(taken, 0), eq(exclusive, 0)), effect: [assign(pending, 1), ...result(EMLINK)], note: "gup_must_unshare(): -EMLINK" },
                { guard: eq(taken, 1), effect: result(PAGE), note: "another page of the range" },
              ],
            },
          ];
        },
        fault: (_, call, lifting) => {
          const argument = call.args[UNSHARE];
          const unshare = (argument && lifting.translate(argument)) ?? null;
          const outside = unshare === null ? { assumed: "whether the fault unshares comes from outside" } : {};
          const done = [assign(pending, 0), ...lifting.set(call.result, 0)];
          const yes = unshare ?? { kind: "constant" as const, value: 0 };
          return [
            {
              alternatives: [
                { guard: ne(yes, 0), effect: [assign(exclusive, 1), ...done], note: "FAULT_FLAG_UNSHARE: the page is exclusive now", ...outside },
                { guard: eq(yes, 0), effect: done, note: "a read fault: the entry is there, nothing changes", ...outside },
              ],
            },
          ];
        },
      },
      new Set(["FOLL_PIN"]),
      "normal",
    );
    const world: World = {
      ...base,
      reads: (effect, call) => (effect.kind === "gupFault" && call.args[UNSHARE] ? [call.args[UNSHARE]] : []),
      place: (value) => placeOf(value) ?? base.place(value),
      meaning: (pure, args, translate) => {
        if (pure.meaning !== "error-pointer") return base.meaning(pure, args, translate);
        const value = args[0] ? translate(args[0]) : null;
        return value && eq(value, EMLINK);
      },
      compare: isCode,
    };
    const lifted = lift(model, program, release, () => world, { next: "returned" });
    lifted.thread.label("returned");
    const returns = lifted.thread.step({
      text: "returns to the caller",
      checks: [{ holds: eq(pending, 0), property: "lost-error", message: "-EMLINK leaves GUP: the caller gets an error for a page that only had to be unshared" }],
    });
    const uses = lifted.thread.step({ text: "the caller has the page", guard: eq(taken, 1) });
    model.reach(lifted.thread, returns, "the function returns");
    model.reach(lifted.thread, uses, "the page is handed out");
    return { model: model.finish(), assumptions: lifted.assumptions };
  },
  fix(program) {
    const fixed = unshareAndRetry(program, node);
    return fixed && { title: "-EMLINK is answered with a fault that unshares (a7f226604170)", program: fixed };
  },
  mutate: forget,
  wrongFixes: [],
});
