// SPDX-License-Identifier: GPL-2.0-only
import type { EffectProgram } from "../../program/program.ts";
import { syntaxErrors } from "../../program/statements.ts";
import type { Asked, EditOutcome } from "../../scenarios/prove.ts";
import { compareEdited } from "../../scenarios/prove.ts";
import type { Candidate, Fix, Subject } from "../../rules/rule.ts";
import { inOrder, withEdits, type TextEdit } from "../../text/text-edit.ts";
import { keyOf } from "../compare.ts";
import type { Tier, VerifiedFix } from "../finding.ts";
import type { Found } from "../judge.ts";
import { keepsOrder } from "./order.ts";
import { documentEdits, type Rewriting } from "./rewriting.ts";
import { asFound, edited } from "./standing.ts";

/** What is needed to say of edits whether they mend a finding. */
export interface Verification {
  readonly subject: Subject;
  readonly rewriting: Rewriting;
  /** Everything that was found in the subject. */
  readonly found: readonly Found[];
  /** Runs every rule over some functions of another subject; null where that had problems that the review had not. */
  search(subject: Subject, programs: readonly EffectProgram[]): readonly Found[] | null;
  readonly maxStates: number;
}

/** Why edits are not offered, in a word. */
export type Refusal = "edits-overlap" | "changes-nothing" | "not-in-document" | "syntax" | "reads-otherwise" | "still-found" | "order" | "schedule-fails" | "not-proved";

/** The fix as an edit of the document, where it holds; else what does not. */
export function verified(candidate: Candidate, fix: Fix, tier: Tier, by: Verification): VerifiedFix | Refusal {
  const { subject, rewriting } = by;
  const { image } = candidate.place.program;
  const text = withEdits(image.text, fix.edits);
  if (text === null) return "edits-overlap";
  if (text === image.text) return "changes-nothing";
  const changes = rewriting.editsOf(image, fix.edits);
  const document = changes && withEdits(rewriting.document, changes);
  if (!changes || document === null) return "not-in-document";
  if (syntaxErrors(text) > syntaxErrors(image.text)) return "syntax";
  const after = rewriting.reread(document);
  // What the edited document shows must be what was meant, to the letter.
  if (!after || after.unit.images.filter((one) => one.path === image.path && one.text === text).length !== 1) return "reads-otherwise";
  const pairs = pairsOf(candidate, fix.edits, subject, after);
  if (!pairs) return "reads-otherwise";
  const concerned = concernedBy(pairs);
  const found = by.search(after, [...concerned.map(({ now }) => now), ...callersOf(pairs, after)]);
  if (!found || !isMended(candidate, by.found, found)) return "still-found";
  if (!concerned.every((pair) => functionKeeps(pair, candidate, fix.edits, subject, after))) return "order";
  const outcome = simulated(candidate, fix.edits, subject, after, by.maxStates);
  if (!outcome) return "schedule-fails";
  if (tier === "proved" && !outcome.isProved) return "not-proved";
  const { isProved, states, blockedAt, heldBy } = outcome;
  return { title: fix.title, isProved: tier === "proved" && isProved, states, blockedAt, heldBy, edits: documentEdits(rewriting.document, changes) };
}

/** The candidate is gone, and nothing is there that was not there before. */
function isMended(candidate: Candidate, before: readonly Found[], after: readonly Found[]): boolean {
  const left = new Map<string, number>();
  for (const one of before.flatMap((found) => found.candidates)) left.set(keyOf(one), (left.get(keyOf(one)) ?? 0) + 1);
  left.set(keyOf(candidate), (left.get(keyOf(candidate)) ?? 0) - 1);
  return after.flatMap((found) => found.candidates).every((one) => {
    const count = left.get(keyOf(one)) ?? 0;
    left.set(keyOf(one), count - 1);
    return count > 0;
  });
}

/** A function before the edits and after them. */
interface Pair {
  readonly was: EffectProgram;
  readonly now: EffectProgram;
}

/** The functions of the edited image; null where one is not there any more. */
function pairsOf(candidate: Candidate, edits: readonly TextEdit[], before: Subject, after: Subject): readonly Pair[] | null {
  const { image } = candidate.place.program;
  const there = edited(after.unit, image, edits);
  const programs = before.unit.programs.filter((program) => program.image === image);
  const pairs = programs.flatMap((was) => {
    const now = there.program(was);
    return now ? [{ was, now }] : [];
  });
  return pairs.length === programs.length ? pairs : null;
}

const textOf = ({ image, start, end }: EffectProgram): string => image.text.slice(start, end);

const callsOf = ({ nodes }: EffectProgram): ReadonlySet<string> =>
  new Set(nodes.flatMap((node) => (node.kind === "call" ? [node.name, ...(node.inlined === undefined ? [] : [node.inlined])] : [])));

const changedNames = (pairs: readonly Pair[]): ReadonlySet<string> => new Set(pairs.filter(({ was, now }) => textOf(was) !== textOf(now)).map(({ now }) => now.name));

/** Functions that edits change, what calls them, and what they call: anything else is as it was. */
function concernedBy(pairs: readonly Pair[]): readonly Pair[] {
  const names = changedNames(pairs);
  const called = new Set(pairs.filter(({ now }) => names.has(now.name)).flatMap(({ now }) => [...callsOf(now)]));
  return pairs.filter(({ now }) => names.has(now.name) || called.has(now.name) || [...callsOf(now)].some((name) => names.has(name)));
}

/** Callers in the other images. */
function callersOf(pairs: readonly Pair[], after: Subject): readonly EffectProgram[] {
  const names = changedNames(pairs);
  return after.unit.programs.filter((program) => program.image !== pairs[0]?.now.image && [...callsOf(program)].some((name) => names.has(name)));
}

/** A function is read as well as before, and keeps the order of what it takes and gives back. */
function functionKeeps({ was, now }: Pair, candidate: Candidate, edits: readonly TextEdit[], before: Subject, after: Subject): boolean {
  const { image } = candidate.place.program;
  const news = (inOrder(edits) ?? []).map((edit) => ({ at: newStart(edits, edit), end: newStart(edits, edit) + edit.text.length }));
  const old = before.old?.named(was.name)[0] ?? null;
  const isNew = (at: number): boolean => now.image.text !== image.text && news.some((one) => one.at <= at && at < one.end);
  return readsAsWell(was, now) && jumpsFit(now) && keepsOrder({ unit: after.unit, before: was, now, isNew, old }, before.unit);
}

/** Offset in the edited text at which the text of an edit begins. */
const newStart = (edits: readonly TextEdit[], edit: TextEdit): number => {
  const before = (inOrder(edits) ?? []).filter((one) => one !== edit && (one.at < edit.at || (one.at === edit.at && edits.indexOf(one) < edits.indexOf(edit) && one.end === one.at)));
  return edit.at + before.reduce((sum, one) => sum + one.text.length - (one.end - one.at), 0);
};

const GAPS = ["unknown-callee", "not-lowered", "cut-loop"] as const;

/** The edits bring no call that nobody knows, and nothing that cannot be lowered. */
const readsAsWell = (before: EffectProgram, now: EffectProgram): boolean =>
  GAPS.every((kind) => now.assumptions.filter((one) => one.kind === kind).length <= before.assumptions.filter((one) => one.kind === kind).length) && now.openStart === before.openStart && now.openEnd === before.openEnd;

/** Every `goto` has its label, once. */
function jumpsFit({ image, start, end }: EffectProgram): boolean {
  const text = image.text.slice(start, end).replace(/\/\*[^]*?\*\//g, " ");
  const labels = [...text.matchAll(/^[ \t]*(\w+):(?!:)/gm)].map(([, name]) => name);
  return [...text.matchAll(/\bgoto\s+(\w+)\s*;/g)].every(([, name]) => labels.filter((one) => one === name).length === 1);
}

type Outcome = Pick<VerifiedFix, "isProved" | "states" | "blockedAt" | "heldBy">;

const NOT_SIMULATED: Outcome = { isProved: false, states: 0, blockedAt: null, heldBy: null };

/** What the simulator says of the edited code; null where a schedule fails, or one that failed is not explored to the end. */
function simulated(candidate: Candidate, edits: readonly TextEdit[], before: Subject, after: Subject, maxStates: number): Outcome | null {
  if (!candidate.asked) return NOT_SIMULATED;
  const { image } = candidate.place.program;
  const was = candidate.asked(asFound(before.unit));
  const is = candidate.asked(edited(after.unit, image, edits));
  if (!was || !is || was.length !== is.length) return was === null ? NOT_SIMULATED : null;
  const outcomes = was.map((asked, index) => compareEdited(asked, is[index] as Asked, before.target.release, maxStates));
  const failed = outcomes.filter((one) => one.before === "fail");
  if (outcomes.some((one) => one.after === "fail") || failed.some((one) => one.after !== "pass")) return null;
  const shown: EditOutcome | undefined = failed[0];
  return shown ? { isProved: true, states: shown.states, blockedAt: shown.blockedAt, heldBy: shown.heldBy } : NOT_SIMULATED;
}

