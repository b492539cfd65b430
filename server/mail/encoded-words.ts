// SPDX-License-Identifier: GPL-2.0-only

const word = /=\?([A-Za-z0-9_.:+-]{1,40})(?:\*[A-Za-z-]{1,10})?\?([QqBb])\?([^?\s]{0,200})\?=/g;
const betweenWords = /(\?=)\s+(?==\?[A-Za-z0-9_.:+-]{1,40}(?:\*[A-Za-z-]{1,10})?\?[QqBb]\?)/g;

const bytesOfQ = (payload: string): Uint8Array => {
  const bytes: number[] = [];
  for (let at = 0; at < payload.length; at += 1) {
    const hex = payload[at] === "=" ? /^[0-9A-Fa-f]{2}/.exec(payload.slice(at + 1, at + 3))?.[0] : undefined;
    if (hex !== undefined) {
      bytes.push(Number.parseInt(hex, 16));
      at += 2;
    } else bytes.push(payload[at] === "_" ? 32 : payload.charCodeAt(at) & 0xff);
  }
  return Uint8Array.from(bytes);
};

const bytesOfB = (payload: string): Uint8Array => new Uint8Array(Buffer.from(payload, "base64"));

const decoded = (charset: string, bytes: Uint8Array): string => {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    // The label is unknown to this runtime ("unknown-8bit" is common in archives): every byte is a letter in latin1.
    return new TextDecoder("latin1").decode(bytes);
  }
};

/** Decodes the `=?charset?Q?...?=` words of RFC 2047 in a header value; what is not one stays as it is. */
export const decodeEncodedWords = (value: string): string =>
  value.includes("=?")
    ? value
        .replace(betweenWords, "$1")
        .replace(word, (_, charset: string, kind: string, payload: string) =>
          decoded(charset, kind.toUpperCase() === "Q" ? bytesOfQ(payload) : bytesOfB(payload)))
    : value;
