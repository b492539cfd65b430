// SPDX-License-Identifier: GPL-2.0-only
import { Worker } from "node:worker_threads";
import type { Simulated, Simulation } from "../simulator/simulation.ts";
import type { Answer } from "./pool.ts";

/** Tells a worker at its start that it is to simulate. */
export const SIMULATES = "simulates";

/** A simulator beside the thread that asks, so that this one keeps answering. */
export interface SimulatorThread {
  /**
   * Runs one simulation after the other. Rejects with the signal's reason when it is aborted; the simulation then stops within
   * a millisecond and the thread goes on with the next one.
   */
  run(simulation: Simulation, signal?: AbortSignal): Promise<Simulated>;
  /** Ends the thread. What still runs is rejected. */
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: (simulated: Simulated) => void;
  readonly reject: (reason: unknown) => void;
}

/** Opens a simulator; the thread starts with the first simulation. `file` is the program of the workers. */
export function openSimulatorThread(file: string): SimulatorThread {
  let worker: Worker | null = null;
  let count = 0;
  const waiting = new Map<number, Waiting>();

  const rejectAll = (reason: unknown): void => {
    worker = null;
    for (const { reject } of waiting.values()) reject(reason);
    waiting.clear();
  };
  const start = (): Worker => {
    const started = new Worker(file, { workerData: SIMULATES });
    started.on("message", (answer: Answer<Simulated>) => {
      const { resolve, reject } = waiting.get(answer.task) ?? {};
      waiting.delete(answer.task);
      if ("error" in answer) reject?.(new Error(answer.error));
      else resolve?.(answer.result);
    });
    started.on("error", rejectAll);
    started.on("exit", () => rejectAll(new Error("the simulator's thread ended")));
    // It waits for work, and nobody need wait for it.
    started.unref();
    return started;
  };
  return {
    run: ({ model, options }, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason);
        const cancel = new Int32Array(new SharedArrayBuffer(4));
        const task = count++;
        waiting.set(task, { resolve, reject });
        signal?.addEventListener("abort", () => {
          Atomics.store(cancel, 0, 1);
          reject(signal.reason);
        }, { once: true });
        worker ??= start();
        // A thread, not a window: it has one sender.
        // oxlint-disable-next-line unicorn/require-post-message-target-origin
        worker.postMessage({ task, what: { model, options: { ...options, cancel } } });
      }),
    close: async () => {
      const ending = worker;
      ending?.removeAllListeners("exit");
      rejectAll(new Error("the simulator was closed"));
      await ending?.terminate();
    },
  };
}
