// SPDX-License-Identifier: GPL-2.0-only
import { parseTree, printParseErrorCode, type Node, type ParseError } from "jsonc-parser";

/** A part of a text, by offsets. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** What is wrong with a text, and where in it. */
export interface Complaint extends Extent {
  readonly code: string;
  readonly message: string;
}

/** Longer texts (UTF-16 units) are no configuration that a person writes. */
const MAX_LENGTH = 1024 * 1024;

/** Deeper values are no configuration either, and the parser calls itself. */
const MAX_DEPTH = 32;

/** So many complaints say that a text is not JSON. */
const MOST_ERRORS = 20;

const SENTENCES: Readonly<Record<string, string>> = {
  InvalidSymbol: "this is no word of JSON",
  InvalidNumberFormat: "this is no number",
  PropertyNameExpected: "a name in double quotes is missing here",
  ValueExpected: "a value is missing here",
  ColonExpected: "a colon is missing here",
  CommaExpected: "a comma is missing here",
  CloseBraceExpected: "a closing brace is missing here",
  CloseBracketExpected: "a closing bracket is missing here",
  EndOfFileExpected: "the file should end here",
  InvalidCommentToken: "JSON has no comments",
  UnexpectedEndOfComment: "JSON has no comments",
  UnexpectedEndOfString: "this string has no end",
  UnexpectedEndOfNumber: "this number has no end",
  InvalidUnicode: "this is no escaped character",
  InvalidEscapeCharacter: "this is no escaped character",
  InvalidCharacter: "this character must be escaped",
};

const sentenceOf = ({ error }: ParseError): string => SENTENCES[printParseErrorCode(error)] ?? "this is not JSON";

/** How deep brackets and braces of a text stand in each other, at most; strings are passed over. */
function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\\n]|\\.)*"?|[[{\]}]/g)) {
    if (token === "[" || token === "{") most = Math.max(most, ++depth);
    else if (token === "]" || token === "}") depth--;
  }
  return most;
}

/** A text as JSON with places; null where there is nothing to go by. What is wrong is passed over and told. */
export function jsonTree(text: string, maxLength = MAX_LENGTH): { readonly root: Node | null; readonly complaints: readonly Complaint[] } {
  const refused = (message: string) => ({ root: null, complaints: [{ code: "not-json", message, offset: 0, length: 0 }] });
  if (text.length > maxLength) return refused(`larger than ${maxLength / MAX_LENGTH} MiB: not read`);
  // Editors of other systems begin a file with an invisible mark.
  const plain = text.startsWith("\ufeff") ? ` ${text.slice(1)}` : text;
  if (plain.trim() === "") return refused("the file is empty; it should be {}");
  if (depthOf(plain) > MAX_DEPTH) return refused("nested too deep: not read");
  const errors: ParseError[] = [];
  const root = parseTree(plain, errors, { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false }) ?? null;
  return { root, complaints: errors.slice(0, MOST_ERRORS).map((one) => ({ code: "not-json", message: sentenceOf(one), offset: one.offset, length: one.length })) };
}
