// SPDX-License-Identifier: GPL-2.0-only
import type { CancellationToken, TextDocuments } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { visibleLine } from "../report/visible.ts";
import type { Finding, Review, VerifiedFix } from "../review/finding.ts";
import type { ReviewOptions } from "../review/options.ts";
import type { ReviewInput } from "../review/review.ts";
import type { WhatIfAnswer, WhatIfQuestion } from "../review/what-if.ts";
import type { Client } from "./client.ts";
import type { ConfiguredSettings } from "./configured.ts";
import type { ReviewedText, Reviewer } from "./reviewer.ts";
import { clientText, isConfiguration, kindOf, MAX_LENGTH } from "./text.ts";
import type { TreeCache } from "./tree-cache.ts";
import type { Trust } from "./trust.ts";
import type { FileOfTree } from "./workspace-tree.ts";

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
  /** What a question about a finding of the newest version is answered; null as above. */
  readonly whatIf: (uri: string, question: WhatIfQuestion, token: CancellationToken | null) => Promise<WhatIfAnswer | null>;
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

/** A review that is made, or was. */
interface Work {
  /** What it is of: the version, the options, and what the trees looked like. */
  readonly key: string;
  readonly document: TextDocument;
  /** Null where it was given up. */
  readonly reviewed: Promise<ReviewedDocument | null>;
  readonly abort: AbortController;
  /** Requests that wait for it; it is given up when the last one goes away. */
  waiting: number;
  isDone: boolean;
}

const OUTDATED = new Error("outdated");

/**
 * Keeps the newest review of each open document. What runs for an older version is given up as soon as the document changes:
 * who waited for it gets the newer one.
 */
export function createReviewCache(
  documents: TextDocuments<TextDocument>,
  settings: ConfiguredSettings,
  reviewer: Reviewer,
  client: Client,
  trust: Trust,
  trees: TreeCache | null,
  log: (message: string) => void,
): ReviewCache {
  const works = new Map<string, Work>();
  const logged = new Set<string>();
  /** Options are told apart by their identity, which settings keep. */
  const optionIds = new WeakMap<ReviewOptions, number>();
  let options = 0;
  let generation = 0;

  function logOnce(message: string): void {
    if (logged.has(message)) return;
    logged.add(message);
    log(message);
  }

  function optionId(given: ReviewOptions): number {
    const known = optionIds.get(given) ?? options++;
    optionIds.set(given, known);
    return known;
  }

  const textOf = (document: TextDocument): ReviewedText => ({
    path: document.uri, text: clientText(document), kind: kindOf(document), folders: client.folders, isTrusted: trust.isTrusted(),
  });

  async function alone(document: TextDocument, given: ReviewOptions, signal: AbortSignal): Promise<readonly Review[]> {
    if (document.getText().length > MAX_LENGTH) {
      logOnce(`not reviewed, too long: ${document.uri}`);
      return [];
    }
    try {
      return await reviewer.review(textOf(document), given, signal);
    } catch (error) {
      signal.throwIfAborted();
      logOnce(`internal error in the review of ${document.uri}: ${stackOf(error)}`);
      return [];
    }
  }

  async function made(document: TextDocument, file: FileOfTree | null, given: ReviewOptions, signal: AbortSignal): Promise<ReviewedDocument> {
    const { version } = document;
    if (isConfiguration(document.uri)) return { document, version, kind: "patch", reviews: [], file: null };
    if (trees && file) {
      try {
        return settings.settle({ document, version, kind: "c", reviews: [await trees.review(file, given, signal)], file }, given);
      } catch (error) {
        signal.throwIfAborted();
        logOnce(`no review of ${document.uri} with its callers: ${stackOf(error)}`);
      }
    }
    return settings.settle({ document, version, kind: kindOf(document), reviews: await alone(document, given, signal), file: null }, given);
  }

  function start(document: TextDocument, file: FileOfTree | null, given: ReviewOptions, key: string): Work {
    const abort = new AbortController();
    const reviewed = made(document, file, given, abort.signal).then(
      (one) => {
        work.isDone = true;
        return one;
      },
      (error: unknown) => {
        if (works.get(document.uri) === work) works.delete(document.uri);
        if (!abort.signal.aborted) throw error;
        return null;
      },
    );
    const work: Work = { key, document, reviewed, abort, waiting: 0, isDone: false };
    return work;
  }

  function giveUp(uri: string): void {
    const work = works.get(uri);
    works.delete(uri);
    if (work?.isDone === false) work.abort.abort(OUTDATED);
  }

  /** Waits for a review, unless the request is cancelled. */
  async function awaited(work: Work, token: CancellationToken | null): Promise<ReviewedDocument | null> {
    work.waiting++;
    let hasLeft = false;
    const leave = (): void => {
      if (hasLeft) return;
      hasLeft = true;
      if (--work.waiting === 0 && !work.isDone) {
        if (works.get(work.document.uri) === work) giveUp(work.document.uri);
        else work.abort.abort(OUTDATED);
      }
    };
    const cancelled = token?.onCancellationRequested(leave);
    try {
      return await work.reviewed;
    } finally {
      cancelled?.dispose();
      if (work.isDone) leave();
    }
  }

  async function newest(uri: string, token: CancellationToken | null): Promise<ReviewedDocument | null> {
    for (;;) {
      const given = await settings.of(uri);
      const document = documents.get(uri);
      if (document === undefined || token?.isCancellationRequested === true) return null;
      const file = trees?.fileOf(document) ?? null;
      const key = JSON.stringify([document.version, optionId(given), generation, file === null ? null : trees?.generation()]);
      let work = works.get(uri);
      if (work?.key !== key || work.document !== document) {
        giveUp(uri);
        work = start(document, file, given, key);
        works.set(uri, work);
      }
      const reviewed = await awaited(work, token);
      // What was typed meanwhile has lines of its own.
      if (reviewed !== null && documents.get(uri) === document && document.version === reviewed.version && works.get(uri) === work) return reviewed;
    }
  }

  /** Does work for a request, with a signal that is aborted when the request is cancelled; null where it was. */
  async function whileAsked<T>(token: CancellationToken | null, work: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    const abort = new AbortController();
    const stop = token?.onCancellationRequested(() => abort.abort(OUTDATED));
    try {
      return await work(abort.signal);
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      return null;
    } finally {
      stop?.dispose();
    }
  }

  const fixed = new Map<string, { readonly version: number; readonly options: ReviewOptions; readonly fixes: Map<string, readonly VerifiedFix[]> }>();

  async function fixesOf(uri: string, finding: FindingPlace, token: CancellationToken | null): Promise<FixedFindings | null> {
    const given = await settings.of(uri);
    const document = documents.get(uri);
    if (document === undefined || token?.isCancellationRequested === true) return null;
    const { version } = document;
    const before = fixed.get(uri);
    const known = before?.version === version && before.options === given ? before : { version, options: given, fixes: new Map<string, readonly VerifiedFix[]>() };
    const place = placeKey(finding);
    const asked = known.fixes.get(place);
    const found = asked ? [] : await whileAsked(token, (signal) => alone(document, { ...given, fixes: [finding.fingerprint] }, signal));
    if (found === null) return null;
    const fixes = asked ?? found.flatMap((one) => one.findings).find((one) => placeKey(one) === place)?.fixes ?? [];
    // What was typed meanwhile is another text.
    if (documents.get(uri) !== document || document.version !== version) return fixesOf(uri, finding, token);
    known.fixes.set(place, fixes);
    fixed.set(uri, known);
    return { document, version, fixes };
  }

  documents.onDidChangeContent(({ document }) => {
    const work = works.get(document.uri);
    if (work !== undefined && !work.isDone) giveUp(document.uri);
  });

  return {
    of: newest,
    async whatIf(uri, question, token) {
      const reviewed = await newest(uri, token);
      if (reviewed === null) return null;
      const { document, file } = reviewed;
      const given = await settings.of(uri);
      return whileAsked(token, (signal) =>
        trees && file ? trees.whatIf(file, given, question, signal) : reviewer.whatIf(textOf(document), given, question, signal));
    },
    fixesOf,
    knownFixes(document, finding) {
      const known = fixed.get(document.uri);
      return known?.version === document.version ? known.fixes.get(placeKey(finding)) : undefined;
    },
    forget(uri) {
      giveUp(uri);
      fixed.delete(uri);
    },
    forgetAll() {
      generation++;
      fixed.clear();
      for (const uri of works.keys()) giveUp(uri);
    },
  };
}

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : visibleLine(String(error)));
