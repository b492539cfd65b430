// SPDX-License-Identifier: GPL-2.0-only
import type { CommitMessage, Statement } from "../patch/commit-message.ts";

/*
 * What a commit message says about the diff that the diff itself can confirm: that something is not changed, that a word was left
 * out. Only plain words count: where a sentence may mean behavior, an earlier version or another tree, nothing was claimed.
 */

/** The statement that says so, by its words. */
export interface Claim {
  readonly words: string;
  readonly line: number;
}

/** A name, or several of them, one of which is meant. */
const listWith = (name: string): string => {
  const other = "[\"'`]?[\\w./]+(?:\\(\\))?[\"'`]?";
  const joint = "(?:, ?(?:and )?| and | & )";
  return `(?:${other}${joint}){0,8}["'\`]?${name}(?:\\(\\))?["'\`]?(?:${joint}${other}){0,8}`;
};

const SAME = "(?:no (?:code )?changes?(?: (?:needed|necessary|required))?|unchanged|untouched|not (?:changed|touched|modified)|left (?:alone|unchanged|untouched)|(?:only (?:gets? )?(?:new |a )?comments?|comments?(?: changes?)? only|only comment changes))";
const END = "(?= ?(?:[.,;)\\]]|$))";

const escaped = (name: string): string => name.replace(/[^\w]/g, "\\$&");

/** `f(): no change`, as an item of a list. */
const asItem = (name: string): RegExp => new RegExp(`^[ \\-*+•]*${listWith(name)} ?(?::|--?|–|—) ?${SAME}${END}`, "i");

/** `f() is not changed`, `no change to f()`, `this does not touch f()`. */
const asSentence = (name: string): readonly RegExp[] => [
  new RegExp(`(?:^|[,;:] |\\b(?:and|but|while|so|that|whereas) )${listWith(name)} (?:is|are|stays?|remains?|gets?) (?:itself |still )?${SAME}${END}`, "i"),
  new RegExp(`(?:^|[,;:(] ?|\\b(?:are|is|makes?|with|has|and|but) )(?:no changes?|only comments?|comments? only) (?:to|in|for) ${listWith(name)}${END}`, "i"),
  new RegExp(`\\b(?:does not|doesn't|do not|don't|without) (?:touch|change|modify|touching|changing|modifying) ${listWith(name)}${END}`, "i"),
];

/** Words with which a sentence may be about something else than this diff: the state before it, what another commit forgot. */
const ELSEWHERE = /\?|\b(?:if|unless|when|should|could|would|may|might|must|can|upstream|mainline|originally?|before|previous(?:ly)?|current(?:ly)?|until|yet|so far|commits?|fix(?:es|ed)?|bug|missed|forgets?|forgot|patch \d|v\d+)\b/i;

/** The first statement that says that a function or a file is not changed, or that only comments are. */
export function saidUnchanged({ statements }: CommitMessage, name: string): Claim | null {
  const about = statements.filter(({ text }) => text.length <= MAX_STATEMENT && text.includes(name));
  if (about.length === 0) return null;
  const [item, sentences] = [asItem(escaped(name)), asSentence(escaped(name))];
  const found = about.find(({ text }) => item.test(text) || (!ELSEWHERE.test(text) && sentences.some((sentence) => sentence.test(text))));
  return found ? claimOf(found) : null;
}

const MAY_CLAIM = new RegExp(`(?:${SAME}|\\bonly comments?\\b|\\b(?:not|n't|without) (?:touch|change|modify|touching|changing|modifying)\\b)`, "i");

/** True where a message may say something that the diff can contradict. */
export const mayClaim = (message: CommitMessage): boolean =>
  message.statements.some(({ text }) => /\w\(\)|\.[ch]\b/.test(text) && MAY_CLAIM.test(text)) || omissionsIn(message).length > 0;

/** A longer one is no sentence. */
const MAX_STATEMENT = 600;
const MAX_WORDS = 120;

const claimOf = ({ text, line }: Statement): Claim => ({ words: text.length > MAX_WORDS ? `${text.slice(0, MAX_WORDS - 3)}...` : text, line });

/** A word that whoever ported the patch left out, and the function in which; null: everywhere. */
export interface Omission extends Claim {
  readonly word: string;
  readonly where: string | null;
}

const OMITTED = /\b(?:removed|dropped|omitted|left out)(?: the)? ([A-Za-z_]\w+)(?:\(\))? (?:usage|uses?|flag)\b(?: (?:in|from) (?:the )?([A-Za-z_]\w+))?/gi;

/** `[name: removed FOLL_PIN usage in f]`. */
export const omissionsIn = ({ notes }: CommitMessage): Omission[] =>
  notes.flatMap(({ text, line }) =>
    [...text.slice(0, 4000).matchAll(OMITTED)].flatMap(([words, word = "", where]) => (/_|^[A-Z0-9]+$/.test(word) ? [{ words, line, word, where: where ?? null }] : [])));
