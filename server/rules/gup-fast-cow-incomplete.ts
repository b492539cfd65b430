// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import { extent } from "../program/extent.ts";
import type { CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import { accessOfWalk, fastOnlyForced, fastWalkTakesShared } from "../scenarios/fast-walk.ts";
import { prove } from "../scenarios/prove.ts";
import { cowMechanismOf, reachableWhen, type CowMechanism } from "./gup-cow-mechanism.ts";
import { linesOf } from "./other-lines.ts";
import type { At, Candidate, ObligationCheck, Rule, Subject } from "./rule.ts";

const ID = "gup-fast-cow-incomplete";

/** Forms with a slow path behind the walk. */
const WITH_SLOW_PATH = new Set(["get_user_pages_fast", "pin_user_pages_fast", "internal_get_user_pages_fast"]);
/** Forms without. */
const FAST_ONLY = new Set(["__get_user_pages_fast", "get_user_pages_fast_only", "pin_user_pages_fast_only"]);

interface Walk {
  readonly program: EffectProgram;
  readonly node: NodeId;
  readonly call: CallNode;
  readonly word: Value;
}

export const gupFastCowIncomplete: Rule = {
  meta: {
    id: ID,
    title: "Forced COW break that a fast walk misses, or that the fast-only form gets",
    severity: "error",
    since: "4.4",
    until: "5.9",
    why:
      "Where read-only GUP forces a COW break, the lockless walk of get_user_pages_fast() must ask for writable entries and leave all others to the slow path: " +
      "a walk that does not still hands out the shared page. The form without a slow path must not be forced: it would no longer find pages that may only be read.",
    messages: {
      unforced: "{function}() walks with {word}: it takes a page that is still shared with another process, and the forced COW break of the slow path is never reached",
      fastOnly: "{function}() is forced to look for writable entries, and there is no slow path behind it: callers that only read (perf in an NMI) no longer get pages that are mapped read-only",
    },
    scenarios: ["fast-walk-takes-shared", "fast-only-forced"],
    sources: [
      { thread: "gup: document and work around \"COW can break either way\" issue", who: "Linus Torvalds", date: "2020-06-02", link: "17839856fd588f4ab6b789f482ed3ffd7c403e1f" },
      { thread: "Re: [PATCH 1/1] gup: document and work around \"COW can break either way\" issue", who: "John Hubbard", date: "2021-10-13", link: null },
    ],
  },
  effects: ["gupFastWalk"],
  checkSubject(subject: Subject) {
    const verdicts = [judgeForced(subject), judgeFastOnly(subject)];
    return { candidates: verdicts.flatMap((one) => one.candidates), obligations: verdicts.flatMap((one) => one.check ?? []) };
  },
};

interface Verdict {
  readonly check: ObligationCheck | null;
  readonly candidates: readonly Candidate[];
}

const walksOf = (program: EffectProgram): Walk[] =>
  program.nodes.flatMap((call, node) => {
    const word = call.kind === "call" && call.inlined === undefined ? accessOfWalk(call) : null;
    return call.kind === "call" && word ? [{ program, node, call, word }] : [];
  });

/** Whether a walk asks for a writable entry although the caller only reads. */
function isForced({ program, node, word }: Walk, flags: readonly string[]): boolean {
  if (asksForWrite(word)) return true;
  if (word.kind !== "name") return false;
  const forcing = program.nodes.flatMap((one, id) =>
    one.kind === "assign" && render(one.target) === word.name && one.value !== null && (one.operator === "=" || one.operator === "|=") && asksForWrite(one.value) ? [id] : [],
  );
  return !reachableWhen(program, program.entry, { cow: true, hugetlb: false, flags }, new Set(forcing)).has(node);
}

/** `1`, or `flags | FOLL_WRITE`. */
export const asksForWrite = (value: Value): boolean =>
  value.kind === "number"
    ? value.value % 2 === 1
    : value.kind === "name"
      ? value.name === "FOLL_WRITE" || value.name === "true"
      : value.kind === "binary" && value.operator === "|" && (asksForWrite(value.left) || asksForWrite(value.right));

const placeOfWord = ({ program, word }: Walk): At => ({ program, at: extent(word).at, end: Math.max(extent(word).end, extent(word).at + 1) });

const others = (walks: readonly Walk[], message: string): Candidate["related"] => walks.slice(1).map((walk) => ({ message, place: placeOfWord(walk) }));

/** True where a walk of the program asks for more than it did before. */
function isConverted(subject: Subject, program: EffectProgram): boolean {
  const before = subject.old?.programs.find((one) => one.name === program.name && one.image.path === program.image.path);
  return before !== undefined && walksOf(before).some((walk) => !isForced(walk, ["FOLL_GET"])) && walksOf(program).some((walk) => isForced(walk, ["FOLL_GET"]));
}

/** Where the whole file is seen, what is not there is no part of it. */
const isInWholeFile = ({ force }: CowMechanism): boolean => force.program.image.missing !== undefined;

/** COW-7: every walk of every get_user_pages_fast() is forced. */
function judgeForced(subject: Subject): Verdict {
  const mechanism = cowMechanismOf(subject.unit);
  const hasMechanism = mechanism !== null;
  const programs = subject.unit.programs.filter((program) => WITH_SLOW_PATH.has(program.name) && (hasMechanism || isConverted(subject, program)));
  const walks = programs.flatMap(walksOf);
  if (walks.length === 0 && (!mechanism || isInWholeFile(mechanism))) return { check: null, candidates: [] };
  const open = programs.map((program) => walksOf(program).filter((walk) => !isForced(walk, ["FOLL_GET"]))).filter((one) => one.length > 0);
  return {
    check: {
      id: "COW-7", ruleId: ID, status: walks.length === 0 ? "not-visible" : open.length > 0 ? "broken" : "holds",
      message: "every walk of get_user_pages_fast() asks for a writable entry", places: walks.map(placeOfWord),
    },
    candidates: open.flatMap((found) => found.slice(0, 1).map((first): Candidate => ({
      ruleId: ID, messageId: "unforced", data: { function: first.program.name, word: render(first.word) }, place: placeOfWord(first),
      related: [...others(found, "another walk that is not forced"), ...(mechanism?.slow ? linesOf("forced in the slow path", mechanism.slow.program, mechanism.slow.forcings.map(({ assign }) => assign)) : [])], origin: "incomplete-fix",
      prove: (max) => prove(fastWalkTakesShared, first.program, subject.target.release, max),
    }))),
  };
}

/** COW-8: the fast-only form does what its caller asks. */
function judgeFastOnly(subject: Subject): Verdict {
  const programs = subject.unit.programs.filter((program) => FAST_ONLY.has(program.name) || asksForFastOnly(program));
  const walks = programs.flatMap(walksOf);
  const request = ["FOLL_GET", "FOLL_FAST_ONLY"];
  const forced = programs.map((program) => walksOf(program).filter((walk) => isForced(walk, request))).filter((one) => one.length > 0);
  const mechanism = cowMechanismOf(subject.unit);
  const isConcerned = forced.length > 0 || (mechanism !== null && (walks.length > 0 || !isInWholeFile(mechanism)));
  return {
    check: isConcerned ? {
      id: "COW-8", ruleId: ID, status: walks.length === 0 ? "not-visible" : forced.length > 0 ? "broken" : "holds",
      message: "the fast-only form asks for what its caller asked for", places: walks.map(placeOfWord),
    } : null,
    candidates: forced.flatMap((found) => found.slice(0, 1).map((first): Candidate => ({
      ruleId: ID, messageId: "fastOnly", data: { function: first.program.name }, place: placeOfWord(first),
      related: others(found, "another walk that is forced"), origin: "introduced",
      prove: (max) => prove(fastOnlyForced, first.program, subject.target.release, max),
    }))),
  };
}

/** From 5.8 one function has both forms and asks which it is. */
const asksForFastOnly = ({ name, image, start, end }: EffectProgram): boolean =>
  name === "internal_get_user_pages_fast" && /\bFOLL_FAST_ONLY\b/.test(image.text.slice(start, end));
