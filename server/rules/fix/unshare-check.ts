// SPDX-License-Identifier: GPL-2.0-only
import { atLeast, type Release } from "../../kernel/release.ts";
import type { Value } from "../../program/code.ts";
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import type { CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { writeTestOf, type Grab } from "../../scenarios/walked-page.ts";
import type { Fix } from "../rule.ts";
import { argumentsAt, calleeAt, insertAfter, lineStart, indentAt, replaced, statementAt, statementsIn, type Edits } from "./statement-edits.ts";

/** The question that a walker forgot, where the answer can still be handled as the code around it does. */
export function unshareCheckFixes(program: EffectProgram, call: CallNode, grab: Grab, entry: Value, release: Release): readonly Fix[] {
  const fn = functionText(program);
  const statement = fn && statementAt(fn, call.at);
  if (!fn || !statement) return [];
  const test = testOf(fn, program, call, grab, entry, release);
  if (!test) return [];
  const ways: readonly (readonly [string, Edits])[] = [
    ["Ask gup_must_unshare() for entries that are not writable", negated(fn, test.write)],
    ["Ask gup_must_unshare() after the entry was read again", afterRereading(fn, statement, entry, test.text)],
    ["Ask gup_must_unshare() before the page is grabbed", beforeGrab(fn, statement, call, test.text)],
  ];
  return ways.flatMap(([title, edits], index) => (edits ? [{ title, edits, ...(index > 0 ? { isFallback: true as const } : {}) }] : []));
}

function testOf(fn: FunctionText, program: EffectProgram, call: CallNode, grab: Grab, entry: Value, release: Release): { readonly write: string; readonly text: string } | null {
  const write = `${writeTestOf(program, entry)}(${render(entry)})`;
  const args = argumentsAt(fn, calleeAt(fn, call))?.args ?? [];
  const textOf = (value: Value): string | null => {
    const found = args[call.args.findIndex((arg) => arg === value || render(arg) === render(value))];
    return found ? fn.text.slice(found.at, found.end) : null;
  };
  const [page, flags] = [textOf(grab.page), textOf(grab.flags)];
  if (page === null || flags === null) return null;
  const vma = [...program.variables.values()].find((one) => one.type === "vm_area_struct" && one.pointers === 1)?.name ?? "NULL";
  const mapping = atLeast(release, "6.2") ? `${vma}, ` : "";
  return { write, text: `!${write} && gup_must_unshare(${mapping}${flags}, ${page})` };
}

/** The question is there and is asked for writable entries. */
function negated(fn: FunctionText, write: string): Edits {
  const test = statementsIn(fn.block).find((one) => one.condition !== null && fn.code.slice(one.condition.at, one.condition.end).includes("gup_must_unshare("));
  if (!test?.condition) return null;
  const at = fn.code.indexOf(write, test.condition.at);
  return at < 0 || at >= test.condition.end || fn.code[at - 1] === "!" ? null : [replaced(at, at, "!")];
}

/** A lockless walker reads the entry again and gives the page back where it has changed: the same way out. */
function afterRereading(fn: FunctionText, grabbing: StatementPlace, entry: Value, test: string): Edits {
  const list = grabbing.parent?.children ?? [];
  const rereads = list.slice(list.indexOf(grabbing) + 1).find((one) => {
    const condition = one.condition ? fn.code.slice(one.condition.at, one.condition.end) : "";
    return one.children.length === 1 && /_val\(|_same\(/.test(condition) && condition.includes(render(entry)) && /!=|!\s*\w+_same/.test(condition);
  });
  if (!rereads?.condition) return null;
  return insertAfter(fn, rereads, [`if (${test})${fn.text.slice(rereads.condition.end, rereads.end)}`]);
}

/** Under the page-table lock the question may come first; its failure is handled as that of the grab. */
function beforeGrab(fn: FunctionText, grabbing: StatementPlace, call: CallNode, test: string): Edits {
  const { condition, children } = grabbing;
  const [handling] = children;
  if (!condition || children.length !== 1 || !handling || call.at >= condition.end) return null;
  const handled = fn.text.slice(handling.at, handling.end);
  if (!handled.includes("-ENOMEM")) return null;
  const indent = indentAt(fn.text, grabbing.at);
  const body = `if (${test})${fn.text.slice(condition.end, grabbing.end).replace(/[ \t]*\/\*[^]*?\*\//g, "")}`.replaceAll("-ENOMEM", "-EMLINK");
  const goesOn = !/\b(?:goto|return)\b/.test(handled);
  const at = goesOn ? grabbing.at : lineStart(fn.text, grabbing.at);
  const link = goesOn ? (body.endsWith("}") ? " else " : `\n${indent}else `) : "\n";
  return [replaced(at, at, `${goesOn ? "" : indent}${body}${link}`)];
}
