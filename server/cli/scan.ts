// SPDX-License-Identifier: GPL-2.0-only
import type { WriteStream } from "node:fs";
import { errorCode, failureReason } from "../node/failure.ts";
import { runInWorkers, type Answer } from "../node/pool.ts";
import { scannerOf, targetOfTree, type ScannedFile, type Scanner } from "../review/scan.ts";
import type { BaselineEntry } from "../review/baseline/baseline.ts";
import type { Review } from "../review/finding.ts";
import type { ReviewOptions } from "../review/options.ts";
import { withoutConfigured } from "../review/suppression/in-configuration.ts";
import { staleInFile } from "../review/suppression/stale.ts";
import { decodeOutline } from "../analysis/tree-entry.ts";
import { emptySummary, withFindings } from "../report/json.ts";
import { visibleLine, visiblePath } from "../report/visible.ts";
import { scanArguments, type ReportArguments } from "./arguments.ts";
import { openBaseline, type RunBaseline } from "./baseline.ts";
import { openConfigurations, type Configurations } from "./configurations.ts";
import type { Engine } from "./engine.ts";
import { EXIT, openSink, type CliIo } from "./io.ts";
import { noteRelease, reviewOptions, selectionOf } from "./lint.ts";
import { openOutput, reportWriter } from "./output.ts";
import { startProgress } from "./progress.ts";
import { scanTaskRunner, type ScanWorkerData } from "./scan-task.ts";
import { isFailing, selected } from "./select.ts";
import { complainAboutTree, jobsOf, openTree, reviewName, shownPath, withShownPaths, type OpenTree, type TreeArguments } from "./tree.ts";

type ScanArguments = ReportArguments & TreeArguments;

/** `patchwalk scan TREE [PATH]...`: reviews the C files of a tree as they stand, each with its callers. */
export async function scan(argv: readonly string[], io: CliIo, engine: Engine): Promise<number> {
  const known = engine.rules().map((rule) => rule.id);
  const parsed = scanArguments(argv, known);
  if ("error" in parsed) return refuse(io, `patchwalk: ${visibleLine(parsed.error)}; see patchwalk --help\n`);
  const args = parsed.value;
  noteRelease(args, io);
  const baseline = args.baseline === null ? null : openBaseline({ ...args, baseline: args.baseline }, io);
  if (args.baseline !== null && baseline === null) return EXIT.unusable;
  const output = args.output === null ? null : await openOutput(args.output);
  if (output !== null && "reason" in output) return refuse(io, `${visiblePath(args.output ?? "")}: ${output.reason}\n`);
  const started = io.now();
  const indexing = startProgress(io, "files indexed");
  const tree = await openTree(args, io, indexing);
  indexing.clear();
  if ("reason" in tree) return refuse(io, `${visiblePath(args.tree)}: ${visibleLine(tree.reason)}\n`);
  complainAboutTree(args.tree, tree.problems, io);

  const configurations = openConfigurations(args, io, known);
  const configured = configurations.forFolder(tree.root);
  const options = reviewOptions(args, known, configured.rules);
  // What a suppression names may be below the tier that is shown: it is not stale for that.
  const asked: ReviewOptions = configured.suppressions.length > 0 ? { ...options, minTier: "pattern" } : options;
  const data: ScanWorkerData = { root: tree.root, files: tree.files, treeRelease: tree.release, options: asked };
  const answers = await reviewAll(tree, data, args, io);
  const suppress = (path: string, review: Review): Review => {
    const { review: kept, sorted } = withoutConfigured(review, configured.suppressions, () => path);
    configurations.note(staleInFile(configured.suppressions, sorted.used, path, review, options, engine.rules()), sorted.expired, review.target.release);
    return kept;
  };
  const timings = args.timings ? { totalMs: Math.round(io.now() - started), reviewMs: Math.round(io.now() - started) } : null;
  const [wanted, indexed] = [new Set(tree.wanted), new Set([...tree.files, ...tree.problems].map(({ path }) => path))];
  const isLookedAt = ({ rule, file }: BaselineEntry): boolean => options.rules[rule] !== "off" && (file === null || wanted.has(file) || (args.paths.length === 0 && !indexed.has(file)));
  const status = await write(answers, { args, io, output: output?.stream ?? null, timings, suppress, configurations, baseline, isLookedAt });
  const hasProblems = tree.problems.length > 0 || configurations.hasProblems();
  return (status === EXIT.clean || status === EXIT.findings) && hasProblems ? EXIT.unusable : status;
}

function refuse(io: CliIo, text: string): number {
  io.stderr.write(text);
  return EXIT.unusable;
}

interface FileAnswer {
  readonly path: string;
  readonly review: Review | null;
  /** Why there is no review: a bug. */
  readonly error: string | null;
}

/** The review of every file that was asked for, in order of path, from the store where nothing changed. */
async function reviewAll(tree: OpenTree, data: ScanWorkerData, args: ScanArguments, io: CliIo): Promise<readonly FileAnswer[]> {
  const hashes = new Map(tree.files.map(({ path, hash }) => [path, hash]));
  const names = new Map(tree.wanted.map((path) => [path, reviewName(path, hashes.get(path) ?? "", [data.options, data.treeRelease], io)]));
  const known = new Map<string, Review>();
  let checker: Scanner | null = null;
  for (const [path, name] of names) {
    const kept = readScanned(tree.store.read(name));
    if (kept === null) continue;
    checker ??= scannerOf(indexedOf(data), () => null, targetOfTree(data.options, data.treeRelease), data.options);
    if (checker.isCurrent(kept)) known.set(path, kept.review);
  }
  const open = tree.wanted.filter((path) => !known.has(path));
  // The largest files first: whoever begins with them ends with the others.
  const size = new Map(data.files.map(({ path, outline }) => [path, outline.length]));
  const tasks = open.toSorted((a, b) => (size.get(b) ?? 0) - (size.get(a) ?? 0) || (a < b ? -1 : 1));
  const answers = await runTasks(tasks, data, args, io);
  const byPath = new Map(answers.map((answer) => [tasks[answer.task] ?? "", answer]));
  return tree.wanted.map((path): FileAnswer => {
    const review = known.get(path);
    if (review) return { path, review, error: null };
    const answer = byPath.get(path);
    if (!answer || "error" in answer) return { path, review: null, error: answer?.error ?? "no answer" };
    tree.store.write(names.get(path) ?? "", JSON.stringify(answer.result));
    return { path, review: answer.result.review, error: null };
  });
}

const indexedOf = (data: ScanWorkerData) =>
  data.files.flatMap(({ path, hash, outline }) => {
    const decoded = decodeOutline(outline);
    return decoded ? [{ path, hash, outline: decoded }] : [];
  });

function readScanned(text: string | null): ScannedFile | null {
  if (text === null) return null;
  try {
    const read = JSON.parse(text) as ScannedFile;
    return Array.isArray(read.files) && Array.isArray(read.answers) && Array.isArray(read.review.findings) ? read : null;
  } catch {
    return null;
  }
}

async function runTasks(tasks: readonly string[], data: ScanWorkerData, args: ScanArguments, io: CliIo): Promise<readonly Answer<ScannedFile>[]> {
  const progress = startProgress(io, `of ${tasks.length} files analyzed`);
  try {
    if (io.workerFile && tasks.length > 0) {
      const options = { file: io.workerFile, data, jobs: jobsOf(args.jobs), signal: io.signal ?? null, onDone: progress.step };
      return await runInWorkers<string, ScannedFile>(tasks, options);
    }
    return await runHere(tasks, data, io, progress.step);
  } finally {
    progress.clear();
  }
}

async function runHere(tasks: readonly string[], data: ScanWorkerData, io: CliIo, step: (done: number) => void): Promise<readonly Answer<ScannedFile>[]> {
  const run = scanTaskRunner(data);
  const answers: Answer<ScannedFile>[] = [];
  for (const [task, path] of tasks.entries()) {
    io.signal?.throwIfAborted();
    try {
      answers.push({ task, result: run(path) });
    } catch (error) {
      answers.push({ task, error: error instanceof Error ? error.message : String(error) });
    }
    step(task + 1);
    await new Promise((done) => setImmediate(done));
  }
  return answers;
}

/** What writing goes by. */
interface Writing {
  readonly args: ScanArguments;
  readonly io: CliIo;
  readonly output: WriteStream | null;
  readonly timings: { readonly totalMs: number; readonly reviewMs: number } | null;
  readonly suppress: (path: string, review: Review) => Review;
  readonly configurations: Configurations;
  readonly baseline: RunBaseline | null;
  /** True for an entry of the baseline that the run would have found again. */
  readonly isLookedAt: (entry: BaselineEntry) => boolean;
}

/** Writes the report; the exit status. */
async function write(answers: readonly FileAnswer[], { args, io, output, timings, suppress, configurations, baseline, isLookedAt }: Writing): Promise<number> {
  const writer = reportWriter(args, io, output);
  const selection = selectionOf(args);
  const out = openSink(output ?? io.stdout);
  let summary = emptySummary(args.showRefuted);
  let status: number = EXIT.clean;
  await out.write(writer.open());
  let index = 0;
  for (const { path, review, error } of answers) {
    const shown = shownPath(args.tree, path);
    if (review === null) {
      io.stderr.write(`patchwalk: internal error: ${visiblePath(shown)}: ${visibleLine(error ?? "")}\n`);
      status = EXIT.internal;
      continue;
    }
    const kept = selected(suppress(path, review), selection);
    const chosen = withShownPaths(baseline?.filter(kept) ?? kept, args.tree);
    summary = { ...withFindings(summary, chosen), files: summary.files + 1 };
    if (status === EXIT.clean && isFailing(chosen, args.failOn)) status = EXIT.findings;
    await out.write(writer.input(shown, chosen, index++, "c"));
  }
  const told = configurations.finish();
  if (baseline?.finish(status !== EXIT.internal && !configurations.hasProblems(), isLookedAt) === false && status !== EXIT.internal) status = EXIT.unusable;
  await out.write(writer.close(baseline === null ? summary : { ...summary, baseline: baseline.known() }, index, timings, told));
  if (output !== null) await new Promise<void>((resolve) => output.end(() => resolve()));
  const failure = out.failure();
  if (failure === null || errorCode(failure) === "EPIPE") return status;
  return refuse(io, `${visiblePath(args.output ?? "stdout")}: ${failureReason(failure)}\n`);
}
