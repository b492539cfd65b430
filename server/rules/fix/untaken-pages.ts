// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../../kernel/release.ts";
import type { EffectProgram, NodeId } from "../../program/program.ts";
import type { StatementPlace } from "../../program/statements.ts";
import { releasesOf } from "../../scenarios/user-pages/experiment.ts";
import type { Fix } from "../rule.ts";
import { asFallbacks, countedReleases, fixOf, otherExtents, owned, type Owned } from "./owned-pages.ts";
import { writtenCall } from "./release-call.ts";
import { insertAfter, joined, lineEnd, removeStatement, replaced, statementAt, statementsIn } from "./statement-edits.ts";

/** Pages given back once, and as many as were taken. */
export function untakenFixes(program: EffectProgram, node: NodeId, release: Release): readonly Fix[] {
  const pages = owned(program, node, release);
  if (!pages) return [];
  return asFallbacks([...pastOne(pages), ...withoutOne(pages), ...otherExtents(pages), ...countKept(pages)]);
}

/** From where they are gone already, a jump behind the other release. */
function pastOne({ fn, program, found }: Owned): readonly Fix[] {
  const labels = statementsIn(fn.block).filter((one) => one.kind === "label");
  return releasesOf(program, program.nodes.indexOf(found.call)).flatMap((call) => {
    const statement = statementAt(fn, call.at);
    const whole = statement && wholeOf(statement);
    const list = whole?.parent?.children ?? [];
    const jump = list.slice(whole ? list.indexOf(whole) + 1 : 0).find((one) => one.kind === "goto");
    const to = labels.find((one) => one.name === jump?.name);
    if (!jump || !to) return [];
    const at = jump.at + fn.code.slice(jump.at, jump.end).lastIndexOf(to.name ?? "");
    return labels.filter((one) => one.at > to.at).flatMap((one) => fixOf(fn, `Go to ${one.name}: the pages are given back already`, [replaced(at, at + (to.name ?? "").length, one.name ?? "")]));
  });
}

/** One release less. */
function withoutOne({ fn, program, found }: Owned): readonly Fix[] {
  const releases = releasesOf(program, program.nodes.indexOf(found.call));
  if (releases.length < 2) return [];
  return releases.flatMap((call) => {
    const statement = statementAt(fn, call.at);
    const whole = statement && wholeOf(statement);
    return whole ? fixOf(fn, `Give the pages back once: ${call.name}() is there again below`, removeStatement(fn, whole)) : [];
  });
}

/** The loop that a statement is all of. */
function wholeOf(statement: StatementPlace): StatementPlace {
  const { parent } = statement;
  if (parent?.kind === "loop" && parent.children.at(-1) === statement) return parent;
  return parent?.kind === "block" && parent.children.length === 1 && parent.parent?.kind === "loop" ? parent.parent : statement;
}

/** Types that tell an error from a number. */
const SIGNED: ReadonlySet<string> = new Set(["int", "long", "ssize_t", "s64"]);

const COUNT_NAMES = ["pinned", "nr_pinned", "taken"];

/** The number in a variable of its own, where that of the call is used for something else. */
function countKept(pages: Owned): readonly Fix[] {
  const { fn, program, found, place } = pages;
  const { result } = found.call;
  const [statement, variable] = [statementAt(fn, found.call.at), result === null ? undefined : program.variables.get(result)];
  const last = fn.block.children.findLast((_, index) => fn.block.children.slice(0, index + 1).every((one) => one.kind === "declaration"));
  const name = COUNT_NAMES.find((one) => !new RegExp(`\\b${one}\\b`).test(fn.code.slice(fn.start, fn.end)));
  if (statement?.kind !== "simple" || !variable || variable.pointers > 0 || !SIGNED.has(variable.type) || !last || name === undefined || result === null) return [];
  const isJumpedOver = statementsIn(fn.block).some((one) => one.kind === "goto" && one.at < statement.at);
  const line = lineEnd(fn.text, last.end) + 1;
  const declared = replaced(line, line, `\t${variable.type} ${name}${isJumpedOver ? " = 0" : ""};\n`);
  const kept = insertAfter(fn, statement, [`${name} = ${result} > 0 ? ${result} : 0;`]);
  return countedReleases(pages).flatMap((call) => {
    const written = writtenCall(fn, call);
    if (!written || written.args[0] !== place) return [];
    const now = `${call.name}(${[place, name, ...written.args.slice(2)].join(", ")})`;
    return fixOf(fn, `Give as many pages back with ${call.name}() as ${found.call.name}() took`, joined([declared], kept, [replaced(written.at, written.end, now)]));
  });
}
