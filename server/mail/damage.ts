// SPDX-License-Identifier: GPL-2.0-only

const whiteSpace = /\t| {2}|\n | \r?\n|^ | $/;

/**
 * True where a text has no indentation, no tab, no two adjacent blanks and no trailing blank: some mail archives leave
 * every text so. It is also true for a short text that never had any, so callers need a second sign.
 */
export const hasNoRunsOfBlanks = (text: string): boolean => !whiteSpace.test(text);

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

const encodedSigns = /=3D|=20$|=[C-F][0-9A-F]=[89AB][0-9A-F]/;

/** True where a line of a body declared as quoted-printable is indeed still encoded. */
export const looksQuotedPrintable = (text: string): boolean => encodedSigns.test(text);
