// SPDX-License-Identifier: GPL-2.0-only
import { Uri, ViewColumn, window, workspace } from "vscode";
import type { Disposable } from "vscode";
import type { ExecuteCommandSignature } from "vscode-languageclient/node";
import { WHAT_IF_CALLER_HOLDS, type CommandAnswer, type FindingArgument } from "../server/protocol.ts";

/** Scheme of the read-only documents that show what the server answered. */
const SCHEME = "patchwalk-answer";

/** Answers that are kept for their documents; older ones show nothing when their tab is opened again. */
const MOST_ANSWERS = 32;

const texts = new Map<string, string>();
let count = 0;

/** Documents of answers, by their URI. */
export const answerDocuments = (): Disposable =>
  workspace.registerTextDocumentContentProvider(SCHEME, { provideTextDocumentContent: (uri) => texts.get(uri.toString()) ?? "" });

async function show({ title, text }: CommandAnswer): Promise<void> {
  const uri = Uri.from({ scheme: SCHEME, path: `/${title.replace(/[/\\?#]/g, " ")}`, query: String(count++) });
  texts.set(uri.toString(), text);
  const [oldest] = texts.keys();
  if (oldest !== undefined && texts.size > MOST_ANSWERS) texts.delete(oldest);
  await window.showTextDocument(await workspace.openTextDocument(uri), { viewColumn: ViewColumn.Beside, preserveFocus: true, preview: true });
}

const OTHER = "another lock \u2026";

/** Which lock the user means, or undefined. */
async function pickLock({ title, locks = [] }: CommandAnswer): Promise<string | undefined> {
  const picked = await window.showQuickPick([...locks, OTHER], { title, placeHolder: "The lock that the caller holds over the whole call" });
  return picked === OTHER ? window.showInputBox({ title, prompt: "NAME, NAME (read) or NAME (write)" }) : picked;
}

const isAnswer = (value: unknown): value is CommandAnswer => typeof value === "object" && value !== null && "title" in value && "text" in value;

/** Runs a command of the server and shows its answer; before a question about a lock, asks which one. */
export async function runCommand(command: string, given: readonly unknown[], next: ExecuteCommandSignature): Promise<unknown> {
  const first: unknown = await next(command, [...given]);
  if (!isAnswer(first)) return first;
  if (command !== WHAT_IF_CALLER_HOLDS || first.locks === undefined) {
    await show(first);
    return first;
  }
  const lock = await pickLock(first);
  if (lock === undefined) return first;
  const answer: unknown = await next(command, [{ ...(given[0] as FindingArgument), lock }]);
  if (isAnswer(answer)) await show(answer);
  return answer;
}
