// SPDX-License-Identifier: GPL-2.0-only

const whiteSpace = /\t| {2}|^ | $/;

/**
 * True where a line has no indentation, no tab, no two adjacent blanks and no trailing blank: some mail archives leave
 * every line so. It is also true for many lines that never had any, so callers need a second sign.
 */
export const hasNoRunsOfBlanks = (line: string): boolean => !whiteSpace.test(line);

const sampleLength = 8192;

/** Control characters that no text has, NUL, and the mark that decoders leave for bytes which are not UTF-8. */
const isSuspicious = (code: number): boolean =>
  code === 0xfffd || (code < 32 && code !== 9 && code !== 10 && code !== 12 && code !== 13 && code !== 27);

/** True for a text that was made from bytes which are no text, such as a picture. Looks at the first 8 Ki units. */
export const looksBinary = (text: string): boolean => {
  const length = Math.min(text.length, sampleLength);
  let suspicious = 0;
  for (let at = 0; at < length; at += 1) if (isSuspicious(text.charCodeAt(at))) suspicious += 1;
  return suspicious * 20 > length;
};
