// SPDX-License-Identifier: GPL-2.0-only
import { spins } from "../../kernel/lock-order.ts";
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import type { BoundEffect, CallNode, EffectProgram, ProgramNode } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import type { Stale } from "../../scenarios/entry-recheck.ts";
import { mapsOf } from "../../scenarios/obligation/foreign-unmap.ts";
import { pointerOf } from "../../scenarios/obligation/handed-on.ts";
import type { Fix } from "../rule.ts";
import { declared, stretchAround } from "./section.ts";
import { insertAfter, insertBefore, joined, statementAt, statementsIn, unlabeled, type Edits } from "./statement-edits.ts";
import { headType } from "./types.ts";

/** The look that is missing: under the lock that the entry is changed under, or where it is read again after a retry. */
export function recheckFixes(program: EffectProgram, call: CallNode, stale: Stale): readonly Fix[] {
  const fn = functionText(program);
  if (!fn) return [];
  switch (stale.is) {
    case "folio":
      return offered(`Compare ${stale.copy} with what ${stale.folio} was found by`, foundBy(fn, program, stale));
    case "entry": {
      if (changesBefore(program, call, stale)) return [];
      const title = `Compare ${stale.pointer} with ${stale.copy} under the lock`;
      const changed = `!pte_same(${readOf(fn, stale.pointer)}, ${stale.copy})`;
      // An entry that was none is none in a table that is gone, too.
      return [...offered(title, underLock(fn, program, call, changed)), ...(stale.faults ? offered(`${title}, and the pmd`, withPmd(fn, program, call, stale.pointer, changed)) : [])];
    }
    case "table":
      return offered(`Compare ${stale.pmd} under the lock with what it was`, withPmd(fn, program, call, stale.pointer));
  }
}

/** A test of the pmd, and of what else is asked, under the lock. */
function withPmd(fn: FunctionText, program: EffectProgram, call: CallNode, pointer: string, changed: string | null = null): Edits {
  const [map, ...others] = mapsOf(program, pointer);
  const pmd = map?.effect.kind === "mapPte" ? render(map.effect.pmd) : null;
  const read = map && pmd !== null && others.length === 0 ? (pmdReadBy(map.effect) ?? readAbove(fn, map.call, pmd)) : null;
  if (!read || call.inlined !== undefined) return null;
  const gone = `!pmd_same(${read.name}, pmdp_get_lockless(${pmd}))`;
  return joined(read.edits, underLock(fn, program, call, changed === null ? gone : `${gone} || ${changed}`));
}

/** A value of the pmd from before the map, and the edits that read it. */
interface PmdRead {
  readonly name: string;
  readonly edits: Edits;
}

/** The variable in which the map leaves what it read of the pmd. */
const pmdReadBy = (map: BoundEffect): PmdRead | null =>
  map.kind === "mapPte" && map.pmdOut?.kind === "unary" && map.pmdOut.operator === "&" ? { name: render(map.pmdOut.of), edits: [] } : null;

/** The pmd read in front of the map: what is there by then may be newer, and not the same is no harm. */
function readAbove(fn: FunctionText, map: CallNode, pmd: string): PmdRead | null {
  const statement = statementAt(fn, map.at);
  const variable = declared(fn, "pmd_t", ["pmdval"]);
  if (!variable || statement?.kind !== "simple") return null;
  return { name: variable.name, edits: joined(variable.edits, insertBefore(fn, statement, [`${variable.name} = pmdp_get_lockless(${pmd});`])) };
}

const offered = (title: string, edits: Edits): readonly Fix[] => (edits ? [{ title, edits }] : []);

/** How the function itself reads an entry. */
const readOf = ({ code, start, end }: FunctionText, pointer: string): string => (/\bptep_get(?:_lockless)?\s*\(/.test(code.slice(start, end)) ? `ptep_get(${pointer})` : `*${pointer}`);

const reads = (node: ProgramNode, copy: string, pointer: string): boolean => {
  if (node.kind === "call") return node.result === copy && node.effects.some((effect) => effect.kind === "accessEntry" && render(pointerOf(effect.pte)) === pointer);
  return node.kind === "assign" && render(node.target) === copy && node.value?.kind === "unary" && node.value.operator === "*" && render(pointerOf(node.value.of)) === pointer;
};

/** The last lock that spins and is taken in front of a call. */
const lockBefore = (program: EffectProgram, call: CallNode): CallNode | null =>
  program.nodes
    .filter((node): node is CallNode => node.kind === "call" && node.inlined === undefined && node.at >= program.start && node.at < call.at && node.effects.some((effect) => effect.kind === "acquire" && spins(effect.lock)))
    .toSorted((a, b) => b.at - a.at)[0] ?? null;

/** True where the copy is no longer what was read when the lock is taken: it would never be the same. */
function changesBefore(program: EffectProgram, call: CallNode, { copy, pointer }: Stale & { is: "entry" }): boolean {
  const lock = lockBefore(program, call);
  return lock === null || program.nodes.some((node) => (node.kind === "assign" ? render(node.target) === copy : node.kind === "call" && node.result === copy) && "at" in node && node.at < lock.at && !reads(node, copy, pointer));
}

/** A test behind the lock, and the way out where something has changed: what comes behind the change, and nothing else. */
function underLock(fn: FunctionText, program: EffectProgram, call: CallNode, condition: string): Edits {
  const lock = lockBefore(program, call);
  const statement = lock && statementAt(fn, lock.at);
  const stretch = lock && stretchAround(fn, [lock.at, call.at]);
  const [first, last] = [stretch?.statements[0], stretch?.statements.at(-1)];
  if (!statement || !first || !last || unlabeled(first) !== statement || first === last || statement.kind !== "simple") return null;
  const out = wayOutBehind(fn, program.name, last);
  return out && insertAfter(fn, first, [`if (${condition}) {`, ...out.map((line) => `\t${line}`), "}"]);
}

/** The calls between a statement of the function's block and its end, and a return that says so. */
function wayOutBehind(fn: FunctionText, name: string, behind: StatementPlace): readonly string[] | null {
  const top = fn.block.children;
  const rest = top.slice(top.indexOf(behind) + 1).map(unlabeled);
  const leave = rest.at(-1);
  const type = headType(fn, name)?.words ?? null;
  const text = (one: StatementPlace): string => fn.text.slice(one.at, one.end);
  const calls = leave?.kind === "return" ? rest.slice(0, -1) : rest;
  if (!top.includes(behind) || type === null || !calls.every((one) => one.kind === "simple" && /^\w+\s*\([^=]*\)\s*;$/.test(text(one)))) return null;
  if (leave?.kind !== "return" && type !== "void") return null;
  const value = /^(?:int|long|ssize_t)$/.test(type) ? "return -EAGAIN;" : leave?.kind === "return" ? text(leave) : "return;";
  return [...calls.map(text), value];
}

/** What the folio was found by is kept with it, and compared where the entry is read on the next pass. */
function foundBy(fn: FunctionText, program: EffectProgram, { copy, pointer, folio }: Stale & { is: "folio" }): Edits {
  const all = program.nodes.filter((node) => "at" in node && node.at >= fn.start && node.at < fn.end);
  const read = all.find((node) => reads(node, copy, pointer));
  const found = all.find((node) => node.kind === "assign" && node.value?.kind === "call" && node.value.args.some((arg) => render(arg) === copy) && /^(?:vm_normal_(?:folio|page)|pte_page)$/.test(node.value.name));
  const [reading, finding] = [read, found].map((node) => (node && "at" in node ? statementAt(fn, node.at) : null));
  const variable = declared(fn, "pte_t", [`${folio}_pte`]);
  if (!reading || !finding || reading.kind !== "simple" || finding.kind !== "simple" || !variable) return null;
  const list = reading.parent?.children ?? [];
  const refused = list.slice(list.indexOf(reading) + 1).find((one) => one.kind === "if");
  const out = refused && refusal(fn, refused);
  if (!refused || !out) return null;
  const test = [`if (${folio} && !pte_same(${variable.name}, ${copy})) {`, ...out.map((line) => `\t${line}`), "}"];
  return joined(insertBefore(fn, refused, test), insertAfter(fn, finding, [`${variable.name} = ${copy};`]), variable.edits);
}

/** What the function does where it does not like the entry, with -EAGAIN for its error; null: it is no way out with an error. */
function refusal(fn: FunctionText, { children }: StatementPlace): readonly string[] | null {
  const [body, ...others] = children;
  const lines = body?.kind === "block" ? body.children : [];
  if (others.length > 0 || !/^(?:goto|return)$/.test(lines.at(-1)?.kind ?? "") || lines.slice(0, -1).some((one) => one.kind !== "simple") || statementsIn(body!).length !== lines.length + 1) return null;
  const texts = lines.map((one) => fn.text.slice(one.at, one.end));
  const again = texts.map((one) => one.replace(/^(\w+\s*=\s*|return\s+)-E[A-Z]+;$/, "$1-EAGAIN;"));
  return again.some((one) => one.endsWith("-EAGAIN;")) ? again : null;
}
