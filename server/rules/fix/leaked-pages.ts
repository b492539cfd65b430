// SPDX-License-Identifier: GPL-2.0-only
import { atLeast, type Release } from "../../kernel/release.ts";
import type { EffectProgram, NodeId } from "../../program/program.ts";
import type { FunctionText, StatementPlace } from "../../program/statements.ts";
import type { Fix } from "../rule.ts";
import { asFallbacks, fixOf, otherExtents, owned, type Owned } from "./owned-pages.ts";
import { insertBefore, joined, statementsIn, unlabeled } from "./statement-edits.ts";

/** Ways out that are tried, those of the failing schedule first. */
const MOST_TRIED = 6;

/** True for a line that the failing schedule came through. */
export type OnSchedule = (at: number) => boolean;

/** The pages that are still there, given back on a way out. */
export function leakFixes(program: EffectProgram, node: NodeId, release: Release, isOnSchedule: OnSchedule): readonly Fix[] {
  const pages = owned(program, node, release);
  if (!pages) return [];
  const { fn, found } = pages;
  const outs = statementsIn(fn.block).filter((one) => one.at > found.call.at && (one.kind === "return" || one.kind === "goto") && !isKeptBefore(pages, one));
  const ways = outs.toSorted((a, b) => Number(isOnSchedule(b.at)) - Number(isOnSchedule(a.at)) || b.at - a.at).slice(0, MOST_TRIED);
  const released = ways.flatMap((out) => placesFor(pages, out).flatMap((place) => releasesInWords(pages).flatMap((lines) => fixOf(fn, titleOf(fn, lines, out), insertBefore(fn, place, lines)))));
  // One release of all of them is better than one more, and one more better than several.
  return asFallbacks([...otherExtents(pages), ...released, ...onSeveral(pages, outs)]);
}

/** The words of a place in a pattern. */
const literally = (place: string): string => place.replace(/[^\w]/g, "\\$&");

/** What an object has by then is not the function's to give back, whatever else leaks. */
const isKeptBefore = ({ fn, found, place }: Owned, out: StatementPlace): boolean =>
  new RegExp(`(?:->|\\.)[\\w.>[\\]-]{0,80}\\s*=\\s*${literally(place)}(?!\\w)(?!\\s*(?:->|\\())`).test(fn.code.slice(found.call.end, out.at));

const titleOf = ({ text }: FunctionText, lines: readonly string[], out: StatementPlace): string => `${inOneLine(lines)} before ${text.slice(out.at, out.end).replace(/;$/, "").replace(/\s+/g, " ")}`;

const inOneLine = (lines: readonly string[]): string => lines.map((line) => line.trim()).join(" ").replace(/;$/, "");

/** The release on all jumps, or on all returns. */
function onSeveral(pages: Owned, outs: readonly StatementPlace[]): readonly Fix[] {
  const lines = releasesInWords(pages).at(-1);
  return (["goto", "return"] as const).flatMap((kind) => {
    const places = [...new Set(outs.filter((one) => one.kind === kind).flatMap((one) => placesFor(pages, one).slice(0, 1)))];
    return lines && places.length > 1 ? fixOf(pages.fn, `${inOneLine(lines)} before each ${kind}`, joined(...places.map((place) => insertBefore(pages.fn, place, lines)))) : [];
  });
}

/** The release in the words of the function: bare, and where there are some. */
function releasesInWords({ place, isOne, counts, found, release }: Owned): readonly (readonly string[])[] {
  const isPin = found.gup.reference === "pin";
  const more = isPin || isOne || atLeast(release, "4.15") ? "" : ", 0";
  const name = isPin ? (isOne ? "unpin_user_page" : "unpin_user_pages") : isOne ? "put_page" : "release_pages";
  const of = (count: string): string => `${name}(${isOne ? place : `${place}, ${count}${more}`});`;
  const bare = isOne ? [[of("")]] : counts.map((count) => [of(count)]);
  return [...bare, ...counts.map((count) => [`if (${count} > 0)`, `\t${of(count)}`])];
}

/** In front of a way out, of what it does with the array first, or of everything on its branch: the number may be lost by then. */
function placesFor({ fn, place }: Owned, out: StatementPlace): readonly StatementPlace[] {
  const list = out.parent?.children ?? [];
  const frees = new RegExp(`\\b\\w*free\\w*\\(\\s*${literally(place)}\\s*\\)`);
  const above = list.slice(0, list.indexOf(out)).findLastIndex((one) => unlabeled(one).kind !== "simple");
  const row = list.slice(above + 1, list.indexOf(out)).map(unlabeled);
  const late = row.find((one) => frees.test(fn.code.slice(one.at, one.end))) ?? out;
  const [first] = out.parent?.kind === "block" && out.parent.parent?.kind === "if" ? list : [];
  return first && first !== late && first.kind === "simple" ? [late, first] : [late];
}
