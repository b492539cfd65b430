// SPDX-License-Identifier: GPL-2.0-only
import type { Writable } from "node:stream";
import { errorCode, failureReason } from "../node/failure.ts";
import { emptySummary, withFindings } from "../report/json.ts";
import type { Summary } from "../report/json.ts";
import { unifiedDiff } from "../report/unified-diff.ts";
import { visibleCode, visibleLine, visiblePath } from "../report/visible.ts";
import type { Cover } from "../patch/cover.ts";
import type { BaselineEntry } from "../review/baseline/baseline.ts";
import type { Finding, Review, Severity } from "../review/finding.ts";
import { DEFAULT_OPTIONS } from "../review/options.ts";
import type { ReviewOptions } from "../review/options.ts";
import { withoutConfigured } from "../review/suppression/in-configuration.ts";
import { withFixedBy } from "../review/review.ts";
import { planSeries, type Seat } from "../review/series-plan.ts";
import { lintArguments, releaseNote } from "./arguments.ts";
import type { LintArguments, ReportArguments } from "./arguments.ts";
import { openBaseline, type RunBaseline } from "./baseline.ts";
import { openConfigurations, type Configurations, type Configured } from "./configurations.ts";
import { documentsOf } from "./documents.ts";
import type { Engine } from "./engine.ts";
import { inputFiles } from "./files.ts";
import { withProvedFixes, writeFixed } from "./fix.ts";
import type { InputFile } from "./files.ts";
import { EXIT, openSink } from "./io.ts";
import { openLintTree, type LintTree } from "./lint-tree.ts";
import type { CliIo, Sink } from "./io.ts";
import { openOutput, reportWriter } from "./output.ts";
import { startProgress } from "./progress.ts";
import type { Progress } from "./progress.ts";
import { isFailing, selected } from "./select.ts";
import type { Selection } from "./select.ts";
import { seriesWindow, type Batch, type ReadDocument, type SeriesWindow } from "./series-window.ts";
import { shiftReview } from "./shift-lines.ts";
import { withShownPaths } from "./tree.ts";
import { unreadReasons } from "./unread.ts";
import type { Writer } from "./writer.ts";

/** One run. What was found so far is here, since a report is written while its inputs are read. */
interface Run {
  readonly args: LintArguments;
  readonly io: CliIo;
  readonly engine: Engine;
  readonly known: readonly string[];
  readonly configurations: Configurations;
  readonly baseline: RunBaseline | null;
  readonly selection: Selection;
  readonly writer: Writer;
  readonly out: Sink;
  readonly progress: Progress;
  readonly tree: LintTree | null;
  readonly window: SeriesWindow;
  /** The file of the last document that was reviewed. */
  lastPath: string | null;
  /** Cover letters that went by, the last ones. */
  readonly covers: Cover[];
  summary: Summary;
  inputs: number;
  reviewMs: number;
  hasFailing: boolean;
  hasUnusable: boolean;
  hasCrashed: boolean;
}

export async function lint(argv: readonly string[], io: CliIo, engine: Engine): Promise<number> {
  const known = engine.rules().map((rule) => rule.id);
  const parsed = lintArguments(argv, known);
  if ("error" in parsed) {
    io.stderr.write(`patchwalk: ${visibleLine(parsed.error)}; see patchwalk --help\n`);
    return EXIT.unusable;
  }
  const args = parsed.value;
  noteRelease(args, io);
  const tree = args.tree === null ? null : openLintTree(args.tree, io);
  if (tree !== null && "reason" in tree) {
    io.stderr.write(`${visiblePath(args.tree ?? "")}: ${visibleLine(tree.reason)}\n`);
    return EXIT.unusable;
  }
  const baseline = args.baseline === null ? null : openBaseline({ ...args, baseline: args.baseline }, io);
  if (args.baseline !== null && baseline === null) return EXIT.unusable;
  const file = args.output === null ? null : await openOutput(args.output);
  if (file !== null && "reason" in file) {
    io.stderr.write(`${visiblePath(args.output ?? "")}: ${file.reason}\n`);
    return EXIT.unusable;
  }
  const started = io.now();
  const run = startRun(args, io, engine, known, { tree, baseline }, file?.stream ?? null);
  if (args.fix !== "diff") await run.out.write(run.writer.open());
  for await (const input of inputFiles(args.names, io)) {
    if (run.out.failure() !== null) break;
    // A bug in one file costs that file.
    await lintFile(input, run).catch((error: unknown) => noteCrash(run, error, `${visiblePath(input.path)}: `));
  }
  await lintBatch(run.window.rest(), run);
  const timings = args.timings ? { totalMs: Math.round(io.now() - started), reviewMs: Math.round(run.reviewMs) } : null;
  run.progress.clear();
  const configurations = run.configurations.finish();
  run.hasUnusable ||= run.configurations.hasProblems();
  const isOn = ({ rule }: BaselineEntry): boolean => optionsFor(run, null).rules[rule] !== "off";
  if (baseline?.finish(!run.hasUnusable && !run.hasCrashed && run.out.failure() === null, isOn) === false) run.hasUnusable = true;
  const summary = baseline === null ? run.summary : { ...run.summary, baseline: baseline.known() };
  if (args.fix !== "diff") await run.out.write(run.writer.close(summary, run.inputs, timings, configurations));
  if (file !== null) await new Promise<void>((resolve) => file.stream.end(() => resolve()));
  noteWriteFailure(run);
  return run.hasCrashed ? EXIT.internal : run.hasUnusable ? EXIT.unusable : run.hasFailing ? EXIT.findings : EXIT.clean;
}

/** A release that nobody has seen yet is no error: what is known is applied, and that is said. */
export function noteRelease(args: ReportArguments, io: CliIo): void {
  const note = releaseNote(args.release);
  if (note !== null) io.stderr.write(`patchwalk: ${visibleLine(note)}\n`);
}

function startRun(
  args: LintArguments,
  io: CliIo,
  engine: Engine,
  known: readonly string[],
  { tree, baseline }: Pick<Run, "tree" | "baseline">,
  output: Writable | null,
): Run {
  return {
    args,
    io,
    engine,
    known,
    configurations: openConfigurations(args, io, known),
    baseline,
    selection: selectionOf(args),
    writer: reportWriter(args, io, output),
    out: openSink(output ?? io.stdout),
    progress: startProgress(io),
    tree,
    window: seriesWindow(),
    lastPath: null,
    covers: [],
    summary: emptySummary(args.showRefuted),
    inputs: 0,
    reviewMs: 0,
    hasFailing: false,
    hasUnusable: false,
    hasCrashed: false,
  };
}

/**
 * Options of reviews. What the command line says of a rule comes before what a configuration says. Rules that were not asked for
 * are switched off, so that nothing is explored for them.
 */
export function reviewOptions(args: ReportArguments, known: readonly string[], configured: Configured["rules"]): ReviewOptions {
  const off = known.filter((id) => args.without.includes(id) || (args.only !== null && !args.only.includes(id)));
  const levels = Object.entries(configured).filter(([id, level]) => !(level === "off" && args.only?.includes(id) === true));
  return {
    ...DEFAULT_OPTIONS,
    release: args.release,
    arch: args.arch,
    config: args.config,
    rules: Object.fromEntries([...levels, ...Object.entries(args.rules), ...off.map((id): [string, Severity | "off"] => [id, "off"])]),
    minTier: args.minTier,
    simulate: args.simulate,
    showRefuted: args.showRefuted,
  };
}

const optionsFor = ({ args, known }: Run, configured: Configured | null): ReviewOptions => ({ ...reviewOptions(args, known, configured?.rules ?? {}), ...(args.fixes ? { fixes: true } : {}) });

async function lintFile(input: InputFile, run: Run): Promise<void> {
  if (input.kind === "unreadable") {
    complain(run, input.path, input.reason);
    return;
  }
  let isRead = false;
  for await (const document of documentsOf(input.chunks(), input.kind, run.engine)) {
    if (document.kind === "unreadable") {
      complain(run, input.path, document.reason);
      break;
    }
    isRead = true;
    await lintBatch(run.window.add(input.path, document), run);
    if (run.out.failure() !== null) break;
  }
  if (isRead) run.summary = { ...run.summary, files: run.summary.files + 1 };
}

/** Native trees are freed in a later turn of the event loop: without this a large mailbox fills the memory. */
async function betweenDocuments(run: Run): Promise<void> {
  run.engine.collectNativeMemory();
  run.progress.step(run.inputs);
  await new Promise((resolve) => setImmediate(resolve));
}

/** One line on stderr about an input that could not be used, or not all of it. */
function complain(run: Run, path: string, reason: string): void {
  run.hasUnusable = true;
  run.progress.clear();
  run.io.stderr.write(`${visiblePath(path)}: ${visibleLine(reason)}\n`);
}

/** A document and its reviews; what later patches of the series remove is known when all of them are there. */
interface Reviewed {
  readonly path: string;
  readonly document: ReadDocument;
  readonly configured: Configured;
  readonly options: ReviewOptions;
  readonly reviews: readonly Review[];
  readonly covers: readonly Cover[];
}

/** Reviews the documents of a batch, patches of a series in their order, and reports on them in the order of the input. */
async function lintBatch(batch: Batch, run: Run): Promise<void> {
  if (batch.length === 0) return;
  const plan = planSeries(batch);
  const reviewed = new Map<number, Reviewed>();
  for (const at of plan.order) {
    const one = batch[at];
    if (one === undefined || run.out.failure() !== null) continue;
    const { path, document } = one;
    if (run.lastPath !== path || document.firstLine === 1) run.tree?.nextDocument();
    run.lastPath = path;
    const configured = run.configurations.forFile(path);
    const options = optionsFor(run, configured);
    const reviews = await reviewsOf(path, document, options, run, (message) => plan.seatOf(at, message));
    reviewed.set(at, { path, document, configured, options, reviews, covers: [...run.covers] });
    for (const review of reviews) noteCover(review, run);
    await betweenDocuments(run);
  }
  for (const [at, one] of batch.entries()) {
    const found = reviewed.get(at);
    if (found === undefined || run.out.failure() !== null) continue;
    const seats = one.messages.flatMap((_, message) => plan.seatOf(at, message) ?? []);
    await reportDocument({ ...found, reviews: found.reviews.map((review) => withFixedBy(review, seats.find(({ number }) => number === review.series?.index) ?? null)) }, run);
  }
}

async function reportDocument({ path, document, configured, options, reviews, covers }: Reviewed, run: Run): Promise<void> {
  // What is known counts once, in the order of the report.
  const chosen = reviews.map((review) => selectedFor(review, path, document, configured, run)).map((review) => run.baseline?.filter(review) ?? review);
  if (run.args.fix !== null) await fixDocument(path, document, chosen, { options, covers }, run);
  for (const [index, review] of chosen.map((one) => shiftReview(one, document.firstLine - 1)).entries()) {
    // What went wrong while the bytes were read concerns the document: it is told once.
    const problems = index === 0 ? [...document.problems, ...review.problems] : review.problems;
    const told = { ...review, problems };
    const shown = run.args.tree === null ? told : withShownPaths(told, run.args.tree);
    run.summary = withFindings(run.summary, shown);
    run.hasFailing ||= isFailing(shown, run.args.failOn);
    for (const reason of unreadReasons(shown)) complain(run, path, reason);
    const text = run.args.fix === "diff" ? "" : run.writer.input(path, shown, run.inputs, document.kind);
    run.inputs += 1;
    if (text !== "") run.progress.clear();
    await run.out.write(text);
  }
}

/** What of a review the user is to see, but for what is known. */
function selectedFor(review: Review, path: string, { kind }: ReadDocument, configured: Configured, run: Run): Review {
  const fileOf = kind === "c" ? () => configured.pathOf(path) : ({ location }: Finding) => location.file;
  const { review: kept, sorted } = withoutConfigured(review, configured.suppressions, fileOf);
  // Patches and single files say nothing of what is in a tree: no suppression is stale for what is not in them.
  run.configurations.note([], sorted.expired, review.target.release);
  return selected(kept, run.selection);
}

/** Prints or writes what the proved fixes make of a document. */
async function fixDocument(path: string, document: ReadDocument, chosen: readonly Review[], { options, covers }: Pick<Reviewed, "options" | "covers">, run: Run): Promise<void> {
  const { kind, text } = document;
  // With a tree, what this document made of its files is known by now, and may not be put on top of itself: one fix a run.
  const review = (edited: string): readonly Review[] => (run.tree ? [] : run.engine.review({ path, text: edited, kind, covers }, options));
  // A fix brings no new findings: what is left are those that are shown, and others that are suppressed or known.
  const meant = new Set(chosen.flatMap((one) => one.findings.map(({ fingerprint }) => fingerprint)));
  const fixed = withProvedFixes(text, chosen, (edited) => review(edited).map((one) => ({ ...one, findings: one.findings.filter(({ fingerprint }) => meant.has(fingerprint)) })));
  if (fixed.fixes.length === 0) return;
  if (run.args.fix === "diff") {
    const diff = unifiedDiff(path, text, fixed.text, document.firstLine);
    // For programs to the letter; a terminal obeys what a hostile patch has in it.
    await run.out.write(run.io.isStdoutTerminal && run.args.output === null ? diff.split("\n").map(visibleCode).join("\n") : diff);
    return;
  }
  const written = await writeFixed(path, text, fixed.text, run.args.fix === "inplace");
  if ("reason" in written) return complain(run, path, written.reason);
  run.progress.clear();
  run.io.stderr.write(`${visiblePath(written.path)}: ${fixed.fixes.length} proved fix${fixed.fixes.length === 1 ? "" : "es"} written\n`);
}

/** Mails of a series stand close to each other: what is far above belongs to others. */
const MOST_COVERS = 64;

function noteCover(review: Review, run: Run): void {
  if (review.cover === null) return;
  run.covers.push(review.cover);
  if (run.covers.length > MOST_COVERS) run.covers.shift();
}

export const selectionOf = (args: ReportArguments): Selection => ({
  only: args.only === null ? null : new Set(args.only),
  without: new Set(args.without),
  minTier: args.minTier,
});

/** A crash in the engine costs one document, never the others. */
async function reviewsOf(path: string, document: ReadDocument, options: ReviewOptions, run: Run, seatOf: (message: number) => Seat | null): Promise<readonly Review[]> {
  const started = run.io.now();
  try {
    const cover = seatOf(0)?.cover;
    const tree = document.kind === "patch" ? await run.tree?.read(document.text, cover ? [...run.covers, cover] : run.covers) : undefined;
    return run.engine.review({ path, text: document.text, kind: document.kind, covers: run.covers, firstLine: document.firstLine, seatOf, ...(tree ? { tree } : {}) }, options);
  } catch (error) {
    noteCrash(run, error, `${visiblePath(path)}:${document.firstLine}: `);
    return [];
  } finally {
    run.reviewMs += run.io.now() - started;
  }
}

function noteCrash(run: Run, error: unknown, place: string): void {
  run.hasCrashed = true;
  run.progress.clear();
  run.io.stderr.write(crashText(error, place, run.io));
}

/** One line for users; the stack for those who ask for it. */
export function crashText(error: unknown, place: string, io: CliIo): string {
  const message = error instanceof Error ? error.message : String(error);
  const stack = io.env.PATCHWALK_DEBUG && error instanceof Error ? `${error.stack ?? ""}\n` : "";
  return `patchwalk: internal error: ${place}${visibleLine(message)}\n${stack}`;
}

/** A reader that went away (`| head`) is no failure of ours; a full disk is the user's to know. */
function noteWriteFailure(run: Run): void {
  const failure = run.out.failure();
  if (failure === null || errorCode(failure) === "EPIPE") return;
  complain(run, run.args.output ?? "stdout", failureReason(failure));
}
