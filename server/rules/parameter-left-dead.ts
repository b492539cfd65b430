// SPDX-License-Identifier: GPL-2.0-only
import type { Unit } from "../analysis/unit.ts";
import { codeText, wordsIn } from "../program/code-text.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { lostParameters, speaksOfNames, type LostParameter } from "./parameter-use.ts";
import { placeOf, type At, type Candidate, type Rule, type Subject } from "./rule.ts";

const ID = "parameter-left-dead";

export const parameterLeftDead: Rule = {
  meta: {
    id: ID,
    title: "Parameter that the patch leaves without a use",
    severity: "warning",
    since: "3.0",
    until: null,
    why:
      "Callers say something with a parameter. Where a patch takes its last use away, they go on saying it, and nobody listens: either the patch changes the wrong function, or the parameter should go too.",
    messages: {
      overridden: "{function}() no longer does what `{name}` says: {where} {value} now, and callers still pass `{name}`",
      overriddenHere: "{function}() no longer does what `{name}` says, as far as this patch shows it: {where} {value} now, while a comment of the patch still tells callers what `{name}` is for; is this the function that was meant?",
      unused: "nothing in {function}() uses `{name}` any more, and callers still pass it",
    },
    scenarios: [],
    sources: [
      { thread: "Re: [PATCH 1/1] gup: document and work around \"COW can break either way\" issue", who: "John Hubbard", date: "2021-10-13", link: null },
    ],
  },
  effects: [],
  wantsToSee: speaksOfNames,
  checkSubject(subject: Subject) {
    // A series may take the parameter away in its next patch.
    if (subject.patch?.isWhole !== true) return { candidates: [], obligations: [] };
    return { candidates: lostParameters(subject).flatMap((lost) => [...judge(lost, subject.unit)]), obligations: [] };
  },
};

function* judge(lost: LostParameter, unit: Unit): Iterable<Candidate> {
  const { program, overridden, remark } = lost;
  if (isMarked(lost) || isUsedAsValue(unit, program.name)) return;
  const callers = callsOf(unit, program);
  if (overridden === null) {
    if (lost.isSeenWhole && program.isStatic && callers.length > 0 && !isStub(program)) yield unused(lost, callers);
    return;
  }
  const last = overridden.at(-1);
  if (!last) return;
  // What is not visible may use it: only who speaks of the parameter in the same patch is asked.
  const isAsked = !lost.isSeenWhole;
  if (isAsked ? remark === null : callers.length === 0) return;
  yield {
    ruleId: ID, messageId: isAsked ? "overriddenHere" : "overridden",
    data: { function: program.name, name: lost.name, where: overridden.length > 1 ? "every call that was given it gets" : "the call that was given it gets", value: last.value },
    place: last.place,
    related: [
      ...overridden.slice(0, -1).map(({ place }) => ({ message: "another call that is given a constant", place })),
      ...(remark === null ? [] : [{ message: `the comment that explains \`${lost.name}\``, place: remark }]),
      ...callers.slice(0, 3).map((place) => ({ message: "a caller", place })),
    ],
    origin: "introduced", prove: null, ...(isAsked ? { asks: true } : {}),
  };
}

const unused = ({ program, name }: LostParameter, callers: readonly At[]): Candidate => {
  const head = codeText(program.image).slice(program.start, program.end).split("{")[0] ?? "";
  const at = program.start + (wordsIn(head, name).at(-1) ?? 0);
  return {
    ruleId: ID, messageId: "unused", data: { function: program.name, name }, place: { program, at, end: at + name.length },
    related: callers.slice(0, 3).map((place) => ({ message: "a caller", place })), severity: "info", origin: "introduced", prove: null,
  };
};

/** Whoever marks a parameter knows that it may be unused. */
function isMarked({ program, name }: LostParameter): boolean {
  const head = program.image.text.slice(program.start, program.end).split("{")[0] ?? "";
  return new RegExp(`\\b${name}\\s+__(?:maybe|always)_unused|__(?:maybe|always)_unused\\b[^,)]*\\b${name}\\b|\\b__weak\\b`).test(head);
}

/** A callback has the parameters that its users pass. */
function isUsedAsValue(unit: Unit, name: string): boolean {
  return unit.images.some((image) => {
    const code = codeText(image);
    return wordsIn(code, name).some((at) => !/^\s*\(/.test(code.slice(at + name.length, at + name.length + 20)));
  });
}

/** What has nothing left to do keeps its parameters for its callers. */
const isStub = ({ nodes }: EffectProgram): boolean => nodes.every(({ kind }) => kind !== "call" && kind !== "branch" && kind !== "assign");

const callsOf = (unit: Unit, { name }: EffectProgram): At[] =>
  unit.programs.filter((caller) => caller.name !== name).flatMap((caller) =>
    caller.nodes.filter((node): node is CallNode => node.kind === "call" && node.name === name && node.inlined === undefined && node.at >= 0).map((call) => placeOf(caller, call)));
