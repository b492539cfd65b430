// SPDX-License-Identifier: GPL-2.0-only
import { statesAt, type AnalyzedFunction, type CallingContext, type Unit } from "../analysis/unit.ts";
import { atLeast, isNewerThanChecked, NEWEST_RELEASE } from "../kernel/release.ts";
import type { Target } from "../kernel/target.ts";
import { documentPlace } from "../program/place.ts";
import type { EffectProgram } from "../program/program.ts";
import { RULES } from "../rules/registry.ts";
import type { Candidate, ObligationCheck, Rule, Site, Subject } from "../rules/rule.ts";
import { Cancelled, throwIfCancelled } from "../simulator/cancellation.ts";
import type { Problem } from "../text/problem.ts";
import { alreadyThere, isChanged, keyOf, unique } from "./compare.ts";
import { evidenceOf, tierOf } from "./evidence.ts";
import type { Aside, Finding, Obligation, Origin, Severity } from "./finding.ts";
import { offering, type Offer } from "./fix/offered.ts";
import type { Rewriting } from "./fix/rewriting.ts";
import type { ReviewOptions } from "./options.ts";
import { originOf } from "./origin.ts";
import { anchorOf, relatedTo, type Anchor } from "./place.ts";
import { fixedBy, isReworked, originByVerdicts, type BothSides } from "./sides.ts";
import { isAtLeast } from "./tier.ts";

export interface Judged {
  readonly findings: readonly Finding[];
  readonly obligations: readonly Obligation[];
  /** Where it was asked for. */
  readonly aside?: Aside;
  /** Of the watched findings, those that the old side has and the new one has not. */
  readonly gone: readonly Watched[];
  readonly problems: readonly Problem[];
  /** Functions of which only some paths were followed. */
  readonly cutOff: readonly EffectProgram[];
}

/** Where there is nothing to judge. */
export const NOTHING_JUDGED: Judged = { findings: [], obligations: [], gone: [], problems: [], cutOff: [] };

/** What of a subject is judged: everything, the calls of some functions, or what rules say of it as a whole. */
export type Scope = { readonly kind: "all" } | { readonly kind: "calls"; readonly programs: readonly EffectProgram[] } | { readonly kind: "whole" };

/** What one rule found in a subject, before anything is proved. */
export interface Found extends BothSides {
  readonly rule: Rule;
  readonly obligations: readonly ObligationCheck[];
}

/** A finding of an earlier patch of the series: does this one remove it? */
export interface Watched {
  readonly ruleId: string;
  readonly function: string;
  readonly fingerprint: string;
  readonly messageId: string;
}

/** What a review is made with, besides its options. */
export interface JudgeParts {
  /** Default: all that there are. */
  readonly rules?: readonly Rule[];
  /** How the document can be changed, where fixes are asked for. */
  readonly rewriting?: Rewriting | null;
  readonly watched?: readonly Watched[];
}

/** Runs every rule over a subject, proves what it can, and keeps what the patch caused. */
export function judge(subject: Subject, options: ReviewOptions, { rules = RULES, rewriting = null, watched = [] }: JudgeParts = {}): Judged {
  const here = watched.filter((one) => (subject.old?.named(one.function).length ?? 0) > 0);
  const { found, problems, cutOff } = searched(subject, options, { kind: "all" }, rules, here);
  const offer = rewriting && options.fixes ? offering({ subject, rewriting, found, search: (edited, programs) => searchedAgain(edited, programs, options, problems, rules), maxStates: options.maxStates }) : null;
  const { findings, aside, problems: others } = settled(found, subject, options, offer);
  const obligations = found.flatMap((one) => changedObligations(one.obligations).map(obligationOf));
  return {
    findings: findings.toSorted(byPlace), obligations: obligations.toSorted((a, b) => (a.id < b.id ? -1 : 1)), gone: goneFrom(found, here, subject), problems: [...problems, ...others], cutOff,
    ...(options.showRefuted ? { aside: { refuted: aside.refuted.toSorted(byPlace), fixed: aside.fixed.toSorted(byPlace) } } : {}),
  };
}

/** Runs every rule over a subject. */
export function searched(subject: Subject, options: ReviewOptions, scope: Scope, rules: readonly Rule[] = RULES, watched: readonly Watched[] = []): Pick<Judged, "problems" | "cutOff"> & { readonly found: readonly Found[] } {
  const problems: Problem[] = [];
  const cutOff = new Set<EffectProgram>();
  const isOnBothSides = (name: string): boolean => subject.unit.named(name).length > 0 && (subject.old?.named(name).length ?? 0) > 0;
  const found = rules.flatMap((rule): Found[] => {
    if (options.rules[rule.meta.id] === "off" || !applies(rule, subject.target)) return [];
    return withoutCrash(rule, problems, () => {
      const { candidates, obligations } = run(rule, subject, scope, cutOff);
      const own = unique(candidates);
      // Where nothing is found now, nobody asks what was there before, unless all that was mended is to be shown.
      const isAsked = own.length > 0 || options.showRefuted || watched.some((one) => one.ruleId === rule.meta.id);
      const before = subject.old && isAsked ? candidatesBefore(rule, { ...subject, unit: subject.old, old: null }) : [];
      return [{ rule, candidates: own, before: unique(before), old: alreadyThere(before, own, isOnBothSides), obligations }];
    });
  });
  return { found, problems: [...problems, ...[...cutOff].map(cutOffProblem)], cutOff: [...cutOff] };
}

/** What rules find in an edited subject; null where a rule failed, or a function was cut off, that was not before. */
function searchedAgain(edited: Subject, programs: readonly EffectProgram[], options: ReviewOptions, before: readonly Problem[], rules: readonly Rule[]): readonly Found[] | null {
  const subject: Subject = { ...edited, old: null };
  const [calls, whole] = [searched(subject, options, { kind: "calls", programs }, rules), searched(subject, options, { kind: "whole" }, rules)];
  const known = new Set(before.map((one) => one.message));
  return [...calls.problems, ...whole.problems].every((one) => known.has(one.message)) ? [...calls.found, ...whole.found] : null;
}

/** What a reader must know about a function that was not followed to its end. No line: the function may move. */
const cutOffProblem = ({ name }: EffectProgram): Problem => ({
  code: "paths-cut-off", message: `${name}() has more paths than are followed: it was not reviewed as a whole`, line: null,
});

/** Proves what was found where that is possible, and keeps what the patch caused. */
export function settled(found: readonly Found[], subject: Subject, options: ReviewOptions, offer: Offer | null = null): Settled {
  const problems: Problem[] = [];
  const refuted: Finding[] = [];
  const fixed: Finding[] = [];
  const findings = found.flatMap((one) => {
    const { rule, candidates } = one;
    const override = options.rules[rule.meta.id];
    if (override === "off") return [];
    if (options.showRefuted && options.simulate) fixed.push(...withoutCrash(rule, problems, () => mended(one, subject, options, override)));
    return withoutCrash(rule, problems, () => candidates.flatMap((candidate) => settle(one, candidate, subject, { options, override, offer, refuted })));
  });
  return { findings, aside: { refuted, fixed }, problems };
}

interface Settled {
  readonly findings: readonly Finding[];
  readonly aside: Aside;
  readonly problems: readonly Problem[];
}

/** One rule's crash costs that rule, not the review. */
function withoutCrash<T>(rule: Rule, problems: Problem[], work: () => T[]): T[] {
  try {
    throwIfCancelled();
    return work();
  } catch (error) {
    if (error instanceof Cancelled) throw error;
    problems.push({ code: "rule-failed", message: `rule ${rule.meta.id} failed: ${error instanceof Error ? error.message : "unknown"}`, line: null });
    return [];
  }
}

/** The order of findings. */
export const byPlace = (a: Finding, b: Finding): number =>
  a.location.patchLine - b.location.patchLine || a.location.column - b.location.column || (a.ruleId < b.ruleId ? -1 : a.ruleId > b.ruleId ? 1 : 0);

const applies = (rule: Rule, target: Target): boolean =>
  atLeast(target.release, rule.meta.since) && !(rule.meta.until !== null && atLeast(target.release, rule.meta.until));

/** `cutOff`: gets the functions of which not every path was followed. */
function run(rule: Rule, subject: Subject, scope: Scope, cutOff: Set<EffectProgram>): { candidates: readonly Candidate[]; obligations: readonly ObligationCheck[] } {
  const whole = (scope.kind === "calls" ? null : rule.checkSubject?.(subject)) ?? { candidates: [], obligations: [] };
  const calls = scope.kind === "whole" ? [] : candidatesOf(rule, subject, scope.kind === "calls" ? scope.programs : judgedIn(subject.unit), cutOff);
  return { candidates: [...calls, ...whole.candidates], obligations: whole.obligations };
}

/**
 * Candidates of the old side. What a rule says of a mechanism as a whole counts where whole files are seen: hunks show the
 * parts of it that change, a file shows all of it, in every patch to the file.
 */
function candidatesBefore(rule: Rule, subject: Subject): Candidate[] {
  const isWhole = subject.unit.images.some((image) => image.missing !== undefined);
  const whole = isWhole ? (rule.checkSubject?.(subject).candidates ?? []) : [];
  return [...candidatesOf(rule, subject, judgedIn(subject.unit), new Set()), ...whole.filter(({ place }) => place.program.image.missing !== undefined)];
}

/** Obligations of a mechanism of which the patch changes something: a file that is seen as a whole may just contain it. */
function changedObligations(obligations: readonly ObligationCheck[]): readonly ObligationCheck[] {
  const places = obligations.flatMap((one) => one.places);
  // All of it stands in earlier patches of the series: it was said there.
  if (places.length > 0 && places.every(({ program, at }) => program.image.missing === undefined && documentPlace(program.image, at) === null)) return [];
  if (places.every(({ program }) => program.image.missing === undefined)) return obligations;
  return places.some((place) => place.program.image.missing === undefined || isChanged(place)) ? obligations : [];
}

/** Of files that are seen as a whole, the functions that the patch touches. */
const judgedIn = ({ judged, programs }: Unit): readonly EffectProgram[] => judged ?? programs;

/** Candidates of the rule's per-call check over one side. */
function candidatesOf(rule: Rule, subject: Subject, programs: readonly EffectProgram[], cutOff: Set<EffectProgram>): Candidate[] {
  if (!rule.check) return [];
  const { unit, target } = subject;
  const found: Candidate[] = [];
  for (const program of programs) {
    const wanted = program.nodes.flatMap((call, node) =>
      call.kind === "call" && (call.inlined === undefined || rule.seesInlined === true) ? call.effects.filter((effect) => rule.effects.includes(effect.kind)).map((effect) => ({ call, node, effect })) : [],
    );
    const note = (contexts: readonly CallingContext[]): void => {
      if (contexts.some(({ interpretation }) => !interpretation.complete)) cutOff.add(program);
    };
    for (const { call, node, effect } of wanted) found.push(...checkInTree(rule, siteOf(unit, target, program, { call, node, effect }, note), note));
  }
  return found;
}

/** Is told in which ways a function is entered when these are known. */
type NoteContexts = (contexts: readonly CallingContext[]) => void;

/** A site whose analysis runs when a rule asks for it: many calls are judged by their text alone. */
const siteOf = (unit: Unit, target: Target, program: EffectProgram, at: Pick<Site, "call" | "node" | "effect">, note: NoteContexts): Site => ({
  unit,
  target,
  program,
  ...at,
  get fn() {
    const fn = unit.analyze(program);
    note(fn.contexts);
    return fn;
  },
  get states() {
    return statesAt(this.fn, at.node);
  },
});

/**
 * Checks a site; where a whole tree is at hand, in the ways in which the function is entered there. What only asks about
 * callers is asked only where no way that was followed decides.
 */
function checkInTree(rule: Rule, site: Site, note: NoteContexts): readonly Candidate[] {
  const check = (fn: AnalyzedFunction): readonly Candidate[] => {
    // Not `...site`: that would analyze the file on its own, too.
    const { unit, target, program, node, call, effect } = site;
    return [...(rule.check?.({ unit, target, program, node, call, effect, fn, states: statesAt(fn, node) }) ?? [])];
  };
  const { follow } = site.unit;
  if (!follow) return [...(rule.check?.(site) ?? [])];
  if (isSilent(rule, site)) return [];
  const alone = (context: CallingContext): AnalyzedFunction => ({ program: site.program, contexts: [context], complete: context.interpretation.complete });
  const { decided, hasOpen } = follow(site.program, (context) => {
    note([context]);
    const candidates = check(alone(context));
    // Where the budget ended before the site was reached, nothing is known of it.
    if (candidates.length === 0 && !context.interpretation.complete && statesAt(alone(context), site.node).length === 0) return "open";
    return candidates.length === 0 ? "safe" : candidates.some((candidate) => candidate.asks !== true) ? "broken" : "open";
  });
  const reaching = decided.filter((context) => statesAt(alone(context), site.node).length > 0);
  const found = check({ program: site.program, contexts: reaching, complete: reaching.every((one) => one.interpretation.complete) });
  if (found.length > 0 || reaching.length > 0 || !hasOpen) return found;
  return [...(rule.check?.({ ...site, unit: asOneFile(site.unit) }) ?? [])];
}

/** What a site throws that is asked how its function is entered. */
class AsksAboutCallers extends Error {}

/** True where the rule has nothing to say, and does not have to know how the function is entered: most calls are judged by their text. */
function isSilent(rule: Rule, { unit, target, program, node, call, effect }: Site): boolean {
  const ask = (): never => {
    throw new AsksAboutCallers();
  };
  const byText: Site = {
    unit, target, program, node, call, effect,
    get fn() {
      return ask();
    },
    get states() {
      return ask();
    },
  };
  try {
    return [...(rule.check?.(byText) ?? [])].length === 0;
  } catch (error) {
    if (error instanceof AsksAboutCallers) return false;
    throw error;
  }
}

/** The unit without callers in other files. Not a copy: programs are made when they are asked for. */
const asOneFile = (unit: Unit): Unit => ({
  release: unit.release,
  images: unit.images,
  get programs() {
    return unit.programs;
  },
  named: (name) => unit.named(name),
  definitions: unit.definitions,
  analyze: (program) => unit.analyze(program),
  ...(unit.lost ? { lost: unit.lost } : {}),
});

/** What settling a candidate goes by; `refuted` gets what cannot get into the bad state. */
interface Settling {
  readonly options: ReviewOptions;
  readonly override: Severity | undefined;
  readonly offer: Offer | null;
  readonly refuted: Finding[];
}

function settle(found: Found, candidate: Candidate, subject: Subject, { options, override, offer, refuted }: Settling): Finding[] {
  const { rule, old } = found;
  const anchor = anchorOf(candidate.place);
  const before = originOf(candidate, old.has(candidate), subject);
  // Old code in lines that the patch does not write is not explored.
  if (!anchor || (before === "pre-existing" && !(options.simulate && isReworked(candidate, subject)))) return [];
  const proof = options.simulate && candidate.prove ? candidate.prove(options.maxStates) : null;
  const tier = tierOf(candidate, proof);
  const { origin, oldProof } = proof !== null && tier === "proved" ? originByVerdicts(before, candidate, proof, found, subject, options.maxStates) : { origin: before, oldProof: null };
  if (origin === "pre-existing") return [];
  const made = (): Finding => findingOf(rule, candidate, anchor, { tier, origin, override, evidence: proof && evidenceOf(proof, oldProof) }, subject);
  if (rule.meta.refutable === true && candidate.asks !== true && proof?.refutes === true) {
    refuted.push(made());
    return [];
  }
  if (!isAtLeast(tier, options.minTier)) return [];
  const isAsked = options.fixes === true || (options.fixes || []).includes(keyOf(candidate));
  return [offer && isAsked ? { ...made(), fixes: offer(candidate, tier) } : made()];
}

/**
 * Watched findings that the old side has and the new one has not. Their words may have changed in between: then it counts that the
 * rule says the same of their function before, and nothing after. A function that is not there any more may have another name now:
 * where the rule says the same of a new one, nothing is certain.
 */
const goneFrom = (found: readonly Found[], watched: readonly Watched[], { unit, old }: Subject): readonly Watched[] =>
  watched.filter((one) => {
    const sides = found.find(({ rule }) => rule.meta.id === one.ruleId);
    const saysIt = (candidate: Candidate): boolean => keyOf(candidate) === one.fingerprint || candidate.messageId === one.messageId;
    const isIn = ({ place }: Candidate): boolean => place.program.name === one.function;
    const isInNew = ({ place }: Candidate): boolean => unit.named(one.function).length === 0 && old?.named(place.program.name).length === 0;
    return sides !== undefined && sides.before.some((candidate) => isIn(candidate) && saysIt(candidate)) && !sides.candidates.some((candidate) => (isIn(candidate) || isInNew(candidate)) && saysIt(candidate));
  });

/** Defects that the patch mends, as findings of the old side. */
const mended = (found: Found, subject: Subject, options: ReviewOptions, override: Severity | undefined): Finding[] =>
  subject.old === null ? [] : fixedBy(found, subject, options.maxStates).flatMap(({ candidate, proof }) => {
    const anchor = anchorOf(candidate.place);
    return anchor ? [findingOf(found.rule, candidate, anchor, { tier: "proved", origin: "fixed", override, evidence: evidenceOf(proof) }, subject)] : [];
  });

interface Outcome {
  readonly tier: Finding["tier"];
  readonly origin: Origin;
  readonly override: Severity | undefined;
  readonly evidence: Finding["evidence"];
}

function findingOf(rule: Rule, candidate: Candidate, anchor: Anchor, { tier, origin, override, evidence }: Outcome, subject: Subject): Finding {
  return {
    ruleId: rule.meta.id,
    type: `MM_${rule.meta.id.toUpperCase().replaceAll("-", "_")}`,
    severity: override ?? candidate.severity ?? rule.meta.severity,
    tier,
    origin,
    messageId: candidate.messageId,
    message: `${messageOf(rule, candidate)}${evidence === null ? asOf(subject.target) : ""}`,
    function: candidate.place.program.name,
    fingerprint: keyOf(candidate),
    location: anchor.location,
    related: [
      ...(anchor.isElsewhere ? relatedTo("the place itself, which this patch does not show", candidate.place, subject.unit) : []),
      ...candidate.related.flatMap(({ message, place }) => relatedTo(message, place, subject.unit)),
    ],
    evidence,
    sources: rule.meta.sources,
  };
}

function messageOf(rule: Rule, candidate: Candidate): string {
  const template = rule.meta.messages[candidate.messageId] ?? rule.meta.title;
  return template.replace(/\{(\w+)\}/g, (_, name: string) => candidate.data[name] ?? "");
}

/** Evidence lists what was assumed of a release that nobody has read; without it the message says so. */
const asOf = ({ release }: Target): string => (isNewerThanChecked(release) ? ` (as of ${NEWEST_RELEASE})` : "");

function obligationOf(check: ObligationCheck): Obligation {
  const lines = check.places.flatMap(({ program, at, end }) => {
    const first = documentPlace(program.image, at)?.line;
    const last = documentPlace(program.image, Math.max(at, end - 1))?.line;
    return first === undefined ? [] : Array.from({ length: (last ?? first) - first + 1 }, (_, index) => first + index);
  });
  return { id: check.id, ruleId: check.ruleId, status: check.status, message: check.message, patchLines: [...new Set(lines)].toSorted((a, b) => a - b) };
}
