// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable, Writable } from "node:stream";
import { afterAll } from "vitest";
import type { Engine } from "../../server/cli/engine.ts";
import type { CliIo } from "../../server/cli/io.ts";
import { runCli } from "../../server/cli/run.ts";
import type { Review } from "../../server/review/finding.ts";
import type { ReviewInput } from "../../server/review/review.ts";
import type { RuleMeta } from "../../server/rules/meta.ts";
import { CLEAN, FINDING, QUESTION, REVIEW } from "../report/sample-review.ts";

export const RULES: readonly RuleMeta[] = [
  {
    id: "hugetlb-walk-unlocked",
    title: "Result of a huge page walk used without a lock that keeps the page table",
    severity: "error",
    since: "4.8",
    until: null,
    why: "PMD sharing may end while the walker looks. The table is then freed under it.",
    messages: {},
    scenarios: ["hugetlb-unshare-uaf"],
    sources: [],
  },
  {
    id: "notifier-nonblock-outside-oom",
    title: "Non-blocking start outside the OOM reaper",
    severity: "error",
    since: "4.19",
    until: "7.0",
    why: "A subscriber that refuses keeps its mapping.",
    messages: {},
    scenarios: [],
    sources: [{ thread: "example thread", who: "Example Reviewer", date: "2023-09-15", link: null }],
  },
];

/**
 * A review decided by words in the text, one finding per word, in its line: `PROVED`, `QUESTION`, `CUT`, `CRASH`.
 * So that the tests are about what the command line makes of results, not about kernel code.
 */
export function wordReview(input: ReviewInput): Review[] {
  const lines = input.text.split("\n");
  if (lines.some((line) => line.includes("CRASH"))) throw new Error("a bug\nwith two lines");
  const at = <T extends { location: (typeof FINDING)["location"] }>(word: string, finding: T): T[] =>
    lines.flatMap((line, index) =>
      line.includes(word) ? [{ ...finding, location: { ...finding.location, patchLine: index + 1 } }] : []);
  const subject = /^Subject: (.*)$/m.exec(input.text)?.[1] ?? null;
  const findings = [...at("PROVED", { ...FINDING, related: [], evidence: null }), ...at("QUESTION", QUESTION)];
  const problems = lines.flatMap((line, index) =>
    line.includes("CUT") ? [{ code: "hunk-truncated", message: "the patch ends inside a hunk", line: index + 1 }] : []);
  return [{ ...(findings.length > 0 ? REVIEW : CLEAN), subject, problems, findings }];
}

async function* fakeMessages(chunks: AsyncIterable<Uint8Array>) {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  const text = Buffer.concat(parts).toString();
  let firstLine = 1;
  for (const message of text.split(/^(?=From )/m)) {
    yield { text: message, firstLine, problems: [] };
    firstLine += message.split("\n").length - 1;
  }
}

export const FAKE_ENGINE: Engine = {
  review: wordReview,
  rules: () => RULES,
  messagesOf: fakeMessages,
  collectNativeMemory: () => undefined,
};

export interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

const collector = (): { readonly stream: Writable; readonly text: () => string } => {
  let text = "";
  return {
    stream: new Writable({ write: (chunk, _encoding, done) => { text += String(chunk); done(); } }),
    text: () => text,
  };
};

export async function patchwalk(
  argv: readonly string[],
  given: { readonly stdin?: string; readonly engine?: Partial<Engine>; readonly io?: Partial<CliIo> } = {},
): Promise<Outcome> {
  const out = collector();
  const err = collector();
  const io: CliIo = {
    stdin: Readable.from([Buffer.from(given.stdin ?? "")]),
    stdout: out.stream,
    stderr: err.stream,
    isStdoutTerminal: false,
    isStderrTerminal: false,
    env: {},
    ruleFolders: [],
    now: () => 0,
    ...given.io,
  };
  const status = await runCli(argv, io, { ...FAKE_ENGINE, ...given.engine });
  return { status, out: out.text(), err: err.text() };
}

/** A folder with these files, removed after the test file. Paths with `/` make folders. */
export function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), "patchwalk-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}
