// SPDX-License-Identifier: GPL-2.0-only
import { extent } from "../program/lower-value.ts";
import type { EffectProgram, NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import { cowBreaksEitherWay } from "../scenarios/cow-breaks-either-way.ts";
import { prove } from "../scenarios/prove.ts";
import { cowMechanismOf, reachable, type Forcing, type SlowPath } from "./gup-cow-mechanism.ts";
import { placeOf, type At, type Candidate, type ObligationCheck, type Rule, type Subject } from "./rule.ts";

const ID = "gup-cow-break-misplaced";

interface Verdict {
  readonly check: ObligationCheck;
  readonly candidate: Candidate | null;
}

export const gupCowBreakMisplaced: Rule = {
  meta: {
    id: ID,
    title: "Forced COW break in the wrong variable, branch or place",
    severity: "error",
    since: "4.4",
    until: "5.9",
    why:
      "The forced FOLL_WRITE must reach every lookup of __get_user_pages(): the hugetlb branch and the normal one, the first page of a VMA and every later one. " +
      "It must not stay behind in the caller's flags, which check_vma_flags() tests against the next VMA.",
    messages: {
      wrongWord: "FOLL_WRITE is forced into {target}, but the lookup uses {word}: this page is not forced, and the next VMA is checked for write permission",
      hugetlbWord: "follow_hugetlb_page() is given {word} without the forced FOLL_WRITE: a hugetlb page can still be that of the other process",
      hugetlbMissing: "nothing forces the COW break before follow_hugetlb_page(): a hugetlb page can still be that of the other process",
      dropped: "nothing forces the COW break on the way to this label: a read-only reference can end up on the page of the other process",
      insideBlock: "the COW break is forced only where a new VMA is looked up: from the second page of a VMA on it is not",
      belowRetry: "the COW break is forced behind the label that every retry goes to: it belongs between the VMA block and the label",
    },
    scenarios: ["cow-breaks-either-way"],
    sources: [
      { thread: "Re: [PATCH 1/1] gup: document and work around \"COW can break either way\" issue", who: "John Hubbard", date: "2021-10-13", link: null },
      { thread: "gup: document and work around \"COW can break either way\" issue", who: "Linus Torvalds", date: "2020-06-02", link: "17839856fd588f4ab6b789f482ed3ffd7c403e1f" },
    ],
  },
  effects: ["gupFollow"],
  checkSubject(subject: Subject) {
    const slow = cowMechanismOf(subject.unit)?.slow;
    if (!slow) return { candidates: [], obligations: [] };
    const verdicts = [judgeWord(subject, slow), judgeHugetlb(subject, slow), judgePlace(subject, slow)];
    return {
      candidates: verdicts.flatMap((one) => one.candidate ?? []),
      obligations: verdicts.map((one) => one.check),
    };
  },
};

/** The word that lookups get; `gup_flags` is the caller's and never changes. */
const wordOf = (slow: SlowPath): string => (slow.normal ? render(slow.normal.word) : "foll_flags");

const isCallersWord = (program: EffectProgram, name: string): boolean => program.variables.get(name)?.isParameter ?? false;

const assignPlace = (slow: SlowPath, forcing: Forcing): At => placeOf(slow.program, forcing.assign);

function proof(subject: Subject, slow: SlowPath, paths: readonly ("normal" | "hugetlb")[]): Candidate["prove"] {
  return (max) => {
    const proofs = paths.map((path) => prove(cowBreaksEitherWay(path, "FOLL_GET"), slow.program, subject.target.release, max));
    return proofs.find((one) => one.verdict === "fail") ?? proofs[0] ?? null;
  };
}

/** COW-2: the bit goes into the word of the lookups, never into the caller's. */
function judgeWord(subject: Subject, slow: SlowPath): Verdict {
  const word = wordOf(slow);
  const wrong = slow.forcings.find((forcing) => forcing.target !== word && isCallersWord(slow.program, forcing.target));
  return {
    check: {
      id: "COW-2",
      ruleId: ID,
      status: slow.forcings.length === 0 ? "not-visible" : wrong ? "broken" : "holds",
      message: `the forced bit goes into ${word}, not into the caller's flags`,
      places: slow.forcings.map((forcing) => assignPlace(slow, forcing)),
    },
    candidate: wrong
      ? {
          ruleId: ID, messageId: "wrongWord", data: { target: wrong.target, word }, place: assignPlace(slow, wrong), related: [],
          origin: "incomplete-fix", prove: proof(subject, slow, ["hugetlb", "normal"]),
        }
      : null,
  };
}

/** Forcings, of whatever word, that control may pass on the way to a node without passing the others' lookups. */
const before = (slow: SlowPath, node: NodeId): Forcing[] => slow.forcings.filter((forcing) => reachable(slow.program, forcing.node).has(node));

/** COW-3: the hugetlb branch is forced, and follow_hugetlb_page() gets the forced word. */
function judgeHugetlb(subject: Subject, slow: SlowPath): Verdict {
  const { hugetlb } = slow;
  if (!hugetlb) return { check: { id: "COW-3", ruleId: ID, status: "not-visible", message: "the hugetlb branch is forced too", places: [] }, candidate: null };
  const forced = before(slow, hugetlb.node).filter((forcing) => !reachable(slow.program, forcing.node, new Set([hugetlb.node])).has(slow.normal?.node ?? -1));
  const word = render(hugetlb.word);
  const wrongWord = isCallersWord(slow.program, word);
  const own = forced[0];
  const broken = wrongWord || own === undefined;
  const argument = { program: slow.program, at: extent(hugetlb.word).at, end: extent(hugetlb.word).end };
  const whole: At = { program: slow.program, at: own ? guardStart(slow, own) : hugetlb.call.at, end: hugetlb.call.end };
  return {
    check: { id: "COW-3", ruleId: ID, status: broken ? "broken" : "holds", message: "the hugetlb branch is forced, and follow_hugetlb_page() gets the forced word", places: [whole] },
    candidate: broken
      ? {
          ruleId: ID, messageId: wrongWord ? "hugetlbWord" : "hugetlbMissing", data: { word }, place: wrongWord ? argument : placeOf(slow.program, hugetlb.call),
          related: [], origin: "incomplete-fix", prove: proof(subject, slow, ["hugetlb"]),
        }
      : null,
  };
}

/** Offset of the test that guards a forcing. */
function guardStart(slow: SlowPath, forcing: Forcing): number {
  const guard = slow.program.nodes.filter((node) => node.kind === "branch" && node.then === forcing.node && node.at >= 0);
  const test = slow.program.image.text.lastIndexOf("if", forcing.assign.at);
  return guard.length > 0 || test >= 0 ? Math.max(0, test) : forcing.assign.at;
}

/** COW-4: the normal branch is forced on every way to `retry:`, above the label and outside the VMA block. */
function judgePlace(subject: Subject, slow: SlowPath): Verdict {
  const { program, retry, normal } = slow;
  const message = "the normal branch is forced between the VMA block and retry:";
  if (retry === null || !normal) return { check: { id: "COW-4", ruleId: ID, status: "not-visible", message, places: [] }, candidate: null };
  const label = program.nodes[retry];
  const labelPlace: At = { program, at: label?.kind === "label" ? label.at : 0, end: (label?.kind === "label" ? label.at : 0) + "retry".length };
  const reaching = before(slow, normal.node).filter((forcing) => !hugetlbOnly(slow, forcing));
  const make = (messageId: string, place: At, prove: Candidate["prove"]): Verdict => ({
    check: { id: "COW-4", ruleId: ID, status: "broken", message, places: [place] },
    candidate: { ruleId: ID, messageId, data: {}, place, related: [], origin: "incomplete-fix", prove },
  });
  const above = reaching.filter((forcing) => reachable(program, program.entry, new Set([retry])).has(forcing.node));
  const below = reaching.find((forcing) => !above.includes(forcing));
  if (above.length === 0 && below) return make("belowRetry", assignPlace(slow, below), null);
  const first = above.at(-1);
  if (!first) return make("dropped", labelPlace, proof(subject, slow, ["normal"]));
  if (slippedPast(slow, above, retry)) return make("insideBlock", assignPlace(slow, first), proof(subject, slow, ["normal"]));
  const whole: At = { program, at: guardStart(slow, first), end: first.assign.end };
  return { check: { id: "COW-4", ruleId: ID, status: "holds", message, places: [whole] }, candidate: null };
}

/** True where control from the forcing comes to the hugetlb lookup only. */
function hugetlbOnly(slow: SlowPath, forcing: Forcing): boolean {
  if (!slow.hugetlb || !slow.normal) return false;
  return !reachable(slow.program, forcing.node, new Set([slow.hugetlb.node])).has(slow.normal.node);
}

/** True where some way leads to the label without asking whether to force. */
function slippedPast(slow: SlowPath, forcings: readonly Forcing[], retry: NodeId): boolean {
  const { program } = slow;
  const asked = new Set(
    forcings.flatMap((forcing) => [forcing.node, ...program.nodes.flatMap((node, id) => (node.kind === "branch" && leadsTo(program, id, forcing.node) ? [id] : []))]),
  );
  return reachable(program, program.entry, asked).has(retry);
}

/** True where a test is part of the predicate in front of a forcing: it leads there through tests only. */
function leadsTo(program: EffectProgram, from: NodeId, to: NodeId): boolean {
  const node = program.nodes[from];
  if (node?.kind !== "branch" || !/should_force|is_cow_mapping|FOLL_/.test(render(node.condition))) return false;
  return [node.then, node.otherwise].some((next) => next === to || leadsTo(program, next, to));
}
