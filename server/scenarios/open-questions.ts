// SPDX-License-Identifier: GPL-2.0-only
import type { Value, Variable } from "../program/code.ts";
import { literally } from "../program/literally.ts";
import type { NodeId } from "../program/program.ts";
import { questionOf } from "../program/question.ts";
import type { ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, ne, or, type Expression, type Field } from "../simulator/expression.ts";
import type { Alternative, Assignment } from "../simulator/model.ts";
import { familyOf, isCount, subjectOf, type Family, type Subject } from "./recall.ts";

/** A condition (or a value that becomes one) that the model does not decide, and the node that asks it. */
export interface Asking {
  readonly node: NodeId;
  readonly value: Value;
}

/** Conditions that the model does not decide, by what they compare. */
export function byRelation<T extends Asking>(askings: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const asking of askings) {
    const { text } = subjectOf(asking.value);
    groups.set(text, [...(groups.get(text) ?? []), asking]);
  }
  return groups;
}

/** Texts of questions that have to do with each other: what changes a name in them opens them again. */
export const relatedQuestions = (askings: readonly Asking[]): readonly string[] =>
  [...byRelation(askings).values()].flatMap((group) => (group.length > 1 ? group.map(({ value }) => questionOf(value).key) : []));

/** True where giving the place another value may change the value behind the text. */
export function changes(place: string, text: string): boolean {
  const base = baseOf(place);
  return text.includes(base) && changing(place, base).test(text);
}

const baseOf = (place: string): string => /^[A-Za-z_$]\w*/.exec(place)?.[0] ?? place;

function changing(place: string, base: string): RegExp {
  const known = changers.get(place);
  if (known) return known;
  const name = `(?<![\\w$>.])${literally(base)}(?!\\w)`;
  // `d->n` says nothing about `d->mm`, but much about what is made of d.
  const made = new RegExp(base === place ? name : `(?<![\\w$>.])${literally(place)}(?!\\w)|${name}(?!->|\\.)`);
  if (changers.size > 5000) changers.clear();
  changers.set(place, made);
  return made;
}

const changers = new Map<string, RegExp>();

interface Remembered {
  readonly family: Family;
  readonly subject: Subject;
  /** By question of the family: what was answered (1 true, 2 false, 0 open); null: nobody asks again. */
  readonly memory: readonly (Field | null)[];
  readonly askedAt: ReadonlySet<NodeId>;
}

/**
 * Free choices that know of each other: the same question has the same answer, and related ones go together, until a name in
 * them changes.
 */
export class OpenQuestions {
  readonly #families = new Map<string, Remembered>();
  readonly #next: ReadonlyMap<NodeId, readonly NodeId[]>;
  readonly #local: (key: string) => Field | undefined;

  constructor(
    askings: readonly Asking[],
    variables: ReadonlyMap<string, Variable>,
    next: ReadonlyMap<NodeId, readonly NodeId[]>,
    thread: ThreadBuilder,
    local: (key: string) => Field | undefined,
  ) {
    this.#next = next;
    this.#local = local;
    for (const [text, group] of byRelation(askings)) {
      const subject = subjectOf(group[0]?.value as Value);
      const isKept = subject.term !== null && local(text) !== undefined;
      if (group.length < 2 && !isKept) continue;
      const asked = [...group.map(({ value }) => value), ...(isKept && subject.term ? [subject.term] : [])];
      const questions = [...new Map(asked.map((one) => questionOf(one)).map((one) => [one.key, one])).values()];
      const memory = questions.map(({ key }) => (group.length < 2 || (isKept && key === text) ? null : thread.local(`choice: ${key}`, 0, { hidden: true })));
      this.#families.set(text, { family: familyOf(questions, isCount(subject, variables)), subject, memory, askedAt: new Set(group.map(({ node }) => node)) });
    }
  }

  /** What an outcome of a condition needs and leaves behind. */
  outcome(value: Value, outcome: boolean, node: NodeId): Pick<Alternative, "guard" | "effect"> {
    const { key, inverted } = questionOf(value);
    const remembered = this.#families.get(subjectOf(value).text);
    if (!remembered) return {};
    const answer = outcome !== inverted;
    const index = remembered.family.questions.findIndex((one) => one.key === key);
    const guard = this.#guard(remembered, index, answer);
    const field = remembered.memory[index];
    const effect = field && this.#asksAgain(remembered, node) ? [assign(field, answer ? 1 : 2)] : [];
    return { ...(guard ? { guard } : {}), ...(effect.length > 0 ? { effect } : {}) };
  }

  /** Questions about a place are open again when it gets another value. */
  reset(place: string): Assignment[] {
    return this.#all().flatMap(({ key, field }) => (changes(place, key) ? [assign(field, 0)] : []));
  }

  resetAll(): Assignment[] {
    return this.#all().map(({ field }) => assign(field, 0));
  }

  #all(): { readonly key: string; readonly field: Field }[] {
    return [...this.#families.values()].flatMap(({ family, memory }) => memory.flatMap((field, index) => (field ? [{ key: family.questions[index]?.key ?? "", field }] : [])));
  }

  /** True where a case is left in which this is the answer; null: always. */
  #guard({ family, memory, subject }: Remembered, index: number, answer: boolean): Expression | null {
    const own = memory[index];
    const parts: Expression[] = own ? [ne(own, answer ? 2 : 1)] : [];
    const fits = family.cases.filter((row) => row[index] === answer || row[index] === null);
    const ways = fits.map((row) => family.questions.flatMap((one, other): Expression[] => (other === index ? [] : this.#agrees(one.key, memory[other] ?? null, row[other] ?? null, subject))));
    const shortest = [...new Map(ways.map((way) => [JSON.stringify(way), way])).values()];
    if (!shortest.some((way) => way.length === 0)) parts.push(or(...shortest.map((way) => and(...way))));
    return parts.length === 0 ? null : and(...parts);
  }

  /** That another question was not answered otherwise. */
  #agrees(key: string, field: Field | null, answer: boolean | null, { text }: Subject): Expression[] {
    if (answer === null) return [];
    if (field) return [ne(field, answer ? 2 : 1)];
    const kept = key === text ? this.#local(text) : undefined;
    return kept ? [answer ? ne(kept, 0) : eq(kept, 0)] : [];
  }

  #asksAgain({ askedAt }: Remembered, from: NodeId): boolean {
    const seen = new Set<NodeId>();
    const work = [...(this.#next.get(from) ?? [])];
    for (let id = work.pop(); id !== undefined; id = work.pop()) {
      if (seen.has(id)) continue;
      if (askedAt.has(id)) return true;
      seen.add(id);
      work.push(...(this.#next.get(id) ?? []));
    }
    return false;
  }
}
