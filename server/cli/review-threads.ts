// SPDX-License-Identifier: GPL-2.0-only
import { Worker } from "node:worker_threads";
import type { Reviewer } from "../lsp/reviewer.ts";
import type { Answer } from "../node/pool.ts";
import { REVIEWS, type ReviewResult, type ReviewTask } from "./review-service.ts";

/** A long exploration takes one thread; the other documents have the other. */
const MOST_THREADS = 2;

/** How long a document waits for a busy thread before another one is started. */
const PATIENCE_MS = 200;

/** A thread's heap may grow to this; an editor goes on without it. */
const MAX_HEAP_MB = 1024;

interface Job {
  readonly task: number;
  readonly what: ReviewTask;
  readonly resolve: (result: ReviewResult) => void;
  readonly reject: (reason: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly exited: Promise<void>;
  busy: Job | null;
  /** The document that it knows best: what was explored for it need not be explored again. */
  document: string;
}

/** Reviews in threads of their own, which start when they are needed. `file` is the program of the workers. */
export function reviewThreads(file: string): Reviewer {
  const threads: Thread[] = [];
  const queue: Job[] = [];
  let count = 0;
  let isClosed = false;
  let patience: NodeJS.Timeout | undefined;

  function start(): Thread {
    const worker = new Worker(file, { workerData: REVIEWS, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
    const thread: Thread = { worker, exited: new Promise((resolve) => worker.once("exit", () => resolve())), busy: null, document: "" };
    const lost = (reason: unknown): void => {
      const at = threads.indexOf(thread);
      if (at >= 0) threads.splice(at, 1);
      thread.busy?.reject(reason);
      thread.busy = null;
      dispatch();
    };
    worker.on("message", (answer: Answer<ReviewResult>) => {
      const job = thread.busy;
      thread.busy = null;
      if (job?.task === answer.task) {
        if ("error" in answer) job.reject(new Error(answer.error));
        else job.resolve(answer.result);
      }
      dispatch();
    });
    worker.on("error", lost);
    worker.on("exit", () => lost(new Error("the thread of the reviews ended")));
    // The editor decides when the server ends.
    worker.unref();
    threads.push(thread);
    return thread;
  }

  function give(thread: Thread, job: Job): void {
    queue.splice(queue.indexOf(job), 1);
    thread.busy = job;
    thread.document = job.what.document.path;
    // A thread, not a window: it has one sender.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    thread.worker.postMessage({ task: job.task, what: job.what });
  }

  function dispatch(): void {
    if (isClosed) return;
    for (let job = queue[0]; job; job = queue[0]) {
      const { path } = job.what.document;
      const idle = threads.filter(({ busy }) => busy === null);
      const thread = idle.find(({ document }) => document === path) ?? idle[0] ?? (threads.length === 0 ? start() : undefined);
      if (!thread) break;
      give(thread, job);
    }
    if (queue.length === 0 || threads.length >= MOST_THREADS || patience !== undefined) return;
    patience = setTimeout(() => {
      patience = undefined;
      const [first] = queue;
      if (first && !isClosed && threads.length < MOST_THREADS && threads.every(({ busy }) => busy !== null)) give(start(), first);
      dispatch();
    }, PATIENCE_MS);
  }

  const run = (what: Omit<ReviewTask, "cancel">, signal: AbortSignal): Promise<ReviewResult> =>
    new Promise((resolve, reject) => {
      if (isClosed) return reject(new Error("the reviews were closed"));
      if (signal.aborted) return reject(signal.reason);
      const cancel = new Int32Array(new SharedArrayBuffer(4));
      const job: Job = { task: count++, what: { ...what, cancel }, resolve, reject };
      signal.addEventListener("abort", () => {
        Atomics.store(cancel, 0, 1);
        const at = queue.indexOf(job);
        if (at >= 0) queue.splice(at, 1);
        reject(signal.reason);
      }, { once: true });
      queue.push(job);
      dispatch();
    });

  return {
    async review(document, options, signal) {
      const result = await run({ document, options, question: null }, signal);
      if (!("reviews" in result)) throw new Error("no review");
      return result.reviews;
    },
    async whatIf(document, options, question, signal) {
      const result = await run({ document, options, question }, signal);
      if (!("answer" in result)) throw new Error("no answer");
      return result.answer;
    },
    async dispose() {
      isClosed = true;
      clearTimeout(patience);
      const reason = new Error("the reviews were closed");
      for (const job of queue.splice(0)) job.reject(reason);
      const ending = threads.splice(0);
      for (const { busy, worker } of ending) {
        if (busy) Atomics.store(busy.what.cancel, 0, 1);
        busy?.reject(reason);
        worker.removeAllListeners("message");
        worker.ref();
        // What is being done comes to its end: a thread that is stopped inside of the parser takes the process with it.
        // oxlint-disable-next-line unicorn/require-post-message-target-origin
        worker.postMessage("end");
      }
      await Promise.all(ending.map(({ exited }) => exited));
    },
  };
}
