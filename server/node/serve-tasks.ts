// SPDX-License-Identifier: GPL-2.0-only
import type { MessagePort } from "node:worker_threads";

/** What a worker is told: a task with its number, or that it is to end when what it does is done. */
export type TaskOrder<T> = { readonly task: number; readonly what: T } | "end";

/** Does the tasks that come through a port, which are given one at a time, and answers each by its number. */
export function serveTasks<T>(port: MessagePort, run: (what: T) => unknown): void {
  const answer = (message: unknown): void => {
    // A port of a thread, not of a window: it has one reader.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    port.postMessage(message);
  };
  port.on("message", async (order: TaskOrder<T>) => {
    if (order === "end") return port.close();
    const { task, what } = order;
    try {
      answer({ task, result: await run(what) });
    } catch (error) {
      answer({ task, error: error instanceof Error ? error.message : String(error) });
    }
  });
}
