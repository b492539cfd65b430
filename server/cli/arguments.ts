// SPDX-License-Identifier: GPL-2.0-only
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { compareReleases, NEWEST_RELEASE, parseRelease } from "../kernel/release.ts";
import { LEVELS, type Level } from "../review/configuration/configuration.ts";
import type { Tier } from "../review/finding.ts";
import { readArchitecture } from "../source/target.ts";
import { ruleOfName } from "./select.ts";
import type { TreeArguments } from "./tree.ts";

export type Format = "text" | "json" | "jsonl";
export type FailOn = Tier | "never";
export type FixMode = "diff" | "beside" | "inplace";
export type ColorWhen = "auto" | "always" | "never";

export interface LintArguments {
  readonly names: readonly string[];
  /** Kernel tree that shows the code around the hunks; null: none. */
  readonly tree: string | null;
  /** True: findings show the fixes that were verified. */
  readonly fixes: boolean;
  /** What becomes of proved fixes: nothing, a diff instead of the report, FILE.fixed, or FILE itself. */
  readonly fix: FixMode | null;
  readonly release: string | null;
  readonly arch: string | null;
  readonly config: readonly string[];
  readonly format: Format;
  readonly output: string | null;
  readonly failOn: FailOn;
  readonly minTier: Tier;
  /** Severities by rule id, before those of a configuration file. */
  readonly rules: Readonly<Record<string, Level>>;
  /** The configuration file; `search`: the nearest one above an input; null: none is read. */
  readonly configuration: { readonly file: string } | "search" | null;
  /** File with findings that are known, or null. */
  readonly baseline: string | null;
  /** Write what is found to that file. */
  readonly updateBaseline: boolean;
  /** Rule ids, or null for all. */
  readonly only: readonly string[] | null;
  readonly without: readonly string[];
  readonly simulate: boolean;
  /** Tell what is no finding, too. */
  readonly showRefuted: boolean;
  /** Tell what is suppressed, too. */
  readonly showSuppressed: boolean;
  readonly color: ColorWhen;
  readonly quiet: boolean;
  readonly summary: boolean;
  readonly timings: boolean;
}

/** What `lint` and `scan` share. */
export type ReportArguments = Omit<LintArguments, "tree" | "fixes" | "fix">;

/** What the arguments mean, or one sentence about what is wrong with them. */
export type Parsed<T> = { readonly value: T } | { readonly error: string };

/** Formats that the contract names and this version does not have. */
const LATER_FORMATS = ["checkpatch", "sarif", "html", "github"];

const ARCHITECTURES = ["x86_64", "arm64", "riscv64", "powerpc64", "s390x"];

/** A value of an option that takes one of a few words; throws a sentence, see `parsed`. */
export function oneOf<T extends string>(option: string, value: string, words: readonly T[]): T {
  const word = words.find((one) => one === value);
  if (word === undefined) throw new UsageError(`--${option} takes ${words.join(", ")}; not '${value}'`);
  return word;
}

/** What is wrong with the arguments, in a sentence; thrown by readers and caught by `parsed`. */
export class UsageError extends Error {}

/** Runs a reader of arguments; both its complaints and those of `parseArgs` become one sentence. */
export function parsed<T>(read: () => T): Parsed<T> {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof UsageError) return { error: error.message };
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (!code.startsWith("ERR_PARSE_ARGS_")) throw error;
    const sentence = (error as Error).message.split(/\. |\n/)[0] ?? "";
    return { error: sentence.charAt(0).toLowerCase() + sentence.slice(1) };
  }
}

/** Comma lists, given once or more often. */
const list = (values: readonly string[] | undefined): string[] =>
  (values ?? []).flatMap((value) => value.split(",")).map((part) => part.trim()).filter((part) => part !== "");

function readFormat(value: string): Format {
  if (LATER_FORMATS.includes(value)) throw new UsageError(`--format ${value} is not available in this version`);
  return oneOf("format", value, ["text", "json", "jsonl"]);
}

export function readRelease(value: string | undefined): string | null {
  if (value === undefined) return null;
  if (parseRelease(value) === null) throw new UsageError(`--release takes a release such as 6.1 or mainline; not '${value}'`);
  return value;
}

/** The engine reads names such as `powerpc` and `aarch64` too; the message keeps to one name each. */
export function readArch(value: string): string {
  return readArchitecture(value) ?? oneOf("arch", value, ARCHITECTURES);
}

/** What to say about a release that the facts were not checked against; null where they were. */
export function releaseNote(value: string | null): string | null {
  const [release, newest] = [value === null ? null : parseRelease(value), parseRelease(NEWEST_RELEASE)];
  if (!release || !newest || compareReleases(release, newest) <= 0) return null;
  return `--release ${value}: newer than what the facts were checked against; they are as of ${NEWEST_RELEASE}`;
}

function readConfig(values: readonly string[] | undefined): string[] {
  return list(values).map((setting) => {
    const match = /^(?:CONFIG_)?([A-Z][A-Z0-9_]*)=([yn])$/.exec(setting);
    if (match === null) throw new UsageError(`--config takes KEY=y or KEY=n; not '${setting}'`);
    return `${match[1]}=${match[2]}`;
  });
}

/** A rule that is to be the only one must exist; one to leave out need not, so that scripts outlive versions. */
function readOnly(values: readonly string[] | undefined, known: readonly string[]): string[] | null {
  if (values === undefined) return null;
  return list(values).map((name) => {
    const id = ruleOfName(name);
    if (!known.includes(id)) throw new UsageError(`--types: no rule is called '${name}'; see patchwalk rules`);
    return id;
  });
}

/** `ID=LEVEL`; of two for one rule the last one counts. */
function readLevels(values: readonly string[] | undefined, known: readonly string[]): Record<string, Level> {
  return Object.fromEntries(list(values).map((setting) => {
    const [, name = setting, level] = /^([^=]*)=(.*)$/.exec(setting) ?? [];
    const id = ruleOfName(name);
    const word = LEVELS.find((one) => one === level);
    if (!known.includes(id)) throw new UsageError(`--rule: no rule is called '${name}'; see patchwalk rules`);
    if (word === undefined) throw new UsageError(`--rule takes RULE=${LEVELS.join("|")}; not '${setting}'`);
    return [id, word];
  }));
}

function readConfigurationChoice(file: string | undefined, isOff: boolean): ReportArguments["configuration"] {
  if (file !== undefined && isOff) throw new UsageError("--config-file and --no-config-file do not go together");
  return isOff ? null : file === undefined ? "search" : { file };
}

function readBaselineName(value: string | undefined, isUpdated: boolean, output: string | undefined, names: readonly string[]): string | null {
  if (value === undefined && isUpdated) throw new UsageError("--update-baseline needs --baseline FILE");
  if (value === undefined) return null;
  if ([...names, ...(output === undefined ? [] : [output])].some((name) => resolve(name) === resolve(value))) throw new UsageError(`--baseline ${value} is an input, or the output, too`);
  return value;
}

export const COLORS: readonly ColorWhen[] = ["auto", "always", "never"];

/** `--color` may stand alone, which `parseArgs` cannot express. */
export const withColorValue = (argv: readonly string[]): string[] =>
  argv.map((argument, index) =>
    argument === "--color" && !COLORS.some((word) => word === argv[index + 1]) ? "--color=always" : argument);

/** The report is written while its inputs are read: a file cannot be both. */
function readOutput(value: string | undefined, names: readonly string[]): string | null {
  if (value === undefined) return null;
  if (names.some((name) => resolve(name) === resolve(value))) throw new UsageError(`--output ${value} is an input too`);
  return value;
}

const REPORT_OPTIONS = {
  release: { type: "string" },
  arch: { type: "string" },
  config: { type: "string", multiple: true },
  format: { type: "string", default: "text" },
  output: { type: "string" },
  "fail-on": { type: "string", default: "contract" },
  "min-tier": { type: "string", default: "contract" },
  types: { type: "string", multiple: true },
  ignore: { type: "string", multiple: true },
  rule: { type: "string", multiple: true },
  "config-file": { type: "string" },
  "no-config-file": { type: "boolean", default: false },
  baseline: { type: "string" },
  "update-baseline": { type: "boolean", default: false },
  "no-simulate": { type: "boolean", default: false },
  "show-suppressed": { type: "boolean", default: false },
  "show-refuted": { type: "boolean", default: false },
  color: { type: "string", default: "auto" },
  quiet: { type: "boolean", short: "q", default: false },
  "no-summary": { type: "boolean", default: false },
  timings: { type: "boolean", default: false },
} as const;

const LINT_OPTIONS = {
  ...REPORT_OPTIONS,
  tree: { type: "string" },
  fixes: { type: "boolean", default: false },
  fix: { type: "boolean", default: false },
  "fix-inplace": { type: "boolean", default: false },
  "fix-diff": { type: "boolean", default: false },
} as const;

const TREE_OPTIONS = {
  cache: { type: "string" },
  "no-cache": { type: "boolean", default: false },
  jobs: { type: "string" },
} as const;

/** Reads the arguments after `lint`. `known`: the ids of all rules. */
export const lintArguments = (argv: readonly string[], known: readonly string[]): Parsed<LintArguments> => parsed(() => {
  const { values, positionals } = parseArgs({ args: withColorValue(argv), allowPositionals: true, options: LINT_OPTIONS });
  const fix = values["fix-diff"] ? "diff" : values["fix-inplace"] ? "inplace" : values.fix ? "beside" : null;
  if (fix !== null && values["no-simulate"]) throw new UsageError("--no-simulate leaves nothing proved that could be fixed");
  return { ...reportArguments(values, positionals, known), tree: values.tree ?? null, fixes: values.fixes || fix !== null, fix };
});

/** Reads the arguments after `scan`: a tree, then paths in it. */
export const scanArguments = (argv: readonly string[], known: readonly string[]): Parsed<ReportArguments & TreeArguments> => parsed(() => {
  const { values, positionals } = parseArgs({ args: withColorValue(argv), allowPositionals: true, options: { ...REPORT_OPTIONS, ...TREE_OPTIONS } });
  return { ...reportArguments(values, positionals, known), ...treeArguments("scan", values, positionals) };
});

/** Reads the arguments after `index`. */
export const indexArguments = (argv: readonly string[]): Parsed<TreeArguments> => parsed(() => {
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: TREE_OPTIONS });
  return treeArguments("index", values, positionals);
});

function treeArguments(
  command: string,
  values: { readonly cache?: string | undefined; readonly "no-cache"?: boolean | undefined; readonly jobs?: string | undefined },
  positionals: readonly string[],
): TreeArguments {
  const [tree, ...paths] = positionals;
  if (tree === undefined) throw new UsageError(`${command} takes a kernel tree`);
  if (values.jobs !== undefined && !/^[1-9]\d?$/.test(values.jobs)) throw new UsageError(`--jobs takes a number from 1 to 99; not '${values.jobs}'`);
  return { tree, paths, cache: values.cache ?? null, useCache: values["no-cache"] !== true, jobs: values.jobs === undefined ? null : Number(values.jobs) };
}

type ReportValues = ReturnType<typeof parseArgs<{ options: typeof REPORT_OPTIONS }>>["values"];

function reportArguments(values: ReportValues, positionals: readonly string[], known: readonly string[]): ReportArguments {
  return {
    names: positionals,
    release: readRelease(values.release),
    arch: values.arch === undefined ? null : readArch(values.arch),
    config: readConfig(values.config),
    format: readFormat(values.format),
    output: readOutput(values.output, positionals),
    failOn: oneOf("fail-on", values["fail-on"], ["proved", "contract", "pattern", "never"]),
    minTier: oneOf("min-tier", values["min-tier"], ["proved", "contract", "pattern"]),
    rules: readLevels(values.rule, known),
    configuration: readConfigurationChoice(values["config-file"], values["no-config-file"]),
    baseline: readBaselineName(values.baseline, values["update-baseline"], values.output, positionals),
    updateBaseline: values["update-baseline"],
    only: readOnly(values.types, known),
    without: list(values.ignore).map(ruleOfName),
    simulate: !values["no-simulate"],
    showRefuted: values["show-refuted"],
    showSuppressed: values["show-suppressed"],
    color: oneOf("color", values.color, COLORS),
    quiet: values.quiet,
    summary: !values["no-summary"] && !values.quiet,
    timings: values.timings,
  };
}

/** Reads the arguments after `rules`. */
export const rulesArguments = (argv: readonly string[]): Parsed<"text" | "json"> => parsed(() => {
  const { values } = parseArgs({ args: [...argv], options: { format: { type: "string", default: "text" } } });
  return oneOf("format", values.format, ["text", "json"]);
});

/** Reads the arguments after `explain`: one rule id. */
export const explainArguments = (argv: readonly string[]): Parsed<string> => parsed(() => {
  const { positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: {} });
  const name = positionals[0];
  if (name === undefined || positionals.length > 1) throw new UsageError("explain takes one rule");
  return name;
});
