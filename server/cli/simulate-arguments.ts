// SPDX-License-Identifier: GPL-2.0-only
import { parseArgs } from "node:util";
import { ERAS, type GupEra } from "../kernel/era.ts";
import { COLORS, oneOf, parsed, readArch, readRelease, UsageError, withColorValue, type ColorWhen, type Parsed } from "./arguments.ts";
import { EXPORTS, type Export } from "./simulate-export.ts";

/** A finding of a file. */
export interface FindingArgument {
  readonly fingerprint: string;
  readonly file: string;
}

export interface SimulateArguments {
  /** Null: list the scenarios. */
  readonly scenario: string | null;
  readonly finding: FindingArgument | null;
  /** Kernel tree that shows the code around the hunks of the finding's file; null: none. */
  readonly tree: string | null;
  /** A variant's id, `buggy` or `fixed`; null: all of them. */
  readonly variant: string | null;
  readonly release: string | null;
  readonly arch: string | null;
  readonly era: GupEra | null;
  /** A lock that callers hold, with `(read)` or `(write)`. */
  readonly assumeHeld: string | null;
  readonly step: boolean;
  readonly export: Export | null;
  readonly format: "text" | "json";
  readonly color: ColorWhen;
  readonly maxStates: number | null;
}

const OPTIONS = {
  scenario: { type: "string" },
  finding: { type: "string" },
  tree: { type: "string" },
  variant: { type: "string" },
  release: { type: "string" },
  arch: { type: "string" },
  era: { type: "string" },
  "assume-held": { type: "string" },
  "max-states": { type: "string" },
  step: { type: "boolean", default: false },
  export: { type: "string" },
  format: { type: "string", default: "text" },
  color: { type: "string", default: "auto" },
} as const;

function readStates(value: string | undefined): number | null {
  if (value === undefined) return null;
  const states = Number(value);
  if (!Number.isInteger(states) || states < 1 || states > 20_000_000) throw new UsageError(`--max-states takes a number from 1 to 20000000; not '${value}'`);
  return states;
}

/** `--finding FINGERPRINT FILE`. */
function readFinding(fingerprint: string | undefined, positionals: readonly string[]): FindingArgument | null {
  if (fingerprint === undefined) return null;
  const [file] = positionals;
  if (!/^[0-9a-f]{4,16}$/.test(fingerprint)) throw new UsageError(`--finding takes a fingerprint of 4 to 16 hexadecimal digits; not '${fingerprint}'`);
  if (file === undefined || positionals.length > 1) throw new UsageError("--finding takes a fingerprint and one file");
  return { fingerprint, file };
}

/** Reads the arguments after `simulate`. */
export const simulateArguments = (argv: readonly string[]): Parsed<SimulateArguments> => parsed(() => {
  const { values, positionals } = parseArgs({ args: withColorValue(argv), allowPositionals: true, options: OPTIONS });
  const finding = readFinding(values.finding, positionals);
  const scenario = finding ? null : (values.scenario ?? positionals[0] ?? null);
  if (!finding && positionals.length > (values.scenario === undefined ? 1 : 0)) throw new UsageError("simulate takes one scenario");
  if (values.tree !== undefined && finding === null) throw new UsageError("--tree goes with --finding");
  if (values.step && scenario === null && finding === null) throw new UsageError("--step needs a scenario");
  return {
    scenario,
    finding,
    tree: values.tree ?? null,
    variant: values.variant ?? null,
    release: readRelease(values.release),
    arch: values.arch === undefined ? null : readArch(values.arch),
    era: values.era === undefined ? null : oneOf("era", values.era, Object.keys(ERAS) as GupEra[]),
    assumeHeld: values["assume-held"] ?? null,
    step: values.step,
    export: values.export === undefined ? null : oneOf("export", values.export, EXPORTS),
    format: oneOf("format", values.format, ["text", "json"]),
    color: oneOf("color", values.color, COLORS),
    maxStates: readStates(values["max-states"]),
  };
});
