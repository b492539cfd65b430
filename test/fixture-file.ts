// SPDX-License-Identifier: GPL-2.0-only
import { DEFAULT_OPTIONS, type ReviewOptions } from "../server/review/options.ts";

/** One annotated line of a fixture: `finds: rule tier [severity]`. */
export interface Expectation {
  readonly line: number;
  readonly rule: string;
  readonly tier: string;
  readonly severity: string;
}

const directive = (text: string, name: string): string | null => new RegExp(`^[ \\t*]*${name}: *(\\S.*?)\\s*$`, "m").exec(text)?.[1] ?? null;

/** Options that the directives at the top of a fixture ask for; see test/fixtures/README.md. */
export function optionsOf(text: string): ReviewOptions {
  const head = text.split("\n").slice(0, 30).join("\n");
  return {
    ...DEFAULT_OPTIONS,
    release: directive(head, "Target"),
    arch: directive(head, "Arch"),
    config: directive(head, "Config")?.split(/\s+/) ?? [],
  };
}

/** Expectations of a fixture, in order of lines. */
export function expectationsOf(text: string): Expectation[] {
  return text.split("\n").flatMap((line, index) =>
    [...line.matchAll(/\bfinds: ([\w-]+) (\w+)(?: (error|warning|info))?/g)].map((match) => ({
      line: index + 1,
      rule: match[1] ?? "",
      tier: match[2] ?? "",
      severity: match[3] ?? "error",
    })),
  );
}
