// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sourceText } from "../report/evidence.ts";
import { visibleLine } from "../report/visible.ts";
import { wrapText } from "../report/wrap.ts";
import type { RuleMeta } from "../rules/meta.ts";
import { explainArguments } from "./arguments.ts";
import type { Engine } from "./engine.ts";
import { EXIT, openSink } from "./io.ts";
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
  ...rule.sources.flatMap((source) => wrapText(`Said by ${sourceText(source)}`, { width: 80, rest: "  " })),
  "",
].join("\n");

/** `patchwalk explain RULE`. */
export async function explain(argv: readonly string[], io: CliIo, engine: Engine): Promise<number> {
  const parsed = explainArguments(argv);
  if ("error" in parsed) {
    io.stderr.write(`patchwalk: ${visibleLine(parsed.error)}; see patchwalk --help\n`);
    return EXIT.unusable;
  }
  const rule = engine.rules().find((one) => one.id === parsed.value);
  if (rule === undefined) {
    io.stderr.write(`patchwalk: no rule is called '${visibleLine(parsed.value)}'; see patchwalk rules\n`);
    return EXIT.unusable;
  }
  await openSink(io.stdout).write(await pageOf(rule.id, io.ruleFolders) ?? metaText(rule));
  return EXIT.clean;
}
