// SPDX-License-Identifier: GPL-2.0-only
import type { Patch, ProseLine } from "./model.ts";

/** A sentence or an item of a list, on one line, with single blanks. */
export interface Statement {
  readonly text: string;
  /** Document line on which it begins. */
  readonly line: number;
}

/** What somebody who handed a patch on wrote into it: `[name: what was changed]`. */
export interface Note extends Statement {
  /** The word in front of the colon; null where there is none. */
  readonly by: string | null;
}

/** `Fixes: ...`, `Cc: ... # 4.4.x`, `Signed-off-by: ...`. */
export interface Trailer {
  readonly name: string;
  readonly value: string;
  readonly line: number;
}

/** What a patch says about itself, as data. Of a reply it is what the mail has above the diff, whoever wrote it. */
export interface CommitMessage {
  readonly subject: string | null;
  /** Sentences of the text and of the notes, in order. What stands below `---` is no part of the message. */
  readonly statements: readonly Statement[];
  readonly notes: readonly Note[];
  readonly trailers: readonly Trailer[];
  /** The mainline commit that this one is a backport of; null where none is named. */
  readonly upstream: { readonly commit: string; readonly line: number } | null;
}

/** Longer lines are no text of a person. */
const MAX_LINE = 400;
/** Lines that one bracketed note may span. */
const MAX_NOTE_LINES = 12;
/** A message of more lines is read in part. */
const MAX_LINES = 2000;

const QUOTE = /^[\s>|]+/;

/** Bracketed notes, each joined to one line: `[name: backport to 4.4 kernel]`. */
export function* notesIn(prose: readonly ProseLine[]): Generator<Note> {
  for (const [at, { text, line }] of prose.entries()) {
    if (text.length > MAX_LINE || !/^[\s>|]*\[/.test(text)) continue;
    let note = text.replace(QUOTE, "").trimEnd();
    for (let next = at + 1; !note.includes("]") && next < prose.length && next - at < MAX_NOTE_LINES; next++)
      note += ` ${(prose[next]?.text ?? "").slice(0, MAX_LINE).replace(QUOTE, "").trimEnd()}`;
    const end = note.indexOf("]");
    if (end > 0) yield { text: note.slice(0, end + 1), line, by: /^\[\s*([\w.@+-]{1,80}):/.exec(note)?.[1] ?? null };
  }
}

const UPSTREAM = [
  /^[\s>|]*commit ([0-9a-f]{12,40}) upstream\.?\s*$/i,
  /^[\s>|]*\[\s*upstream commit ([0-9a-f]{12,40})\s*\]?/i,
  /^[\s>|]*upstream commit:? ([0-9a-f]{12,40})\.?\s*$/i,
];

/** `commit X upstream.`, `[ Upstream commit X ]`, `Upstream commit: X`. */
export function upstreamIn(prose: readonly ProseLine[]): CommitMessage["upstream"] {
  for (const { text, line } of prose) {
    if (text.length > MAX_LINE) continue;
    for (const shape of UPSTREAM) {
      const commit = shape.exec(text)?.[1];
      if (commit !== undefined) return { commit, line };
    }
  }
  return null;
}

const TRAILER = /^([A-Z][A-Za-z]*(?:-[A-Za-z]+)*): ?(\S.*)$/;
const TRAILER_NAME = /^(?:[A-Z][a-z]+(?:-[a-z]+)*-by|Cc|Fixes|Link|Closes|Message-Id|Change-Id|Bug|Bugzilla|CVE|Upstream|Reference|References)$/i;

/** The message of a patch. Never fails; a mail without one has an empty message. */
export function commitMessage({ subject, prose }: Pick<Patch, "subject" | "prose">): CommitMessage {
  const end = prose.findIndex(({ text }) => /^(?:> ?)*---\s*$/.test(text));
  const lines = (end < 0 ? prose : prose.slice(0, end)).slice(0, MAX_LINES);
  const trailers = lines.flatMap((line) => trailerOf(line) ?? []);
  // By the line itself: an encoded line of the document holds several.
  const others = new Set(lines.filter((line) => trailerOf(line) !== null));
  return { subject, statements: statementsOf(lines, others), notes: [...notesIn(lines)], trailers, upstream: upstreamIn(lines) };
}

function trailerOf({ text, line }: ProseLine): Trailer | null {
  const [, name, value] = text.length > MAX_LINE ? [] : (TRAILER.exec(text.replace(QUOTE, "")) ?? []);
  return name !== undefined && value !== undefined && TRAILER_NAME.test(name) ? { name, value: value.trimEnd(), line } : null;
}

/** An item of a list, or what a line of a list of functions begins with, is a statement of its own. */
const ITEM = /^\s*(?:[-*+•o]\s|\(?\d{1,2}[.)]\s|[\w.]+(?:\(\))?\s*:\s)/;

/** Paragraphs and items, each cut into sentences. */
function statementsOf(lines: readonly ProseLine[], others: ReadonlySet<ProseLine>): Statement[] {
  const found: Statement[] = [];
  let parts: { text: string; line: number }[] = [];
  const close = (): void => {
    found.push(...sentencesOf(parts));
    parts = [];
  };
  for (const prose of lines) {
    const { text, line } = prose;
    const plain = text.length > MAX_LINE || others.has(prose) ? "" : text.replace(/^[>|\s]*[>|]\s?/, "");
    if (plain.trim() === "" || ITEM.test(plain) || /^\s*\[/.test(plain)) close();
    if (plain.trim() !== "") parts.push({ text: plain.trim().replace(/\s+/g, " "), line });
  }
  close();
  return found;
}

/** Cuts lines that belong together at the ends of sentences. */
function sentencesOf(parts: readonly { readonly text: string; readonly line: number }[]): Statement[] {
  const found: Statement[] = [];
  let open: Statement | null = null;
  for (const { text, line } of parts) {
    // A dot within `mm/gup.c` or `4.4` ends nothing.
    for (const piece of text.split(/(?<=[.;!?]) /)) {
      open = open === null ? { text: piece, line } : { text: `${open.text} ${piece}`, line: open.line };
      if (!/[.;!?]\]?$/.test(piece)) continue;
      found.push(open);
      open = null;
    }
  }
  return open === null ? found : [...found, open];
}
