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

interface EditTimes {
  readonly full: number;
  /** Times to what analysis says, of edits and of taking them back. */
  readonly p50: number;
  readonly p95: number;
  readonly most: number;
  /** Of edits alone: 95 percent of those that lead to a text that was never seen. */
  readonly new95: number;
  /** Times to findings with their proofs. */
  readonly proved50: number;
  readonly proved95: number;
}

/** Words are put in and taken out again all over the largest file; after each the file is analyzed, and then its findings are proved. */
async function edits(): Promise<EditTimes> {
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
  const first = JSON.stringify(session.review(path));
  const random = numbers();
  const [put, taken, proved, full]: number[][] = [[], [], [], []];
  for (let count = 0; count < EDITS; count++) {
    const offset = original.indexOf("\n\t", Math.floor(random.next().value * original.length)) + 1;
    const edited = `${original.slice(0, offset)}\tcond_resched();\n${original.slice(offset)}`;
    for (const [text, times] of [[edited, put], [original, taken]] as const) {
      const analyzed = await timed(() => {
        session.update(path, text);
        session.analyze(path);
      });
      times?.push(analyzed);
      proved?.push(analyzed + (await timed(() => session.review(path))));
    }
    if (JSON.stringify(session.review(path)) !== first) throw new Error("an edit was not undone");
    if (count % 5 === 0) full?.push(await timed(() => parse(original)));
  }
  const all = [...(put ?? []), ...(taken ?? [])];
  return { full: at(full ?? [], 0.5), p50: at(all, 0.5), p95: at(all, 0.95), most: at(all, 0.9999), new95: at(put ?? [], 0.95), proved50: at(proved ?? [], 0.5), proved95: at(proved ?? [], 0.95) };
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
