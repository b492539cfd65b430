// SPDX-License-Identifier: GPL-2.0-only
import { EMPTY_STATE } from "../analysis/state.ts";
import { normalize } from "../analysis/truth.ts";
import { isHardAnswer, TRANSIENT } from "../kernel/missing-table.ts";
import type { AssignNode, CallNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { textAt } from "../program/place.ts";
import { namesIn, render } from "../program/render.ts";
import { errnosAt, errorCodeOf } from "../scenarios/error-code.ts";
import { isWarnedOf } from "../scenarios/lost-allocation.ts";
import { replaced } from "./fix/statement-edits.ts";
import { resultWays, whereNull, type ResultHere } from "./result-ways.ts";
import { placeOf, type At, type Fix, type Site } from "./rule.ts";

/*
 * What a function answers where an entry could not be mapped: the code that the way behind the test gives, as long as nothing
 * else is asked on it.
 */

export interface HardAnswer {
  /** As it stands in the text: `-EFAULT`, `BUG_ON()`. */
  readonly code: string;
  readonly place: At;
  /** An answer that the caller gets, an assertion that stops the kernel, or a warning. */
  readonly how: "error" | "bug" | "warn";
}

/** Answers after which nobody looks again, in order of text. */
export function hardAnswers(site: Site): readonly HardAnswer[] {
  const { program, node, call } = site;
  if (program.openEnd) return [];
  const ways = resultWays(program, node, whereNull, ({ id, names }) => id === node || isTest(program.nodes[id], names));
  const found = ways.flatMap(({ id, names }): readonly HardAnswer[] => {
    const one = program.nodes[id];
    const asserted = one?.kind === "call" ? assertsMapped(one, names) : null;
    if (one?.kind === "call" && asserted !== null) return [{ code: `${one.name}()`, place: placeOf(program, one), how: asserted }];
    const next = one?.kind === "branch" ? whereNull(one, names) : null;
    if (one?.kind === "branch" && next !== null && isWarnedOf(program, one.at)) return [{ code: "", place: placeOf(program, one), how: "warn" }];
    const answer = next === null ? null : answerBehind(program, next, node);
    return answer === null || isHeeded(site, answer.code) ? [] : [{ code: answer.code, place: answer.at ?? placeOf(program, call), how: "error" }];
  });
  const byPlace = new Map(found.map((one) => [one.place.at, one]));
  return [...byPlace.values()].toSorted((a, b) => a.place.at - b.place.at);
}

const isTest = (node: ProgramNode | undefined, names: ResultHere["names"]): boolean =>
  node?.kind === "unseen" || (node?.kind === "branch" && whereNull(node, names) !== null) || (node?.kind === "call" && assertsMapped(node, names) === "bug");

/** `BUG_ON(!pte)`, `WARN_ON_ONCE(!pte)`; null: neither. */
function assertsMapped({ effects, args }: CallNode, names: ResultHere["names"]): "bug" | "warn" | null {
  for (const effect of effects) {
    if (effect.kind !== "bugIf" || effect.condition === null || args.length !== 1) continue;
    const { key, inverted } = normalize(EMPTY_STATE, effect.condition);
    if (inverted && names.has(key)) return effect.how === "warn" ? "warn" : "bug";
  }
  return null;
}

/** The answer that straight code gives; `at` null: it was prepared above. Null: none, or one that asks to look again. */
function answerBehind(program: EffectProgram, from: NodeId, map: NodeId): { readonly code: string; readonly at: At | null } | null {
  let id = from;
  for (let steps = 0; steps < program.nodes.length; steps++) {
    const node = program.nodes[id];
    if (!node || node.kind === "branch" || node.kind === "choice" || node.kind === "exit" || node.kind === "stop" || node.kind === "unseen") return null;
    if (node.kind === "assign" || node.kind === "return") {
      const code = errorCodeOf(node.value);
      if (code !== null) return isHardAnswer(code) && (node.kind === "return" || isAnswer(program, node)) ? { code: `-${code}`, at: { program, at: node.at, end: node.end } } : null;
    }
    if (node.kind === "return") return node.value?.kind === "name" ? preparedAnswer(program, map, node.value.name) : null;
    id = node.next;
  }
  return null;
}

/** What a variable was given above the map, where that is one code. */
function preparedAnswer(program: EffectProgram, map: NodeId, name: string): { readonly code: string; readonly at: null } | null {
  if (isOnlyAnswer(program)) return null;
  const sources = new Set([name, ...program.nodes.flatMap((node) => (node.kind === "assign" && render(node.target) === name && node.value?.kind === "name" ? [node.value.name] : []))]);
  for (const source of sources) {
    const [code, ...others] = errnosAt(program, map, source) ?? [];
    if (code !== undefined && others.length === 0 && isHardAnswer(code)) return { code: `-${code}`, at: null };
  }
  return null;
}

/** True where an entry that changed in the meantime gets the one answer that there is: it says no more than that it did not work. */
const isOnlyAnswer = ({ image, start, end }: EffectProgram): boolean => {
  const text = textAt(image, start, end);
  return /\bp[mt][de]_same\(/.test(text) && new Set(text.match(/-E[A-Z]+\b/g)).size === 1;
};

/** A variable whose value the function returns, itself or through a copy: not one of many answers of it. */
function isAnswer(program: EffectProgram, { target }: AssignNode): boolean {
  if (target.kind !== "name") return false;
  const returned = new Set(program.nodes.flatMap((node) => (node.kind === "return" && node.value ? [render(node.value)] : [])));
  for (const node of program.nodes) if (node.kind === "assign" && node.value && returned.has(render(node.target)) && node.target.kind === "name") returned.add(render(node.value));
  return returned.has(target.name);
}

/** True where somebody who calls the function looks for that very code: then it may be tried again. */
const isHeeded = ({ unit, program }: Site, code: string): boolean =>
  unit.programs.some((one) =>
    one.nodes.some((node) => node.kind === "call" && node.name === program.name) &&
    one.nodes.some((node) => (node.kind === "branch" && namesIn(node.condition).includes(code.replace(/^-/, ""))) || (node.kind === "choice" && node.on !== undefined && node.outs.some(({ label }) => label.includes(code)))));

/** The same answer as one that asks the caller to look again. */
export function softerFixes(program: EffectProgram, code: string, { at, end }: At): readonly Fix[] {
  const from = program.image.text.slice(at, end).indexOf(code);
  return from < 0 ? [] : [{ title: `-${TRANSIENT}: the caller looks again`, edits: [replaced(at + from, at + from + code.length, `-${TRANSIENT}`)] }];
}
