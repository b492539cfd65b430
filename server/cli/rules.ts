// SPDX-License-Identifier: GPL-2.0-only
import { jsonText } from "../report/json.ts";
import { RULESET, VERSION } from "../report/version.ts";
import { wrapText } from "../report/wrap.ts";
import type { RuleMeta } from "../rules/meta.ts";
import { rulesArguments } from "./arguments.ts";
import type { Engine } from "./engine.ts";
import { EXIT, openSink } from "./io.ts";
import type { CliIo } from "./io.ts";

/** `MM_` + the rule id in upper snake case. */
export const typeOf = (ruleId: string): string => `MM_${ruleId.toUpperCase().replaceAll("-", "_")}`;

/** `4.19 and later`, `5.0 to before 6.2`. */
export const releasesOf = (rule: RuleMeta): string =>
  rule.until === null ? `${rule.since} and later` : `${rule.since} to before ${rule.until}`;

const ruleJson = (rule: RuleMeta) => ({
  id: rule.id,
  type: typeOf(rule.id),
  title: rule.title,
  severity: rule.severity,
  since: rule.since,
  until: rule.until,
  why: rule.why,
  scenarios: [...rule.scenarios],
  sources: rule.sources.map(({ thread, who, date, link }) => ({ thread, who, date, link })),
});

const ruleText = (rule: RuleMeta): string => [
  `${rule.id}  (${rule.severity}; ${releasesOf(rule)})`,
  ...wrapText(rule.title, { width: 80, first: "    ", rest: "    " }),
  "",
].join("\n");

/** `patchwalk rules`: all rules, by id. */
export async function listRules(argv: readonly string[], io: CliIo, engine: Engine): Promise<number> {
  const parsed = rulesArguments(argv);
  if ("error" in parsed) {
    io.stderr.write(`patchwalk: ${parsed.error}; see patchwalk --help\n`);
    return EXIT.unusable;
  }
  const rules = engine.rules();
  await openSink(io.stdout).write(parsed.value === "json"
    ? `${jsonText({ patchwalk: VERSION, ruleset: RULESET, rules: rules.map(ruleJson) })}\n`
    : rules.map(ruleText).join(""));
  return EXIT.clean;
}
