// SPDX-License-Identifier: GPL-2.0-only
import { nameIn } from "../../kernel/mechanism.ts";
import { atLeast, type Release } from "../../kernel/release.ts";
import type { CallNode, EffectProgram } from "../../program/program.ts";
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import type { Fix } from "../rule.ts";
import { argumentsAt, insertAfter, insertBefore, joined, removeStatement, replaced, statementAt, statementsIn, type Edits } from "./statement-edits.ts";
import { writtenCall } from "./release-call.ts";

/*
 * The lockless walk beside fork(), as 57efa1fe5957 has it: write_protect_seq is read before the walk, an odd value ends it; read
 * again behind it, and where it has changed, everything that was pinned is given back.
 */

interface Walk {
  readonly fn: FunctionText;
  readonly walker: StatementPlace;
  readonly list: readonly StatementPlace[];
  readonly pages: string;
  readonly count: string;
  readonly flags: string;
  /** Statement that reads the counter. */
  readonly read: StatementPlace | null;
  /** The test that reads it again, with what is asked around it. */
  readonly again: StatementPlace | null;
  readonly put: string;
  /** The counter, and the variable that its value is in. */
  readonly counter: string;
  readonly value: string;
}

export function besideForkFixes(program: EffectProgram, call: CallNode, release: Release): readonly Fix[] {
  const fn = functionText(program);
  const walk = fn && walkOf(fn, program, call, release);
  if (!walk) return [];
  const ways: readonly (readonly [string, Edits])[] = [
    ["Give back what was pinned where the counter has changed", givenBack(walk)],
    ["Give back as many pages as were pinned", asMany(walk)],
    ["Leave the walk where the counter is odd: fork() is at work", oddTested(walk)],
    ["Read the counter before the walk", readBefore(walk)],
    ["Read the counter again behind the walk, and give back what was pinned", readAgain(walk)],
  ];
  return ways.flatMap(([title, edits]) => (edits && edits.length > 0 ? [{ title, edits }] : [])).map((fix, index) => (index > 0 ? { ...fix, isFallback: true as const } : fix));
}

/** The release that does not look at the pages: beside fork() they may be shared by now. */
export function uncheckedReleaseFixes(program: EffectProgram, call: CallNode, release: Release): readonly Fix[] {
  const fn = functionText(program);
  const written = fn && writtenCall(fn, call);
  if (!written || call.name !== "unpin_user_pages" || !atLeast(release, "5.19")) return [];
  const callee = nameIn("release-beside-fork", release);
  return [{ title: `Give the pages back with ${callee}()`, edits: [replaced(written.at, written.end, `${callee}(${written.args.join(", ")})`)] }];
}

function walkOf(fn: FunctionText, program: EffectProgram, call: CallNode, release: Release): Walk | null {
  const [walker, written] = [statementAt(fn, call.at), writtenCall(fn, call)];
  const [, , flags, pages, count] = written?.args ?? [];
  if (walker?.kind !== "simple" || flags === undefined || pages === undefined || !/^&\w+$/.test(count ?? "")) return null;
  const all = statementsIn(fn.block);
  const read = all.find((one) => one.kind === "simple" && /^\w+\s*=\s*raw_read_seqcount\(/.test(fn.code.slice(one.at, one.end))) ?? null;
  const value = read ? /^\w+/.exec(fn.code.slice(read.at, read.end))?.[0] : [...program.variables].find(([name, { type }]) => /seq/.test(name) && /int|long/.test(type))?.[0];
  const retry = all.find((one) => one.condition !== null && fn.code.slice(one.condition.at, one.condition.end).includes("read_seqcount_retry("));
  if (value === undefined) return null;
  return {
    fn, walker, list: walker.parent?.children ?? [], pages, count: (count ?? "").slice(1), flags, read, again: retry ? outermost(walker, retry) : null,
    put: nameIn("release-beside-fork", release), counter: counterOf(fn, read), value,
  };
}

const counterOf = (fn: FunctionText, read: StatementPlace | null): string => {
  const at = read ? fn.code.indexOf("raw_read_seqcount(", read.at) : -1;
  const [only] = at < 0 ? [] : (argumentsAt(fn, at)?.args ?? []);
  return only ? fn.text.slice(only.at, only.end) : "&current->mm->write_protect_seq";
};

/** The statement around another one that stands in the walker's row. */
function outermost(walker: StatementPlace, inner: StatementPlace): StatementPlace {
  let found = inner;
  while (found.parent && found.parent !== walker.parent) found = found.parent;
  return found;
}

const isBehind = (one: StatementPlace | null, walker: StatementPlace): one is StatementPlace => one !== null && one.at > walker.at;

/** Statements that give pins back, below the second read. */
const putsIn = ({ fn }: Walk, again: StatementPlace): readonly StatementPlace[] =>
  statementsIn(again).filter((one) => one.kind === "simple" && /^unpin_user_pages\w*\(/.test(fn.code.slice(one.at, one.end)));

function givenBack(walk: Walk): Edits {
  const { fn, walker, again, put, pages, count } = walk;
  if (!isBehind(again, walker) || putsIn(walk, again).length > 0) return null;
  const outs = statementsIn(again).filter((one) => one.kind === "return");
  return outs.length === 0 ? null : joined(...outs.map((one) => insertBefore(fn, one, [`${put}(${pages}, ${count});`])));
}

function asMany(walk: Walk): Edits {
  const { fn, walker, again, pages, count } = walk;
  if (!isBehind(again, walker)) return null;
  return putsIn(walk, again).flatMap((one) => {
    const found = argumentsAt(fn, one.at);
    const words = found?.args.map(({ at, end }) => fn.text.slice(at, end)).join(", ");
    return found && words !== `${pages}, ${count}` ? [replaced(found.open + 1, found.close, `${pages}, ${count}`)] : [];
  });
}

const oddLines = ({ value }: Walk): readonly string[] => [`if (${value} & 1)`, "\treturn 0;"];

function oddTested(walk: Walk): Edits {
  const { fn, walker, read } = walk;
  return read && read.at < walker.at ? insertAfter(fn, read, oddLines(walk)) : null;
}

/** The statement in front of which nothing of the walk has begun. */
function beginning({ fn, list, walker }: Walk): StatementPlace {
  const before = list[list.indexOf(walker) - 1];
  return before && /^local_irq_(?:save|disable)\(/.test(fn.code.slice(before.at, before.end)) ? before : walker;
}

function readBefore(walk: Walk): Edits {
  const { fn, walker, read, counter, flags, value } = walk;
  if (!isBehind(read, walker)) return null;
  const lines = [`if (${flags} & FOLL_PIN) {`, `\t${value} = raw_read_seqcount(${counter});`, ...oddLines(walk).map((line) => `\t${line}`), "}", ""];
  return joined(removeStatement(fn, read), insertBefore(fn, beginning(walk), lines));
}

function readAgain(walk: Walk): Edits {
  const { fn, list, walker, again, counter, flags, value, put, pages, count } = walk;
  if (isBehind(again, walker)) return null;
  const next = list[list.indexOf(walker) + 1];
  const end = next && /^local_irq_(?:restore|enable)\(/.test(fn.code.slice(next.at, next.end)) ? next : walker;
  const lines = ["", `if (${flags} & FOLL_PIN) {`, `\tif (read_seqcount_retry(${counter}, ${value})) {`, `\t\t${put}(${pages}, ${count});`, "\t\treturn 0;", "\t}", "}"];
  return joined(again ? removeStatement(fn, again) : [], insertAfter(fn, end, lines));
}
