// SPDX-License-Identifier: GPL-2.0-only
import type { Unit } from "../analysis/unit.ts";
import type { Value } from "../program/code.ts";
import { bodyOf, wordsIn } from "../program/code-text.ts";
import { extent } from "../program/extent.ts";
import { rowAt, textAt } from "../program/place.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";
import type { At, MessageLine, PatchFacts, Subject } from "./rule.ts";

/*
 * Parameters that a patch takes the effect from. Words are counted, not meanings: a word anywhere in the body, in whatever
 * configuration, is a use.
 */

/** A parameter that the old side of a function uses, and the new side does not. */
export interface LostParameter {
  readonly program: EffectProgram;
  readonly name: string;
  /** The calls that were given it and are given a constant now; null where uses went away in some other way. */
  readonly overridden: readonly { readonly place: At; readonly value: string }[] | null;
  /** Whether the patch, or the tree, shows all of the function. */
  readonly isSeenWhole: boolean;
  /** A comment that the patch adds to the function or above it, and that speaks of the parameter. */
  readonly remark: MessageLine | null;
}

/** The parameters that a patch leaves without a use in the code that it shows, in order of text. */
export function lostParameters({ unit, old, patch }: Subject): LostParameter[] {
  if (!old) return [];
  return unit.programs.flatMap((program) => {
    const before = sameIn(old, unit, program);
    if (!before) return [];
    return parametersOf(program).filter((name) => parametersOf(before).includes(name)).flatMap((name): LostParameter[] => {
      const uses = wordsIn(bodyOf(before).code, name).length;
      if (uses === 0 || wordsIn(bodyOf(program).code, name).length > 0) return [];
      return [{ program, name, overridden: overriddenIn(before, program, name, uses), isSeenWhole: isSeenWhole(program) && isSeenWhole(before), remark: remarkOn(program, name, patch?.comments ?? []) }];
    });
  });
}

/** The old side of a function; of several definitions of one name (`#ifdef` and its stub) the one in the same place among them. */
function sameIn(old: Unit, unit: Unit, program: EffectProgram): EffectProgram | null {
  const definitions = ({ programs }: Unit): readonly EffectProgram[] => programs.filter((one) => one.name === program.name && one.image.path === program.image.path);
  const [before, after] = [definitions(old), definitions(unit)];
  return before.length === after.length ? (before[after.indexOf(program)] ?? null) : null;
}

const parametersOf = ({ variables }: EffectProgram): readonly string[] => [...variables.values()].filter(({ isParameter }) => isParameter).map(({ name }) => name);

const isSeenWhole = ({ openStart, openEnd, nodes }: EffectProgram): boolean => !openStart && !openEnd && nodes.every(({ kind }) => kind !== "unseen");

const ownCalls = ({ nodes }: EffectProgram): readonly CallNode[] => nodes.filter((node): node is CallNode => node.kind === "call" && node.inlined === undefined);

/** Every use was an argument, and the same argument of as many calls is a constant now. */
function overriddenIn(before: EffectProgram, after: EffectProgram, name: string, uses: number): LostParameter["overridden"] {
  const given = argumentsWhere(before, (value) => value.kind === "name" && value.name === name);
  // An argument that is computed of it, or a condition on it, is something else.
  if (given.length !== uses) return null;
  const constants = argumentsWhere(after, isConstant);
  const taken = given.flatMap(({ key }) => {
    const at = constants.findIndex((one) => one.key === key);
    return at < 0 ? [] : constants.splice(at, 1);
  });
  return taken.length === given.length ? taken.map(({ value }) => ({ place: { program: after, at: extent(value).at, end: extent(value).end }, value: textAt(after.image, extent(value).at, extent(value).end) || render(value) })) : null;
}

/** Arguments of calls, by callee and position. */
const argumentsWhere = (program: EffectProgram, isMeant: (value: Value) => boolean) =>
  ownCalls(program).flatMap((call) => call.args.flatMap((value, index) => (call.at >= 0 && isMeant(value) ? [{ key: `${call.name} ${index}`, value }] : [])));

const isConstant = (value: Value): boolean => value.kind === "number" || (value.kind === "name" && /^(?:true|false|NULL|[A-Z][A-Z0-9_]+)$/.test(value.name));

/** `'write'`, `@write`: a comment means the parameter where it sets it off. */
const QUOTED = (name: string): RegExp => new RegExp(`(?:@|(['"\`]))${name}(?!\\w)`);

/** True where a comment of the patch sets some name off: it may be that of a parameter. */
export const speaksOfNames = ({ comments }: Pick<PatchFacts, "comments">): boolean => comments.some(({ text }) => QUOTED("\\w+").test(text));

/** The first mention in a comment that the patch adds inside of the function or right above it. */
function remarkOn(program: EffectProgram, name: string, comments: PatchFacts["comments"]): MessageLine | null {
  const said = comments.filter(({ path, text }) => path === program.image.path && QUOTED(name).test(text));
  return said.find(({ line, below }) => isHeadOf(program.name, below) || holds(program, line)) ?? null;
}

/** True where a line of the document is one of the function. */
function holds({ image, start, end }: EffectProgram, line: number): boolean {
  const rows = image.lines.slice(rowAt(image, start), rowAt(image, end - 1) + 1);
  return rows.some((row) => row.line === line);
}

/** True where the first thing that code begins with is the function. */
const isHeadOf = (name: string, code: string): boolean => /^[^;{}()]*?\b(\w+)\s*\(/.exec(code)?.[1] === name;
