// SPDX-License-Identifier: GPL-2.0-only
import type { Value, Variable } from "../program/code.ts";
import { isConstant, literalOf, questionOf, type Question } from "../program/question.ts";
import { render } from "../program/render.ts";

/*
 * What the answer to one open question says about others: `m == 3` is not true where `m < 2` was, and of `a < b` and
 * `b < a` one is false. Questions that compare one thing (the subject) with constants, or the same two things, are one family.
 */

/** What a question compares: a term with constants, or two terms. */
export interface Subject {
  readonly text: string;
  /** The term that is compared; null where there are two. */
  readonly term: Value | null;
}

/** A case of what a subject may be: an exact number, one of the gaps between numbers, or a named constant. */
type Case = { readonly kind: "number"; readonly is: number } | { readonly kind: "constant"; readonly name: string };

/** A question as a test of its subject. */
interface Test {
  readonly subject: Subject;
  readonly operator: "==" | "<" | ">";
  readonly against: Case;
}

const ZERO: Case = { kind: "number", is: 0 };

const testOf = ({ value, key }: Question): Test => {
  if (value.kind !== "binary" || (value.operator !== "==" && value.operator !== "<")) return { subject: { text: key, term: value }, operator: "==", against: ZERO };
  const { operator, left, right } = value;
  const number = literalOf(right);
  if (number !== null) return { subject: { text: render(left), term: left }, operator, against: { kind: "number", is: number } };
  if (isConstant(right)) return { subject: { text: render(left), term: left }, operator, against: { kind: "constant", name: render(right) } };
  if (isConstant(left)) return { subject: { text: render(right), term: right }, operator: operator === "<" ? ">" : "==", against: { kind: "constant", name: render(left) } };
  const [one, other] = [render(left), render(right)];
  // The sign of the difference.
  const text = one <= other ? `${one} : ${other}` : `${other} : ${one}`;
  return { subject: { text, term: null }, operator: operator === "==" ? "==" : one <= other ? "<" : ">", against: ZERO };
};

export const subjectOf = (value: Value): Subject => testOf(questionOf(value)).subject;

/** The answer to a question in one case; null: either. A plain term asks whether it is not 0. */
function answerIn(question: Question, test: Test, one: Case): boolean | null {
  const isPlain = question.value.kind !== "binary" || (question.value.operator !== "==" && question.value.operator !== "<");
  const answer = compare(test, one);
  return isPlain && answer !== null ? !answer : answer;
}

function compare({ operator, against }: Test, one: Case): boolean | null {
  if (against.kind === "number" && one.kind === "number") return operator === "==" ? one.is === against.is : operator === "<" ? one.is < against.is : one.is > against.is;
  // Constants with two names are two numbers; which is the larger one is not known.
  if (against.kind === "constant" && one.kind === "constant") return operator === "==" || against.name === one.name ? operator === "==" && against.name === one.name : null;
  if (against.kind === "constant") return operator === "==" ? false : null;
  if (!isErrno(one) || against.is < 0) return null;
  return operator === "<";
}

/** `-EAGAIN`: below 0. */
const isErrno = (one: Case): boolean => one.kind === "constant" && /^-E[A-Z0-9]+$/.test(one.name);

/** Questions of one family, and for each case of their subject the answers, in the same order. */
export interface Family {
  readonly questions: readonly Question[];
  readonly cases: readonly (readonly (boolean | null)[])[];
}

/** `isCount`: the subject is never below 0. */
export function familyOf(questions: readonly Question[], isCount: boolean): Family {
  const tests = questions.map(testOf);
  const points = [...new Set(tests.flatMap(({ against }) => (against.kind === "number" ? [against.is] : [])))].toSorted((a, b) => a - b);
  const numbers = [...new Set([...points.flatMap((one) => [one - 0.5, one]), (points.at(-1) ?? 0) + 0.5])].filter((one) => !isWithout(one, points, isCount));
  const names = [...new Set(tests.flatMap(({ against }) => (against.kind === "constant" ? [against.name] : [])))];
  const all: Case[] = [...numbers.map((is): Case => ({ kind: "number", is })), ...names.map((name): Case => ({ kind: "constant", name }))];
  const answers = all.map((one) => questions.map((question, index) => answerIn(question, tests[index] as Test, one)));
  const distinct = new Map(answers.map((row) => [row.join(), row]));
  return { questions, cases: [...distinct.values()] };
}

/** A gap in which there is no whole number, or none that a count can be. */
function isWithout(one: number, points: readonly number[], isCount: boolean): boolean {
  if (isCount && one < 0) return true;
  if (Number.isInteger(one)) return false;
  return points.includes(Math.floor(one)) && points.includes(Math.ceil(one));
}

const UNSIGNED = /^(?:unsigned\b.*|size_t|bool|u(?:8|16|32|64)|__u(?:8|16|32|64)|pgoff_t|gfp_t|vm_flags_t|uint\w*_t)$/;

/** True for a term whose declaration says that it is never below 0. */
export function isCount({ term }: Subject, variables: ReadonlyMap<string, Variable>): boolean {
  const variable = term?.kind === "name" ? variables.get(term.name) : undefined;
  return variable !== undefined && (variable.pointers > 0 || UNSIGNED.test(variable.type));
}
