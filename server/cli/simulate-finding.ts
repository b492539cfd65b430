// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from "node:fs/promises";
import { visibleLine, visiblePath } from "../report/visible.ts";
import { sourceText } from "../report/evidence.ts";
import { modelsOf } from "../review/evidence.ts";
import type { Finding } from "../review/finding.ts";
import { DEFAULT_OPTIONS } from "../review/options.ts";
import type { Engine } from "./engine.ts";
import type { CliIo } from "./io.ts";
import { openLintTree } from "./lint-tree.ts";
import type { FindingArgument, SimulateArguments } from "./simulate-arguments.ts";
import type { Asked, Simulation } from "./simulation.ts";

/** Larger documents are mailboxes: name the one mail. */
const MAX_BYTES = 32 * 1024 * 1024;

async function textOf(file: string): Promise<string | null> {
  const bytes = await readFile(file).catch(() => null);
  return bytes === null || bytes.length > MAX_BYTES ? null : bytes.toString("utf8");
}

/** The finding with a fingerprint, or with one that begins so, if it is the only one. */
function chosen(findings: readonly Finding[], fingerprint: string): Asked<Finding> {
  const found = findings.filter((one) => one.fingerprint.startsWith(fingerprint));
  const [first] = found;
  if (first && new Set(found.map((one) => one.fingerprint)).size === 1) return { value: first };
  const known = [...new Set(findings.map((one) => one.fingerprint))];
  return { reason: `no single finding has the fingerprint '${visibleLine(fingerprint)}'; there are ${known.length === 0 ? "none" : known.join(", ")}` };
}

/** The model behind a finding, and the same with its reference fix. */
export async function simulationsOfFinding({ fingerprint, file }: FindingArgument, args: SimulateArguments, engine: Engine, io: CliIo): Promise<Asked<readonly Simulation[]>> {
  const text = await textOf(file);
  if (text === null) return { reason: `${visiblePath(file)} cannot be read` };
  const kind = /\.[ch]$/i.test(file) ? "c" as const : "patch" as const;
  const options = { ...DEFAULT_OPTIONS, release: args.release, arch: args.arch };
  const opened = args.tree === null ? null : openLintTree(args.tree, io);
  if (opened !== null && "reason" in opened) return { reason: `${visiblePath(args.tree ?? "")}: ${visibleLine(opened.reason)}` };
  const tree = kind === "patch" && opened !== null ? { tree: await opened.read(text, []) } : {};
  const finding = chosen(engine.review({ path: file, text, kind, ...tree }, options).flatMap((review) => [...review.findings, ...(review.suppressed ?? []).map((one) => one.finding)]), fingerprint);
  if ("reason" in finding) return finding;
  const explored = modelsOf(finding.value);
  if (!explored) return { reason: `nothing was explored for ${visibleLine(finding.value.ruleId)}` };
  const { evidence, function: name, sources } = finding.value;
  const base = { scenario: evidence?.scenario ?? "", title: finding.value.message, setting: `${visibleLine(name ?? "")}() of ${visiblePath(file)}`, options: explored.options, sources: sources.map(sourceText), bounds: evidence?.bounds ?? "", assumptions: evidence?.assumptions ?? [], held: null };
  const all: readonly Simulation[] = [
    { ...base, variant: "buggy", what: "as the code is", model: explored.failing, undone: null, remedies: explored.fixed ? [{ title: evidence?.fixed?.title ?? "the reference fix", model: explored.fixed, mendsThis: true }] : [] },
    ...(explored.fixed === null ? [] : [{ ...base, variant: "fixed", what: evidence?.fixed?.title ?? "the reference fix", model: explored.fixed, undone: explored.failing, remedies: [] }]),
  ];
  const found = all.filter(({ variant }) => args.variant === null || variant === args.variant);
  return found.length > 0 ? { value: found } : { reason: `a finding has the variants ${all.map(({ variant }) => variant).join(", ")}` };
}
