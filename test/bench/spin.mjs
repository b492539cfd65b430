// SPDX-License-Identifier: GPL-2.0-only
// How fast the simulator explores, as part of the speed of Spin's compiled search over the same graph in the same run.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

const FOLDER = mkdtempSync(join(tmpdir(), "patchwalk-bench-"));

try {
  const outfile = join(FOLDER, "spin.mjs");
  await build({ entryPoints: [join(import.meta.dirname, "spin.ts")], outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" });
  const { status } = spawnSync(process.execPath, [outfile], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
} finally {
  rmSync(FOLDER, { recursive: true });
}
