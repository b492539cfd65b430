// SPDX-License-Identifier: GPL-2.0-only
import { newRuns, type Runs } from "../analysis/follow.ts";
import { indexOf, type TreeFile } from "../analysis/tree-index.ts";
import { treeOf, type Tree } from "../analysis/tree.ts";
import type { Patch } from "../patch/model.ts";
import { decideTarget, type DecidedTarget } from "../source/target.ts";
import { coverageOf, NO_COVERAGE } from "./coverage.ts";
import type { Review } from "./finding.ts";
import { judge, NOTHING_JUDGED } from "./judge.ts";
import type { ReviewOptions } from "./options.ts";
import { asideOf, reportOf } from "./review.ts";
import { concernsRules, TRIGGER_NAMES } from "./subject.ts";

const NO_PATCH: Patch = {
  form: "diff", messageId: null, subject: null, from: null, date: null, commit: null, whitespaceLost: false,
  prose: [], files: [], remarks: [], startLine: 1, endLine: 1,
};

/** What the files of a tree are judged for: the release that the user set, else that of the tree's Makefile. */
export const targetOfTree = (options: ReviewOptions, treeRelease: string | null): DecidedTarget => decideTarget(NO_PATCH, { ...options, treeRelease });

/** Reviews one file of a tree as it stands, its callers looked up in the whole tree. */
export function reviewTreeFile(tree: Tree, path: string, text: string, decided: DecidedTarget, options: ReviewOptions): Review {
  const unit = concernsRules(text) ? tree.unit(path) : null;
  const judged = unit ? judge({ target: decided.target, unit, old: null }, options) : NOTHING_JUDGED;
  return {
    messageId: null, subject: null, series: null, cover: null,
    target: reportOf(decided),
    problems: [...decided.problems, ...judged.problems],
    coverage: unit ? coverageOf(unit, judged.cutOff) : NO_COVERAGE,
    obligations: judged.obligations,
    findings: judged.findings,
    ...asideOf(judged.aside, options),
  };
}

/** A file of the tree as its index knows it. */
export interface IndexedFile extends TreeFile {
  /** Hash of the content. */
  readonly hash: string;
}

/** A review and what it rests on: as long as all of it is the same, the review is. */
export interface ScannedFile {
  readonly review: Review;
  readonly files: readonly (readonly [path: string, hash: string])[];
  readonly answers: readonly (readonly [path: string, name: string, answer: string])[];
}

export interface Scanner {
  scan(path: string): ScannedFile;
  /** True where what an earlier review rested on is still so. */
  isCurrent(scanned: ScannedFile): boolean;
}

/** Reviews the files of one tree. `textOf`: a file's text as it was when it was indexed, or null; `runs`: what is kept of callers. */
export function scannerOf(
  files: readonly IndexedFile[],
  textOf: (path: string) => string | null,
  decided: DecidedTarget,
  options: ReviewOptions,
  runs: Runs = newRuns(),
): Scanner {
  const index = indexOf(files);
  const hashes = new Map(files.map(({ path, hash }) => [path, hash]));
  const tree = treeOf(index, textOf, decided.target.release, TRIGGER_NAMES, { runs });
  return {
    scan(path) {
      const text = textOf(path);
      tree.takeTrace();
      const review = reviewTreeFile(tree, path, text ?? "", decided, options);
      const problems = text === null ? [...review.problems, { code: "file-changed", message: "the file changed while it was read", line: null }] : review.problems;
      const { files: read, questions } = tree.takeTrace();
      return {
        review: { ...review, problems },
        files: [...new Set([path, ...read])].map((one) => [one, hashes.get(one) ?? ""] as const),
        answers: questions.map(([from, name]) => [from, name, index.answerOf(from, name)] as const),
      };
    },
    isCurrent: (scanned) =>
      scanned.files.every(([path, hash]) => hashes.get(path) === hash) &&
      scanned.answers.every(([path, name, answer]) => index.answerOf(path, name) === answer),
  };
}
