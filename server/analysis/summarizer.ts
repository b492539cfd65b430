// SPDX-License-Identifier: GPL-2.0-only
import type { BoundEffect, CallNode, EffectProgram, ProgramNode } from "../program/program.ts";
import { namesIn } from "../program/render.ts";
import { effectsOfAny, perhaps, summaryOfAny, uncertain } from "./alternatives.ts";
import { componentsFrom } from "./call-components.ts";
import type { CalleeSleep } from "./sleep.ts";
import { effectsOfCall, summarize, type GivenUp, type Summary } from "./summary.ts";

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
 * `programsOf`: the functions that a call by name may reach; more than one where `#ifdef` and `#else` define it. Calls inside
 * a circle of functions may give up whatever one of the circle gives up, and the summaries of the circle say that they are
 * not complete.
 */
export function summarizer(programsOf: (name: string) => readonly EffectProgram[]): Summarizer {
  const known = new Map<EffectProgram, Known>();

  const calleesOf = (program: EffectProgram): readonly EffectProgram[] => [...new Set(openNames(program).flatMap(programsOf))];

  const summaryOf = (program: EffectProgram): Known => {
    const before = known.get(program);
    if (before) return before;
    for (const component of componentsFrom(program, (one) => (known.has(one) ? [] : calleesOf(one)))) {
      const circle = new Set(component.filter((one) => component.length > 1 || calleesOf(one).includes(one)));
      // All of a circle at once: none of them may see the summary of another.
      const alone = component.filter((one) => !known.has(one)).map((one) => [one, summaryIn(circle, one)] as const);
      for (const [one, summary] of alone) known.set(one, { summary: circle.has(one) ? inCircle(one, summary, new Map(alone)) : summary, circle });
    }
    return known.get(program) ?? { summary: summaryIn(new Set(), program), circle: new Set() };
  };

  const summaryIn = (circle: ReadonlySet<EffectProgram>, program: EffectProgram): Summary => {
    const open = new Set(openNames(program));
    const calleeSleep = (name: string): CalleeSleep | null => {
      const callees = open.has(name) ? programsOf(name).filter((one) => !circle.has(one)) : [];
      const [callee] = callees;
      const summary = summaryOfAny(callees.flatMap((one) => known.get(one)?.summary ?? []));
      return callee && summary ? { sleep: summary.sleeps, parameters: parametersOf(callee) } : null;
    };
    const summary = summarize(withEffects(program, circle), calleeSleep);
    const isComplete = (name: string): boolean => programsOf(name).length === 0 || summaryOfAny(programsOf(name).flatMap((one) => known.get(one)?.summary ?? []))?.complete === true;
    return { ...summary, complete: summary.complete && calleesOf(program).every((one) => !circle.has(one)) && [...open].every(isComplete) };
  };

  const effectsIn = (circle: ReadonlySet<EffectProgram>, callee: EffectProgram, node: CallNode): readonly BoundEffect[] => {
    if (!circle.has(callee)) return effectsOfCall((known.get(callee) ?? summaryOf(callee)).summary, node, callee);
    const done = known.get(callee);
    return done ? perhaps(effectsOfCall(done.summary, node, callee)) : [];
  };

  /** The same program for the summary and for who asks later: what runs of it find out is found once. */
  const said = new WeakMap<EffectProgram, EffectProgram>();
  const withEffects = (program: EffectProgram, circle: ReadonlySet<EffectProgram>): EffectProgram => {
    if (circle.size > 0) return madeWithEffects(program, circle);
    const made = said.get(program) ?? madeWithEffects(program, circle);
    said.set(program, made);
    return made;
  };

  const madeWithEffects = (program: EffectProgram, circle: ReadonlySet<EffectProgram>): EffectProgram => {
    const nodes = program.nodes.map((node): ProgramNode => {
      if (!isOpenCall(node)) return node;
      const effects = effectsOfAny(programsOf(node.name).map((callee) => effectsIn(circle, callee, node)));
      return effects.length === 0 ? node : { ...node, effects };
    });
    return nodes.every((node, id) => node === program.nodes[id]) ? program : { ...program, nodes };
  };

  return {
    summaryOf: (name) => summaryOfAny(programsOf(name).map((program) => summaryOf(program).summary)),
    withCallees: (program) => withEffects(program, summaryOf(program).circle),
  };
}

/** What one of a circle does, with what the others may do before it returns. */
function inCircle(program: EffectProgram, summary: Summary, circle: ReadonlyMap<EffectProgram, Summary>): Summary {
  const givenUp = [...circle].flatMap(([one, { givesUp }]) => givesUp.map((change) => (one === program ? change : inWordsOfAll(one, change))));
  const left = [...circle.values()].flatMap(({ leaves }) => leaves);
  return givenUp.length === 0 && left.length === 0 ? summary : uncertain(summary, givenUp, left);
}

/** Globals have one name everywhere; which object a parameter of another function is, is not known. */
const inWordsOfAll = (program: EffectProgram, change: GivenUp): GivenUp =>
  change.object !== null && namesIn(change.object).some((name) => program.variables.has(name)) ? { ...change, object: null } : change;

/** Names of the calls that are followed into what they reach. */
const openNames = (program: EffectProgram): readonly string[] => [...new Set(program.nodes.flatMap((node) => (isOpenCall(node) ? [node.name] : [])))];

const parametersOf = (program: EffectProgram): readonly string[] => [...program.variables.values()].flatMap((one) => (one.isParameter ? [one.name] : []));

const isOpenCall = (node: ProgramNode): node is CallNode => node.kind === "call" && node.knowledge === "defined-here" && node.effects.length === 0;
