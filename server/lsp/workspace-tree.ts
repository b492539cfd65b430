// SPDX-License-Identifier: GPL-2.0-only
import type { Review } from "../review/finding.ts";
import type { ReviewOptions } from "../review/options.ts";
import type { WhatIfAnswer, WhatIfQuestion } from "../review/what-if.ts";

/** Finds the kernel tree among the folders of the workspace in which a file lies. */
export interface WorkspaceTrees {
  /** `folders`: URIs. Null where the file lies in none of them, or in one that is no kernel tree on this machine. */
  treeOf(folders: readonly string[], uri: string): FileOfTree | null;
  /** Ends what runs for the trees; resolves when it has ended. */
  dispose(): Promise<void>;
}

export interface FileOfTree {
  readonly tree: WorkspaceTree;
  /** From the root of the tree, with `/`. */
  readonly path: string;
}

/** A kernel tree. Nothing of it blocks: what takes long happens elsewhere. */
export interface WorkspaceTree {
  /** Reads and indexes the tree. Rejects where that cannot be, or with the signal's reason when it is aborted. */
  open(signal: AbortSignal, onProgress: (files: number) => void): Promise<void>;
  /** From now on the file has the text that the editor shows; null: that of the disk. Not before the tree is open. */
  show(path: string, text: string | null): void;
  /** Takes over what changed on disk: of some files, or of all. True where something did. */
  recheck(paths: readonly string[] | null): Promise<boolean>;
  /** The review of a file with its callers. Rejects with the signal's reason soon after it is aborted. */
  review(path: string, options: ReviewOptions, signal: AbortSignal): Promise<Review>;
  /** Asks about a finding of a file. Rejects likewise. */
  whatIf(path: string, options: ReviewOptions, question: WhatIfQuestion, signal: AbortSignal): Promise<WhatIfAnswer>;
  uriOf(path: string): string;
}
