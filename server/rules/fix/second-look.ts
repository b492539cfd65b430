// SPDX-License-Identifier: GPL-2.0-only
import { atLeast, type Release } from "../../kernel/release.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import { entryOfPage } from "../../scenarios/walked-page.ts";
import type { Fix } from "../rule.ts";
import { writtenCall } from "./release-call.ts";
import { indentAt, insertAfter, joined, removeStatement, statementAt, statementsIn, type Edits } from "./statement-edits.ts";

type Grab = BoundEffect & { readonly kind: "grabPage" };

/*
 * What a lockless walker asks behind its pin: whether the entry is still the same, then whether the page is still exclusive. A
 * question that stands in front of the pin is moved; on its way out the pin is given back.
 */

export function secondLookFixes(program: EffectProgram, call: CallNode, grab: Grab, about: "moved" | "shared", release: Release): readonly Fix[] {
  const fn = functionText(program);
  const walk = fn && walkOf(fn, program, call, grab, release);
  if (!walk) return [];
  const edits = about === "moved" ? lookBehind(walk) : askBehind(walk);
  return edits ? [{ title: about === "moved" ? "Look at the entry again behind the pin" : "Ask for an exclusive page behind the pin", edits }] : [];
}

interface Walk {
  readonly fn: FunctionText;
  readonly program: EffectProgram;
  /** The row in which the page is grabbed. */
  readonly list: readonly StatementPlace[];
  /** The test whether it was. */
  readonly grabbed: StatementPlace;
  readonly entry: string;
  /** What gives the pin back, and the way out. */
  readonly wayOut: readonly string[];
}

function walkOf(fn: FunctionText, program: EffectProgram, call: CallNode, grab: Grab, release: Release): Walk | null {
  const statement = statementAt(fn, call.at);
  const list = statement?.parent?.children ?? [];
  const grabbed = statement?.condition ? statement : list[list.indexOf(statement as StatementPlace) + 1];
  const entry = entryOfPage(program, grab.page);
  const out = grabbed?.condition && grabbed.children.length === 1 ? jumpIn(grabbed) : null;
  const put = putOf(fn, call, release);
  if (!statement || !grabbed || !entry || !out || put === null) return null;
  return { fn, program, list, grabbed, entry: render(entry), wayOut: [put, fn.text.slice(out.at, out.end)] };
}

const jumpIn = (test: StatementPlace): StatementPlace | null => {
  const [only, ...others] = test.children.flatMap((one) => (one.kind === "block" ? one.children : [one]));
  return only && others.length === 0 && ["goto", "return", "break", "continue"].includes(only.kind) ? only : null;
};

/** The call that gives back what the function grabs, as it does elsewhere, or as GUP does in the release. */
function putOf(fn: FunctionText, call: CallNode, release: Release): string | null {
  const other = statementsIn(fn.block).find((one) => one.kind === "simple" && /^(?:gup_put_folio|put_compound_head)\(/.test(fn.code.slice(one.at, one.end)));
  if (other) return fn.text.slice(other.at, other.end);
  const written = writtenCall(fn, call);
  const [, refs, flags, ...rest] = written?.args ?? [];
  if (call.name !== "try_grab_folio" || call.result === null || refs === undefined || flags === undefined || rest.length > 0 || !atLeast(release, "5.17")) return null;
  return `gup_put_folio(${call.result}, ${refs}, ${flags});`;
}

/** A test that says the entry has changed. */
function isLook({ fn, entry }: Walk, { condition, children }: StatementPlace): boolean {
  const words = condition && children.length === 1 ? fn.code.slice(condition.at, condition.end) : "";
  return /!=|!\s*\w+_same/.test(words) && /_val\(|_same\(/.test(words) && words.includes(entry);
}

const conditionOf = (fn: FunctionText, { condition }: StatementPlace): string => (condition ? fn.text.slice(condition.at + 1, condition.end - 1).trim() : "");

const testLines = (condition: string, { wayOut }: Walk): readonly string[] => [`if (${condition}) {`, ...wayOut.map((line) => `\t${line}`), "}"];

function lookBehind(walk: Walk): Edits {
  const { fn, list, grabbed } = walk;
  const early = list.slice(0, list.indexOf(grabbed)).find((one) => isLook(walk, one));
  const condition = early ? conditionOf(fn, early) : changedCondition(walk);
  if (condition === null) return null;
  return joined(early ? removeStatement(fn, early) : [], insertAfter(fn, grabbed, testLines(condition.replaceAll(`\n${indentAt(fn.text, grabbed.at)}`, "\n"), walk)));
}

/** Reads the entry as it was read first. */
function changedCondition({ fn, program, entry }: Walk): string | null {
  const level = /^(pte|pmd|pud)_t$/.exec(program.variables.get(entry)?.type ?? "")?.[1];
  const read = !/^\w+$/.test(entry) ? null : new RegExp(`\\b${entry}\\s*=\\s*([^=;,][^;]*?)\\s*;`).exec(fn.code.slice(fn.start, fn.end));
  if (level === undefined || read?.[1] === undefined || !/^\w+\(\w+\)$/.test(read[1])) return null;
  return `unlikely(${level}_val(${entry}) != ${level}_val(${read[1]}))`;
}

function askBehind(walk: Walk): Edits {
  const { fn, list, grabbed } = walk;
  const isQuestion = ({ condition, children }: StatementPlace): boolean => condition !== null && children.length === 1 && fn.code.slice(condition.at, condition.end).includes("gup_must_unshare(");
  const early = list.slice(0, list.indexOf(grabbed)).find(isQuestion);
  const look = list.slice(list.indexOf(grabbed) + 1).find((one) => isLook(walk, one));
  if (!early || jumpIn(early) === null) return null;
  return joined(removeStatement(fn, early), insertAfter(fn, look ?? grabbed, testLines(conditionOf(fn, early), walk)));
}
