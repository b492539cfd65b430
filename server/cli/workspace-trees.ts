// SPDX-License-Identifier: GPL-2.0-only
import { join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { WorkspaceTree, WorkspaceTrees } from "../lsp/workspace-tree.ts";
import { hasFolder, treeRoot, treeText } from "../node/tree-files.ts";
import type { ReviewOptions } from "../review/options.ts";
import type { WhatIfQuestion } from "../review/what-if.ts";
import { releaseOfMakefile } from "../source/tree-release.ts";
import { serveTree, type TreeMessage, type TreeOrder, type TreeRequest, type TreeResult, type TreeWorkerData } from "./tree-service.ts";

export interface TreeHost {
  /** File of the worker threads' program, or null where it is not built: then everything runs in this thread. */
  readonly workerFile: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Kernel trees among the folders of an editor's workspace; each is kept by a thread of its own. */
export function workspaceTrees(host: TreeHost): WorkspaceTrees {
  const known = new Map<string, { readonly folder: string; readonly tree: WorkspaceTree; readonly end: () => Promise<void> } | null>();

  const treeAt = (uri: string) => {
    const before = known.get(uri);
    if (before !== undefined) return before;
    const folder = pathOf(uri);
    const made = folder !== null && isKernelTree(folder) ? { folder, ...newTree(folder, host) } : null;
    known.set(uri, made);
    return made;
  };

  return {
    treeOf(folders, uri) {
      const file = pathOf(uri);
      if (file === null) return null;
      for (const one of folders) {
        const found = treeAt(one);
        const path = found && relative(found.folder, file).split(sep).join("/");
        // What lies above the folder, or on another drive, is none of its files.
        if (found && path && !path.startsWith("../") && path !== ".." && !/^(?:[A-Za-z]:|\/)/.test(path)) return { tree: found.tree, path };
      }
      return null;
    },
    async dispose() {
      const all = [...known.values()];
      known.clear();
      await Promise.all(all.map((found) => found?.end()));
    },
  };
}

function pathOf(uri: string): string | null {
  try {
    return uri.startsWith("file:") ? fileURLToPath(uri) : null;
  } catch {
    return null;
  }
}

function isKernelTree(folder: string): boolean {
  try {
    const root = treeRoot(folder);
    const makefile = treeText(root, "Makefile");
    return "text" in makefile && releaseOfMakefile(makefile.text) !== null && hasFolder(root, "mm");
  } catch {
    return false;
  }
}

interface Waiting {
  readonly resolve: (result: TreeResult) => void;
  readonly reject: (error: Error) => void;
}

function newTree(folder: string, host: TreeHost): { readonly tree: WorkspaceTree; readonly end: () => Promise<void> } {
  const data: TreeWorkerData = { tree: treeRoot(folder), env: { HOME: host.env["HOME"], XDG_CACHE_HOME: host.env["XDG_CACHE_HOME"] } };
  const waiting = new Map<number, Waiting>();
  let onProgress: (files: number) => void = () => undefined;
  let sent = 0;
  let channel: Channel | null = null;

  const take = (message: TreeMessage): void => {
    if ("files" in message) return onProgress(message.files);
    const one = waiting.get(message.id);
    waiting.delete(message.id);
    if ("error" in message) one?.reject(new Error(message.error));
    else one?.resolve(message.result);
  };
  const fail = (error: Error): void => {
    for (const one of waiting.values()) one.reject(error);
    waiting.clear();
    channel = null;
  };
  const ask = (request: TreeRequest): Promise<TreeResult> =>
    new Promise((resolve, reject) => {
      if (!channel) return reject(new Error("the tree is not open"));
      const id = sent++;
      waiting.set(id, { resolve, reject });
      channel.send({ id, request });
    });
  const askAbout = (path: string, options: ReviewOptions, question: WhatIfQuestion | null, signal: AbortSignal): Promise<TreeResult> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const cancel = new Int32Array(new SharedArrayBuffer(4));
      signal.addEventListener("abort", () => {
        Atomics.store(cancel, 0, 1);
        reject(signal.reason);
      }, { once: true });
      ask({ kind: "review", path, options, question, cancel }).then(resolve, reject);
    });
  const end = async (): Promise<void> => {
    const ended = channel?.end();
    fail(new Error("cancelled"));
    await ended;
  };

  const tree: WorkspaceTree = {
    async open(signal, progress) {
      signal.throwIfAborted();
      channel = host.workerFile === null ? sameThread(data, take) : thread(host.workerFile, data, take, fail);
      onProgress = progress;
      const stop = (): void => void end();
      signal.addEventListener("abort", stop, { once: true });
      try {
        await ask({ kind: "open" });
      } finally {
        signal.removeEventListener("abort", stop);
        onProgress = () => undefined;
      }
    },
    show: (path, text) => void ask({ kind: "show", path, text }).catch(() => undefined),
    recheck: async (paths) => (await ask({ kind: "recheck", paths })) === true,
    review: async (path, options, signal) => {
      const result = await askAbout(path, options, null, signal);
      if (result === null || typeof result === "boolean" || "answer" in result) throw new Error("no review");
      return result;
    },
    whatIf: async (path, options, question, signal) => {
      const result = await askAbout(path, options, question, signal);
      if (result === null || typeof result === "boolean" || !("answer" in result)) throw new Error("no answer");
      return result.answer;
    },
    uriOf: (path) => pathToFileURL(join(folder, path)).href,
  };
  return { tree, end };
}

interface Channel {
  send(order: TreeOrder): void;
  /** Lets what is being done come to its end: a thread that is stopped inside of the parser takes the process with it. */
  end(): Promise<void>;
}

/** A tree's heap may grow to this; an editor goes on without it. */
const MAX_HEAP_MB = 1536;

function thread(file: string, data: TreeWorkerData, take: (message: TreeMessage) => void, fail: (error: Error) => void): Channel {
  const worker = new Worker(file, { workerData: data, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  worker.on("message", take);
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("the thread of the tree ended")));
  // The editor decides when the server ends.
  worker.unref();
  const send = (order: TreeOrder): void => {
    // A thread, not a window: it has one sender.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    worker.postMessage(order);
  };
  return {
    send,
    end() {
      worker.ref();
      send("end");
      return exited;
    },
  };
}

function sameThread(data: TreeWorkerData, take: (message: TreeMessage) => void): Channel {
  const receivers: ((order: TreeOrder) => void)[] = [];
  let isOpen = true;
  let ended: () => void = () => undefined;
  const end = new Promise<void>((resolve) => (ended = resolve));
  serveTree(data, (receiver) => receivers.push(receiver), (message) => isOpen && take(message), () => ended());
  const send = (order: TreeOrder): void => void setImmediate(() => receivers.forEach((receiver) => receiver(order)));
  return {
    send,
    end() {
      isOpen = false;
      send("end");
      return end;
    },
  };
}
