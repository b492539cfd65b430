// SPDX-License-Identifier: GPL-2.0-only
import { Worker } from "node:worker_threads";

/** What a worker answers: the result of one task, or why there is none. */
export type Answer<R> = { readonly task: number; readonly result: R } | { readonly task: number; readonly error: string };

export interface PoolOptions {
  /** Program of the workers. */
  readonly file: string;
  /** Given to each worker at its start. */
  readonly data: unknown;
  readonly jobs: number;
  readonly signal: AbortSignal | null;
  /** Called after each task with the number of those that are done. */
  readonly onDone: (done: number) => void;
}

/** Short-lived records are collected early: larger young heaps buy little time for much memory. */
const YOUNG_HEAP_MB = 6;

/** A worker's heap may grow to this: a task that needs more fails alone. */
const MAX_HEAP_MB = 1024;

const isOutOfMemory = (error: unknown): error is Error => error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";

/**
 * Runs tasks in worker threads, one at a time in each, and gives their answers in the order of the tasks. Rejects
 * with the signal's reason when it is aborted; the threads are ended in any case.
 */
export async function runInWorkers<T, R>(tasks: readonly T[], options: PoolOptions): Promise<readonly Answer<R>[]> {
  const answers: Answer<R>[] = [];
  let next = 0;
  let done = 0;
  const workers: Worker[] = [];
  const take = (worker: Worker): number | null => {
    const task = next++;
    if (task >= tasks.length) return null;
    // A thread, not a window: it has one sender.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    worker.postMessage({ task, what: tasks[task] });
    return task;
  };
  const keep = (answer: Answer<R>): void => {
    answers[answer.task] = answer;
    options.onDone(++done);
  };
  /** Does tasks until none is left; resolves to false where the thread ran out of memory over one. */
  const runOne = (): Promise<boolean> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(options.file, { workerData: options.data, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB, maxYoungGenerationSizeMb: YOUNG_HEAP_MB } });
      workers.push(worker);
      let answered = 0;
      let current = take(worker);
      worker.on("message", (answer: Answer<R>) => {
        answered++;
        keep(answer);
        current = take(worker);
        if (current === null) resolve(true);
      });
      worker.on("error", (error) => {
        // One that never answered would not the next time either: what it is given at its start is too large.
        if (!isOutOfMemory(error) || answered === 0 || current === null) return reject(error);
        keep({ task: current, error: error.message });
        resolve(false);
      });
      worker.on("exit", () => reject(new Error("a worker thread ended too early")));
      if (current === null) resolve(true);
    });
  const runAll = async (): Promise<void> => {
    while (!(await runOne()));
  };
  const aborted = new Promise<never>((_, reject) => {
    options.signal?.addEventListener("abort", () => reject(options.signal?.reason as Error), { once: true });
  });
  try {
    options.signal?.throwIfAborted();
    const running = Promise.all(Array.from({ length: Math.min(options.jobs, tasks.length) }, runAll));
    await (options.signal ? Promise.race([running, aborted]) : running);
    return answers;
  } finally {
    aborted.catch(() => undefined);
    for (const worker of workers) {
      worker.removeAllListeners();
      // The failure of another one is told already.
      worker.on("error", () => undefined);
    }
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
