// SPDX-License-Identifier: GPL-2.0-only
import type { CancellationToken, TextDocuments } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { visibleLine } from "../report/visible.ts";
import type { Finding, Review, VerifiedFix } from "../review/finding.ts";
import type { ReviewOptions } from "../review/options.ts";
import type { ReviewInput } from "../review/review.ts";
import type { SettingsCache } from "./settings.ts";
import { clientText, kindOf, MAX_LENGTH } from "./text.ts";
import type { TreeFor } from "./tree.ts";
import type { TreeCache } from "./tree-cache.ts";
import type { FileOfTree } from "./workspace-tree.ts";

export type ReviewFunction = (input: ReviewInput, options: ReviewOptions) => readonly Review[];

/** A document at one version beside what the engine says about it. */
export interface ReviewedDocument {
  readonly document: TextDocument;
  readonly version: number;
  readonly kind: ReviewInput["kind"];
  readonly reviews: readonly Review[];
  /** The file in its tree, where it was reviewed with its callers. */
  readonly file: FileOfTree | null;
}

export interface ReviewCache {
  /** The review of the newest version; null where the document is not open or the request was cancelled. */
  readonly of: (uri: string, token: CancellationToken | null) => Promise<ReviewedDocument | null>;
  /**
   * The fixes of a finding of the newest version, the first time at the price of a review of the document alone; null where the
   * document is not open or the request was cancelled.
   */
  readonly fixesOf: (uri: string, finding: FindingPlace, token: CancellationToken | null) => Promise<FixedFindings | null>;
  /** What `fixesOf` has found out about a version. */
  readonly knownFixes: (document: TextDocument, finding: FindingPlace) => readonly VerifiedFix[] | undefined;
  readonly forget: (uri: string) => void;
  readonly forgetAll: () => void;
}

/** Which finding is meant: the same words can stand twice in a function. */
export interface FindingPlace {
  readonly fingerprint: string;
  readonly location: Pick<Finding["location"], "patchLine" | "column">;
}

const placeKey = ({ fingerprint, location }: FindingPlace): string => `${fingerprint} ${location.patchLine} ${location.column}`;

export interface FixedFindings {
  readonly document: TextDocument;
  readonly version: number;
  readonly fixes: readonly VerifiedFix[];
}

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
  trees: TreeCache | null,
  log: (message: string) => void,
): ReviewCache {
  const known = new Map<string, ReviewedDocument & { readonly options: ReviewOptions }>();
  const inTrees = new Map<string, { readonly key: string; readonly reviewed: Promise<ReviewedDocument> }>();
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
    const reviewed = { document, version, kind: kindOf(document), reviews: await reviewsOf(document, options), file: null, options };
    // What changed while the tree was read is another document, or is seen with other eyes.
    if (documents.get(uri) !== document || document.version !== version || former !== generation) return newest(uri, options);
    known.set(uri, reviewed);
    return reviewed;
  }

  /** The review of a file with its callers: it runs elsewhere, and others do not wait for it. */
  async function withCallers(cache: TreeCache, document: TextDocument, file: FileOfTree, options: ReviewOptions): Promise<ReviewedDocument> {
    const { uri, version } = document;
    const key = JSON.stringify([version, options, cache.generation()]);
    const before = inTrees.get(uri);
    if (before?.key === key) return before.reviewed;
    const reviewed = cache.review(file, options).then(
      (one): ReviewedDocument => ({ document, version, kind: "c", reviews: [one], file }),
      async (error: unknown): Promise<ReviewedDocument> => {
        logOnce(`no review of ${uri} with its callers: ${error instanceof Error ? (error.stack ?? error.message) : visibleLine(String(error))}`);
        return { document, version: document.version, kind: "c", reviews: await reviewsOf(document, options), file: null };
      },
    );
    inTrees.set(uri, { key, reviewed });
    return reviewed;
  }

  async function inTurn(uri: string, token: CancellationToken | null): Promise<ReviewedDocument | null> {
    const options = await settings.of(uri);
    const document = documents.get(uri);
    const file = document && trees?.fileOf(document);
    if (trees && document && file) {
      const reviewed = await withCallers(trees, document, file, options);
      // What was typed meanwhile has lines of its own.
      return documents.get(uri)?.version === reviewed.version ? reviewed : token?.isCancellationRequested ? null : inTurn(uri, token);
    }
    const turn = last.then(nextTurn).then(() => (token?.isCancellationRequested ? null : newest(uri, options)));
    last = turn.catch(() => undefined);
    return turn;
  }

  const fixed = new Map<string, { readonly version: number; readonly options: ReviewOptions; readonly fixes: Map<string, readonly VerifiedFix[]> }>();

  async function newFixes(uri: string, finding: FindingPlace, options: ReviewOptions): Promise<FixedFindings | null> {
    const document = documents.get(uri);
    if (document === undefined) return null;
    const { version } = document;
    const before = fixed.get(uri);
    const known = before?.version === version && before.options === options ? before : { version, options, fixes: new Map<string, readonly VerifiedFix[]>() };
    const place = placeKey(finding);
    const asked = known.fixes.get(place);
    const found = asked ? [] : await reviewsOf(document, { ...options, fixes: [finding.fingerprint] });
    const fixes = asked ?? found.flatMap((one) => one.findings).find((one) => placeKey(one) === place)?.fixes ?? [];
    // What was typed meanwhile is another text.
    if (documents.get(uri) !== document || document.version !== version) return newFixes(uri, finding, options);
    known.fixes.set(place, fixes);
    fixed.set(uri, known);
    return { document, version, fixes };
  }

  async function fixesInTurn(uri: string, finding: FindingPlace, token: CancellationToken | null): Promise<FixedFindings | null> {
    const options = await settings.of(uri);
    const turn = last.then(nextTurn).then(() => (token?.isCancellationRequested ? null : newFixes(uri, finding, options)));
    last = turn.catch(() => undefined);
    return turn;
  }

  return {
    of: inTurn,
    fixesOf: fixesInTurn,
    knownFixes(document, finding) {
      const known = fixed.get(document.uri);
      return known?.version === document.version ? known.fixes.get(placeKey(finding)) : undefined;
    },
    forget(uri) {
      known.delete(uri);
      fixed.delete(uri);
      inTrees.delete(uri);
    },
    forgetAll() {
      generation++;
      known.clear();
      fixed.clear();
      inTrees.clear();
    },
  };
}
