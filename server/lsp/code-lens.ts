// SPDX-License-Identifier: GPL-2.0-only
import { LSPErrorCodes, MessageType, ResponseError, ShowMessageNotification } from "vscode-languageserver/node";
import type { CancellationToken, CodeLens, Connection } from "vscode-languageserver/node";
import { SHOW_INTERLEAVING, WHAT_IF_CALLER_HOLDS, type CommandAnswer, type FindingArgument } from "../protocol.ts";
import { visibleLine } from "../report/visible.ts";
import { interleavingText, whatIfText, type WhatIfOptions } from "../report/what-if.ts";
import type { Finding } from "../review/finding.ts";
import type { WhatIfAnswer } from "../review/what-if.ts";
import type { Client } from "./client.ts";
import { findingRange } from "./range.ts";
import type { ReviewCache, ReviewedDocument } from "./review-cache.ts";
import { findingsOf } from "./reviewer.ts";

/** What a lens is about until it is resolved. */
interface LensData extends FindingArgument {
  readonly command: typeof SHOW_INTERLEAVING | typeof WHAT_IF_CALLER_HOLDS;
  readonly steps: number;
}

const isFailing = ({ evidence }: Finding): boolean => evidence?.verdict === "fail" && evidence.schedule.length > 0;

function lensesOf(reviewed: ReviewedDocument): CodeLens[] {
  const { document } = reviewed;
  return findingsOf(reviewed.reviews).filter(isFailing).flatMap((finding): CodeLens[] => {
    const range = findingRange(document, finding.location);
    const about = { uri: document.uri, finding: finding.fingerprint, steps: finding.evidence?.schedule.length ?? 0 };
    return ([SHOW_INTERLEAVING, WHAT_IF_CALLER_HOLDS] as const).map((command) => ({ range, data: { ...about, command } satisfies LensData }));
  });
}

/** Clients keep `data` and send it back; what comes is read as anything from outside is. */
function lensData(value: unknown): LensData | null {
  const about = findingArgument(value);
  const { command, steps } = (value ?? {}) as Partial<Record<keyof LensData, unknown>>;
  if (about === null || typeof steps !== "number") return null;
  return command === SHOW_INTERLEAVING || command === WHAT_IF_CALLER_HOLDS ? { ...about, command, steps } : null;
}

function findingArgument(value: unknown): FindingArgument | null {
  if (typeof value !== "object" || value === null) return null;
  const { uri, finding, lock } = value as Partial<Record<keyof FindingArgument, unknown>>;
  if (typeof uri !== "string" || typeof finding !== "string") return null;
  return { uri, finding, ...(typeof lock === "string" ? { lock: lock.slice(0, 200) } : {}) };
}

function resolved(lens: CodeLens): CodeLens {
  const data = lensData(lens.data);
  if (data === null) return lens;
  const { uri, finding, command, steps } = data;
  const title = command === SHOW_INTERLEAVING ? `Show interleaving (${steps} step${steps === 1 ? "" : "s"})` : "What if the caller holds \u2026?";
  return { range: lens.range, command: { title, command, arguments: [{ uri, finding } satisfies FindingArgument] } };
}

const optionsOf = ({ kind }: ReviewedDocument): WhatIfOptions => ({ lineLabel: kind === "c" ? "line" : "mail" });

const titleOf = (answer: WhatIfAnswer): string =>
  answer.kind === "answer" ? `What if the caller of ${visibleLine(answer.finding.function ?? "")}() holds ${visibleLine(answer.whatIf.lock)}?` : "What if the caller holds a lock?";

function interleaving({ finding }: FindingArgument, reviewed: ReviewedDocument): CommandAnswer {
  const found = findingsOf(reviewed.reviews).find((one) => one.fingerprint === finding);
  return found === undefined
    ? { title: "Interleaving", text: whatIfText({ kind: "no-finding" }, optionsOf(reviewed)) }
    : { title: `Interleaving of ${visibleLine(found.function ?? "")}()`, text: interleavingText(found, optionsOf(reviewed)) };
}

/**
 * Lenses on findings with a failing schedule, and the two commands that they lead to. Gives what to do when findings may have
 * changed without an edit.
 */
export function answerLensRequests(connection: Connection, reviews: ReviewCache, client: Client, log: (message: string) => void): () => void {
  connection.onCodeLens(async ({ textDocument }, token) => {
    const reviewed = await reviews.of(textDocument.uri, token);
    return reviewed === null ? [] : lensesOf(reviewed);
  });
  connection.onCodeLensResolve(resolved);

  async function whatIf({ uri, finding, lock }: FindingArgument, reviewed: ReviewedDocument, token: CancellationToken): Promise<CommandAnswer | null> {
    const answer = await reviews.whatIf(uri, { fingerprint: finding, lock: lock ?? null }, token);
    if (answer === null) return null;
    return { title: titleOf(answer), text: whatIfText(answer, optionsOf(reviewed)), ...("locks" in answer ? { locks: answer.locks } : {}) };
  }

  connection.onExecuteCommand(async ({ command, arguments: given }, token) => {
    const about = findingArgument(given?.[0]);
    if (about === null) return new ResponseError(LSPErrorCodes.RequestFailed, `${command} takes { uri, finding, lock? }`);
    const reviewed = await reviews.of(about.uri, token);
    if (reviewed === null) return null;
    const answer = command === SHOW_INTERLEAVING ? interleaving(about, reviewed) : await whatIf(about, reviewed, token);
    if (answer !== null && !client.showsAnswers) connection.sendNotification(ShowMessageNotification.type, { type: MessageType.Info, message: answer.text }).catch((error: unknown) => log(`answer not shown: ${String(error)}`));
    return answer;
  });

  return () => {
    if (!client.refreshesLenses) return;
    connection.sendRequest("workspace/codeLens/refresh").catch((error: unknown) => log(`code lenses not refreshed: ${String(error)}`));
  };
}
