// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../kernel/release.ts";
import type { CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { earlyReuse, mappingsDecide } from "../scenarios/replaced-page/early-reuse.ts";
import { replacementOf, type Replacement } from "../scenarios/replaced-page/replacement.ts";
import { twoPages } from "../scenarios/replaced-page/stale-tlb.ts";
import { knowsUnshare, unsharedEntry } from "../scenarios/replaced-page/unshared-entry.ts";
import type { Experiment } from "../scenarios/experiment.ts";
import { textAt } from "../program/place.ts";
import { callsWith, linesOf, settingsOf } from "./other-lines.ts";
import { proved, provedCandidate, provenProperty } from "./proved-only.ts";
import { placeOf, type Candidate, type Site } from "./rule.ts";

/*
 * WP-5: the order in which a write fault replaces a page, and what an unshared entry keeps of the old one.
 */

const callAt = ({ nodes }: EffectProgram, id: NodeId): CallNode | null => {
  const node = nodes[id];
  return node?.kind === "call" ? node : null;
};

/** What is wrong with the replacement whose new entry is set at a call. */
export function* replacedPage(ruleId: string, site: Site): Iterable<Candidate> {
  const { program, node } = site;
  const replacement = replacementOf(program);
  if (replacement?.set !== node) return;
  yield* order(ruleId, site, replacement);
  if (atLeast(site.target.release, "5.19") && knowsUnshare(program)) yield* unshared(ruleId, site, replacement);
}

function* order(ruleId: string, site: Site, replacement: Replacement): Iterable<Candidate> {
  const { program, target } = site;
  const found = (messageId: string, experiment: Experiment, related: Candidate["related"], call = site.call): Candidate => ({
    ...provedCandidate(site, ruleId, messageId, { function: program.name, call: call.name }, experiment, placeOf(program, call)),
    related,
  });
  const unflushed = twoPages(replacement, program);
  if (proved(unflushed, site)) {
    yield found("unflushed", unflushed, linesOf("the old entry is cleared here", program, callsWith(program, ({ kind }) => kind === "clearEntry")));
    return;
  }
  const early = mappingsDecide(target.release) ? earlyReuse(replacement, program) : null;
  const removal = callAt(program, replacement.removal);
  if (early && removal && proved(early, site)) yield found("unmappedEarly", early, linesOf("the new entry is set here", program, [site.call]), removal);
}

/** Where the variable that is set as the new entry gets its values. */
function made(program: EffectProgram, { set }: Replacement): readonly { at: number; end: number }[] {
  const value = callAt(program, set)?.effects.find((effect) => effect.kind === "setEntry");
  return settingsOf(program, value?.kind === "setEntry" && value.value.kind === "name" ? value.value.name : null).toSorted((a, b) => a.at - b.at);
}

function* unshared(ruleId: string, site: Site, replacement: Replacement): Iterable<Candidate> {
  const { program } = site;
  const guarded = unsharedEntry(replacement, program, "uffdWp");
  const property = provenProperty(guarded, site);
  const makers = made(program, replacement);
  const related = linesOf("the entry is made here", program, makers.slice(0, 1));
  const isWritable = property === "write-without-fault";
  const writable = linesOf("made writable here", program, makers.filter(({ at, end }) => /_mkwrite\w*\s*\(/.test(textAt(program.image, at, end))));
  if (property !== null) yield { ...provedCandidate(site, ruleId, isWritable ? "unshareWritable" : "unshareUnguarded", { function: program.name }, guarded), related: isWritable ? writable : related };
  const dirty = unsharedEntry(replacement, program, "softDirty");
  if (proved(dirty, site)) yield { ...provedCandidate(site, ruleId, "unshareClean", { function: program.name }, dirty), related };
}
