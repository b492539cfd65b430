// SPDX-License-Identifier: GPL-2.0-only
import { functionText, type FunctionText } from "../../program/statements.ts";
import type { CallNode, EffectProgram } from "../../program/program.ts";
import type { Fix } from "../rule.ts";
import { aroundSection, stretchAround } from "./section.ts";
import { calleeAt, joined, removeStatement, statementAt, type Edits } from "./statement-edits.ts";

/** Ends and uses that are tried: what is used too late is mostly used right behind its end. */
const MOST_TRIED = 4;

/**
 * The call that ends something, moved behind a use that comes after it, and in front of every jump in between. Which end, and
 * how far, is for the simulator to say: the nearest end above the use comes first, and all later uses before the first of them alone.
 */
export function laterEndFixes(program: EffectProgram, use: CallNode, isEnd: (call: CallNode) => boolean, isUse: (call: CallNode) => boolean): readonly Fix[] {
  const fn = functionText(program);
  if (!fn) return [];
  const own = program.nodes.filter((node): node is CallNode => node.kind === "call" && node.inlined === undefined && node.at >= fn.start && node.at < fn.end);
  const ends = own.filter((node) => node.at < use.at && isEnd(node)).toSorted((a, b) => b.at - a.at).slice(0, MOST_TRIED);
  return ends
    .flatMap((end): readonly (readonly [CallNode, Edits])[] => {
      const uses = own.filter((node) => node.at >= use.at && (node === use || isUse(node))).map(({ at }) => at);
      return [uses, ...(uses.length > 1 ? [[use.at]] : [])].map((inside) => [end, movedBehind(fn, end, inside)] as const);
    })
    .flatMap(([end, edits]) => (edits ? [{ title: `${fn.text.slice(calleeAt(fn, end), end.end)} after the last use`, edits }] : []))
    .map((fix, index) => (index === 0 ? fix : { ...fix, isFallback: true as const }));
}

/** The statement of a call behind the last of some offsets, which stand in statements beside it. */
function movedBehind(fn: FunctionText, end: CallNode, uses: readonly number[]): Edits {
  const statement = statementAt(fn, end.at);
  if (statement?.kind !== "simple" || statement.at !== end.at) return null;
  const list = statement.parent?.children ?? [];
  const next = list[list.indexOf(statement) + 1];
  const within = next ? uses.filter((at) => at < (list.at(-1)?.end ?? 0)) : [];
  if (!next || within.length === 0) return null;
  // Ways out between the end and the first use leave what they find ended.
  const inside = [next.at, ...within];
  if (stretchAround(fn, inside)?.start !== next.at) return null;
  return joined(removeStatement(fn, statement), aroundSection(fn, { inside, before: [], after: [fn.text.slice(statement.at, statement.end)] }));
}
