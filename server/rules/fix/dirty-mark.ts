// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram } from "../../program/program.ts";
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import type { Fix } from "../rule.ts";
import { writtenCall } from "./release-call.ts";
import { insertAfter, insertBefore, joined, removeStatement, replaced, statementAt, type Edits } from "./statement-edits.ts";

/*
 * Pages marked dirty while they are still the function's, under the page lock: with the release where one call does both, else
 * page by page in front of it.
 */

const MARK = "set_page_dirty_lock";
const BOTH = "unpin_user_pages_dirty_lock";

/** What was written is marked dirty with the release, or before it. */
export function dirtyReleaseFixes(program: EffectProgram, release: CallNode): readonly Fix[] {
  const fn = functionText(program);
  const written = fn && writtenCall(fn, release);
  if (!fn || !written) return [];
  const edits = withRelease(release, written);
  if (edits) return [{ title: `Give the pages back with ${BOTH}(..., true)`, edits }];
  const [page, ...others] = written.args;
  const statement = statementAt(fn, release.at);
  if (page === undefined || others.length > 0 || statement?.kind !== "simple") return [];
  const late = markBehind(fn, statement, page);
  const moved = joined(insertBefore(fn, statement, [`${MARK}(${page});`]), late ? removeStatement(fn, late) : []);
  return moved ? [{ title: `${MARK}() before ${release.name}()`, edits: moved }] : [];
}

function withRelease(release: CallNode, { at, end, args }: NonNullable<ReturnType<typeof writtenCall>>): Edits {
  const isCounted = release.effects.some((effect) => effect.kind === "unpin" && effect.reference === "pin" && effect.count !== undefined);
  if (!isCounted || (release.name !== "unpin_user_pages" && !release.name.endsWith("_dirty_lock"))) return null;
  const name = release.name === "unpin_user_pages" ? BOTH : release.name;
  return [replaced(at, end, `${name}(${[...args.slice(0, 2), "true"].join(", ")})`)];
}

/** The mark that comes too late. */
function markBehind(fn: FunctionText, statement: StatementPlace, page: string): StatementPlace | null {
  const list = statement.parent?.children ?? [];
  const next = list[list.indexOf(statement) + 1];
  return next && fn.text.slice(next.at, next.end) === `${MARK}(${page});` ? next : null;
}

/** The same mark with the page lock. */
export function lockedMarkFixes(program: EffectProgram, mark: CallNode): readonly Fix[] {
  const fn = functionText(program);
  const written = fn && writtenCall(fn, mark);
  const statement = fn && statementAt(fn, mark.at);
  const [page, ...others] = written?.args ?? [];
  if (!fn || !written || page === undefined || others.length > 0) return [];
  if (mark.name === "set_page_dirty") return [{ title: `${MARK}() takes the page lock`, edits: [replaced(written.at, written.end, `${MARK}(${page})`)] }];
  if (mark.name !== "folio_mark_dirty" || statement?.kind !== "simple") return [];
  const edits = joined(insertBefore(fn, statement, [`folio_lock(${page});`]), insertAfter(fn, statement, [`folio_unlock(${page});`]));
  return edits ? [{ title: "Mark the folio dirty under its lock", edits }] : [];
}
