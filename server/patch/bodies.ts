// SPDX-License-Identifier: GPL-2.0-only
import { bodyOf } from "../mail/body.ts";
import type { Message } from "../mail/message.ts";
import { splitMessages } from "../mail/message.ts";
import { append } from "../text/append.ts";
import type { TextLine } from "../text/lines.ts";
import type { Problem } from "../text/problem.ts";

/** A text that may hold a patch: the decoded body of a mail, or something attached to it. */
export interface PatchBody {
  /** Its lines from `bodyAt` on are decoded. */
  readonly message: Message;
  readonly isFlowed: boolean;
  readonly hasExtraBlank: boolean;
}

export interface PatchBodies {
  /** The body of the mail comes first. */
  readonly bodies: readonly [PatchBody, ...PatchBody[]];
  readonly problems: readonly Problem[];
}

/** Mails attached to attached mails beyond this depth are not read. */
const deepest = 4;

/** True for a line that only a diff has. */
export const mayBeDiff = (line: TextLine): boolean => /^(?:@@@* -|diff -|--- |Index: )/.test(line.text);

const isMail = (message: Message | undefined): boolean =>
  message !== undefined && (message.commit !== null || (message.header.form === "mail" && message.header.subject !== null));

const withBody = (message: Message, body: readonly TextLine[]): Message => ({ ...message, lines: [...message.lines.slice(0, message.bodyAt), ...body] });

/**
 * The texts of a mail that may hold a patch. A patch that is attached to a mail without one belongs to the mail's text, as
 * `git format-patch --attach` sends it; further ones, and attached mails, stand for themselves.
 */
export const bodiesOf = (message: Message, depth = 0): PatchBodies => {
  const body = bodyOf(message);
  const problems = [...body.problems];
  const { isFlowed, hasExtraBlank } = body;
  const others: PatchBody[] = [];
  let text = body.lines;
  for (const lines of body.attached) {
    const mails = splitMessages(lines);
    if (isMail(mails[0])) {
      for (const mail of depth < deepest ? mails : []) {
        const inner = bodiesOf(mail, depth + 1);
        append(others, inner.bodies);
        append(problems, inner.problems);
      }
    } else if (lines.some(mayBeDiff)) {
      if (text.some(mayBeDiff)) others.push({ message: withBody(message, lines), isFlowed: false, hasExtraBlank: false });
      else text = [...text, ...lines];
    }
  }
  const isUntouched = text === body.lines && body.isWhole;
  const own: PatchBody = { message: isUntouched ? message : withBody(message, text), isFlowed, hasExtraBlank };
  return { bodies: [own, ...others], problems };
};
