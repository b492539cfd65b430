// SPDX-License-Identifier: GPL-2.0-only
import type { CliIo } from "./io.ts";

/** A line on a terminal that says how far the work is, from one second on; silent elsewhere. */
export interface Progress {
  readonly step: (done: number) => void;
  /** Removes the line, so that other text may be written. */
  readonly clear: () => void;
}

const SILENT: Progress = { step: () => undefined, clear: () => undefined };

export function startProgress(io: CliIo, words = "inputs linted"): Progress {
  if (!io.isStderrTerminal) return SILENT;
  const start = io.now();
  let last = start;
  let isShown = false;
  return {
    step: (done) => {
      const now = io.now();
      if (now - start < 1000 || now - last < 200) return;
      last = now;
      isShown = true;
      io.stderr.write(`\r\x1b[Kpatchwalk: ${done} ${words}`);
    },
    clear: () => {
      if (isShown) io.stderr.write("\r\x1b[K");
      isShown = false;
    },
  };
}
