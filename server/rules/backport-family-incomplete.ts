// SPDX-License-Identifier: GPL-2.0-only
import { GUP_REFERENCE_TWINS, GUP_TWINS, type Twins } from "../kernel/architecture-twins.ts";
import { covers } from "../kernel/release.ts";
import { extent } from "../program/extent.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { accessOfWalk } from "../scenarios/fast-walk.ts";
import { asksForWrite } from "./gup-fast-cow-incomplete.ts";
import { cowMechanismOf, type CowMechanism } from "./gup-cow-mechanism.ts";
import { linesOf } from "./other-lines.ts";
import { placeOf, type At, type Candidate, type Rule, type Subject } from "./rule.ts";

const ID = "backport-family-incomplete";

export const backportFamilyIncomplete: Rule = {
  meta: {
    id: ID,
    title: "Backport that converts a part of a family of functions",
    severity: "error",
    since: "4.4",
    until: "5.9",
    why:
      "In old kernels one job is done in several places: GUP has a slow path, a lockless one, and architectures with lockless walks of their own. " +
      "A fix that upstream made in one place must be made in all of them, or the others still do what it is about.",
    messages: {
      twins: "{what} in {generic} only: in this release {files} have lockless walks of their own, which the patch leaves as they were",
      entry: "the COW break is forced in {function}() only: get_user_pages_fast() still takes whatever is mapped before it gets there",
    },
    scenarios: [],
    sources: [
      { thread: "Re: [PATCH 1/1] gup: document and work around \"COW can break either way\" issue", who: "John Hubbard", date: "2021-10-13", link: null },
    ],
  },
  effects: ["gupFollow", "gupFastWalk", "getReference"],
  checkSubject(subject: Subject) {
    const { patch, old } = subject;
    // What other patches of a series do is not known.
    if (!patch?.isWhole || !old) return { candidates: [], obligations: [] };
    return { candidates: [...cowBreak(subject, old, patch.files), ...references(subject, old, patch.files)], obligations: [] };
  },
};

const missing = ({ twins }: Twins, files: readonly string[]): readonly string[] => twins.filter((file) => !files.includes(file));

const twinsFinding = (twins: Twins, absent: readonly string[], what: string, place: At, related: Candidate["related"] = []): Candidate => ({
  ruleId: ID, messageId: "twins", data: { what, generic: twins.generic, files: absent.join(", ") }, place, related, origin: "incomplete-fix", prove: null,
});

/** COW-9, and 1d.1 for the walk of mm/gup.c itself. */
function cowBreak(subject: Subject, old: NonNullable<Subject["old"]>, files: readonly string[]): Candidate[] {
  const mechanism = cowMechanismOf(subject.unit);
  if (!mechanism?.slow || cowMechanismOf(old) !== null) return [];
  const found: Candidate[] = [];
  const forced = linesOf("forced here", mechanism.slow.program, mechanism.slow.forcings.map(({ assign }) => assign));
  const absent = missing(GUP_TWINS, files);
  if (covers(GUP_TWINS, subject.target.release) && absent.length > 0) found.push(twinsFinding(GUP_TWINS, absent, "the COW break is forced", predicateOf(mechanism), forced));
  if (!subject.unit.programs.some(convertsWalk)) found.push({ ruleId: ID, messageId: "entry", data: { function: mechanism.slow.program.name }, place: predicateOf(mechanism), related: forced, origin: "incomplete-fix", prove: null });
  return found;
}

const predicateOf = ({ force }: CowMechanism): At => ({ program: force.program, at: extent(force.value).at, end: extent(force.value).end });

/** The function is touched, or some walk asks for write: whether that is right is gup-fast-cow-incomplete's question. */
const convertsWalk = (program: EffectProgram): boolean =>
  /^(?:internal_)?(?:get|pin)_user_pages_fast$/.test(program.name) ||
  program.nodes.some((node) => {
    const word = node.kind === "call" ? accessOfWalk(node) : null;
    return word !== null && asksForWrite(word);
  });

/** References of the walkers that may fail now (8fde12ca79af). */
const WALKERS = /^gup_(?:pte_range|huge_(?:pte|pmd|pud|pgd|pd))$/;
const MAY_FAIL = /^(?:try_get_page|try_get_compound_head|try_grab_compound_head)$/;

/** 1d.4. */
function references(subject: Subject, old: NonNullable<Subject["old"]>, files: readonly string[]): Candidate[] {
  const twins = GUP_REFERENCE_TWINS;
  const absent = missing(twins, files);
  if (!covers(twins, subject.target.release) || absent.length === 0) return [];
  const isGeneric = ({ image, name }: EffectProgram): boolean => image.path === twins.generic && WALKERS.test(name);
  if (old.programs.some((program) => isGeneric(program) && failing(program) !== null)) return [];
  const first = subject.unit.programs.flatMap((program) => {
    const call = isGeneric(program) ? failing(program) : null;
    return call ? [{ program, call }] : [];
  })[0];
  return first ? [twinsFinding(twins, absent, "references that may fail are taken", placeOf(first.program, first.call))] : [];
}

const failing = (program: EffectProgram): CallNode | null =>
  program.nodes.find((node): node is CallNode => node.kind === "call" && node.inlined === undefined && MAY_FAIL.test(node.name)) ?? null;
