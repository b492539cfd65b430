// SPDX-License-Identifier: GPL-2.0-only
import { mermaidText } from "../report/mermaid.ts";
import { failingPicture } from "../report/picture.ts";
import type { SimulationReport } from "../report/simulation.ts";
import { scheduleSvg } from "../report/svg.ts";
import { visibleLine } from "../report/visible.ts";
import type { Evidence } from "../review/finding.ts";
import { counterexample } from "../simulator/counterexample.ts";
import { explore } from "../simulator/explore.ts";
import { itfOf } from "../simulator/itf.ts";
import { promelaOf } from "../simulator/promela.ts";
import { firstThreadOf, simulationReport, type Asked, type Simulation } from "./simulation.ts";

export const EXPORTS = ["promela", "itf", "mermaid", "svg"] as const;
export type Export = (typeof EXPORTS)[number];

const LINE = "line";

/** What pictures are drawn from. */
const evidenceOf = ({ scenario, verdict, property, badState, states, transitions, schedule, held, fixed, bounds, assumptions }: SimulationReport): Evidence => ({
  scenario, verdict, property: property ?? "", badState, states, transitions, schedule, held, fixed, bounds, assumptions, wrongFixes: [],
});

/** Why there is no schedule: a search that was cut short does not know whether one fails. */
const noScheduleText = ({ model, options, variant }: Simulation): string => {
  const { verdict, states } = explore(model, options);
  return verdict === "unknown" ? `${visibleLine(variant)} was cut short after ${states} state${states === 1 ? "" : "s"}` : `${visibleLine(variant)} does not fail`;
};

/** A simulation in a form for another program: the whole model, or its failing schedule. */
export function exported(simulation: Simulation, form: Export): Asked<string> {
  const { model, options, scenario, variant, title } = simulation;
  if (form === "promela") return { value: promelaOf(model, options) };
  const trace = counterexample(model, options);
  if (!trace) return { reason: `${noScheduleText(simulation)}: there is no schedule to export` };
  if (form === "itf") return { value: `${JSON.stringify(itfOf(model, trace), null, 1)}\n` };
  const evidence = evidenceOf(simulationReport(simulation));
  const firstThread = firstThreadOf(model);
  const picture = failingPicture(evidence, firstThread);
  const text = form === "svg"
    ? scheduleSvg(evidence, { id: `${scenario}-${variant}`.replace(/[^\w-]/g, "-"), title, lineLabel: LINE, firstThread })
    : picture && mermaidText(picture, { lineLabel: LINE });
  return text === null ? { reason: "there is no schedule to draw" } : { value: text };
}
