// SPDX-License-Identifier: GPL-2.0-only
import { jsonText } from "../report/json.ts";
import { COLORED, PLAIN } from "../report/paint.ts";
import { simulationText } from "../report/simulation.ts";
import { visibleLine } from "../report/visible.ts";
import { wrapText } from "../report/wrap.ts";
import { CATALOGUE, scenarioById } from "../scenarios/catalogue/catalogue.ts";
import type { Engine } from "./engine.ts";
import { EXIT, openSink, type CliIo } from "./io.ts";
import { simulateArguments, type SimulateArguments } from "./simulate-arguments.ts";
import { exported } from "./simulate-export.ts";
import { simulationsOfFinding } from "./simulate-finding.ts";
import { stepThrough } from "./simulate-step.ts";
import { simulationReport, simulationsOf, withHeld, type Asked, type Simulation } from "./simulation.ts";

const listText = (): string =>
  CATALOGUE.map(({ id, title, variants }) =>
    [id, ...wrapText(title, { width: 80, first: "    ", rest: "    " }), ...wrapText(`variants: ${variants.map((one) => one.id).join(", ")}`, { width: 80, first: "    ", rest: "      " }), ""].join("\n"),
  ).join("");

const listJson = (): string => jsonText({ scenarios: CATALOGUE.map(({ id, title, sources, variants }) => ({ id, title, sources, variants })) });

/** The simulations that were asked for. */
async function asked(args: SimulateArguments, engine: Engine, io: CliIo): Promise<Asked<readonly Simulation[]>> {
  const found = args.finding === null ? ofCatalogue(args) : await simulationsOfFinding(args.finding, args, engine, io);
  if ("reason" in found) return found;
  const limited = found.value.map((one) => ({ ...one, options: { ...one.options, maxStates: args.maxStates ?? one.options.maxStates } }));
  if (args.assumeHeld === null) return { value: limited };
  return allWithHeld(limited, args.assumeHeld);
}

/** The simulations that have the lock; not every variant of a scenario takes it. */
function allWithHeld(simulations: readonly Simulation[], lock: string): Asked<readonly Simulation[]> {
  const made = simulations.map((one) => withHeld(one, lock));
  const refused = made.find((one) => "reason" in one);
  const held = made.flatMap((one) => ("value" in one ? [one.value] : []));
  return held.length === 0 && refused ? refused : { value: held };
}

function ofCatalogue(args: SimulateArguments): Asked<readonly Simulation[]> {
  const name = args.scenario ?? "";
  const scenario = scenarioById(name);
  return scenario ? simulationsOf(scenario, args) : { reason: `no scenario is called '${visibleLine(name)}'; patchwalk simulate lists them` };
}

/**
 * `patchwalk simulate`: explores scenarios of the catalogue, or those of a finding. 1 where a schedule fails, 2 where
 * there is no answer.
 */
export async function simulate(argv: readonly string[], io: CliIo, engine: Engine): Promise<number> {
  const parsed = simulateArguments(argv);
  const fail = (reason: string): number => {
    io.stderr.write(`patchwalk: ${reason}; see patchwalk --help\n`);
    return EXIT.unusable;
  };
  if ("error" in parsed) return fail(visibleLine(parsed.error));
  const args = parsed.value;
  const sink = openSink(io.stdout);
  if (args.scenario === null && args.finding === null) {
    await sink.write(args.format === "json" ? listJson() : listText());
    return EXIT.clean;
  }
  const found = await asked(args, engine, io);
  if ("reason" in found) return fail(found.reason);
  const [first] = found.value;
  if (args.step && first) return stepThrough(first, io);
  if (args.export !== null && first) {
    const text = found.value.length > 1 ? { reason: `--export takes one of ${found.value.map(({ variant }) => variant).join(", ")}: say which with --variant` } : exported(first, args.export);
    if ("reason" in text) return fail(text.reason);
    await sink.write(text.value);
    return EXIT.clean;
  }
  const reports = found.value.map(simulationReport);
  const paint = args.color === "always" || (args.color === "auto" && io.isStdoutTerminal && !io.env.NO_COLOR) ? COLORED : PLAIN;
  await sink.write(args.format === "json" ? jsonText({ simulations: reports }) : reports.map((report) => simulationText(report, paint)).join("\n"));
  if (reports.some(({ verdict }) => verdict === "unknown" || verdict === "vacuous")) return EXIT.unusable;
  return reports.some(({ verdict }) => verdict === "fail") ? EXIT.findings : EXIT.clean;
}
