// SPDX-License-Identifier: GPL-2.0-only
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { visibleLine } from "../report/visible.ts";
import { counterexample } from "../simulator/counterexample.ts";
import { stepper, type Choice, type Stepper, type Taken } from "../simulator/stepper.ts";
import type { Trace } from "../simulator/trace.ts";
import { EXIT, openSink, type CliIo } from "./io.ts";
import type { Simulation } from "./simulation.ts";

const HELP = "a number takes that step, Enter the one of the failing schedule (or the first), b goes back, q ends\n";

/** The next choice of the failing schedule, as long as it is followed; else the first one that there is. */
function suggested(run: Stepper, trace: Trace | null): number {
  const choices = run.choices();
  const followed = trace !== null && run.taken.every((one, index) => one.thread === trace.steps[index]?.thread && one.alternative === trace.steps[index]?.alternative);
  const next = followed ? trace?.steps[run.taken.length] : undefined;
  const at = choices.findIndex((one) => one.thread === next?.thread && one.alternative === next.alternative);
  return Math.max(0, at);
}

function takenText({ model }: Simulation, step: Taken): string {
  const changes = step.changes.map(({ field, from, to }) => `${field}: ${from} -> ${to}`).join(", ");
  const line = `  ${visibleLine(model.threads[step.thread]?.name ?? "")}: ${visibleLine(step.text)}${changes === "" ? "" : `  [${visibleLine(changes)}]`}\n`;
  return step.violated === null ? line : `${line}  *** ${visibleLine(step.violated.message)} (${visibleLine(step.violated.property)})\n`;
}

function promptText({ model }: Simulation, run: Stepper, at: number): string {
  const name = (thread: number): string => visibleLine(model.threads[thread]?.name ?? "");
  const choices = run.choices().map((choice: Choice, index) => `${index === at ? ">" : " "}${String(index + 1).padStart(2)}  ${name(choice.thread)}: ${visibleLine(choice.text)}\n`);
  const waiting = run.waiting().map(({ thread, text }) => `     ${name(thread)} waits: ${visibleLine(text)}\n`);
  const end = choices.length > 0 ? [] : [(run.taken.at(-1)?.violated ?? null) !== null ? "the run has failed\n" : "nothing can move\n"];
  return [...choices, ...waiting, ...end, "? "].join("");
}

/** Steps through a scenario, a line of input at a time, until the input ends. */
export async function stepThrough(simulation: Simulation, io: CliIo): Promise<number> {
  const { scenario, model, options } = simulation;
  const sink = openSink(io.stdout);
  const run = stepper(model, options.properties);
  const trace = counterexample(model, options);
  await sink.write(`${scenario}, ${simulation.variant}: ${visibleLine(simulation.title)}\n${HELP}`);
  await sink.write(promptText(simulation, run, suggested(run, trace)));
  for await (const line of createInterface({ input: Readable.from(io.stdin), crlfDelay: Infinity })) {
    const word = line.trim();
    if (word === "q") break;
    await sink.write(answer(simulation, run, trace, word));
    await sink.write(promptText(simulation, run, suggested(run, trace)));
  }
  await sink.write("\n");
  return EXIT.clean;
}

function answer(simulation: Simulation, run: Stepper, trace: Trace | null, word: string): string {
  if (word === "b") return run.back() ? "  one step back\n" : "  this is the start\n";
  const choices = run.choices();
  const index = word === "" ? suggested(run, trace) : /^\d{1,4}$/.test(word) ? Number(word) - 1 : -1;
  const choice = choices[index];
  return choice ? takenText(simulation, run.take(choice)) : HELP;
}
