// SPDX-License-Identifier: GPL-2.0-only
import { append } from "../text/append.ts";
import type { TextLine } from "../text/lines.ts";
import type { Problem } from "../text/problem.ts";
import { parseField } from "./content-type.ts";
import { decodeLines } from "./decode.ts";
import type { Message } from "./message.ts";
import type { Part } from "./parts.ts";
import { partsOf } from "./parts.ts";

/** The body of a mail without its wrappings. */
export interface Body {
  /** What a reader of the mail sees as its text. */
  readonly lines: readonly TextLine[];
  /** Attached texts and mails, in order. */
  readonly attached: readonly (readonly TextLine[])[];
  /** True where the mail declares that its lines flow. */
  readonly isFlowed: boolean;
  /** True where a flowed line has one blank more than its text. */
  readonly hasExtraBlank: boolean;
  /** True where the lines are those of the mail. */
  readonly isWhole: boolean;
  readonly problems: readonly Problem[];
}

const patchName = /\.(?:patch|diff|mbox|mbx|eml|txt|quilt)$/i;
const patchType = /^(?:text|application)\/(?:x-)?(?:patch|diff|gitpatch)$|^message\/rfc822$/;

const nameOf = (part: Part): string => part.disposition.parameters.get("filename") ?? part.type.parameters.get("name") ?? "";

/** `text`: part of the body; `attached`: a text or mail of its own; `other`: nothing that holds a patch. */
const roleOf = (part: Part): "text" | "attached" | "other" => {
  const { value } = part.type;
  const isText = value === "text/plain" || value === "";
  const isAttachment = part.disposition.value === "attachment" || nameOf(part) !== "";
  if (isText && !isAttachment) return "text";
  return isText || patchType.test(value) || patchName.test(nameOf(part)) ? "attached" : "other";
};

const skipped = (part: Part): Problem =>
  ({ code: "part-skipped", message: `a part of the type ${part.type.value} was not read`, line: part.lines[0]?.line ?? null });

/** Takes a body out of its parts and encodings. A body that stands as it is costs nothing but a look at its lines. */
export const bodyOf = (message: Message): Body => {
  const type = parseField(message.header.contentType);
  const whole: Part = { type, disposition: parseField(null), encoding: message.header.transferEncoding, lines: message.lines.slice(message.bodyAt) };
  const { parts, problems } = partsOf(whole);
  const found = [...problems];
  const lines: TextLine[] = [];
  const attached: (readonly TextLine[])[] = [];
  let flow: ReadonlyMap<string, string> | null = null;
  for (const part of parts) {
    const role = parts.length === 1 && part.type.value !== "text/html" ? "text" : roleOf(part);
    if (role === "other") {
      if (part.type.value.startsWith("text/")) found.push(skipped(part));
      continue;
    }
    const decoded = decodeLines(part.lines, part.encoding, part.type.parameters.get("charset") ?? null);
    append(found, decoded.problems);
    if (role === "attached") attached.push(decoded.lines);
    else append(lines, decoded.lines);
    flow ??= role === "text" ? part.type.parameters : null;
  }
  return {
    lines, attached, problems: found,
    isWhole: lines.length === whole.lines.length && lines.every((line, at) => line === whole.lines[at]),
    isFlowed: flow?.get("format")?.toLowerCase() === "flowed",
    hasExtraBlank: flow?.get("format")?.toLowerCase() === "flowed" && flow?.get("delsp")?.toLowerCase() === "yes",
  };
};
