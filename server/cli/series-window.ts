// SPDX-License-Identifier: GPL-2.0-only
import { basename, dirname } from "node:path";
import type { MailMessage } from "../patch/model.ts";
import { readPatches } from "../patch/read.ts";
import type { PlannedDocument } from "../review/series-plan.ts";
import type { Document } from "./documents.ts";

export type ReadDocument = Exclude<Document, { kind: "unreadable" }>;

/** A document that waits for the others of its series. */
interface Waiting {
  readonly path: string;
  readonly document: ReadDocument;
  readonly messages: readonly MailMessage[];
}

/** Documents that are to be reviewed together. */
export type Batch = readonly (Waiting & PlannedDocument)[];

/**
 * A patch of a series waits until all of its series are there, and what comes behind it waits with it, since the report has the
 * order of the input; everything else goes on at once.
 */
export interface SeriesWindow {
  /** Gives back what is to be reviewed now. */
  add(path: string, document: ReadDocument): Batch;
  /** What still waits, when the input ends. */
  rest(): Batch;
}

/** A mailbox may be of any size: what waits is not. A longer series is reviewed in parts. */
const MOST_WAITING = 4096;
const MOST_CHARACTERS = 24 * 1024 * 1024;

export function seriesWindow(): SeriesWindow {
  let waiting: Waiting[] = [];
  let characters = 0;
  /** The numbers that each series still wants. */
  const open = new Map<string, Set<number>>();
  const rest = (): Batch => {
    const batch = inGroups(waiting);
    waiting = [];
    characters = 0;
    open.clear();
    return batch;
  };
  const note = ({ tag, kind, references, inReplyTo, messageId }: MailMessage, path: string): void => {
    if (tag === null || tag.total === null || tag.total < 2 || tag.index === null || (kind !== "patch" && kind !== "cover")) return;
    // Without a thread only one mailbox is known to end: files of a folder may have more of them.
    const key = `${tag.version} ${tag.total} ${references[0] ?? inReplyTo ?? messageId ?? path}`;
    const wanted = open.get(key) ?? new Set(Array.from({ length: tag.total }, (_, index) => index + 1));
    open.set(key, wanted);
    wanted.delete(tag.index);
  };

  return {
    rest,
    add(path, document) {
      const messages = mayBeOfSeries(document) ? readPatches(document.text).messages.map((message): MailMessage => ({ ...message, patches: [] })) : [];
      waiting.push({ path, document, messages });
      characters += document.text.length;
      for (const message of messages) note(message, path);
      const isComplete = [...open.values()].every((wanted) => wanted.size === 0);
      return isComplete || waiting.length >= MOST_WAITING || characters >= MOST_CHARACTERS ? rest() : [];
    },
  };
}

/** Mails without a thread belong together in one mailbox, and as the files of one `git format-patch`, which names them by number. */
function inGroups(waiting: readonly Waiting[]): Batch {
  const counts = new Map<string, number>();
  for (const { path } of waiting) counts.set(path, (counts.get(path) ?? 0) + 1);
  return waiting.map((one) => {
    const number = /^(?:v\d+-)?0*(\d+)-/.exec(basename(one.path))?.[1];
    const isNumbered = number !== undefined && one.messages[0]?.tag?.index === Number(number);
    return { ...one, group: counts.get(one.path) === 1 && isNumbered ? `files of ${dirname(one.path)}` : `file ${one.path}` };
  });
}

/** False for most mails, which then need not be read twice. */
function mayBeOfSeries({ kind, text }: ReadDocument): boolean {
  if (kind !== "patch") return false;
  const end = text.search(/\r?\n\r?\n/);
  const head = end < 0 ? text : text.slice(0, end);
  return /^Subject:[^]*?(?:\d\/\d|=\?)/im.test(head);
}
