// SPDX-License-Identifier: GPL-2.0-only
import type { Writable } from "node:stream";

/** The world of one run of the command line. */
export interface CliIo {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly isStdoutTerminal: boolean;
  readonly isStderrTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folders that may hold the rules' pages, `<rule-id>.md`; the first that has the page wins. */
  readonly ruleFolders: readonly string[];
  /** File of the worker threads' program, or null where it is not built: then everything runs in one thread. */
  readonly workerFile?: string | null;
  /** Identity of the program, for results that are kept on disk. */
  readonly build?: string;
  /** Aborted when the user interrupts. */
  readonly signal?: AbortSignal;
  /** Milliseconds, for progress and `--timings` only. */
  readonly now: () => number;
}

export const EXIT = { clean: 0, findings: 1, unusable: 2, internal: 3, interrupted: 130 } as const;

/** Writes to a stream whose reader may go away. */
export interface Sink {
  /** Resolves when the text was taken. After a failure nothing more is written. */
  readonly write: (text: string) => Promise<void>;
  /** The failure that ended writing, or null. */
  readonly failure: () => unknown;
}

export function openSink(stream: Writable): Sink {
  let failure: unknown = null;
  stream.on("error", (error: unknown) => {
    failure ??= error;
  });
  const write = (text: string): Promise<void> =>
    failure !== null || text === ""
      ? Promise.resolve()
      : new Promise((resolve) => {
          stream.write(text, (error) => {
            if (error) failure ??= error;
            resolve();
          });
        });
  return { write, failure: () => failure };
}
