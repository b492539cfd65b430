// SPDX-License-Identifier: GPL-2.0-only
import { jsonText } from "../report/json.ts";
import { COLORED, PLAIN } from "../report/paint.ts";
import { simulationText, type SimulationReport } from "../report/simulation.ts";
import { visibleLine } from "../report/visible.ts";
import { wrapText } from "../report/wrap.ts";
import { decideScenario, scheduleOf, settingsOf } from "../scenarios/catalogue/decide.ts";
import { CATALOGUE, scenarioById } from "../scenarios/catalogue/index.ts";
import type { CatalogueScenario, Setting, Variant } from "../scenarios/catalogue/scenario.ts";
import { scheduleRows } from "../scenarios/schedule.ts";
import { assumeHeld, locksOf } from "../simulator/assume-held.ts";
import type { Model } from "../simulator/model.ts";
import { withoutFix } from "../simulator/without-fix.ts";
import { EXIT, openSink, type CliIo } from "./io.ts";
import { simulateArguments, type SimulateArguments } from "./simulate-arguments.ts";
import { stepThrough } from "./simulate-step.ts";

/** A model that was asked for, and where it plays. */
export interface Simulation {
  readonly scenario: CatalogueScenario;
  readonly variant: Variant;
  readonly setting: Setting;
  readonly model: Model;
}

type Asked = { readonly simulations: readonly Simulation[] } | { readonly reason: string };

const matches = (variant: Variant, wanted: string | null): boolean =>
  wanted === null || variant.id === wanted || (wanted === "buggy" && !variant.isFixed) || (wanted === "fixed" && variant.isFixed);

/** The first setting of each variant that is as it was asked for. */
function simulationsOf(scenario: CatalogueScenario, args: SimulateArguments): Asked {
  const variants = scenario.variants.filter((variant) => matches(variant, args.variant));
  if (variants.length === 0) return { reason: `${scenario.id} has no variant ${visibleLine(args.variant ?? "")}; it has ${scenario.variants.map(({ id }) => id).join(", ")}` };
  const settings = settingsOf(scenario, { release: args.release, era: args.era }).filter(({ architecture }) => (args.arch === null ? architecture.isDefault : architecture.arch === args.arch));
  const found: Simulation[] = [];
  for (const variant of variants)
    for (const setting of settings) {
      const model = setting.variant === variant.id ? scenario.build(setting) : null;
      if (!model) continue;
      const held = args.assumeHeld === null ? model : withHeld(model, args.assumeHeld);
      if ("reason" in held) return held;
      found.push({ scenario, variant, setting, model: held });
      break;
    }
  return found.length > 0 ? { simulations: found } : { reason: `${scenario.id} does not play there` };
}

function withHeld(model: Model, wanted: string): Model | { readonly reason: string } {
  const [, name = wanted, mode = "read"] = /^(.*?)(?:\s*\((read|write)\))?$/.exec(wanted) ?? [];
  const locks = locksOf(model);
  const lock = locks.find((one) => one.name === name) ?? locks.find((one) => one.name.startsWith(`${name}(`));
  return lock ? assumeHeld(model, lock, mode === "write" ? "write" : "read") : { reason: `no lock is called '${visibleLine(name)}' here; there are ${locks.map((one) => one.name).join(", ")}` };
}

function reportOf({ scenario, variant, setting, model }: Simulation, maxStates: number | null): SimulationReport {
  const limit = maxStates ?? undefined;
  const result = decideScenario(scenario, model, limit);
  const trace = result.verdict === "fail" ? scheduleOf(scenario, model, limit) : null;
  const undone = variant.isFixed && result.verdict === "pass" ? fixUndone(scenario, variant, setting, model) : null;
  return {
    scenario: scenario.id, title: scenario.title, variant: variant.id, what: variant.what,
    setting: `${setting.release.major}.${setting.release.minor}, era ${setting.era}, ${setting.architecture.phrase}`,
    verdict: result.verdict, states: result.states, transitions: result.transitions, unreached: result.unreached,
    property: result.violation?.property ?? null,
    badState: trace?.violation.message ?? result.violation?.message ?? "",
    switches: trace?.switches ?? null,
    firstThread: model.threads.find(({ role }) => role === "review")?.name ?? null,
    schedule: trace ? scheduleRows(model, trace) : [],
    withoutFix: undone && decideScenario(scenario, undone, limit).verdict,
    sources: scenario.sources,
  };
}

const fixUndone = (scenario: CatalogueScenario, { undone }: Variant, setting: Setting, model: Model): Model | null =>
  undone === undefined ? withoutFix(model) : scenario.build({ ...setting, variant: undone });

const listText = (): string =>
  CATALOGUE.map(({ id, title, variants }) =>
    [id, ...wrapText(title, { width: 80, first: "    ", rest: "    " }), ...wrapText(`variants: ${variants.map((one) => one.id).join(", ")}`, { width: 80, first: "    ", rest: "      " }), ""].join("\n"),
  ).join("");

/** `patchwalk simulate`: runs scenarios of the catalogue. 1 where a schedule fails, 2 where there is no answer. */
export async function simulate(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = simulateArguments(argv);
  const fail = (reason: string): number => {
    io.stderr.write(`patchwalk: ${reason}; see patchwalk --help\n`);
    return EXIT.unusable;
  };
  if ("error" in parsed) return fail(visibleLine(parsed.error));
  const args = parsed.value;
  const sink = openSink(io.stdout);
  if (args.scenario === null) {
    await sink.write(args.format === "json" ? jsonText({ scenarios: CATALOGUE.map(({ id, title, sources, variants }) => ({ id, title, sources, variants })) }) : listText());
    return EXIT.clean;
  }
  const scenario = scenarioById(args.scenario);
  if (!scenario) return fail(`no scenario is called '${visibleLine(args.scenario)}'; patchwalk simulate lists them`);
  const asked = simulationsOf(scenario, args);
  if ("reason" in asked) return fail(asked.reason);
  const [first] = asked.simulations;
  if (args.step && first) return stepThrough(first, io);
  const reports = asked.simulations.map((one) => reportOf(one, args.maxStates));
  const paint = args.color === "always" || (args.color === "auto" && io.isStdoutTerminal && !io.env.NO_COLOR) ? COLORED : PLAIN;
  await sink.write(args.format === "json" ? jsonText({ simulations: reports }) : reports.map((report) => simulationText(report, paint)).join("\n"));
  if (reports.some(({ verdict }) => verdict === "unknown" || verdict === "vacuous")) return EXIT.unusable;
  return reports.some(({ verdict }) => verdict === "fail") ? EXIT.findings : EXIT.clean;
}
