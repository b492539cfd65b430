// SPDX-License-Identifier: GPL-2.0-only
import { lineIndex } from "../../text/line-index.ts";
import { patternProblem } from "../../text/path-pattern.ts";
import type { Severity } from "../finding.ts";
import { reasonProblem, type Suppression } from "../suppression/suppression.ts";
import { fileProblems, filePlace, type FileProblem } from "./file-problem.ts";
import { jsonTree, type Complaint } from "./json-tree.ts";
import { choice, listOf, mapOf, optional, placed, recordOf, required, text, type JsonSchema, type Shape } from "./shape.ts";

/** What a configuration file is called. */
export const CONFIGURATION_NAME = ".patchwalk.json";

/** Severities that a user gives to rules. */
export const LEVELS = ["off", "info", "warning", "error"] as const satisfies readonly (Severity | "off")[];
export type Level = (typeof LEVELS)[number];

/** What a project says about rules and findings. */
export interface Configuration {
  readonly rules: Readonly<Record<string, Level>>;
  readonly suppressions: readonly Suppression[];
}

export const NO_CONFIGURATION: Configuration = { rules: {}, suppressions: [] };

const shaped = (schema: JsonSchema, code: string, problemOf: (value: string) => string | null): Shape<string> =>
  text(schema, (value) => {
    const message = problemOf(value);
    return message === null ? null : { code, message };
  });

const matching = (pattern: RegExp, message: string): Shape<string> =>
  shaped({ pattern: pattern.source }, "configuration-value", (value) => (pattern.test(value) ? null : message));

const ruleId = (known: readonly string[]): Shape<string> =>
  shaped({ enum: [...known].toSorted() }, "unknown-rule", (value) => (known.includes(value) ? null : `no rule is called ${JSON.stringify(value)}; see patchwalk rules`));

const file = shaped({ minLength: 1 }, "configuration-value", (value) => {
  const problem = patternProblem(value);
  return problem === null ? null : `the pattern ${problem}`;
});

/** The one definition of a configuration file: its reader, and its schema. `known`: ids of the rules. */
const configurationShape = (known: readonly string[]) => recordOf("Configuration of Patchwalk", {
  $schema: optional(text({}, () => null), "Where editors find the schema of this file."),
  rules: optional(mapOf(ruleId(known), choice(LEVELS)), "Severity by rule id, or off."),
  suppressions: optional(listOf(recordOf("Findings that are none. A finding that every member names is not reported.", {
    rule: required(placed(ruleId(known)), "The rule whose findings are meant."),
    function: optional(matching(/^[A-Za-z_]\w{0,199}(\(\))?$/, "the name of a function is expected here"), "The function in which the finding is."),
    file: optional(file, "Path from the top of the kernel tree; *, ** and ? stand for other characters."),
    fingerprint: optional(matching(/^[0-9a-f]{16}$/, "16 hex digits are expected here: the fingerprint of a finding"), "The fingerprint of the finding, as --format json has it."),
    reason: required(shaped({ pattern: "^(?!\\s*<[\\s\\S]*>\\s*$)[\\s\\S]*\\S" }, "suppression-reason", reasonProblem), "Why this is not a bug."),
    until: optional(matching(/^[1-9]\d?\.\d{1,3}$/, "a release such as 6.12 is expected here"), "The first release for which it is reported again."),
  }, { whole: true })), "Findings that somebody looked at and that are none, each with the reason."),
}, { whole: false });

/** The schema of a configuration file, for editors. */
export const configurationSchema = (known: readonly string[]): JsonSchema => ({
  $schema: "http://json-schema.org/draft-07/schema#",
  title: CONFIGURATION_NAME,
  ...configurationShape(known).schema,
});

/**
 * Reads a configuration. Never fails: what is wrong is left out and told, with its place. A suppression counts whole or not at
 * all. `path`: the name of the file for whoever reads about its suppressions.
 */
export function readConfiguration(source: string, path: string, known: readonly string[]): { readonly configuration: Configuration; readonly problems: readonly FileProblem[] } {
  const { root, complaints } = jsonTree(source);
  const found: Complaint[] = [...complaints];
  const read = root && configurationShape(known).read(root, (one) => void found.push(one));
  const index = lineIndex(source);
  return {
    configuration: {
      rules: Object.fromEntries(read?.value.rules ?? []),
      suppressions: (read?.value.suppressions ?? []).map(({ rule, function: name, reason, ...one }) => ({
        ...one, rule: rule.value, function: name?.replace("()", "") ?? null, reason: reason.trim(),
        place: { in: "configuration", path, ...filePlace(rule, source, index) },
      })),
    },
    problems: fileProblems(found, source),
  };
}
