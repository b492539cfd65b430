// SPDX-License-Identifier: GPL-2.0-only
import type { Unit } from "../analysis/unit.ts";
import { presences, type Presence } from "../kernel/api/presence.ts";
import { atLeast, covers, formatRelease, type Release } from "../kernel/release.ts";
import { conventionNames, foreignSignature, signatureNames, type ForeignSignature } from "../kernel/signature.ts";
import { changedRows, codeText, wordsIn } from "../program/code-text.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { foreignReturns } from "./foreign-return.ts";
import { placeOf, type At, type Candidate, type PatchFacts, type Rule, type Subject } from "./rule.ts";

const ID = "api-not-in-target";

export const apiNotInTarget: Rule = {
  meta: {
    id: ID,
    title: "Function or flag that the target release does not have",
    severity: "error",
    since: "4.4",
    until: null,
    why:
      "A patch that was written for another release uses what that release has. At best it does not compile; a flag or a function with the same name and another meaning is worse.",
    messages: {
      newer: "{release} does not have {what}: it came with {bound} ({source}){instead}",
      older: "{release} does not have {what} any more: it went with {bound} ({source}){instead}",
      convention: "{function}() returns a bool in {release}, and this value is {meaning}: it is from {changes} on that 0 says success and an error says what went wrong",
      conventionAsked: "{function}() returns a bool in {release}, where this is {meaning}; from {changes} on 0 is success: is that what the commit upstream means?",
      signature: "{what} takes {own} arguments in {release}, not {given} as {when}",
    },
    scenarios: [],
    sources: [
      { thread: "Re: [PATCH 1/1] gup: document and work around \"COW can break either way\" issue", who: "John Hubbard", date: "2021-10-13", link: null },
    ],
  },
  effects: [],
  words: [...presences.map(({ name }) => name), ...conventionNames],
  checkSubject(subject: Subject) {
    const { patch, old } = subject;
    // The date of a mail says which release it may go to, not what the tree has that it was made for; a series brings things along.
    if (!patch?.isWhole || !patch.namesRelease || !old) return { candidates: [], obligations: [] };
    const used = { ...subject, patch, old };
    return { candidates: [...presences.flatMap((one) => absent(one, used)), ...signatureNames.flatMap((name) => otherSignature(name, used)), ...otherConvention(used)], obligations: [] };
  },
};

type Used = Subject & { readonly patch: PatchFacts; readonly old: Unit };

/** A name that the release is known not to have, where the patch uses it first. */
function absent(presence: Presence, subject: Used): Candidate[] {
  const { name } = presence;
  const { release } = subject.target;
  if (covers(presence, release) || isKnownThere(name, subject) || isInTree(presence, subject)) return [];
  const [place] = usesOf(presence, subject.unit);
  if (!place) return [];
  const isNewer = presence.since !== undefined && !atLeast(release, presence.since);
  return [
    {
      ruleId: ID, messageId: isNewer ? "newer" : "older",
      data: {
        release: formatRelease(release), what: shown(presence), bound: (isNewer ? presence.since : presence.until) ?? "", source: presence.source,
        instead: presence.instead === undefined ? "" : isNewer ? `; before there is ${presence.instead}` : `; now there is ${presence.instead}`,
      },
      place, related: [], origin: "introduced", prove: null,
    },
  ];
}

const shown = ({ name, kind }: Presence): string => (kind === "function" ? `${name}()` : name);

/** Uses in code that the patch adds to functions. */
function usesOf({ name, kind }: Presence, unit: Unit): At[] {
  return unit.programs.flatMap((program) => {
    const { image, start, end, variables } = program;
    if (variables.has(name)) return [];
    const code = codeText(image);
    return changedRows(image, start, end).flatMap((row) =>
      wordsIn(code.slice(row.at, row.end), name).map((at) => row.at + at).filter((at) => isUse(code, at, name.length, kind)).map((at): At => ({ program, at, end: at + name.length })));
  });
}

/** A member of that name is something else, and a function is called. */
const isUse = (code: string, at: number, length: number, kind: Presence["kind"]): boolean =>
  !/(?:->|\.)\s*$/.test(code.slice(Math.max(0, at - 4), at)) && (kind === "flag" || /^\s*\(/.test(code.slice(at + length, at + length + 80)));

/** True where the tree, as far as the patch shows it, has the name; where the patch itself brings it; or where code asks for it. */
function isKnownThere(name: string, { unit, old }: Used): boolean {
  return old.images.some((image) => wordsIn(image.text, name).some((at) => !isComment(image, at))) || unit.images.some((image) => isBrought(name, image, unit.programs));
}

/** A directive is blank in the code and no comment. */
const isComment = (image: EffectProgram["image"], at: number): boolean => codeText(image)[at] === " " && !isDirective(image.text, at);

const isDirective = (text: string, at: number): boolean => /^[ \t]*#/.test(text.slice(text.lastIndexOf("\n", at - 1) + 1, at));

/** Defined, declared, or asked for by a directive: anywhere but in the body of a function. */
const isBrought = (name: string, image: EffectProgram["image"], programs: readonly EffectProgram[]): boolean =>
  wordsIn(image.text, name).some((at) => isDirective(image.text, at) || (!isComment(image, at) && !programs.some((program) => isInBody(program, image, at)))) || /\bLINUX_VERSION_CODE\b/.test(image.text);

const isInBody = ({ image, start, end }: EffectProgram, other: EffectProgram["image"], at: number): boolean =>
  image === other && at > start && at < end && codeText(image).slice(start, at).includes("{");

/** True where the header of the tree at hand has it: then it was brought there. */
const isInTree = ({ name, headers }: Pick<Presence, "name" | "headers">, { patch }: Used): boolean =>
  headers.some((path) => wordsIn(patch.treeFile?.(path) ?? "", name).length > 0);

/** A call with the arguments of another release, where nothing shows that the tree has that one. */
function otherSignature(name: string, subject: Used): Candidate[] {
  const { unit, old, target } = subject;
  if (unit.definitions.has(name) || old.definitions.has(name) || unit.images.some((image) => isBrought(name, image, unit.programs))) return [];
  const known = new Set(old.programs.flatMap((program) => callsIn(program, name).map(({ args }) => args.length)));
  return unit.programs.flatMap((program) =>
    callsIn(program, name).flatMap((call): Candidate[] => {
      const foreign = known.has(call.args.length) || !isAdded(program, call) ? null : foreignSignature(name, call.args.length, target.release);
      return foreign ? [signatureFinding(program, call, foreign, target.release)] : [];
    })).slice(0, 1);
}

const callsIn = (program: EffectProgram, name: string): CallNode[] =>
  program.nodes.filter((node): node is CallNode => node.kind === "call" && node.name === name && node.inlined === undefined && node.at >= 0);

const isAdded = ({ image }: EffectProgram, { at, end }: CallNode): boolean => changedRows(image, at, end).length > 0;

const signatureFinding = (program: EffectProgram, call: CallNode, { own, since, until }: ForeignSignature, release: Release): Candidate => ({
  ruleId: ID, messageId: "signature",
  data: {
    what: `${call.name}()`, own: own.join(" or "), release: formatRelease(release), given: String(call.args.length),
    when: since !== null && !atLeast(release, since) ? `from ${since} on` : `before ${until ?? since ?? ""}`,
  },
  place: placeOf(program, call), related: [], origin: "introduced", prove: null,
});

/** What a function of the patch returns. That 0 is meant as it is read here is the rule: only a backport is asked. */
const otherConvention = (subject: Used): Candidate[] =>
  foreignReturns(subject).filter(({ isDoubtful }) => !isDoubtful || subject.patch.message.upstream !== null).map(({ place, convention, meaning, isDoubtful }) => ({
    ruleId: ID, messageId: isDoubtful ? "conventionAsked" : "convention",
    data: { function: place.program.name, release: formatRelease(subject.target.release), meaning, changes: convention.changes },
    place, related: [], origin: "introduced", prove: null, ...(isDoubtful ? { asks: true } : {}),
  }));
