// SPDX-License-Identifier: GPL-2.0-only
import { bodyOf, changedRows, codeText, hasCode, wordsIn } from "../program/code-text.ts";
import type { EffectProgram } from "../program/program.ts";
import { mayClaim, omissionsIn, saidUnchanged } from "./message-claims.ts";
import { lostParameters, speaksOfNames } from "./parameter-use.ts";
import type { At, Candidate, PatchFacts, Rule, Subject } from "./rule.ts";

const ID = "backport-contradicts-message";

export const backportContradictsMessage: Rule = {
  meta: {
    id: ID,
    title: "Diff that does what its own words say it does not",
    severity: "warning",
    since: "3.0",
    until: null,
    why:
      "A backport carries the message of the commit that it comes from. Where the diff changes what this message, a note of the porter or a comment of the diff itself says is left alone, " +
      "a hunk went to the wrong place: upstream had it in another function.",
    messages: {
      unchanged: "the message says \"{words}\", and this changes the code of {what}",
      omitted: "the porter's note says \"{words}\", and {word} is there",
      comment: "a comment of this patch tells callers of {function}() what `{name}` is for, and {value} replaces it wherever the patch shows it used: they cannot both be meant",
    },
    scenarios: [],
    sources: [
      { thread: "Re: [PATCH 1/1] gup: document and work around \"COW can break either way\" issue", who: "John Hubbard", date: "2021-10-13", link: null },
      { thread: "gup: document and work around \"COW can break either way\" issue", who: "Linus Torvalds", date: "2020-06-02", link: "17839856fd588f4ab6b789f482ed3ffd7c403e1f" },
    ],
  },
  effects: [],
  wantsToSee: (patch) => mayClaim(patch.message) || speaksOfNames(patch),
  checkSubject(subject: Subject) {
    const { patch, old } = subject;
    if (!patch || !old) return { candidates: [], obligations: [] };
    return { candidates: [...changedAllTheSame(subject, patch), ...thereAllTheSame(subject, patch), ...commented(subject)], obligations: [] };
  },
};

const candidate = (messageId: string, data: Candidate["data"], place: At, related: Candidate["related"]): Candidate => ({
  ruleId: ID, messageId, data, place, related, origin: "introduced", prove: null,
});

/** 1d.2: a function or a file that the message calls unchanged. */
function changedAllTheSame(subject: Subject, { files, message }: PatchFacts): Candidate[] {
  const changes = changesOf(subject);
  const functions = [...new Set(changes.map(({ program }) => program.name))].flatMap((name) => {
    const [claim, change] = [saidUnchanged(message, name), changes.find(({ program }) => program.name === name)];
    return claim && change ? [{ claim, change, what: `${name}()` }] : [];
  });
  const paths = files.flatMap((path) => {
    const [claim, change] = [saidUnchanged(message, path), changes.find(({ program }) => program.image.path === path)];
    return claim && change ? [{ claim, change, what: path }] : [];
  });
  return [...functions, ...paths].map(({ claim, change, what }) =>
    candidate("unchanged", { words: claim.words, what }, change, [{ message: `the message: ${claim.words}`, place: { line: claim.line } }]));
}

/** Functions whose code both sides show and that differ in more than comments and white space: the first line that does. */
function changesOf({ unit, old }: Subject): At[] {
  return unit.programs.flatMap((program): At[] => {
    const before = old?.programs.find((one) => one.name === program.name && one.image.path === program.image.path);
    if (!before || plain(before) === plain(program)) return [];
    const place = firstChange(program) ?? firstChange(before);
    return place ? [place] : [];
  });
}

const plain = (program: EffectProgram): string => bodyOf(program).code.replace(/\s+/g, "");

function firstChange(program: EffectProgram): At | null {
  const { image, start, end } = program;
  const row = changedRows(image, start, end).find((one) => hasCode(image, one));
  if (!row) return null;
  const text = image.text.slice(row.at, row.end);
  return { program, at: row.at + text.length - text.trimStart().length, end: row.at + text.trimEnd().length };
}

/** What the porter left out, and the patch adds. */
function thereAllTheSame({ unit }: Subject, { message }: PatchFacts): Candidate[] {
  return omissionsIn(message).flatMap(({ words, line, word, where }) => {
    const added = unit.programs.filter(({ name }) => where === null || name === where).flatMap((program) => {
      const { image, start, end } = program;
      return changedRows(image, start, end).flatMap((row) => wordsIn(codeText(image).slice(row.at, row.end), word).map((at): At => ({ program, at: row.at + at, end: row.at + at + word.length })));
    });
    const [first] = added;
    return first ? [candidate("omitted", { words, word }, first, [{ message: `the note: ${words}`, place: { line } }])] : [];
  });
}

/** 1d.3: a comment of the patch about a parameter from which the patch takes every effect. */
function commented(subject: Subject): Candidate[] {
  return lostParameters(subject).flatMap(({ program, name, overridden, remark }) => {
    const [first, ...others] = overridden ?? [];
    if (first === undefined || remark === null) return [];
    return [
      candidate("comment", { name, function: program.name, value: first.value }, first.place, [
        { message: `the comment that explains \`${name}\``, place: remark },
        ...others.map(({ place, value }) => ({ message: `${value} is passed here, too`, place })),
      ]),
    ];
  });
}
