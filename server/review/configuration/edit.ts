// SPDX-License-Identifier: GPL-2.0-only
import { applyEdits, modify, type Edit } from "jsonc-parser";
import type { Finding } from "../finding.ts";
import { REASON_PLACEHOLDER } from "../suppression/suppression.ts";
import { patternProblem } from "../../text/path-pattern.ts";
import { readConfiguration } from "./configuration.ts";

/** What a configuration has to say for a finding to be suppressed, once the reason is written. */
const entryFor = ({ ruleId, function: fn, fingerprint }: Finding, file: string | null) => ({
  rule: ruleId,
  ...(fn === null || !/^[A-Za-z_]\w*$/.test(fn) ? {} : { function: fn }),
  ...(file === null || patternProblem(file) !== null ? {} : { file }),
  fingerprint,
  reason: REASON_PLACEHOLDER,
});

/**
 * Edits of the text of a configuration that add a suppression without a reason, so that it says what is missing and does nothing
 * else; null where the text is not one to add to. A file that does not exist yet has the text "".
 */
export function suppressionEdits(source: string, finding: Finding, file: string | null, known: readonly string[]): readonly Edit[] | null {
  const entry = entryFor(finding, file);
  if (source.trim() === "") return [{ offset: 0, length: source.length, content: `${JSON.stringify({ suppressions: [entry] }, null, 2)}\n` }];
  const problemsOf = (text: string): readonly string[] => readConfiguration(text, "", known).problems.map(({ code }) => code);
  const before = problemsOf(source);
  if (before.includes("not-json")) return null;
  const formattingOptions = { insertSpaces: !/^\t/m.test(source), tabSize: 2, eol: source.includes("\r\n") ? "\r\n" : "\n" };
  const edits = editsOf(() => modify(source, ["suppressions", -1], entry, { formattingOptions, isArrayInsertion: true }));
  // Nothing else may change, whatever stands there.
  const after = edits && problemsOf(applyEdits(source, edits));
  return after?.length === before.length + 1 && after.filter((code) => code === "suppression-reason").length === before.filter((code) => code === "suppression-reason").length + 1 ? edits : null;
}

/** Values that cannot be added to make the library throw. */
function editsOf(make: () => Edit[]): Edit[] | null {
  try {
    return make();
  } catch {
    return null;
  }
}
