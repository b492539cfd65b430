// SPDX-License-Identifier: GPL-2.0-only
import type { CancellationToken, TextDocuments } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { visibleLine } from "../report/visible.ts";
import type { Review } from "../review/finding.ts";
import type { ReviewOptions } from "../review/options.ts";
import type { ReviewInput } from "../review/review.ts";
import type { SettingsCache } from "./settings.ts";
import type { TreeFor } from "./tree.ts";

export type ReviewFunction = (input: ReviewInput, options: ReviewOptions) => readonly Review[];

/** A document at one version beside what the engine says about it. */
export interface ReviewedDocument {
  readonly document: TextDocument;
  readonly version: number;
  readonly kind: ReviewInput["kind"];
  readonly reviews: readonly Review[];
}

export interface ReviewCache {
  /** The review of the newest version; null where the document is not open or the request was cancelled. */
  readonly of: (uri: string, token: CancellationToken | null) => Promise<ReviewedDocument | null>;
  readonly forget: (uri: string) => void;
  readonly forgetAll: () => void;
}

/** Longer documents (UTF-16 units) are mailboxes for the command line: a review would stop the editor for seconds. */
export const MAX_LENGTH = 8 * 1024 * 1024;

export const kindOf = (document: TextDocument): ReviewInput["kind"] =>
  document.languageId === "c" || /\.[ch]$/i.test(document.uri) ? "c" : "patch";

/** The text as the client counts its lines: the protocol ends one at a lone carriage return, git does not. */
export const clientText = (document: TextDocument): string => document.getText().replace(/\r(?!\n)/g, "\n");

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Reviews documents one at a time. A review runs to its end once it began; between two the event loop takes messages,
 * so that a cancelled or outdated request costs nothing.
 */
export function createReviewCache(
  documents: TextDocuments<TextDocument>,
  settings: SettingsCache,
  review: ReviewFunction,
  treeFor: TreeFor,
  log: (message: string) => void,
): ReviewCache {
  const known = new Map<string, ReviewedDocument & { readonly options: ReviewOptions }>();
  const logged = new Set<string>();
  let last: Promise<unknown> = Promise.resolve();
  let generation = 0;

  function logOnce(message: string): void {
    if (logged.has(message)) return;
    logged.add(message);
    log(message);
  }

  async function reviewsOf(document: TextDocument, options: ReviewOptions): Promise<readonly Review[]> {
    const text = clientText(document);
    const kind = kindOf(document);
    if (text.length > MAX_LENGTH) {
      logOnce(`not reviewed, too long: ${document.uri}`);
      return [];
    }
    try {
      const tree = kind === "patch" ? await treeFor(document.uri, text) : null;
      return review({ path: document.uri, text, kind, ...(tree ? { tree } : {}) }, options);
    } catch (error) {
      const stack = error instanceof Error ? error.stack ?? error.message : visibleLine(String(error));
      logOnce(`internal error in the review of ${document.uri}: ${stack}`);
      return [];
    }
  }

  async function newest(uri: string, options: ReviewOptions): Promise<ReviewedDocument | null> {
    const document = documents.get(uri);
    if (document === undefined) return null;
    const before = known.get(uri);
    if (before?.document === document && before.version === document.version && before.options === options) return before;
    const { version } = document;
    const former = generation;
    const reviewed = { document, version, kind: kindOf(document), reviews: await reviewsOf(document, options), options };
    // What changed while the tree was read is another document, or is seen with other eyes.
    if (documents.get(uri) !== document || document.version !== version || former !== generation) return newest(uri, options);
    known.set(uri, reviewed);
    return reviewed;
  }

  function forgetAll(): void {
    generation++;
    known.clear();
  }

  async function inTurn(uri: string, token: CancellationToken | null): Promise<ReviewedDocument | null> {
    const options = await settings.of(uri);
    const turn = last.then(nextTurn).then(() => (token?.isCancellationRequested ? null : newest(uri, options)));
    last = turn.catch(() => undefined);
    return turn;
  }

  return { of: inTurn, forget: (uri) => void known.delete(uri), forgetAll };
}
