// SPDX-License-Identifier: GPL-2.0-only
import { commentaryOf } from "../../patch/commentary.ts";
import type { Patch, ProseLine } from "../../patch/model.ts";
import { lineIndex } from "../../text/line-index.ts";
import type { Problem } from "../../text/problem.ts";
import { reasonProblem, REASON_PLACEHOLDER, type Suppression } from "./suppression.ts";

/** What the commentary of a mail says about findings. */
export interface MailSuppressions {
  readonly suppressions: readonly Suppression[];
  readonly problems: readonly Problem[];
}

const KEY = /^\s*patchwalk-ignore:/i;
const LINE = /^\s*patchwalk-ignore:\s*([\w-]{1,100})(?:\s+([A-Za-z_]\w{0,199})\(\))?\s*:(.*)$/i;
const FORM = "Patchwalk-ignore: rule-id [function()]: reason";

/** Lines of a reason, the first one included; a person writes fewer. */
const MOST_LINES = 20;

/** So many suppressions in one mail are none that a person wrote. */
const MOST = 100;

/** The line that suppresses a finding once its reason is written. */
export const suppressionLine = (rule: string, fn: string | null): string =>
  `Patchwalk-ignore: ${rule}${fn === null ? "" : ` ${fn}()`}: ${REASON_PLACEHOLDER}`;

/**
 * `Patchwalk-ignore: rule-id [function()]: reason` below the `---` of a mail, also as `git format-patch --notes` writes it. Further lines of a
 * reason are indented more than the first.
 * `known`: ids of the rules.
 */
export function mailSuppressions(document: string, patch: Patch, known: readonly string[]): MailSuppressions {
  // Most mails have none, and a mailbox has many mails.
  if (!patch.prose.some(({ text }) => KEY.test(text))) return { suppressions: [], problems: [] };
  const { message, below } = commentaryOf(document, lineIndex(document), patch);
  const problems: Problem[] = message.filter(({ text }) => /^patchwalk-ignore:/i.test(text)).slice(0, MOST).map(({ line }) => ({
    code: "suppression-misplaced", line,
    message: "Patchwalk-ignore stands in the commit message and has no effect: git would keep it; it belongs below the ---",
  }));
  const suppressions: Suppression[] = [];
  for (const [at, { text, line }] of below.entries()) {
    if (!KEY.test(text) || suppressions.length + problems.length >= MOST) continue;
    const read = suppressionIn(withContinuation(below, at), line, known);
    if ("rule" in read) suppressions.push(read);
    else problems.push(read);
  }
  return { suppressions, problems };
}

function withContinuation(lines: readonly ProseLine[], at: number): string {
  const first = lines[at]?.text.slice(0, 1000) ?? "";
  const more = lines.slice(at + 1, at + MOST_LINES);
  const indent = /^\s*/.exec(first)?.[0].length ?? 0;
  const end = more.findIndex(({ text }) => text.trim() === "" || KEY.test(text) || text.length - text.trimStart().length <= indent);
  return [first, ...(end < 0 ? more : more.slice(0, end)).map(({ text }) => text.slice(0, 1000).trim())].join(" ");
}

function suppressionIn(text: string, line: number, known: readonly string[]): Suppression | Problem {
  const [, rule, fn, rest] = LINE.exec(text) ?? [];
  if (rule === undefined || rest === undefined) return { code: "suppression-malformed", message: `nothing is suppressed by this line: its form is "${FORM}"`, line };
  if (!known.includes(rule)) return { code: "suppression-unknown-rule", message: `no rule is called '${rule}': nothing is suppressed`, line };
  const reason = rest.trim();
  const problem = reasonProblem(reason);
  if (problem !== null) return { code: "suppression-reason", message: problem, line };
  const column = text.indexOf(rule, text.indexOf(":")) + 1;
  return { rule, function: fn ?? null, file: null, fingerprint: null, reason, until: null, place: { in: "mail", path: null, line, column, endColumn: column + rule.length } };
}
