// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sourceText } from "../report/evidence.ts";
import { visibleLine } from "../report/visible.ts";
import { wrapText } from "../report/wrap.ts";
import type { RuleMeta } from "../rules/meta.ts";
import { CATALOGUE, scenarioById } from "../scenarios/catalogue/catalogue.ts";
import { explainArguments } from "./arguments.ts";
import type { Engine } from "./engine.ts";
import { EXIT, openSink } from "./io.ts";
import { ruleOfName } from "./select.ts";
import type { CliIo } from "./io.ts";
import { releasesOf, typeOf } from "./rules.ts";

/** The page of a rule of the catalogue, from the first folder that has it; null where none has. */
async function pageOf(ruleId: string, folders: readonly string[]): Promise<string | null> {
  for (const folder of folders) {
    const page = await readFile(join(folder, `${ruleId}.md`), "utf8").catch(() => null);
    if (page !== null) return page;
  }
  return null;
}

const metaText = (rule: RuleMeta): string => [
  `${rule.id} (${typeOf(rule.id)}, ${rule.severity})`,
  "",
  ...wrapText(rule.title, { width: 80 }),
  "",
  ...wrapText(rule.why, { width: 80 }),
  "",
  `Releases: ${releasesOf(rule)}`,
  ...(rule.scenarios.length === 0 ? [] : [`Scenarios: ${rule.scenarios.join(", ")}`]),
  ...rule.sources.flatMap((source) => wrapText(`Source: ${sourceText(source)}`, { width: 80, rest: "  " })),
  "",
].join("\n");

/** The models of the catalogue that tell the hazard, as commands; empty where none does. */
function scenariosText(ruleId: string): string {
  const told = CATALOGUE.filter(({ rules }) => rules.includes(ruleId));
  if (told.length === 0) return "";
  const items = told.flatMap(({ id, title }) => wrapText(`\`patchwalk simulate ${id}\`: ${title}`, { width: 80, first: "- ", rest: "  " }));
  return ["", "## Scenarios", "", "The hazard without a patch, by release, era and architecture:", "", ...items, ""].join("\n");
}

/** Where a name leads that is not a rule's: a scenario, or the rules whose pages speak of it. */
async function whereElse(name: string, rules: readonly RuleMeta[], folders: readonly string[]): Promise<string> {
  const shown = visibleLine(name);
  const scenario = scenarioById(name);
  if (scenario !== null) {
    const looking = scenario.rules.length === 0 ? "no rule looks for it" : `found by ${scenario.rules.join(", ")}`;
    return `'${shown}' is a scenario (patchwalk simulate ${shown}); ${looking}`;
  }
  const pages = await Promise.all(rules.map(async (rule) => ({ id: rule.id, text: (await pageOf(rule.id, folders)) ?? metaText(rule) })));
  const speaking = pages.filter(({ text }) => name.length > 2 && text.toLowerCase().includes(name.toLowerCase()));
  if (speaking.length === 0) return `no rule is called '${shown}'; see patchwalk rules`;
  return `no rule is called '${shown}'; these speak of it: ${speaking.map(({ id }) => id).join(", ")}`;
}

/** `patchwalk explain RULE`. */
export async function explain(argv: readonly string[], io: CliIo, engine: Engine): Promise<number> {
  const parsed = explainArguments(argv);
  if ("error" in parsed) {
    io.stderr.write(`patchwalk: ${visibleLine(parsed.error)}; see patchwalk --help\n`);
    return EXIT.unusable;
  }
  const rule = engine.rules().find((one) => one.id === ruleOfName(parsed.value));
  if (rule === undefined) {
    io.stderr.write(`patchwalk: ${await whereElse(parsed.value, engine.rules(), io.ruleFolders)}\n`);
    return EXIT.unusable;
  }
  await openSink(io.stdout).write((await pageOf(rule.id, io.ruleFolders) ?? metaText(rule)) + scenariosText(rule.id));
  return EXIT.clean;
}
