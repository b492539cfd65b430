// SPDX-License-Identifier: GPL-2.0-only
import { decodeOutline } from "../analysis/tree-entry.ts";
import { indexOf } from "../analysis/tree-index.ts";
import { LINKING_HEADERS, SCANNED_PATHS } from "../kernel/tree-paths.ts";
import { storeFolder } from "../node/store.ts";
import { treeFiles, treeText } from "../node/tree-files.ts";
import type { Review } from "../review/finding.ts";
import type { ReviewOptions } from "../review/options.ts";
import { NO_COVERAGE } from "../review/coverage.ts";
import { reportOf } from "../review/review.ts";
import { targetOfTree } from "../review/scan.ts";
import { treeSession, type TreeSession } from "../review/session.ts";
import { whatIf, type WhatIfAnswer, type WhatIfQuestion } from "../review/what-if.ts";
import { cancellable } from "../simulator/cancellation.ts";
import { collectNativeMemory } from "../syntax/parse.ts";
import { openTree, type OpenTree } from "./tree.ts";

/** What the service is asked to do; plain data. */
export type TreeRequest =
  | { readonly kind: "open" }
  | { readonly kind: "show"; readonly path: string; readonly text: string | null }
  | { readonly kind: "recheck"; readonly paths: readonly string[] | null }
  /** `question`: about a finding of the file; null: its review. `cancel`: shared flag, given up soon after it becomes non-zero. */
  | { readonly kind: "review"; readonly path: string; readonly options: ReviewOptions; readonly question: WhatIfQuestion | null; readonly cancel: Int32Array };

export type TreeResult = Review | { readonly answer: WhatIfAnswer } | boolean | null;

/** What it says: to a request, by its number, or in between. */
export type TreeMessage =
  | { readonly id: number; readonly result: TreeResult }
  | { readonly id: number; readonly error: string }
  | { readonly files: number };

export interface TreeWorkerData {
  readonly tree: string;
  /** Names the cache folder of the user. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Sessions with other settings: an editor has one set of them, as a rule. */
const MOST_SESSIONS = 2;

/** One kernel tree as an editor sees it: its files on disk, and over some of them the texts that are being written. */
function treeService({ tree: root, env }: TreeWorkerData, signal: AbortSignal, onProgress: (files: number) => void): (request: TreeRequest) => Promise<TreeResult> {
  let opened: OpenTree | null = null;
  /** Texts as they are to be reviewed, and files that the editor shows. */
  const texts = new Map<string, string>();
  const shown = new Set<string>();
  const sessions = new Map<string, TreeSession>();

  const onDisk = (path: string): string => {
    const read = treeText(root, path);
    return "text" in read ? read.text : "";
  };

  const listed = (): readonly string[] => treeFiles(root, [...SCANNED_PATHS, ...LINKING_HEADERS], true).paths;

  async function open(): Promise<void> {
    const io = { env, now: () => performance.now(), stderr: { write: () => true }, signal };
    const made = await openTree({ tree: root, paths: [], cache: storeFolder(root, env), useCache: true, jobs: null }, io, { step: onProgress, clear: () => undefined });
    if ("reason" in made) throw new Error(made.reason);
    opened = made;
    for (const { path } of made.files) if (!texts.has(path)) texts.set(path, onDisk(path));
  }

  function sessionFor(options: ReviewOptions): TreeSession {
    const key = JSON.stringify(options);
    const known = sessions.get(key) ?? newSession(options);
    sessions.delete(key);
    sessions.set(key, known);
    const [oldest] = sessions.keys();
    if (oldest !== undefined && sessions.size > MOST_SESSIONS) sessions.delete(oldest);
    return known;
  }

  function newSession(options: ReviewOptions): TreeSession {
    const files = (opened?.files ?? []).flatMap(({ path, outline }) => {
      const decoded = decodeOutline(outline);
      return decoded ? [{ path, outline: decoded }] : [];
    });
    const indexed = new Set(files.map(({ path }) => path));
    const hashes = new Map((opened?.files ?? []).map(({ path, hash }) => [path, hash]));
    // What was indexed is the text that was on disk then; everything else comes as a change of it.
    const then = new Map([...texts].filter(([path]) => indexed.has(path) && isAsIndexed(path, hashes.get(path) ?? "")));
    const session = treeSession(indexOf(files), then, targetOfTree(options, opened?.release ?? null).target, options);
    for (const [path, text] of texts) session.update(path, text);
    return session;
  }

  const isAsIndexed = (path: string, hash: string): boolean => {
    const read = treeText(root, path);
    return "text" in read && read.hash === hash && read.text === texts.get(path);
  };

  function change(path: string, text: string): boolean {
    if (texts.get(path) === text) return false;
    texts.set(path, text);
    for (const session of sessions.values()) session.update(path, text);
    return true;
  }

  function show(path: string, text: string | null): void {
    if (text === null) shown.delete(path);
    else shown.add(path);
    change(path, text ?? onDisk(path));
  }

  /** Only files that are part of the tree are looked at. */
  function recheck(paths: readonly string[] | null): boolean {
    const all = new Set([...listed(), ...texts.keys()]);
    const asked = (paths ?? [...all]).filter((path) => all.has(path) && !shown.has(path));
    return asked.map((path) => change(path, onDisk(path))).includes(true);
  }

  function review(path: string, options: ReviewOptions): Review {
    const decided = targetOfTree(options, opened?.release ?? null);
    const { findings, problems } = sessionFor(options).review(path);
    collectNativeMemory();
    return {
      messageId: null, subject: null, series: null, cover: null, target: reportOf(decided),
      problems: [...decided.problems, ...problems], coverage: NO_COVERAGE, obligations: [], findings,
    };
  }

  function asked(path: string, options: ReviewOptions, question: WhatIfQuestion | null): TreeResult {
    const made = review(path, options);
    return question === null ? made : { answer: whatIf(made.findings, question) };
  }

  return async (request) => {
    switch (request.kind) {
      case "open":
        await open();
        return null;
      case "show":
        show(request.path, request.text);
        return null;
      case "recheck":
        return recheck(request.paths);
      case "review":
        return cancellable(request.cancel, () => asked(request.path, request.options, request.question));
    }
  };
}

/** A request with its number, or the wish that all ends. */
export type TreeOrder = { readonly id: number; readonly request: TreeRequest } | "end";

/** Serves a tree over a channel, one request after the other, until it is told to end. */
export function serveTree(data: TreeWorkerData, onOrder: (take: (order: TreeOrder) => void) => void, send: (message: TreeMessage) => void, onEnd: () => void): void {
  const ending = new AbortController();
  const handle = treeService(data, ending.signal, (files) => send({ files }));
  let last: Promise<unknown> = Promise.resolve();
  onOrder((order) => {
    if (order === "end") {
      ending.abort(new Error("cancelled"));
      last = last.finally(onEnd);
      return;
    }
    const { id, request } = order;
    const work = (): ReturnType<typeof handle> => {
      ending.signal.throwIfAborted();
      return handle(request);
    };
    last = last.then(work).then(
      (result) => send({ id, result }),
      (error: unknown) => send({ id, error: error instanceof Error ? error.message : String(error) }),
    );
  });
}
