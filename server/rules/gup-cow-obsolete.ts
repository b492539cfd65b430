// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../kernel/release.ts";
import type { EffectProgram, NodeId } from "../program/program.ts";
import { reachable } from "../program/reach.ts";
import { render } from "../program/render.ts";
import { cowBreaksEitherWay } from "../scenarios/cow-breaks-either-way.ts";
import type { Experiment } from "../scenarios/experiment.ts";
import { prove } from "../scenarios/prove.ts";
import { readOfProtected } from "../scenarios/read-of-protected.ts";
import { forceAgain, withoutForcing } from "./fix/cow-break.ts";
import { reachableWhen, slowPathsOf, type Forcing, type SlowPath } from "./gup-cow-mechanism.ts";
import { linesOf } from "./other-lines.ts";
import { placeOf, type At, type Candidate, type Rule, type Standing, type Subject } from "./rule.ts";

const ID = "gup-cow-obsolete";

export const gupCowObsolete: Rule = {
  meta: {
    id: ID,
    title: "Forced COW break where the kernel replaced it, or taken out where the kernel needs it",
    severity: "error",
    since: "4.4",
    until: null,
    why:
      "From 5.9 on a write fault copies a page that anybody else has a reference to, so that a read needs no write fault, and forcing one tells userfaultfd monitors of writes " +
      "that nobody made. Before, do_wp_page() counts mappings only: without the forced break a read-only reference ends up on the page of the other process (CVE-2020-29374).",
    messages: {
      added: "{function}() forces a write fault for a read-only reference: from 5.9 on do_wp_page() does not need it, and uffd-wp monitors are told of a write that nobody made",
      removed: "{function}() no longer forces the COW break, and do_wp_page() of this release reuses a page that is mapped once: a read-only reference can end up on the page of the other process (CVE-2020-29374)",
    },
    offersEdits: true,
    scenarios: ["read-of-protected", "cow-breaks-either-way"],
    sources: [
      { thread: "Merge branch 'simplify-do_wp_page'", who: "Linus Torvalds", date: "2020-09-04", link: "b25d1dc9474e1f0cefca994885e82beea271acfe" },
      { thread: "gup: document and work around \"COW can break either way\" issue", who: "Linus Torvalds", date: "2020-06-02", link: "17839856fd588f4ab6b789f482ed3ffd7c403e1f" },
    ],
  },
  effects: ["gupFollow"],
  checkSubject: (subject: Subject) => ({
    candidates: atLeast(subject.target.release, "5.9") ? addedTo(subject) : removedFrom(subject),
    obligations: [],
  }),
};

const READ_ONLY = { cow: true, hugetlb: false, flags: ["FOLL_GET"] };
const NO_COW = { cow: false, hugetlb: false, flags: [] };

/** Forcings of the normal lookup that a read-only reference to a COW mapping comes to, and a call without references does not. */
function breaksCow({ program, normal, forcings }: SlowPath): Forcing[] {
  if (!normal) return [];
  const word = render(normal.word);
  const asked = reachableWhen(program, program.entry, READ_ONLY, new Set());
  const others = reachableWhen(program, program.entry, NO_COW, new Set());
  const leads = (node: NodeId): boolean => reachable(program, node).has(normal.node);
  return forcings.filter((forcing) => forcing.target === word && asked.has(forcing.node) && !others.has(forcing.node) && leads(forcing.node));
}

/** Forcings of the hugetlb lookup, which a mapping that is not copied on write does not come to either. */
function forHugetlb({ program, hugetlb, forcings }: SlowPath): Forcing[] {
  if (!hugetlb) return [];
  const asked = reachableWhen(program, program.entry, { ...READ_ONLY, hugetlb: true }, new Set());
  const others = reachableWhen(program, program.entry, { ...NO_COW, hugetlb: true }, new Set());
  const word = render(hugetlb.word);
  return forcings.filter((forcing) => forcing.target === word && asked.has(forcing.node) && !others.has(forcing.node) && reachable(program, forcing.node).has(hugetlb.node));
}

const askedOf = (code: Standing, slow: SlowPath, ...experiments: readonly Experiment[]): ReturnType<NonNullable<Candidate["asked"]>> => {
  const program = code.program(slow.program);
  return program && experiments.map((experiment) => ({ experiment, program }));
};

const sameFunction = (one: EffectProgram, other: EffectProgram): boolean => one.name === other.name && one.image.path === other.image.path;

/** From 5.9: the mechanism comes in. */
function addedTo(subject: Subject): Candidate[] {
  const before = subject.old ? slowPathsOf(subject.old) : [];
  return slowPathsOf(subject.unit).flatMap((slow): Candidate[] => {
    const [first, ...others] = breaksCow(slow);
    if (!first || before.some((old) => sameFunction(old.program, slow.program) && breaksCow(old).length > 0)) return [];
    return [
      {
        ruleId: ID, messageId: "added", data: { function: slow.program.name }, place: placeOf(slow.program, first.assign),
        related: others.map(({ assign }) => ({ message: "forced here too", place: placeOf(slow.program, assign) })),
        origin: "introduced", prove: (max) => prove(readOfProtected, slow.program, subject.target.release, max),
        asked: (code) => askedOf(code, slow, readOfProtected), fixes: () => withoutForcing(slow, [...new Set([...breaksCow(slow), ...forHugetlb(slow)])]),
      },
    ];
  });
}

/** Before 5.9: the mechanism goes out, and what replaced it does not come in. */
function removedFrom(subject: Subject): Candidate[] {
  const before = subject.old ? slowPathsOf(subject.old).filter((slow) => breaksCow(slow).length > 0) : [];
  return before.flatMap((old): Candidate[] => {
    const slow = slowPathsOf(subject.unit).find(({ program }) => sameFunction(program, old.program));
    if (!slow || slow.forcings.length > 0 || countsReferences(subject)) return [];
    const place = placeOfLoss(slow);
    if (!place) return [];
    return [
      {
        ruleId: ID, messageId: "removed", data: { function: slow.program.name }, place, related: linesOf("the lookup that was forced", slow.program, slow.normal ? [slow.normal.call] : []), origin: "introduced",
        prove: (max) => prove(cowBreaksEitherWay("normal", "FOLL_GET"), slow.program, subject.target.release, max),
        asked: (code) => askedOf(code, slow, ...(slow.hugetlb ? (["normal", "hugetlb"] as const) : (["normal"] as const)).map((path) => cowBreaksEitherWay(path, "FOLL_GET"))), fixes: () => forceAgain(slow, subject.target.release),
      },
    ];
  });
}

/** 09854ba94c6a comes with it: do_wp_page() asks for references. */
const countsReferences = ({ unit }: Subject): boolean =>
  unit.programs.some(({ name, image, start, end }) => name === "do_wp_page" && /\b(?:page_count|page_ref_count|folio_ref_count)\s*\(/.test(image.text.slice(start, end)));

/** The label of the retry loop, in front of which the bit was forced; else the lookup. */
function placeOfLoss({ program, retry, normal }: SlowPath): At | null {
  const label = retry === null ? undefined : program.nodes[retry];
  if (label?.kind === "label" && label.at >= 0) return { program, at: label.at, end: label.at + "retry".length };
  return normal ? placeOf(program, normal.call) : null;
}
