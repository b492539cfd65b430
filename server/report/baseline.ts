// SPDX-License-Identifier: GPL-2.0-only
import { BASELINE_VERSION, type BaselineEntry } from "../review/baseline/baseline.ts";
import { jsonText } from "./json.ts";

/** The text of a baseline file, a line for each finding, so that a change of it can be read. */
export function baselineText(entries: readonly BaselineEntry[]): string {
  const lines = entries.map(({ rule, file, function: fn, fingerprint }) =>
    `    ${jsonText({ rule, ...(file === null ? {} : { file }), ...(fn === null ? {} : { function: fn }), fingerprint }, 0)}`);
  return `{\n  "version": ${jsonText(BASELINE_VERSION)},\n  "findings": [${lines.length === 0 ? "" : `\n${lines.join(",\n")}\n  `}]\n}\n`;
}
