// SPDX-License-Identifier: GPL-2.0-only
import { DidChangeWatchedFilesNotification } from "vscode-languageserver/node";
import type { Connection, TextDocuments } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Review } from "../review/finding.ts";
import type { ReviewOptions } from "../review/options.ts";
import type { WhatIfAnswer, WhatIfQuestion } from "../review/what-if.ts";
import type { Client } from "./client.ts";
import { clientText, kindOf, MAX_LENGTH } from "./text.ts";
import type { FileOfTree, WorkspaceTree, WorkspaceTrees } from "./workspace-tree.ts";

/** Reviews of C files that lie in kernel trees of the workspace. */
export interface TreeCache {
  /** Ends what runs for the trees. */
  readonly close: () => Promise<void>;
  /** The file in its tree, once that is ready; until then null, and the tree is being read. */
  readonly fileOf: (document: TextDocument) => FileOfTree | null;
  /** Takes over what the client says of files that changed. */
  readonly filesChanged: (uris: readonly string[]) => void;
  /** Changes with every text of a tree that changes. */
  readonly generation: () => number;
  /** The review of the file as the editor shows it. */
  readonly review: (file: FileOfTree, options: ReviewOptions, signal: AbortSignal) => Promise<Review>;
  readonly whatIf: (file: FileOfTree, options: ReviewOptions, question: WhatIfQuestion, signal: AbortSignal) => Promise<WhatIfAnswer>;
}

type Opened = "opening" | "ready" | "failed";

/** `refresh`: what was said about open documents may be out of date. */
export function createTreeCache(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  client: Client,
  trees: WorkspaceTrees,
  refresh: () => void,
  debounceMs: number,
  log: (message: string) => void,
): TreeCache {
  const opened = new Map<WorkspaceTree, Opened>();
  /** What the trees were told to show, by document. */
  const shown = new Map<string, { readonly file: FileOfTree; readonly document: TextDocument; readonly version: number }>();
  const ending = new AbortController();
  let generation = 0;

  const inTree = (document: TextDocument): FileOfTree | null => {
    if (kindOf(document) !== "c" || !/\.[ch]$/.test(document.uri) || document.getText().length > MAX_LENGTH) return null;
    return trees.treeOf(client.folders, document.uri);
  };

  let isWatching = false;
  function watch(): void {
    if (isWatching || !client.watchesFiles) return;
    isWatching = true;
    connection.client.register(DidChangeWatchedFilesNotification.type, { watchers: [{ globPattern: "**/*.[ch]" }] })
      .catch((error: unknown) => log(`files are not watched: ${String(error)}`));
  }

  async function open(tree: WorkspaceTree): Promise<void> {
    opened.set(tree, "opening");
    const cancelled = new AbortController();
    const stop = (): void => cancelled.abort(new Error("cancelled"));
    ending.signal.addEventListener("abort", stop, { once: true });
    const progress = client.showsProgress ? await connection.window.createWorkDoneProgress().catch(() => null) : null;
    progress?.begin("Patchwalk: reading the kernel tree", undefined, undefined, true);
    progress?.token.onCancellationRequested(stop);
    try {
      await tree.open(cancelled.signal, (files) => quietly(() => progress?.report(`${files} files`)));
      opened.set(tree, "ready");
      generation++;
      watch();
      refresh();
    } catch (error) {
      opened.set(tree, "failed");
      if (!cancelled.signal.aborted) log(`kernel tree not read: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      ending.signal.removeEventListener("abort", stop);
      quietly(() => progress?.done());
    }
  }

  function fileOf(document: TextDocument): FileOfTree | null {
    const file = inTree(document);
    if (file === null) return null;
    if (!opened.has(file.tree)) void open(file.tree);
    return opened.get(file.tree) === "ready" ? file : null;
  }

  /** Open documents stand for their files, closed ones no longer do. */
  function synchronize(): void {
    for (const [uri, { file, document }] of shown) {
      if (documents.get(uri) === document) continue;
      shown.delete(uri);
      file.tree.show(file.path, null);
      generation++;
    }
    for (const document of documents.all()) {
      const before = shown.get(document.uri);
      if (before?.version === document.version && before.document === document) continue;
      const file = before?.file ?? inTree(document);
      if (file === null || opened.get(file.tree) !== "ready") continue;
      file.tree.show(file.path, clientText(document));
      shown.set(document.uri, { file, document, version: document.version });
      generation++;
    }
  }

  function recheck(tree: WorkspaceTree, paths: readonly string[] | null): void {
    const take = (hasChanged: boolean): void => {
      if (!hasChanged) return;
      generation++;
      refresh();
    };
    tree.recheck(paths).then(take, (error: unknown) => log(`kernel tree not checked: ${String(error)}`));
  }

  function changed(uris: readonly string[]): void {
    const paths = new Map<WorkspaceTree, string[]>();
    for (const uri of uris) {
      const file = trees.treeOf(client.folders, uri);
      if (file && opened.get(file.tree) === "ready") paths.set(file.tree, [...(paths.get(file.tree) ?? []), file.path]);
    }
    for (const [tree, some] of paths) recheck(tree, some);
  }

  documents.onDidSave(({ document }) => {
    const file = fileOf(document);
    // A client that does not watch files tells of changes by what it saves and opens.
    if (file && !client.watchesFiles) recheck(file.tree, null);
  });
  documents.onDidOpen(({ document }) => {
    const file = fileOf(document);
    if (file && !client.watchesFiles) recheck(file.tree, null);
  });
  // Who asks for diagnostics asks again for other documents, too; who does not is told.
  let waiting: NodeJS.Timeout | undefined;
  documents.onDidChangeContent(({ document }) => {
    if (client.pullsDiagnostics || fileOf(document) === null || documents.all().filter((one) => inTree(one) !== null).length < 2) return;
    clearTimeout(waiting);
    waiting = setTimeout(refresh, debounceMs);
  });

  return {
    async close() {
      clearTimeout(waiting);
      ending.abort();
      await trees.dispose();
    },
    fileOf,
    filesChanged: changed,
    generation: () => {
      synchronize();
      return generation;
    },
    review: (file, options, signal) => {
      synchronize();
      return file.tree.review(file.path, options, signal);
    },
    whatIf: (file, options, question, signal) => {
      synchronize();
      return file.tree.whatIf(file.path, options, question, signal);
    },
  };
}

/** A client that went away wants to know nothing. */
function quietly(tell: () => void): void {
  try {
    tell();
  } catch {
    // The connection is closed.
  }
}
