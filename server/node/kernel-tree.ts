// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import type { Found, TreeAtHand, TreeQuestions } from "../source/tree-at-hand.ts";
import { releaseOfMakefile } from "../source/tree-release.ts";
import { errorCode, failureReason } from "./failure.ts";
import { catFile, repositoryAt, type Repository } from "./git.ts";

/** A kernel work tree, a repository, or both. */
export interface KernelTree {
  readonly root: string;
  /** null: Git is not asked. */
  readonly repository: Repository | null;
  readonly hasWorkTree: boolean;
}

/** Larger files are not read: the largest file that people write has a tenth of it. */
const MAX_BYTES = 2 * 1024 * 1024;
/** What one document may make us read: all of mm/ has a fifth of it. */
const MAX_TOTAL = 24 * 1024 * 1024;
const TIMEOUT_MS = 10_000;
const MAX_NAMES = 4000;

/** Opens a tree; a reason where there is none. `withGit`: whether its repository may be asked. Fails never. */
export function openKernelTree(directory: string, withGit: boolean): KernelTree | { readonly reason: string } {
  try {
    const root = realpathSync(directory);
    if (!statSync(root).isDirectory()) return { reason: "not a directory" };
    const repository = withGit ? repositoryAt(root) : null;
    return { root, repository, hasWorkTree: repository?.isBare !== true };
  } catch (error) {
    return { reason: failureReason(error) };
  }
}

/** The release that the Makefile of the work tree names; null where there is none, or where it is no kernel's. */
export const workTreeRelease = ({ root, hasWorkTree }: KernelTree): string | null => (hasWorkTree ? releaseIn(workTreeFile(root, "Makefile", { left: MAX_BYTES })) : null);

/** Reads what a review will ask of a tree, within limits. Never rejects. */
export async function readKernelTree(tree: KernelTree, questions: TreeQuestions): Promise<TreeAtHand> {
  const budget = { left: MAX_TOTAL };
  const files = new Map(tree.hasWorkTree ? questions.paths.map((path) => [path, workTreeFile(tree.root, path, budget)] as const) : []);
  // A name by itself tells what it is where it is no blob; with its kind it is found where others begin alike.
  const names = [...questions.blobs.flatMap((name) => [`${name}^{blob}`, name]), ...questions.commits.filter(isObjectName).map((name) => `${name}^{commit}:Makefile`)];
  const objects = tree.repository === null ? new Map<string, Found>() : await objectsOf(tree.repository, names, budget);
  return {
    release: workTreeRelease(tree),
    blob: (name) => objects.get(`${name}^{blob}`) ?? objects.get(name) ?? null,
    file: (path) => files.get(path) ?? null,
    releaseOf: (commit) => releaseIn(objects.get(`${commit}^{commit}:Makefile`) ?? null),
  };
}

const releaseIn = (makefile: Found): string | null => (makefile !== null && "text" in makefile ? releaseOfMakefile(makefile.text) : null);

const isObjectName = (name: string): boolean => /^[0-9a-f]{7,64}$/.test(name);

interface Budget {
  left: number;
}

/**
 * A file of the work tree by the path that a patch gives it. The path may be anything: what it leads to must be a regular file
 * at that very place below the root, without a link on the way.
 */
export function workTreeFile(root: string, path: string, budget: Budget): Found {
  if (!isPlainPath(path)) return { reason: "not a path inside of the tree" };
  const name = join(root, ...path.split("/"));
  let file: number | null = null;
  try {
    const real = realpathSync(name);
    if (real !== name) return { reason: real.startsWith(root + sep) ? "a symbolic link" : "outside of the tree" };
    if (!lstatSync(name).isFile()) return { reason: "not a regular file" };
    // A pipe that took the place of the file would let the opening wait.
    file = openSync(name, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    const { size } = fstatSync(file);
    if (!fstatSync(file).isFile()) return { reason: "not a regular file" };
    if (size > MAX_BYTES) return { reason: "larger than 2 MiB" };
    if (size > budget.left) return { reason: "the patch touches too much of the tree" };
    const bytes = Buffer.alloc(size);
    const length = readSync(file, bytes, 0, size, 0);
    budget.left -= length;
    return { text: decoded(bytes.subarray(0, length)) };
  } catch (error) {
    return ["ENOENT", "ENOTDIR"].includes(errorCode(error)) ? null : { reason: failureReason(error) };
  } finally {
    if (file !== null) closeSync(file);
  }
}

const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** A path with `/` that stays where it is joined to, on every system: no step up, no root, no drive, no stream, no device. */
export function isPlainPath(path: string): boolean {
  if (path.length > 1000 || /[\u0000-\u001f\u007f\\:]/.test(path)) return false;
  return path.split("/").every((part) => part !== "" && !/[. ]$/.test(part) && part.toLowerCase() !== ".git" && !/^git~\d$/i.test(part) && !RESERVED.test(part));
}

/** The blobs that names mean; names that the repository does not have are left out. */
async function objectsOf(repository: Repository, names: readonly string[], budget: Budget): Promise<ReadonlyMap<string, Found>> {
  const found = new Map<string, Found>();
  const asked = [...new Set(names)].slice(0, MAX_NAMES);
  if (asked.length === 0) return found;
  const check = await catFile(repository, "--batch-check=%(objectname) %(objecttype) %(objectsize)", asked.map((name) => `${name}\n`).join(""), { maxBytes: 1024 * 1024, timeoutMs: TIMEOUT_MS });
  const wanted = new Map<string, string[]>();
  (check?.toString("latin1").split("\n") ?? []).forEach((line, index) => {
    const [, id, type, size] = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(line) ?? [];
    const name = asked[index];
    if (name === undefined || id === undefined) return;
    if (type !== "blob") found.set(name, { reason: `a ${type}` });
    else if (Number(size) > MAX_BYTES) found.set(name, { reason: "larger than 2 MiB" });
    else if (Number(size) > budget.left) found.set(name, { reason: "the patch touches too much of the tree" });
    else {
      if (!wanted.has(id)) budget.left -= Number(size);
      wanted.set(id, [...(wanted.get(id) ?? []), name]);
    }
  });
  const answer = wanted.size === 0 ? null : await catFile(repository, "--batch", [...wanted.keys()].map((id) => `${id}\n`).join(""), { maxBytes: MAX_TOTAL + MAX_NAMES * 100, timeoutMs: TIMEOUT_MS });
  for (const [id, text] of answer === null ? [] : blobsIn(answer)) for (const name of wanted.get(id) ?? []) found.set(name, { text });
  return found;
}

/** Takes the answer of `cat-file --batch` apart: `<name> blob <size>`, the bytes, a line end. */
function* blobsIn(answer: Buffer): Generator<readonly [id: string, text: string]> {
  for (let at = 0; at < answer.length; ) {
    const end = answer.indexOf(10, at);
    const [, id, type, size] = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(answer.toString("latin1", at, Math.max(at, end))) ?? [];
    if (end < 0 || id === undefined) return;
    const next = end + 1 + Number(size);
    if (next > answer.length) return;
    if (type === "blob") yield [id, decoded(answer.subarray(end + 1, next))];
    at = next + 1;
  }
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
}
