// SPDX-License-Identifier: GPL-2.0-only
import { gitTree, type Files } from "./git-tree.ts";

/** One patch of a series: what it makes of files, and its title. */
export interface Step {
  readonly title: string;
  readonly files: Files;
}

/** Mails of a series as `git format-patch` writes them, each a text of its own. `before`: the files that the series finds. */
export function seriesMails(before: Files, steps: readonly Step[], ...options: readonly string[]): readonly string[] {
  const tree = gitTree(before);
  for (const { title, files } of steps) tree.commit(files, title);
  return tree.mails(steps.length, "--numbered", ...options).split(/^(?=From [0-9a-f]{40} )/m).filter((mail) => mail !== "");
}
