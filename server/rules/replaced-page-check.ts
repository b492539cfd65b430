// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../kernel/release.ts";
import type { CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { earlyReuse, mappingsDecide } from "../scenarios/replaced-page/early-reuse.ts";
import { replacementOf, type Replacement } from "../scenarios/replaced-page/replacement.ts";
import { twoPages } from "../scenarios/replaced-page/stale-tlb.ts";
import { knowsUnshare, unsharedEntry } from "../scenarios/replaced-page/unshared-entry.ts";
import type { Experiment } from "../scenarios/experiment.ts";
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
  const found = (messageId: string, experiment: Experiment, call = site.call): Candidate => provedCandidate(site, ruleId, messageId, { function: program.name }, experiment, placeOf(program, call));
  const unflushed = twoPages(replacement, program);
  if (proved(unflushed, site)) {
    yield found("unflushed", unflushed);
    return;
  }
  const early = mappingsDecide(target.release) ? earlyReuse(replacement, program) : null;
  const removal = callAt(program, replacement.removal);
  if (early && removal && proved(early, site)) yield found("unmappedEarly", early, removal);
}

function* unshared(ruleId: string, site: Site, replacement: Replacement): Iterable<Candidate> {
  const { program } = site;
  const guarded = unsharedEntry(replacement, program, "uffdWp");
  const property = provenProperty(guarded, site);
  if (property !== null) yield provedCandidate(site, ruleId, property === "write-without-fault" ? "unshareWritable" : "unshareUnguarded", { function: program.name }, guarded);
  const dirty = unsharedEntry(replacement, program, "softDirty");
  if (proved(dirty, site)) yield provedCandidate(site, ruleId, "unshareClean", { function: program.name }, dirty);
}
