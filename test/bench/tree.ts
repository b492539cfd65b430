// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { decodeOutline } from "../../server/analysis/tree-entry.ts";
import { indexOf } from "../../server/analysis/tree-index.ts";
import { openTree } from "../../server/cli/tree.ts";
import { treeFiles, treeText } from "../../server/node/tree-files.ts";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { targetOfTree } from "../../server/review/scan.ts";
import { treeSession } from "../../server/review/session.ts";
import { collectNativeMemory } from "../../server/syntax/parse.ts";
import { countParsed, nativeGrammar } from "../../server/syntax/native.ts";

// Ratios of one run over mm/ of a kernel tree: an index, cold and warm, and the analysis after an edit, all against
// the bare parser. The result is one line of JSON.

const [root = "", rounds = "5"] = process.argv.slice(2);
const ROUNDS = Number(rounds);
const EDITS = 120;

const at = (values: readonly number[], part: number): number => values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? 0;

async function timed(work: () => unknown): Promise<number> {
  collectNativeMemory();
  await setImmediate();
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

const grammar = nativeGrammar();
if ("failure" in grammar) throw new Error(grammar.failure);
const parse = (text: string): void => {
  grammar.parse(text);
  countParsed(text.length);
};

const silent = { step: () => undefined, clear: () => undefined };
const io = { env: {}, now: () => performance.now(), stderr: process.stderr } as never;
const mm = treeFiles(root, ["mm"]).paths;

async function index(cache: string | null): Promise<number> {
  return timed(async () => {
    const tree = await openTree({ tree: root, paths: ["mm"], cache, useCache: cache !== null, jobs: null }, io, silent);
    if ("reason" in tree) throw new Error(tree.reason);
    indexOf(tree.files.flatMap(({ path, outline }) => {
      const decoded = decodeOutline(outline);
      return decoded ? [{ path, outline: decoded }] : [];
    }));
  });
}

/** Numbers that are the same in every run. */
function* numbers(): Generator<number, never> {
  for (let state = 12345; ; ) yield (state = (Math.imul(state, 1103515245) + 12345) >>> 0) / 2 ** 32;
}

/** Words are put in and taken out again all over the largest file; after each the file is analyzed. */
async function edits(): Promise<{ readonly full: number; readonly p50: number; readonly p95: number; readonly most: number }> {
  const path = "mm/hugetlb.c";
  const listing = [...treeFiles(root, ["mm", "fs/userfaultfd.c", "fs/hugetlbfs", "fs/proc/task_mmu.c", "virt/kvm", "include/linux/mm.h", "include/linux/hugetlb.h"], true).paths];
  const texts = new Map(listing.map((one) => {
    const read = treeText(root, one);
    return [one, "text" in read ? read.text : ""] as const;
  }));
  const tree = await openTree({ tree: root, paths: listing, cache: null, useCache: false, jobs: null }, io, silent);
  if ("reason" in tree) throw new Error(tree.reason);
  const linked = indexOf(tree.files.flatMap(({ path: one, outline }) => {
    const decoded = decodeOutline(outline);
    return decoded ? [{ path: one, outline: decoded }] : [];
  }));
  const session = treeSession(linked, texts, targetOfTree(DEFAULT_OPTIONS, tree.release).target, DEFAULT_OPTIONS);
  const original = texts.get(path) ?? "";
  const first = session.review(path).findings.length;
  const random = numbers();
  const times: number[] = [];
  const full: number[] = [];
  for (let count = 0; count < EDITS; count++) {
    const offset = original.indexOf("\n\t", Math.floor(random.next().value * original.length)) + 1;
    const edited = `${original.slice(0, offset)}\tcond_resched();\n${original.slice(offset)}`;
    times.push(await timed(() => {
      session.update(path, edited);
      session.review(path);
    }));
    times.push(await timed(() => {
      session.update(path, original);
      if (session.review(path).findings.length !== first) throw new Error("an edit was not undone");
    }));
    if (count % 10 === 0) full.push(await timed(() => parse(original)));
  }
  return { full: at(full, 0.5), p50: at(times, 0.5), p95: at(times, 0.95), most: at(times, 0.9999) };
}

const folder = mkdtempSync(join(tmpdir(), "patchwalk-bench-"));
try {
  const texts = mm.map((path) => treeText(root, path)).flatMap((read) => ("text" in read ? [read.text] : []));
  const bare: number[] = [];
  const cold: number[] = [];
  const warm: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await timed(async () => {
      for (const text of texts) parse(text);
    }));
    cold.push(await index(join(folder, String(round))));
    warm.push(await index(join(folder, String(round))));
  }
  const edit = await edits();
  console.log(JSON.stringify({ bare: at(bare, 0.5), cold: at(cold, 0.5), warm: at(warm, 0.5), ...edit, peakMiB: process.resourceUsage().maxRSS / 1024 }));
} finally {
  rmSync(folder, { recursive: true });
}
