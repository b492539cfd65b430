// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FIXTURES = join(import.meta.dirname, "../fixtures");

/** One buggy form of a rule that has a scenario; see test/fixtures/README.md. */
export interface EvidenceEntry {
  readonly rule: string;
  /** Unique within the rule. */
  readonly form: string;
  /** The condition of the rule that the form breaks, for example `D3`. */
  readonly code: string;
  /** The form in a kernel developer's words. */
  readonly what: string;
  /** Release in which the form is a defect, and which its fixture targets. */
  readonly release: string;
  /** The scenario, or the bad state where the scenario has no number. */
  readonly scenario: string;
  readonly fixture: EvidenceFixture | null;
  /** Why the form is not proved, as measured; null where it is, or where nobody has tried. */
  readonly reason: string | null;
}

/** A file below `test/fixtures/rules/`, or a line of a review thread beside the checkout. */
export type EvidenceFixture =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "seed"; readonly seed: string; readonly line: number };

const WORD = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const SHAPES: Readonly<Record<string, RegExp>> = {
  rule: WORD,
  form: WORD,
  code: /^[A-Z0-9][\w.-]*$/i,
  what: /^\S.*\S$/,
  release: /^\d+\.\d+$/,
  scenario: /^\S.*\S$/,
};
const KEYS = [...Object.keys(SHAPES), "fixture", "reason"];

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);

function fixtureOf(text: string): EvidenceFixture {
  const [, seed, line] = /^seed (\d{3}):(\d+)$/.exec(text) ?? [];
  return seed === undefined ? { kind: "file", path: text } : { kind: "seed", seed, line: Number(line) };
}

/** What is wrong with one entry, a sentence each. */
function complaints(entry: Readonly<Record<string, unknown>>): string[] {
  const { fixture, reason } = entry;
  const missing = KEYS.filter((key) => !(key in entry)).map((key) => `no key ${key}`);
  const unknown = Object.keys(entry).filter((key) => !KEYS.includes(key)).map((key) => `unknown key ${key}`);
  const misshapen = Object.entries(SHAPES).flatMap(([key, shape]) => {
    const value = entry[key];
    return key in entry && !(typeof value === "string" && shape.test(value)) ? [`${key} is ${JSON.stringify(value)}`] : [];
  });
  const wrong = [
    ...(fixture === undefined || fixture === null || typeof fixture === "string" ? [] : ["fixture is neither a string nor null"]),
    ...(reason === undefined || reason === null || (typeof reason === "string" && reason.trim() !== "") ? [] : ["reason is neither words nor null"]),
    ...(typeof fixture === "string" && !fixtureExists(fixtureOf(fixture)) ? [`no fixture ${fixture}`] : []),
  ];
  return [...missing, ...unknown, ...misshapen, ...wrong];
}

/** The threads lie beside some checkouts only: of those, the name is all that can be checked. */
const fixtureExists = (fixture: EvidenceFixture): boolean => fixture.kind === "seed" || existsSync(join(FIXTURES, "rules", fixture.path));

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** The list that JSON text holds. Throws with all that is wrong with it. */
export function readEvidence(json: string): EvidenceEntry[] {
  const list: unknown = JSON.parse(json);
  if (!Array.isArray(list)) throw new Error("evidence: not a list");
  const seen = new Set<string>();
  const wrong: string[] = [];
  const entries = list.map((entry: unknown, index): EvidenceEntry => {
    const record = isRecord(entry) ? entry : {};
    const name = `${textOf(record["rule"])} ${textOf(record["form"])}`;
    wrong.push(...complaints(record).map((one) => `entry ${index + 1} (${name}): ${one}`));
    if (seen.has(name)) wrong.push(`entry ${index + 1} (${name}): there is one already`);
    seen.add(name);
    const { rule, form, code, what, release, scenario, fixture, reason } = record;
    return {
      rule: textOf(rule),
      form: textOf(form),
      code: textOf(code),
      what: textOf(what),
      release: textOf(release),
      scenario: textOf(scenario),
      fixture: typeof fixture === "string" ? fixtureOf(fixture) : null,
      reason: typeof reason === "string" ? reason : null,
    };
  });
  if (wrong.length > 0) throw new Error(["evidence:", ...wrong].join("\n"));
  return entries;
}

export const evidenceList = (): EvidenceEntry[] => readEvidence(readFileSync(join(FIXTURES, "evidence.json"), "utf8"));

/** Whether the list says that the form is proved; the tests check that it is. */
export const isProved = ({ fixture, reason }: EvidenceEntry): boolean => fixture !== null && reason === null;

/** `proved N of M (x %)`, then a line for each rule in the order of the list. */
export function scoreOf(entries: readonly EvidenceEntry[]): string {
  const line = (name: string, of: readonly EvidenceEntry[]): string => {
    const proved = of.filter(isProved).length;
    return `${name} ${proved} of ${of.length} (${((100 * proved) / of.length).toFixed(0)} %)`;
  };
  const rules = [...new Set(entries.map(({ rule }) => rule))];
  return [line("proved", entries), ...rules.map((rule) => line(`  ${rule}`, entries.filter((entry) => entry.rule === rule)))].join("\n");
}
