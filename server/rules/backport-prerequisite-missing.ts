// SPDX-License-Identifier: GPL-2.0-only
import { PREREQUISITES, type Prerequisite } from "../kernel/prerequisites.ts";
import { covers, formatRelease } from "../kernel/release.ts";
import { changedRows, codeText, wordsIn } from "../program/code-text.ts";
import { extent } from "../program/extent.ts";
import type { Unit } from "../analysis/unit.ts";
import { cowMechanismOf } from "./gup-cow-mechanism.ts";
import type { At, Candidate, Rule, Subject } from "./rule.ts";

const ID = "backport-prerequisite-missing";

export const backportPrerequisiteMissing: Rule = {
  meta: {
    id: ID,
    title: "Backport of a mechanism without what it needs of the target",
    severity: "error",
    since: "4.4",
    until: "5.12",
    why:
      "Upstream a commit stands on those before it. Brought to an older tree alone, it meets code that could rely on its not being there.",
    messages: {
      missing: "{release} does not have {commits}, which this needs: {consequence}",
      unseen: "{release} was released without {commits}, which this needs: {consequence}; does the tree have it from elsewhere?",
    },
    scenarios: [],
    sources: [
      { thread: "Re: [PATCH 1/1] gup: document and work around \"COW can break either way\" issue", who: "John Hubbard", date: "2021-10-13", link: null },
    ],
  },
  effects: [],
  words: PREREQUISITES.map(({ word }) => word),
  checkSubject(subject: Subject) {
    // What other patches of a series bring is not known, nor for which tree a patch is that does not say it.
    if (subject.patch?.isWhole !== true || !subject.patch.namesRelease) return { candidates: [], obligations: [] };
    return { candidates: PREREQUISITES.flatMap((one) => lacking(one, subject)), obligations: [] };
  },
};

function lacking(needed: Prerequisite, { unit, old, target, patch }: Subject): Candidate[] {
  const { evidence, commits, consequence } = needed;
  if (!covers(needed, target.release) || !old || patch?.files.includes(evidence.path) === true) return [];
  const brought = BROUGHT[needed.mechanism](unit, old);
  const tree = patch?.treeFile?.(evidence.path) ?? null;
  if (!brought || (tree !== null && evidence.words.test(tree) !== (evidence.means === "missing"))) return [];
  const names = commits.map(({ commit, title, release }) => `${commit}${title === null ? "" : ` ("${title}")`} of ${release}`).join(" and ");
  return [
    {
      ruleId: ID, messageId: tree === null ? "unseen" : "missing", data: { release: formatRelease(target.release), commits: names, consequence },
      place: brought, related: [], origin: "introduced", prove: null, ...(tree === null ? { asks: true } : {}),
    },
  ];
}

/** Where a patch brings a mechanism in; null where it does not, or where it was there before. */
const BROUGHT: Readonly<Record<Prerequisite["mechanism"], (unit: Unit, old: Unit) => At | null>> = {
  "forced-cow-break": (unit, old) => {
    const mechanism = cowMechanismOf(unit);
    if (!mechanism?.slow || mechanism.slow.forcings.length === 0 || cowMechanismOf(old) !== null) return null;
    const { program, value } = mechanism.force;
    return { program, at: extent(value).at, end: extent(value).end };
  },
  "copy-on-fork-attribute": (unit, old) => firstUse(unit, old, "RDMA_NLDEV_SYS_ATTR_COPY_ON_FORK"),
};

/** The first use of a word in code that the patch adds, where the old side does not have it. */
function firstUse(unit: Unit, old: Unit, word: string): At | null {
  if (old.programs.some(({ image, start, end }) => wordsIn(codeText(image).slice(start, end), word).length > 0)) return null;
  for (const program of unit.programs) {
    const { image, start, end } = program;
    for (const row of changedRows(image, start, end)) {
      const [at] = wordsIn(codeText(image).slice(row.at, row.end), word);
      if (at !== undefined) return { program, at: row.at + at, end: row.at + at + word.length };
    }
  }
  return null;
}
