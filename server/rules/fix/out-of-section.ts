// SPDX-License-Identifier: GPL-2.0-only
import { sectionDepth } from "../../scenarios/atomic-call.ts";
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import type { Fix } from "../rule.ts";
import { insertAfter, insertBefore, joined, lineEnd, removeStatement, statementAt, type Edits } from "./statement-edits.ts";

/*
 * A statement that stands at the edge of a section that must not sleep, moved over that edge. What it works with must not be what
 * the section protects: only local values and parameters, or behind the section an object that is worked with there as well.
 */

export function outOfSectionFixes(program: EffectProgram, call: CallNode): readonly Fix[] {
  const fn = functionText(program);
  const statement = fn && statementAt(fn, call.at);
  if (!fn || statement?.kind !== "simple" || statement.at !== call.at || !isCallAlone(fn, statement)) return [];
  return [...offered(`${call.name}() before the section`, above(fn, program, statement)), ...offered(`${call.name}() behind the section`, below(fn, program, statement))];
}

/** A call, or one whose value goes to a variable: what goes to an object may be for others to see in the section only. */
const isCallAlone = ({ code }: FunctionText, { at, end }: StatementPlace): boolean => /^(?:\w+\s*=\s*)?\w+\s*\(/.test(code.slice(at, end));

const offered = (title: string, edits: Edits): readonly Fix[] => (edits ? [{ title, edits }] : []);

function above(fn: FunctionText, program: EffectProgram, statement: StatementPlace): Edits {
  const list = statement.parent?.children ?? [];
  const enter = list[list.indexOf(statement) - 1];
  if (!enter || !isEdge(program, enter, "enter") || !isOwn(fn, program, statement, []) || sharesNames(fn, program, enter, statement)) return null;
  return joined(insertBefore(fn, enter, linesOf(fn, statement)), removeStatement(fn, statement));
}

function below(fn: FunctionText, program: EffectProgram, statement: StatementPlace): Edits {
  const list = statement.parent?.children ?? [];
  const [leave, ...behind] = list.slice(list.indexOf(statement) + 1);
  if (!leave || !isEdge(program, leave, "leave") || !isOwn(fn, program, statement, behind) || isFoundInside(fn, program, statement)) return null;
  return joined(removeStatement(fn, statement), insertAfter(fn, leave, linesOf(fn, statement)));
}

/** A statement with the comment behind it; one on several lines keeps their indentation. */
const linesOf = ({ text }: FunctionText, { at, end }: StatementPlace): readonly string[] => [text.slice(at, lineEnd(text, end)).trimEnd()];

/** True for a statement that is a call, which enters a section for certain, or leaves one. */
function isEdge(program: EffectProgram, { kind, at, end }: StatementPlace, way: "enter" | "leave"): boolean {
  const calls = program.nodes.filter((node): node is CallNode => node.kind === "call" && node.at >= at && node.at < end && node.inlined === undefined);
  const [only, ...others] = calls;
  if (kind !== "simple" || !only || others.length > 0) return false;
  return only.effects.some((effect) => edgeOf(effect) === way && !("held" in effect && effect.held !== undefined && effect.held !== "always"));
}

/** A mapped entry is a section of its own with high page tables, up to 6.4. */
const edgeOf = (effect: BoundEffect): ReturnType<typeof sectionDepth> => sectionDepth(effect) ?? (effect.kind === "mapPte" ? "enter" : effect.kind === "unmapPte" ? "leave" : null);

const wordsOf = ({ code }: FunctionText, { at, end }: StatementPlace): readonly string[] => [...code.slice(at, end).matchAll(/(?<![\w.]|->)[A-Za-z_]\w*\b(?!\s*\()/g)].map(([word]) => word);

/** True for a statement that works with the function's own values, and with objects that statements behind it work with too. */
function isOwn(fn: FunctionText, program: EffectProgram, statement: StatementPlace, behind: readonly StatementPlace[]): boolean {
  const later = new Set(behind.flatMap((one) => wordsOf(fn, one)));
  const followed = new Set([...fn.code.slice(statement.at, statement.end).matchAll(/\b(\w+)\s*(?:->|\[)/g)].map(([, base]) => base ?? ""));
  const isKnown = (word: string): boolean => program.variables.has(word) || /^[A-Z][A-Z0-9_]*$|^(?:true|false)$/.test(word);
  return wordsOf(fn, statement).every(isKnown) && [...followed].every((base) => later.has(base));
}

/** True where the statement works with a value that the section has found: nothing keeps what it stands for behind it. */
function isFoundInside(fn: FunctionText, program: EffectProgram, statement: StatementPlace): boolean {
  const enters = program.nodes.flatMap((node) => (node.kind === "call" && node.at < statement.at && node.effects.some((effect) => edgeOf(effect) === "enter") ? [node.at] : []));
  const from = Math.max(-1, ...enters);
  const names = new Set(wordsOf(fn, statement));
  return program.nodes.some((node) => {
    const target = node.kind === "assign" ? render(node.target) : node.kind === "call" ? node.result : null;
    return target !== null && names.has(target) && "at" in node && node.at >= from && node.at < statement.at;
  });
}

/** True where the section's beginning and the statement have a variable in common that one of them sets. */
function sharesNames(fn: FunctionText, program: EffectProgram, one: StatementPlace, other: StatementPlace): boolean {
  const targets = [one, other].flatMap(({ at, end }) => /^(\w+)\s*=[^=]/.exec(fn.code.slice(at, end))?.[1] ?? []);
  const [first, second] = [new Set(wordsOf(fn, one)), new Set(wordsOf(fn, other))];
  return targets.some((name) => first.has(name) && second.has(name) && program.variables.has(name));
}
