// SPDX-License-Identifier: GPL-2.0-only
import { extent } from "../program/extent.ts";
import type { EffectProgram, NodeId } from "../program/program.ts";
import { reachable } from "../program/reach.ts";
import { namesIn, render } from "../program/render.ts";
import { cowBreaksEitherWay } from "../scenarios/cow-breaks-either-way.ts";
import { prove } from "../scenarios/prove.ts";
import { cowMechanismOf, forces, guardsOf, reachableWhen, type Forcing, type SlowPath } from "./gup-cow-mechanism.ts";
import { askPredicate, forceAboveRetry, forceBeforeHugetlb, forceInto, keepFlags, passWord, wordOf } from "./fix/cow-break.ts";
import { linesOf } from "./other-lines.ts";
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
      wrongWord: "{function}() forces FOLL_WRITE into {target}, but looks pages up by {word}: this page is not forced, and the next VMA is checked for write permission",
      hugetlbWord: "{function}() gives follow_hugetlb_page() {word} without the forced FOLL_WRITE: a hugetlb page can still be that of the other process",
      hugetlbMissing: "{function}() does not force the COW break before follow_hugetlb_page(): a hugetlb page can still be that of the other process",
      dropped: "{function}() gets to this label without a forced COW break: a read-only reference can end up on the page of the other process",
      insideBlock: "{function}() forces the COW break only where a new VMA is looked up: the second page of a VMA and all behind it are not forced",
      lostFlags: "{function}() sets {target} to FOLL_WRITE alone: the other flags are lost, and the lookup takes no reference",
      wrongCondition: "{function}() does not force the COW break here for a read-only reference in a COW mapping: the test in front asks for something else",
      belowRetry: "{function}() forces the COW break behind the label that every retry goes to: it belongs between the VMA block and the label",
    },
    offersEdits: true,
    scenarios: ["cow-breaks-either-way"],
    sources: [
      { thread: "Re: [PATCH 1/1] gup: document and work around \"COW can break either way\" issue", who: "John Hubbard", date: "2021-10-13", link: null },
      { thread: "gup: document and work around \"COW can break either way\" issue", who: "Linus Torvalds", date: "2020-06-02", link: "17839856fd588f4ab6b789f482ed3ffd7c403e1f" },
    ],
  },
  effects: ["gupFollow"],
  checkSubject(subject: Subject) {
    const mechanism = cowMechanismOf(subject.unit);
    const slow = mechanism?.slow;
    if (!slow) return { candidates: [], obligations: [] };
    // A predicate that is never true is COW-1's business: where it stands is then judged by its place alone.
    const asks = forces(mechanism.force, true, ["FOLL_GET"]) === true;
    const verdicts = [judgeWord(subject, slow), judgeHugetlb(subject, slow, asks), judgePlace(subject, slow, asks)];
    return {
      candidates: verdicts.flatMap((one) => one.candidate ?? []),
      obligations: verdicts.map((one) => one.check),
    };
  },
};

const isCallersWord = (program: EffectProgram, name: string): boolean => program.variables.get(name)?.isParameter ?? false;

const assignPlace = (slow: SlowPath, forcing: Forcing): At => placeOf(slow.program, forcing.assign);

type Backing = Pick<Candidate, "prove" | "asked">;

const NOT_EXPLORED: Backing = { prove: null };

function backed(subject: Subject, slow: SlowPath, paths: readonly ("normal" | "hugetlb")[]): Backing {
  const experiments = paths.map((path) => cowBreaksEitherWay(path, "FOLL_GET"));
  return {
    prove: (max) => {
      const proofs = experiments.map((experiment) => prove(experiment, slow.program, subject.target.release, max));
      return proofs.find((one) => one.verdict === "fail") ?? proofs[0] ?? null;
    },
    asked: (code) => {
      const program = code.program(slow.program);
      return program && experiments.map((experiment) => ({ experiment, program }));
    },
  };
}

/** The calls that look pages up. */
const lookupLines = ({ program, normal, hugetlb }: SlowPath, message: string): Candidate["related"] =>
  linesOf(message, program, [hugetlb, normal].flatMap((one) => one?.call ?? []));

/** True where an assignment keeps the other flags: `|= FOLL_WRITE`, or `= word | FOLL_WRITE`. */
const keepsFlags = ({ assign, target }: Forcing): boolean =>
  assign.operator === "|=" || (assign.value !== null && namesIn(assign.value).includes(target));

/** COW-2: the bit goes into the word of the lookups, never into the caller's, and takes no other flag away. */
function judgeWord(subject: Subject, slow: SlowPath): Verdict {
  const word = wordOf(slow);
  const wrong = slow.forcings.find((forcing) => forcing.target !== word && isCallersWord(slow.program, forcing.target));
  const lossy = slow.forcings.find((forcing) => forcing.target === word && !keepsFlags(forcing));
  const check: ObligationCheck = {
    id: "COW-2",
    ruleId: ID,
    status: slow.forcings.length === 0 ? "not-visible" : wrong || lossy ? "broken" : "holds",
    message: `the forced bit goes into ${word}, not into the caller's flags`,
    places: slow.forcings.map((forcing) => assignPlace(slow, forcing)),
  };
  const found = wrong ?? lossy;
  if (!found) return { check, candidate: null };
  return {
    check,
    candidate: {
      ruleId: ID, messageId: wrong ? "wrongWord" : "lostFlags", data: { function: slow.program.name, target: found.target, word }, place: assignPlace(slow, found), related: lookupLines(slow, `the lookup by ${word}`),
      origin: wrong ? "incomplete-fix" : "introduced", ...(wrong ? backed(subject, slow, ["hugetlb", "normal"]) : NOT_EXPLORED),
      fixes: () => (wrong ? forceInto(found, word) : keepFlags(slow, found)),
    },
  };
}

const READ_ONLY_GET = { cow: true, flags: ["FOLL_GET"] };

/** Forcings of the lookups' word that control may pass on the way to a node. */
const before = (slow: SlowPath, node: NodeId): Forcing[] => slow.forcings.filter((forcing) => reachable(slow.program, forcing.node).has(node));

const nodesOf = (forcings: readonly Forcing[]): ReadonlySet<NodeId> => new Set(forcings.map((forcing) => forcing.node));

/** COW-3: the hugetlb branch is forced, and follow_hugetlb_page() gets the forced word. */
function judgeHugetlb(subject: Subject, slow: SlowPath, asks: boolean): Verdict {
  const { hugetlb, program } = slow;
  const message = "the hugetlb branch is forced, and follow_hugetlb_page() gets the forced word";
  if (!hugetlb) return { check: { id: "COW-3", ruleId: ID, status: "not-visible", message, places: [] }, candidate: null };
  const forced = before(slow, hugetlb.node).filter((forcing) => hugetlbOnly(slow, forcing));
  const word = render(hugetlb.word);
  const own = forced[0];
  const place: At = { program, at: own ? guardStart(slow, own) : hugetlb.call.at, end: hugetlb.call.end };
  const make = (status: ObligationCheck["status"], candidate: Verdict["candidate"]): Verdict => ({
    check: { id: "COW-3", ruleId: ID, status, message, places: [place] },
    candidate,
  });
  const broken = (messageId: string, at: At, fixes: Candidate["fixes"]): Verdict =>
    make("broken", { ruleId: ID, messageId, data: { function: program.name, word }, place: at, related: messageId === "hugetlbWord" ? linesOf("forced here", program, forced.map(({ assign }) => assign)) : messageId === "wrongCondition" ? linesOf("the lookup that is not forced", program, [hugetlb.call]) : [], origin: "incomplete-fix", ...backed(subject, slow, ["hugetlb"]), ...(fixes ? { fixes } : {}) });
  const right = wordOf(slow);
  if (isCallersWord(program, word)) return broken("hugetlbWord", { program, at: extent(hugetlb.word).at, end: extent(hugetlb.word).end }, () => passWord(hugetlb, right));
  if (!own) return broken("hugetlbMissing", placeOf(program, hugetlb.call), () => forceBeforeHugetlb(slow, right));
  const passes = reachableWhen(program, program.entry, { ...READ_ONLY_GET, hugetlb: true }, nodesOf(slow.forcings));
  if (!asks || !passes.has(hugetlb.node)) return make("holds", null);
  return isDecided(program, own) ? broken("wrongCondition", assignPlace(slow, own), () => askPredicate(slow, own, right)) : make("undecided", null);
}

/** True where every test in front of a forcing is about the mapping and the flags. */
const isDecided = (program: EffectProgram, forcing: Forcing): boolean => {
  const all = reachableWhen(program, program.entry, { cow: true, hugetlb: true, flags: ["FOLL_GET"] }, new Set());
  const none = reachableWhen(program, program.entry, { cow: false, hugetlb: true, flags: [] }, new Set());
  return all.has(forcing.node) !== none.has(forcing.node) || !all.has(forcing.node);
};

/** Offset of the `if` that guards a forcing, or of the forcing where it stands alone. */
function guardStart(slow: SlowPath, forcing: Forcing): number {
  const text = slow.program.image.text.slice(Math.max(slow.program.start, forcing.assign.at - 400), forcing.assign.at);
  const statements = Math.max(text.lastIndexOf(";"), text.lastIndexOf("}"));
  const test = [...text.matchAll(/\bif\s*\(/g)].findLast((match) => match.index > statements);
  return test ? forcing.assign.at - text.length + test.index : forcing.assign.at;
}

/** COW-4: the normal branch is forced on every way to `retry:`, above the label and outside the VMA block. */
function judgePlace(subject: Subject, slow: SlowPath, asks: boolean): Verdict {
  const { program, retry, normal } = slow;
  const message = "the normal branch is forced between the VMA block and retry:";
  if (retry === null || !normal) return { check: { id: "COW-4", ruleId: ID, status: "not-visible", message, places: [] }, candidate: null };
  const label = program.nodes[retry];
  const at = label?.kind === "label" ? label.at : 0;
  const reaching = before(slow, normal.node).filter((forcing) => !hugetlbOnly(slow, forcing));
  const broken = (messageId: string, place: At, backing: Backing, fixes: Candidate["fixes"]): Verdict => ({
    check: { id: "COW-4", ruleId: ID, status: "broken", message, places: [place] },
    candidate: { ruleId: ID, messageId, data: { function: program.name }, place, related: messageId === "belowRetry" ? linesOf("the label", program, [{ at, end: at + "retry".length }]) : linesOf("the lookup that is not forced", program, [normal.call]), origin: "incomplete-fix", ...backing, ...(fixes ? { fixes } : {}) },
  });
  const proves = backed(subject, slow, ["normal"]);
  const word = wordOf(slow);
  const above = reaching.filter((forcing) => reachable(program, program.entry, new Set([retry])).has(forcing.node));
  const below = reaching.find((forcing) => !above.includes(forcing));
  const first = above.at(-1);
  if (!first && below) return broken("belowRetry", assignPlace(slow, below), NOT_EXPLORED, () => forceAboveRetry(slow, word, below));
  if (!first) return broken("dropped", { program, at, end: at + "retry".length }, proves, () => forceAboveRetry(slow, word, null));
  if (reachable(program, program.entry, guarded(program, above)).has(retry)) return broken("insideBlock", assignPlace(slow, first), proves, () => forceAboveRetry(slow, word, first));
  const passes = reachableWhen(program, program.entry, { ...READ_ONLY_GET, hugetlb: false }, nodesOf(reaching));
  const places: At[] = [{ program, at: guardStart(slow, first), end: first.assign.end }];
  if (!asks || !passes.has(normal.node)) return { check: { id: "COW-4", ruleId: ID, status: "holds", message, places }, candidate: null };
  if (isDecided(program, first)) return broken("wrongCondition", assignPlace(slow, first), proves, () => askPredicate(slow, first, word));
  return { check: { id: "COW-4", ruleId: ID, status: "undecided", message, places }, candidate: null };
}

/** Forcings with the tests directly in front of them: who comes past them has been asked. */
const guarded = (program: EffectProgram, forcings: readonly Forcing[]): ReadonlySet<NodeId> =>
  new Set(forcings.flatMap((forcing) => [forcing.node, ...guardsOf(program, forcing.node)]));

/** True where control from the forcing comes to the hugetlb lookup only. */
function hugetlbOnly(slow: SlowPath, forcing: Forcing): boolean {
  if (!slow.hugetlb || !slow.normal) return false;
  return !reachable(slow.program, forcing.node, new Set([slow.hugetlb.node])).has(slow.normal.node);
}
