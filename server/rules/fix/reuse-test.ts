// SPDX-License-Identifier: GPL-2.0-only
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import type { CallNode, EffectProgram } from "../../program/program.ts";
import type { TextEdit } from "../../text/text-edit.ts";
import type { Fix } from "../rule.ts";
import { insertBefore, joined, lineEnd, removeStatement, replaced, statementAt, statementsIn, type Edits } from "./statement-edits.ts";

/*
 * What a write fault goes by: references from 5.9 on, before everything else whether the page is exclusive from 5.19 on. One test
 * is changed; one that would have to wait for the page lock, or to look at the entry again, is more than an edit.
 */

interface Instead {
  readonly title: string;
  readonly of: RegExp;
  readonly by: string;
}

/** Tests that keep pages which somebody else has a reference to. */
const BY_REFERENCES: readonly Instead[] = [
  { title: "Count references, not mappings", of: /\bfolio_mapcount\((\w+)\) != 1/, by: "folio_ref_count($1) != 1" },
  { title: "Count references, not mappings", of: /\bpage_mapcount\((\w+)\) != 1/, by: "page_count($1) != 1" },
  { title: "Count references, too", of: /!reuse_swap_page\((\w+), NULL\)/, by: "page_mapcount($1) != 1 || page_count($1) != 1" },
  { title: "Copy where there are other references", of: /\b(folio_ref_count|page_count)\((\w+)\) == 1/, by: "$1($2) != 1" },
];

const testsIn = (fn: FunctionText): readonly (StatementPlace & { readonly condition: NonNullable<StatementPlace["condition"]> })[] =>
  statementsIn(fn.block).filter((one): one is StatementPlace & { condition: NonNullable<StatementPlace["condition"]> } => one.condition !== null);

/** A page that somebody else can read is not kept. */
export function keepFewerFixes(program: EffectProgram): readonly Fix[] {
  const fn = functionText(program);
  if (!fn) return [];
  const found = testsIn(fn).flatMap(({ condition }) => BY_REFERENCES.flatMap((one) => insteadIn(fn, condition, one)));
  return found.map((fix, index) => (index > 0 ? { ...fix, isFallback: true as const } : fix));
}

function insteadIn({ code }: FunctionText, { at, end }: { readonly at: number; readonly end: number }, { title, of, by }: Instead): readonly Fix[] {
  const match = of.exec(code.slice(at, end));
  if (!match) return [];
  const edit: TextEdit = replaced(at + match.index, at + match.index + match[0].length, match[0].replace(of, by));
  return [{ title, edits: [edit] }];
}

/** What uses the page goes in front of the call that gives the page-table lock up. */
export function usedEarlierFixes(program: EffectProgram, kept: { readonly at: number }, use: CallNode): readonly Fix[] {
  const fn = functionText(program);
  const [keeping, using] = fn ? [statementAt(fn, kept.at), statementAt(fn, use.at)] : [];
  const list = keeping?.parent?.children ?? [];
  if (!fn || !keeping || using?.kind !== "simple" || list[list.indexOf(keeping) + 1] !== using) return [];
  const edits = joined(insertBefore(fn, keeping, [fn.text.slice(using.at, lineEnd(fn.text, using.end)).trimEnd()]), removeStatement(fn, using));
  return edits ? [{ title: `${use.name}() before the page-table lock is given up`, edits }] : [];
}

/** An exclusive page is kept without further tests. */
export function keepExclusiveFixes(program: EffectProgram): readonly Fix[] {
  const fn = functionText(program);
  if (!fn) return [];
  const asked = testsIn(fn).find(({ condition }) => fn.code.slice(condition.at, condition.end).includes("PageAnonExclusive("));
  const edits = asked ? askedOnly(fn, asked.condition) : askedFirst(fn);
  return edits ? [{ title: "Keep an exclusive page without further tests", edits }] : [];
}

function askedOnly({ code }: FunctionText, { at, end }: { readonly at: number; readonly end: number }): Edits {
  const words = code.slice(at + 1, end - 1);
  const question = /^\s*(PageAnonExclusive\([^()]*\))\s*&&/.exec(words)?.[1];
  return question === undefined || words.includes("||") ? null : [replaced(at + 1, end - 1, question)];
}

/** In front of everything else that is asked about an anonymous page. */
function askedFirst(fn: FunctionText): Edits {
  const anonymous = testsIn(fn).find(({ condition }) => /\b(?:folio_test_anon|PageAnon)\(\w/.test(fn.code.slice(condition.at, condition.end)));
  const [block] = anonymous?.children ?? [];
  const first = block?.kind === "block" ? block.children[0] : undefined;
  const hasLabel = statementsIn(fn.block).some((one) => one.kind === "label" && one.name === "reuse");
  const page = /([\w>.-]+)\s*=\s*vm_normal_page\(/.exec(fn.code.slice(fn.start, fn.end))?.[1];
  if (!first || first.kind === "declaration" || !hasLabel || page === undefined) return null;
  return insertBefore(fn, first, [`if (PageAnonExclusive(${page}))`, "\tgoto reuse;", ""]);
}
