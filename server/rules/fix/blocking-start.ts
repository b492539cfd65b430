// SPDX-License-Identifier: GPL-2.0-only
import { spins } from "../../kernel/lock-order.ts";
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { namesIn, render } from "../../program/render.ts";
import type { Fix } from "../rule.ts";
import { withoutLeftovers } from "./leftovers.ts";
import { aroundSection, stretchAround } from "./section.ts";
import { argumentsAt, calleeAt, indentAt, joined, removeStatement, replaceStatement, statementAt, unlabeled, type Edits } from "./statement-edits.ts";

const START = "mmu_notifier_invalidate_range_start";
const END = "mmu_notifier_invalidate_range_end";

/** A blocking start in the place of a non-blocking one, and one above everything that is atomic. */
export function blockingStartFixes(program: EffectProgram, found: CallNode): readonly Fix[] {
  const fn = functionText(program);
  const call = fn ? { ...found, at: calleeAt(fn, found) } : found;
  const range = fn && argumentsAt(fn, call.at)?.args[0];
  const statement = fn && statementAt(fn, call.at);
  if (!fn || !range || !statement) return [];
  const start = `${START}(${fn.text.slice(range.at, range.end)});`;
  const offered: readonly (Omit<Fix, "edits"> & { readonly edits: Edits })[] = [
    { title: "Start the invalidation with the call that may block, here", edits: inPlace(fn, statement, call, start) },
    { title: "Start the invalidation before anything is mapped or locked, end it after the last unmap", edits: hoisted(program, fn, statement, call, start), isFallback: true as const },
  ];
  return offered.flatMap(({ edits, ...fix }) => {
    const all = withoutLeftovers(fn, edits);
    return all ? [{ ...fix, edits: all }] : [];
  });
}

/** A blocking start above everything that is atomic, and its end below. */
export function rangeAroundFixes(program: EffectProgram, found: CallNode): readonly Fix[] {
  const fn = functionText(program);
  const range = fn && argumentsAt(fn, found.at)?.args[0];
  const statement = fn && statementAt(fn, found.at);
  const edits = fn && range && statement ? withoutLeftovers(fn, hoisted(program, fn, statement, found, `${START}(${fn.text.slice(range.at, range.end)});`)) : null;
  return edits ? [{ title: "Start the invalidation before anything is mapped or locked, end it after the last unmap", edits, isFallback: true }] : [];
}

function inPlace(fn: FunctionText, statement: StatementPlace, call: CallNode, start: string): Edits {
  if (statement.kind === "return") return isAlone(fn, statement, call, /^return\s*$/) ? replaceStatement(fn, statement, [start, "return 0;"]) : null;
  if (statement.kind === "if") return isAsked(statement, call) && statement.children.length === 1 ? replaceStatement(fn, statement, [start]) : null;
  const value = valueOf(fn, statement, call);
  if (!value) return null;
  const reset = value.name === null ? [] : resetOf(fn, statement, value.name, value.test);
  return reset && joined(replaceStatement(fn, statement, [start, ...reset]), value.test ? removeStatement(fn, value.test) : []);
}

/** True where nothing but the given words stands in front of the call in its statement, and nothing behind it. */
const isAlone = ({ code }: FunctionText, statement: StatementPlace, call: CallNode, front: RegExp): boolean =>
  front.test(code.slice(statement.at, call.at)) && /^\s*(?:\?:\s*0\s*)?;?$/.test(code.slice(call.end, statement.end));

const isAsked = ({ condition }: StatementPlace, call: CallNode): boolean => condition !== null && condition.at <= call.at && call.end <= condition.end;

/** Where the result of the start goes, and the test of it behind the call; null for a statement that does something else, too. */
function valueOf(fn: FunctionText, statement: StatementPlace, call: CallNode): { readonly name: string | null; readonly test: StatementPlace | null } | null {
  if (statement.kind !== "simple") return null;
  if (isAlone(fn, statement, call, /^(?:\(\s*void\s*\))?\s*$/)) return { name: null, test: null };
  const name = /^(\w+)\s*\|?=\s*$/.exec(fn.code.slice(statement.at, call.at))?.[1];
  if (name === undefined || !isAlone(fn, statement, call, /=\s*$/)) return null;
  const list = statement.parent?.children ?? [];
  const next = list[list.indexOf(statement) + 1];
  const words = next?.condition ? fn.code.slice(next.condition.at + 1, next.condition.end - 1).replace(/\b(?:un)?likely\b/g, "") : "";
  const isTest = next?.children.length === 1 && new RegExp(`^[\\s(!]*${name}[\\s)]*(?:(?:[<!=]=?|>=?)\\s*-?\\w+\\s*)?$`).test(words);
  return { name, test: isTest ? next : null };
}

/** What stood for success, where the variable is read later; null where it is asked for more than once. */
function resetOf(fn: FunctionText, statement: StatementPlace, name: string, test: StatementPlace | null): readonly string[] | null {
  const from = (test ?? statement).end;
  const mentions = [...fn.code.slice(from, fn.end).matchAll(new RegExp(`\\b${name}\\b`, "g"))].map(({ index }) => from + index);
  const isWrite = (at: number): boolean => new RegExp(`^${name}\\s*=[^=]`).test(fn.code.slice(at, at + name.length + 20));
  const [first] = mentions;
  const next = first === undefined ? null : statementAt(fn, first);
  if (first === undefined || (next?.kind === "simple" && next.parent === statement.parent && next.at === first && isWrite(first))) return [];
  // Code that goes by the error of the start would be left without sense.
  if (!mentions.every((at) => isWrite(at) || statementAt(fn, at)?.kind === "return")) return null;
  const above = fn.code.slice(fn.block.at, statement.at);
  const isZero = new RegExp(`\\b${name}\\s*=\\s*0\\s*[,;]`).test(above) && [...above.matchAll(new RegExp(`\\b${name}\\b`, "g"))].length === 1;
  return isZero ? [] : [`${name} = 0;`];
}

/** What a blocking start must not stand between. */
const isInside = (effect: BoundEffect): boolean =>
  ["mapPte", "unmapPte", "enterAtomic", "leaveAtomic", "lockEntryTable", "clearEntry", "clearRange", "setEntry"].includes(effect.kind) ||
  ((effect.kind === "acquire" || effect.kind === "release") && spins(effect.lock));

function hoisted(program: EffectProgram, fn: FunctionText, statement: StatementPlace, call: CallNode, start: string): Edits {
  const value = valueOf(fn, statement, call);
  const own = program.nodes.filter((node): node is CallNode => node.kind === "call" && node.at >= program.start && node.at < program.end && node.inlined === undefined);
  const having = (test: (effect: BoundEffect) => boolean): readonly CallNode[] => own.filter((node) => node.effects.some(test));
  const [init, ...inits] = having((effect) => effect.kind === "notifierInit");
  const initial = init && statementAt(fn, init.at);
  const reset = value?.name == null ? [] : resetOf(fn, statement, value.name, value.test);
  if (!value || reset?.length !== 0 || program.openStart || !init || inits.length > 0 || initial?.kind !== "simple") return null;
  const inside = [call.at, ...having(isInside).map((node) => node.at)];
  const stretch = stretchAround(fn, inside);
  if (!stretch || changes(program, init, stretch)) return null;
  const [first] = stretch.statements;
  const indent = indentAt(fn.text, first ? unlabeled(first).at : stretch.start);
  const begin = fn.text.slice(initial.at, initial.end).replaceAll(`\n${indentAt(fn.text, initial.at)}`, `\n${indent}`);
  const ends = having((effect) => effect.kind === "notifierEnd").map((node) => statementAt(fn, node.at));
  const gone = [initial, ...(value.test ? [value.test] : []), statement, ...ends];
  const end = start.replace(START, END);
  return joined(aroundSection(fn, { inside, before: [begin, start], after: [end] }), ...gone.map((one) => one && removeStatement(fn, one)));
}

/** True where something that the range is made of gets its value inside of the stretch. */
function changes(program: EffectProgram, init: CallNode, { start, end }: { readonly start: number; readonly end: number }): boolean {
  const names = new Set(init.args.slice(1).flatMap((arg) => namesIn(arg)));
  return program.nodes.some((node) => {
    if ((node.kind !== "assign" && node.kind !== "call") || node.at < start || node.at >= end) return false;
    const target = node.kind === "assign" ? render(node.target) : node.result;
    return target !== null && names.has(target);
  });
}
