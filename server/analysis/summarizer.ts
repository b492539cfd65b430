// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram, ProgramNode } from "../program/program.ts";
import { componentsFrom } from "./call-components.ts";
import type { CalleeSleep } from "./sleep.ts";
import { effectsOfCall, summarize, type Summary } from "./summary.ts";

/** Summaries of functions whose bodies are at hand, bottom-up, each made when it is first asked for. */
export interface Summarizer {
  /** Null for a function that is not at hand. */
  summaryOf(name: string): Summary | null;
  /** The program with what its callees leave behind said at their calls. */
  withCallees(program: EffectProgram): EffectProgram;
}

/** What is known of a function that is done: nothing of those that it comes back from. */
interface Known {
  readonly summary: Summary;
  /** Functions that call each other in a circle with it, itself among them where it does so. */
  readonly circle: ReadonlySet<EffectProgram>;
}

/**
 * `programOf`: the function that a call by name reaches, or null. Calls inside a circle of functions are calls of which
 * nothing is known, and the summaries of the circle say that they are not complete.
 */
export function summarizer(programOf: (name: string) => EffectProgram | null): Summarizer {
  const known = new Map<EffectProgram, Known>();

  const calleesOf = (program: EffectProgram): readonly EffectProgram[] => [
    ...new Set(program.nodes.flatMap((node) => (isOpenCall(node) ? (programOf(node.name) ?? []) : []))),
  ];

  const summaryOf = (program: EffectProgram): Known => {
    const before = known.get(program);
    if (before) return before;
    for (const component of componentsFrom(program, (one) => (known.has(one) ? [] : calleesOf(one)))) {
      const circle = new Set(component.filter((one) => component.length > 1 || calleesOf(one).includes(one)));
      // All of a circle at once: none of them may see the summary of another.
      const made = component.filter((one) => !known.has(one)).map((one) => [one, { summary: summaryIn(circle, one), circle }] as const);
      for (const [one, result] of made) known.set(one, result);
    }
    return known.get(program) ?? { summary: summaryIn(new Set(), program), circle: new Set() };
  };

  const summaryIn = (circle: ReadonlySet<EffectProgram>, program: EffectProgram): Summary => {
    const calleeSleep = (name: string): CalleeSleep | null => {
      const callee = programOf(name);
      const summary = callee && !circle.has(callee) ? known.get(callee)?.summary : undefined;
      return callee && summary ? { sleep: summary.sleeps, parameters: parametersOf(callee) } : null;
    };
    const summary = summarize(withEffects(program, circle), calleeSleep);
    return { ...summary, complete: summary.complete && calleesOf(program).every((callee) => !circle.has(callee) && known.get(callee)?.summary.complete === true) };
  };

  const withEffects = (program: EffectProgram, circle: ReadonlySet<EffectProgram>): EffectProgram => {
    const nodes = program.nodes.map((node): ProgramNode => {
      const callee = isOpenCall(node) ? programOf(node.name) : null;
      if (!callee || !isOpenCall(node) || circle.has(callee)) return node;
      const effects = effectsOfCall((known.get(callee) ?? summaryOf(callee)).summary, node, callee);
      return effects.length === 0 ? node : { ...node, effects };
    });
    return nodes.every((node, id) => node === program.nodes[id]) ? program : { ...program, nodes };
  };

  return {
    summaryOf: (name) => {
      const program = programOf(name);
      return program && summaryOf(program).summary;
    },
    withCallees: (program) => withEffects(program, summaryOf(program).circle),
  };
}

const parametersOf = (program: EffectProgram): readonly string[] => [...program.variables.values()].flatMap((one) => (one.isParameter ? [one.name] : []));

const isOpenCall = (node: ProgramNode): node is CallNode => node.kind === "call" && node.knowledge === "defined-here" && node.effects.length === 0;
