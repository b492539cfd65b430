// SPDX-License-Identifier: GPL-2.0-only

/** A `Content-Type` or `Content-Disposition` field, taken apart. */
export interface FieldValue {
  /** Lower case, for example `text/plain` or `attachment`; "" where absent. */
  readonly value: string;
  /** By lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

const longest = 16_384;
const token = /[^\s;="()<>]*/y;
const blanks = /[\s;]*/y;

const match = (pattern: RegExp, text: string, at: number): string => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
};

/** A quoted string at `at` (the opening quote), with its escapes undone; one without an end goes to the end. */
const quotedString = (text: string, at: number): { value: string; next: number } => {
  let value = "";
  let next = at + 1;
  for (; next < text.length && text[next] !== '"'; next += 1) {
    if (text[next] === "\\") next += 1;
    value += text[next] ?? "";
  }
  return { value, next: next + 1 };
};

/** `name*0=`, `name*0*=` and `name*=` are pieces of `name` (RFC 2231). */
const plainName = (name: string): string => /^([^*]+)\*(?:\d{1,3}\*?)?$/.exec(name)?.[1] ?? name;

/** The value of a `name*=` parameter: a charset and a language precede it, and bytes are `%XX`. */
const extended = (value: string): string => {
  const body = /^[^']*'[^']*'(.*)$/s.exec(value)?.[1] ?? value;
  return body.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
};

/** Reads `value; name=token; name="quoted string"`. Never fails: what cannot be read is left out. */
export const parseField = (raw: string | null): FieldValue => {
  const text = (raw ?? "").slice(0, longest);
  const value = match(token, text, match(blanks, text, 0).length).toLowerCase();
  const parameters = new Map<string, string>();
  let at = text.indexOf(";");
  while (at >= 0 && at < text.length) {
    at += match(blanks, text, at).length;
    const name = match(token, text, at).toLowerCase();
    at += name.length;
    while (text[at] === " ") at += 1;
    if (text[at] !== "=") {
      at = text.indexOf(";", at);
      continue;
    }
    at += 1;
    while (text[at] === " " || text[at] === "\t") at += 1;
    const found = text[at] === '"' ? quotedString(text, at) : { value: match(token, text, at), next: at + match(token, text, at).length };
    const key = plainName(name);
    const piece = name.endsWith("*") ? extended(found.value) : found.value;
    // A parameter that comes twice keeps its first value; pieces of one are joined.
    if (key !== name && /\*[1-9]/.test(name)) parameters.set(key, (parameters.get(key) ?? "") + piece);
    else if (key !== "" && !parameters.has(key)) parameters.set(key, piece);
    at = text.indexOf(";", found.next);
  }
  return { value, parameters };
};
