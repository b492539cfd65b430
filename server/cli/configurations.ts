// SPDX-License-Identifier: GPL-2.0-only
import { realpathSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";
import { findConfiguration, readConfigurationFile, type FoundConfiguration } from "../node/configuration-file.ts";
import type { ConfigurationJson } from "../report/json.ts";
import { visibleLine, visiblePath } from "../report/visible.ts";
import { NO_CONFIGURATION, readConfiguration, type Configuration } from "../review/configuration/configuration.ts";
import type { FileProblem } from "../review/configuration/file-problem.ts";
import { expiredMessage, staleMessage } from "../review/suppression/stale.ts";
import type { Suppression } from "../review/suppression/suppression.ts";
import type { ReportArguments } from "./arguments.ts";
import type { CliIo } from "./io.ts";

/** What is configured for an input. */
export interface Configured extends Configuration {
  /** A C file as the patterns of the configuration mean it. */
  readonly pathOf: (file: string) => string;
}

/** The configurations of one run. */
export interface Configurations {
  /** That of a file, or of the standard input (`-`). The same object for the same configuration. */
  forFile(input: string): Configured;
  /** That of what lies in a folder. */
  forFolder(folder: string): Configured;
  /** Notes what came of suppressions; told when the run ends. */
  note(stale: Iterable<Suppression>, expired: Iterable<Suppression>, release: string): void;
  /** True where a configuration could not be read, or not all of it. */
  hasProblems(): boolean;
  /** Tells what was noted, and gives all that there is to say. */
  finish(): readonly ConfigurationJson[];
}

/** What a run found out about suppressions, which is no fault of the file. */
const OUTCOMES: ReadonlySet<string> = new Set(["suppression-stale", "suppression-expired"]);

const NOTHING: Configured = { ...NO_CONFIGURATION, pathOf: (file) => file };

/** `known`: ids of the rules. What is wrong with a file is told when it is read. */
export function openConfigurations(args: Pick<ReportArguments, "configuration" | "quiet">, io: Pick<CliIo, "stderr">, known: readonly string[]): Configurations {
  const byPath = new Map<string, { readonly configured: Configured; readonly problems: ConfigurationJson["problems"][number][] }>();
  const byFolder = new Map<string, Configured>();
  const noted = new Map<string, { readonly path: string; readonly problem: FileProblem }>();

  function take(found: FoundConfiguration, isNamed: boolean): Configured {
    const path = isNamed ? found.path : shortest(found.path);
    const before = byPath.get(path);
    if (before) return before.configured;
    const { configuration, problems } = "text" in found ? readConfiguration(found.text, path, known) : { configuration: NO_CONFIGURATION, problems: [] };
    const refused = "reason" in found ? [{ code: "configuration-unread", message: found.reason }] : [];
    const configured = { ...configuration, pathOf: pathsFrom(dirname(found.path)) };
    byPath.set(path, { configured, problems: [...refused, ...problems] });
    for (const { message } of refused) io.stderr.write(`${visiblePath(path)}: ${visibleLine(message)}\n`);
    for (const one of problems) io.stderr.write(`${visiblePath(path)}:${one.line}:${one.column}: error: ${visibleLine(one.message)} [${one.code}]\n`);
    return configured;
  }

  function forFolder(folder: string): Configured {
    const { configuration } = args;
    if (configuration === null) return NOTHING;
    const known = byFolder.get(configuration === "search" ? folder : "");
    if (known) return known;
    const found = configuration === "search" ? findConfiguration(folder) : readConfigurationFile(configuration.file);
    const configured = found === null ? NOTHING : take(found, configuration !== "search");
    byFolder.set(configuration === "search" ? folder : "", configured);
    return configured;
  }

  const noteOne = ({ place }: Suppression, code: string, message: string): void => {
    const path = place.path ?? "";
    noted.set(JSON.stringify([path, place.line, place.column, message]), { path, problem: { code, message, line: place.line, column: place.column, endColumn: place.endColumn } });
  };

  return {
    forFolder,
    forFile: (input) => forFolder(input === "-" ? "." : dirname(input)),
    note(stale, expired, release) {
      for (const one of stale) noteOne(one, "suppression-stale", staleMessage(one));
      for (const one of expired) noteOne(one, "suppression-expired", expiredMessage(one, release));
    },
    hasProblems: () => [...byPath.values()].some(({ problems }) => problems.some(({ code }) => !OUTCOMES.has(code))),
    finish() {
      const all = [...noted.values()].toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.problem.line - b.problem.line || a.problem.column - b.problem.column));
      for (const { path, problem } of all) {
        byPath.get(path)?.problems.push(problem);
        if (!args.quiet) io.stderr.write(`${visiblePath(path)}:${problem.line}:${problem.column}: note: ${visibleLine(problem.message)} [${problem.code}]\n`);
      }
      return [...byPath].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([path, { problems }]) => ({ path, problems }));
    },
  };
}

/** The path of a configuration that was found as the user would write it, where it is below the current folder. It may be a link. */
const shortest = (path: string): string => inside(realPath("."), path) ?? path;

/** C files from the folder of their configuration, or from the current one where they are not below it. */
const pathsFrom = (folder: string) => (file: string): string => below(folder, file) ?? below(".", file) ?? file;

const below = (folder: string, file: string): string | null => inside(realPath(folder), realPath(file));

function inside(folder: string, file: string): string | null {
  const path = relative(folder, file);
  return path === "" || path === ".." || path.startsWith(`..${sep}`) || resolve(path) === path ? null : path.split(sep).join("/");
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
