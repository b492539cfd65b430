// SPDX-License-Identifier: GPL-2.0-only
import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** Ids that one question may hold; a mail names a few. */
const MAX_IDS = 200;
const MAX_ANSWER = 64 * 1024;
const TIMEOUT_MS = 3000;

/**
 * What a repository can be made to run for the one who asks whether it has an object, switched off: the configuration of the
 * machine, and the lazy fetch of a partial clone with the transport that its configuration names. `GIT_ALLOW_PROTOCOL` is
 * stronger than `protocol.<name>.allow` of the repository; Git before 2.44 does not know `GIT_NO_LAZY_FETCH`.
 */
function environment(folder: string): NodeJS.ProcessEnv {
  const outside = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"));
  return {
    ...Object.fromEntries(outside),
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: process.platform === "win32" ? "NUL" : "/dev/null",
    GIT_NO_LAZY_FETCH: "1",
    GIT_ALLOW_PROTOCOL: "none",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_CEILING_DIRECTORIES: dirname(folder),
  };
}

/** The answer of `git cat-file --batch-check`; "" where there is no Git, no repository, or no answer in time. */
function ask(folder: string, input: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn("git", ["-c", "safe.bareRepository=explicit", "-C", folder, "cat-file", "--batch-check=%(objectname) %(objecttype)"], {
      env: environment(folder),
      stdio: ["pipe", "pipe", "ignore"],
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
      windowsHide: true,
    });
    let answer = "";
    child.stdout.setEncoding("latin1").on("data", (chunk: string) => {
      answer += chunk;
      if (answer.length > MAX_ANSWER) child.kill("SIGKILL");
    });
    child.on("error", () => resolve(""));
    child.on("close", (code) => resolve(code === 0 ? answer : ""));
    // Who ends before it has read the question says so by its status.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

function folderOf(uri: string): string | null {
  try {
    return uri.startsWith("file:") ? fileURLToPath(uri) : null;
  } catch {
    return null;
  }
}

/**
 * The full names of the commits that the abbreviated names `ids` (7 to 40 hexadecimal digits) have in the repositories at
 * `folders` (file URIs; a repository around a folder does not count). Names that no repository knows, that are ambiguous, or
 * that are no commit are left out. Never rejects.
 */
export async function commitsIn(folders: readonly string[], ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const asked = [...new Set(ids)].filter((id) => /^[0-9a-f]{7,40}$/.test(id)).slice(0, MAX_IDS);
  for (const uri of folders) {
    const folder = folderOf(uri);
    const open = asked.filter((id) => !found.has(id));
    if (folder === null || open.length === 0) continue;
    const answers = (await ask(folder, open.map((id) => `${id}^{commit}\n`).join(""))).split("\n");
    for (const [index, id] of open.entries()) {
      const name = /^([0-9a-f]{40}) commit$/.exec(answers[index] ?? "")?.[1];
      if (name?.startsWith(id) === true) found.set(id, name);
    }
  }
  return found;
}
