// SPDX-License-Identifier: GPL-2.0-only

/** Text made of some bytes: for each of its UTF-16 units the index of the byte at which its character begins. */
export interface DecodedText {
  readonly text: string;
  readonly from: Int32Array;
}

/** Turns the bytes of one line into text. */
export interface Charset {
  readonly decode: (bytes: Uint8Array) => DecodedText;
  /** True once a line had bytes that are no text in the charset that the mail declares. */
  readonly hasFailed: () => boolean;
}

const oneByte = /^(?:windows-125\d|windows-874|iso-8859-|koi8-|ibm866|macintosh|x-mac-cyrillic)/;

const everyByte = (length: number): Int32Array => Int32Array.from({ length }, (_, at) => at);

/** Every byte is one unit. */
const decodeOneByte = (decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array): DecodedText =>
  ({ text: decoder.decode(bytes), from: everyByte(bytes.length) });

/** Bytes of the UTF-8 sequence that `first` opens. */
const lengthOf = (first: number): number => (first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4);

/** Bytes that are valid UTF-8. */
const unitsOfUtf8 = (bytes: Uint8Array, units: number): Int32Array => {
  const from = new Int32Array(units);
  let unit = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = lengthOf(bytes[at] ?? 0);
    from[unit] = at;
    if (length === 4) from[unit + 1] = at;
    unit += length === 4 ? 2 : 1;
    at += length;
  }
  return from;
};

/** Where a character begins in a charset of several bytes only the decoder knows, so it gets them one at a time. */
const decodeBySteps = (label: string, bytes: Uint8Array): DecodedText => {
  const decoder = new TextDecoder(label, { ignoreBOM: true });
  const pieces: string[] = [];
  const from: number[] = [];
  let start = 0;
  const put = (piece: string, next: number): void => {
    for (let unit = 0; unit < piece.length; unit += 1) from.push(start);
    pieces.push(piece);
    if (piece !== "") start = next;
  };
  for (let at = 0; at < bytes.length; at += 1) put(decoder.decode(bytes.subarray(at, at + 1), { stream: true }), at + 1);
  put(decoder.decode(), bytes.length);
  return { text: pieces.join(""), from: Int32Array.from(from) };
};

/** The decoder's own name of a label, or null where the runtime does not know it. */
const nameOf = (label: string): string | null => {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return null;
  }
};

/**
 * The charset of a label. Labels that mail has for "whatever" (none, `us-ascii`, `unknown-8bit`) and UTF-8 itself are read
 * as UTF-8 line by line, and as windows-1252 (of which latin1 is a part) where a line is not; so is an unknown label.
 */
export const charsetOf = (label: string | null): Charset => {
  const wanted = (label ?? "").trim().toLowerCase();
  const name = wanted === "" || wanted === "us-ascii" || wanted === "ascii" ? "utf-8" : nameOf(wanted);
  // No line of a mail can be found in UTF-16 by its newline.
  const isUnknown = name === null || name.startsWith("utf-16") || name === "replacement";
  const single = new TextDecoder(name !== null && oneByte.test(name) ? name : "windows-1252");
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let hasFailed = false;
  const decodeUtf8 = (bytes: Uint8Array): DecodedText => {
    try {
      const text = utf8.decode(bytes);
      return { text, from: unitsOfUtf8(bytes, text.length) };
    } catch {
      hasFailed = true;
      return decodeOneByte(single, bytes);
    }
  };
  const decode = (bytes: Uint8Array): DecodedText => {
    if (name !== null && oneByte.test(name)) return decodeOneByte(single, bytes);
    if (isUnknown || name === "utf-8") return decodeUtf8(bytes);
    const decoded = decodeBySteps(name, bytes);
    hasFailed ||= decoded.text.includes("\ufffd");
    return decoded;
  };
  return { decode, hasFailed: () => hasFailed || (isUnknown && wanted !== "unknown-8bit" && wanted !== "x-unknown") };
};
