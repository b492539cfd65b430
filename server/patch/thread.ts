// SPDX-License-Identifier: GPL-2.0-only
import type { MailMessage } from "./model.ts";

/** Who answers whom among some mails. Mails that are only referred to take part as well. */
export interface Threads {
  /** The same for all mails of a thread; null for a mail without Message-ID and references. */
  readonly threadOf: (message: MailMessage) => string | null;
  /** The ids of the mails above, the nearest first. */
  readonly above: (message: MailMessage) => Iterable<string>;
}

/** No thread is deeper; a circle of references ends here too. */
const deepest = 1000;

const parentsOf = (message: MailMessage): readonly string[] => {
  const above = message.references.toReversed();
  return message.inReplyTo === null || above[0] === message.inReplyTo ? above : [message.inReplyTo, ...above];
};

/** Joins ids into threads (a forest of representatives, with the paths halved at each look). */
const createForest = () => {
  const leaders = new Map<string, string>();
  const find = (id: string): string => {
    let at = id;
    for (let next = leaders.get(at); next !== undefined && next !== at; next = leaders.get(at)) {
      const over = leaders.get(next) ?? next;
      leaders.set(at, over);
      at = over;
    }
    return at;
  };
  return { find, join: (one: string, other: string): void => void leaders.set(find(one), find(other)) };
};

/** Reads the threads out of the ids of mails. */
export const threadsOf = (messages: readonly MailMessage[]): Threads => {
  const forest = createForest();
  const parents = new Map<string, readonly string[]>();
  for (const message of messages) {
    const above = parentsOf(message);
    if (message.messageId !== null && !parents.has(message.messageId)) parents.set(message.messageId, above);
    for (const id of above) forest.join(message.messageId ?? above[0] ?? id, id);
  }
  const threadOf = (message: MailMessage): string | null => {
    const id = message.messageId ?? parentsOf(message)[0];
    return id === undefined ? null : forest.find(id);
  };
  const above = function* (message: MailMessage): Generator<string> {
    let level = parentsOf(message);
    for (let depth = 0; level.length > 0 && depth < deepest; depth += 1) {
      yield* level;
      // A mailer that keeps only In-Reply-To leaves the rest of the way to the mails above.
      level = parents.get(level.at(-1) ?? "") ?? [];
    }
  };
  return { threadOf, above };
};
