// SPDX-License-Identifier: GPL-2.0-only
import { atLeast, type Release } from "../../kernel/release.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { functionText, type FunctionText } from "../../program/statements.ts";
import { mayGiveBack } from "../../scenarios/kept-pins.ts";
import { placeBehind } from "../../scenarios/pinned-pages.ts";
import { releasesOf } from "../../scenarios/user-pages/experiment.ts";
import { userPages, type UserPages } from "../../scenarios/user-pages/names.ts";
import type { Fix } from "../rule.ts";
import { flagWord, withBits } from "./flag-word.ts";
import { releasedAs, writtenCall } from "./release-call.ts";
import { insertBefore, joined, replaced, statementAt, type Edits } from "./statement-edits.ts";

type Gup = BoundEffect & { readonly kind: "gup" };

/** FOLL_LONGTERM for a pin that is kept; before 6.2 such a pin is reliable for writing only. */
export function longtermFixes(program: EffectProgram, call: CallNode, gup: Gup, release: Release): readonly Fix[] {
  const fn = functionText(program);
  const word = fn && flagWord(fn, program, call, gup);
  if (!word || !gup.flags) return [];
  const [edits, both] = [withBits(word, "FOLL_LONGTERM", "back"), atLeast(release, "6.2") ? null : withBits(word, "FOLL_WRITE | FOLL_LONGTERM")];
  return [
    ...(edits ? [{ title: "Pin with FOLL_LONGTERM: the pages are kept", edits }] : []),
    ...(both ? [{ title: "Pin with FOLL_WRITE | FOLL_LONGTERM: the pages are kept", edits: both, isFallback: true as const }] : []),
  ];
}

/**
 * A pin in the place of a reference, and every release with it. Only where all of them are at hand: the pages are in variables of
 * the function, and nobody else gets them who might give them back. The second way is for pages that are given back clean.
 */
export function pinFixes(program: EffectProgram, node: NodeId, release: Release): readonly Fix[] {
  const [fn, found] = [functionText(program), userPages(program, node)];
  if (!fn || !found || !isOnlyHere(program, found)) return [];
  const releases = releasesOf(program, node);
  const name = found.call.name.replace(/^get_/, "pin_");
  const written = writtenCall(fn, found.call);
  if (!written || releases.length === 0 || (found.gup.form === "unlocked" && !atLeast(release, "5.8"))) return [];
  const turned = joined([replaced(written.at, written.at + found.call.name.length, name)], ...releases.map((one) => releasedAs(fn, one, "pin", release)));
  const marksAlready = program.nodes.some((one) => one.kind === "call" && one.effects.some((effect) => effect.kind === "marksDirty"));
  const marked = marksAlready ? null : joined(turned, ...releases.map((one) => markBefore(fn, one)));
  const title = `Pin with ${name}(), and give back with unpin_user_page*()`;
  return [...(turned ? [{ title, edits: turned }] : []), ...(marked ? [{ title: `${title}, marked dirty`, edits: marked, isFallback: true as const }] : [])];
}

function markBefore(fn: FunctionText, release: CallNode): Edits {
  const [statement, written] = [statementAt(fn, release.at), writtenCall(fn, release)];
  const [page, ...others] = written?.args ?? [];
  return statement?.kind === "simple" && page !== undefined && others.length === 0 ? insertBefore(fn, statement, [`set_page_dirty_lock(${page});`]) : null;
}

/** True where the pages are in local variables, and go to nobody who might give them back. */
function isOnlyHere(program: EffectProgram, { arrays, pages, call, taking }: UserPages): boolean {
  const places = new Set([...arrays, ...pages]);
  const isLocal = (name: string): boolean => program.variables.get(name)?.isParameter === false;
  if (taking.size > 1 || ![...places].every(isLocal)) return false;
  return program.nodes.every((node) => {
    if (node.kind === "return") return node.value === null || !places.has(render(placeBehind(node.value)));
    if (node.kind !== "call" || node.at === call.at) return true;
    const isHanded = node.effects.some((effect) => effect.kind === "transfersReference" && effect.to !== "scatterlist" && places.has(render(placeBehind(effect.object))));
    const isElsewhere = node.inlined !== undefined && node.effects.some((effect) => effect.kind === "unpin" || effect.kind === "putReference");
    return !isHanded && !isElsewhere && !mayGiveBack(node, places);
  });
}
