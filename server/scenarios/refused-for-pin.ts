// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import { textAt } from "../program/place.ts";
import type { CallNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { modelBuilder, type ModelBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { eq, ne, type Field } from "../simulator/expression.ts";
import { errorCodeOf } from "./error-code.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { lift } from "./lift.ts";
import type { World } from "./world.ts";

/*
 * folio_maybe_dma_pinned() may say yes where there is no pin: 1024 references of a small page, or a pin of GUP-fast that is
 * given back because the entry changed (mm.h:1585, mm/gup.c:2480-2500, 6.1.192). Whoever gets an error for it should be able
 * to try again.
 */

/** An error that a function gives because a page may be pinned. */
export interface Refusal {
  /** The branch that asks. */
  readonly branch: NodeId;
  /** Where the error is given: an assignment or a return. */
  readonly error: NodeId;
  readonly code: string;
  readonly at: number;
  readonly end: number;
}

/** Codes that say "again", by convention. */
const RETRIED: ReadonlySet<string> = new Set(["EAGAIN", "EBUSY", "EINTR", "ERESTARTSYS"]);

/** The error that straight code behind a node gives; null: none. */
function errorBehind(program: EffectProgram, from: NodeId): { error: NodeId; code: string; at: number; end: number } | null {
  let id = from;
  for (let steps = 0; steps < program.nodes.length; steps++) {
    const node = program.nodes[id];
    if (!node || node.kind === "branch" || node.kind === "choice" || node.kind === "exit" || node.kind === "stop" || node.kind === "unseen") return null;
    if (node.kind === "assign" || node.kind === "return") {
      const code = errorCodeOf(node.value);
      if (code !== null) return { error: id, code, at: node.at, end: node.end };
    }
    id = node.next;
  }
  return null;
}

/** Errors that are given where the value of a call says that a page may be pinned. */
export function refusals(program: EffectProgram, result: string): Refusal[] {
  return program.nodes.flatMap((node, branch): Refusal[] => {
    if (node.kind !== "branch" || node.condition.kind !== "name" || node.condition.name !== result) return [];
    const found = errorBehind(program, node.then);
    return found ? [{ branch, ...found }] : [];
  });
}

/** True for an error that no caller is asked to retry. */
export const isHard = ({ code }: Refusal): boolean => !RETRIED.has(code);

const ASKED = "asks for pins";
const REFUSED = "gives the error";

/** The program with two calls on the way from the test to the error: what was asked, and what is said. */
function marked(program: EffectProgram, refusal: Refusal): EffectProgram {
  const nodes: ProgramNode[] = [...program.nodes];
  const node = nodes[refusal.branch];
  if (node?.kind !== "branch") return program;
  const call = (name: string, at: number, end: number, next: NodeId): CallNode => ({ kind: "call", name, args: [], result: null, effects: [{ kind: "maySleep" }], knowledge: "effects", shown: textAt(program.image, at, end), at, end, next });
  const refused = nodes.push(call(REFUSED, refusal.at, refusal.end, node.then)) - 1;
  const asked = nodes.push(call(ASKED, node.at, node.end, refused)) - 1;
  nodes[refusal.branch] = { ...node, then: asked };
  return { ...program, nodes };
}

function world(pins: Field, code: string): World {
  return {
    sees: (_, call) => call.name === ASKED || call.name === REFUSED,
    reads: () => [],
    refine: (_, call) => {
      if (call.name === ASKED) return [{ alternatives: [{ note: "looks pinned" }] }];
      const message = `the caller gets -${code} for good because of a pin that is given back at once: nobody has the page pinned`;
      return [{ alternatives: [{ checks: RETRIED.has(code) ? [] : [{ holds: ne(pins, 0), property: "spurious-refusal", message }] }] }];
    },
    place: () => null,
    meaning: (pure) => (pure.meaning === "maybe-pinned" ? ne(pins, 0) : null),
  };
}

function addGupFast(model: ModelBuilder, pins: Field): void {
  const thread = model.thread("GUP-fast of another thread", "environment");
  thread.step({ text: "try_grab_folio(FOLL_PIN)", effect: [assign(pins, 1)] });
  thread.step({ text: "the entry has changed: gives the pin back", guard: eq(pins, 1), effect: [assign(pins, 0)] });
}

/** An error for a pin that is none. */
export function refusedForPin(refusal: Refusal): Experiment {
  return {
    name: "refused-for-pin",
    primary: ["spurious-refusal"],
    secondary: [],
    bounds: "environment {one GUP-fast that gives its pin back}, one page, loops unbounded, SC",
    build(program: EffectProgram, release: Release): BuiltModel | null {
      const model = modelBuilder("refused-for-pin");
      const pins = model.field("pins of the page", 0);
      addGupFast(model, pins);
      const code = errorBehind(program, refusal.error)?.code ?? refusal.code;
      const told = marked(program, refusal);
      const lifted = lift(model, told, release, () => world(pins, code));
      const asked = told.nodes.findIndex((node) => node.kind === "call" && node.name === ASKED);
      const [step] = lifted.stepsOf.get(asked) ?? [];
      if (step === undefined) return null;
      model.reach(lifted.thread, step, "the page looks pinned");
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix: (program) => ({ title: "-EBUSY: the caller may try again", program: withCode(program, refusal, "EBUSY") }),
    mutate: (fixed) => withCode(fixed, refusal, refusal.code),
    wrongFixes: [],
  };
}

function withCode(program: EffectProgram, { error }: Refusal, code: string): EffectProgram {
  const value: Value = { kind: "unary", operator: "-", of: { kind: "name", name: code, at: -1 }, at: -1 };
  return { ...program, nodes: program.nodes.map((node, id) => (id === error && (node.kind === "assign" || node.kind === "return") ? { ...node, value } : node)) };
}
