// SPDX-License-Identifier: GPL-2.0-only
import { spawn } from "node:child_process";
import { lstatSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** A repository whose objects may be read. */
export interface Repository {
  readonly folder: string;
  /** A repository without a work tree: it is named to Git, which looks for no other. */
  readonly isBare: boolean;
}

/** Where Git has to stop. */
export interface GitLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

const NOWHERE = process.platform === "win32" ? "NUL" : "/dev/null";

/**
 * Settings that make Git run something, switched off whatever the repository says. The one command below needs none of them;
 * they are here so that a repository which finds a way to another command finds nothing there either.
 */
const SWITCHED_OFF: readonly string[] = [
  "core.fsmonitor=false", `core.hooksPath=${NOWHERE}`, `core.attributesFile=${NOWHERE}`, "core.pager=cat", "core.editor=false", "core.askPass=", "core.sshCommand=false",
  "core.gitProxy=", "core.alternateRefsCommand=", "diff.external=", "credential.helper=", "submodule.recurse=false", "protocol.allow=never",
  // A bare repository inside of a work tree is not taken for it.
  "safe.bareRepository=explicit",
];

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
    GIT_CONFIG_GLOBAL: NOWHERE,
    GIT_ATTR_NOSYSTEM: "1",
    GIT_NO_LAZY_FETCH: "1",
    GIT_ALLOW_PROTOCOL: "none",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "",
    GIT_PAGER: "cat",
    GIT_CEILING_DIRECTORIES: dirname(folder),
  };
}

/** The answer of `git cat-file` to the lines of `input`; null where there is no Git, no repository, or no answer within the limits. */
export function catFile({ folder, isBare }: Repository, format: `--batch${string}`, input: string, limits: GitLimits): Promise<Buffer | null> {
  const where = isBare ? [`--git-dir=${folder}`] : ["-C", folder];
  const options = SWITCHED_OFF.flatMap((setting) => ["-c", setting]);
  return new Promise((resolvePromise) => {
    const child = spawn("git", ["--no-pager", ...options, ...where, "cat-file", format], {
      env: environment(folder),
      stdio: ["pipe", "pipe", "ignore"],
      windowsHide: true,
    });
    // What Git started may hold its pipes open after its end: nobody waits for that.
    const done = (answer: Buffer | null): void => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      child.stdout.destroy();
      resolvePromise(answer);
    };
    const timer = setTimeout(() => done(null), limits.timeoutMs);
    const chunks: Buffer[] = [];
    let length = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > limits.maxBytes) done(null);
      else chunks.push(chunk);
    });
    child.on("error", () => done(null));
    child.on("close", (code) => done(code === 0 && length <= limits.maxBytes ? Buffer.concat(chunks) : null));
    // Who ends before it has read the question says so by its status.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/**
 * The repository whose top is `folder`, or null. A `.git` file is followed only to a repository that names it in return, as one
 * with linked work trees does: another one would be a way to read where nobody meant to.
 */
export function repositoryAt(folder: string): Repository | null {
  try {
    const dot = lstatSync(join(folder, ".git"), { throwIfNoEntry: false });
    if (dot?.isDirectory()) return { folder, isBare: false };
    if (dot?.isFile()) return isLinked(folder, dot.size) ? { folder, isBare: false } : null;
    return dot === undefined && isBareRepository(folder) ? { folder, isBare: true } : null;
  } catch {
    return null;
  }
}

/** Longer files name no folder. */
const MAX_LINK = 4096;

function isLinked(folder: string, size: number): boolean {
  if (size > MAX_LINK) return false;
  const target = /^gitdir: (.+)\n?$/.exec(readFileSync(join(folder, ".git"), "utf8"))?.[1];
  if (target === undefined) return false;
  const back = join(resolve(folder, target), "gitdir");
  if (!lstatSync(back).isFile() || statSync(back).size > MAX_LINK) return false;
  return realpathSync(resolve(dirname(back), readFileSync(back, "utf8").trim())) === realpathSync(join(folder, ".git"));
}

/** Git asks who owns a repository that it finds, not one that it is given. */
function isBareRepository(folder: string): boolean {
  const isFolder = (name: string): boolean => lstatSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory() === true;
  const own = process.getuid?.() ?? null;
  return lstatSync(join(folder, "HEAD"), { throwIfNoEntry: false })?.isFile() === true && isFolder("objects") && isFolder("refs") && (own === null || statSync(folder).uid === own);
}
